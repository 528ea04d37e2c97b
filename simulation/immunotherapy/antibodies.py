"""Population pharmacokinetic models of checkpoint antibodies, read from ``data/antibody_pk.toml``."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulation.immunotherapy.disposition import ClearanceForm, Disposition

CovariateKind = Literal[
    "power",
    "exp_indicator",
    "one_plus_indicator",
    "factor_indicator",
    "one_plus_linear",
    "log_ratio_power",
    "additive_indicator",
]
SMALLEST_LINEAR_FACTOR: Final = 0.05
_LARGEST_DEVIATION: Final = 5.0
"""Random effects are cut at this many standard deviations: one draw in two million."""
_EXTREME_T50: Final = 3.0


@dataclass(frozen=True, slots=True)
class CovariateEffect:
    """How one covariate changes some parameters; the kinds are listed in the data table."""

    kind: CovariateKind
    covariate: str
    parameters: tuple[str, ...]
    value: float
    reference: float | None = None


@dataclass(frozen=True, slots=True)
class RandomEffect:
    """One random effect; ``form`` says whether it multiplies (``log``) or adds (``additive``)."""

    name: str
    parameters: tuple[str, ...]
    variance: float
    form: Literal["log", "additive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AntibodyModel:
    """One published population model.

    Attributes
    ----------
    typical : mapping of str to float
        ``cl`` (L/d), ``vc`` (L), ``q`` (L/d), ``vp`` (L), ``emax`` (1), ``t50`` (d), and ``vmax`` (mg/d)
        and ``km`` (mg/L) where elimination saturates.
    covariance : ndarray, shape (n_effects, n_effects)
        Of the random effects, in their order.
    """

    id: str
    agent: str
    default: bool
    population: str
    patients: int | None
    citation: str
    doi: str | None
    verified: bool
    typical: Mapping[str, float]
    form: ClearanceForm
    hill: float
    residual_proportional: float | None
    residual_additive_mg_per_l: float | None
    effects: tuple[CovariateEffect, ...]
    random_effects: tuple[RandomEffect, ...]
    covariance: NDArray[np.float64]
    notes: tuple[str, ...]

    @property
    def covariates(self) -> dict[str, float | None]:
        """Names of the covariates with their reference values; None marks an indicator."""
        return {effect.covariate: effect.reference for effect in self.effects}

    def outside_usual_range(self, covariates: Mapping[str, float]) -> dict[str, tuple[float, float]]:
        """Return the usual range of each covariate of the model whose value lies outside it."""
        return {
            name: USUAL_RANGE[name]
            for name in self.covariates
            if name in USUAL_RANGE
            and name in covariates
            and not USUAL_RANGE[name][0] <= covariates[name] <= USUAL_RANGE[name][1]
        }

    def held_at_floor(self, covariates: Mapping[str, float]) -> tuple[str, ...]:
        """Return the covariates whose linear term is held at :data:`SMALLEST_LINEAR_FACTOR`."""
        return tuple(
            effect.covariate
            for effect in self.effects
            if effect.kind == "one_plus_linear"
            and effect.covariate in covariates
            and 1.0 + effect.value * (covariates[effect.covariate] - (effect.reference or 0.0)) < SMALLEST_LINEAR_FACTOR
        )

    @property
    def longest_step_days(self) -> float | None:
        """Step for virtual patients, from the typical one and the spread of T50; None where clearance is constant."""
        if self.form == "constant":
            return None
        spread = sum(effect.variance for effect in self.random_effects if "t50" in effect.parameters)
        fast = dict(self.typical) | {"t50": self.typical["t50"] * math.exp(-_EXTREME_T50 * math.sqrt(spread))}
        return self._disposition({name: np.array([value]) for name, value in fast.items()}).longest_step_days()

    def individual(
        self, covariates: Mapping[str, ArrayLike] | None = None, etas: NDArray[np.float64] | None = None
    ) -> Disposition:
        """Return the parameters of one or many patients.

        Parameters
        ----------
        covariates : mapping of str to array-like, shape () or (n_patients,)
            Known covariates by the names of :attr:`covariates`; a missing one stays at its reference.
        etas : ndarray, shape (n_patients, n_effects), optional
            Random effects; none gives the typical patient with these covariates.

        Raises
        ------
        ValueError
            If a covariate makes a parameter impossible, for instance a weight of zero.
        """
        given = {name: np.asarray(value, dtype=np.float64) for name, value in (covariates or {}).items()}
        size = 1 if etas is None else etas.shape[0]
        size = max([size, *(value.size for value in given.values())])
        values = {name: np.full(size, number) for name, number in self.typical.items()}
        for effect in self.effects:
            if effect.covariate in given:
                for parameter in effect.parameters:
                    values[parameter] = _apply(effect, given[effect.covariate], values[parameter])
        if etas is not None:
            for column, random_effect in enumerate(self.random_effects):
                eta = etas[:, column]
                for parameter in random_effect.parameters:
                    multiplies = random_effect.form == "log"
                    values[parameter] = values[parameter] * np.exp(eta) if multiplies else values[parameter] + eta
        return self._disposition(values)

    def _disposition(self, values: Mapping[str, NDArray[np.float64]]) -> Disposition:
        return Disposition.of(
            cl_l_per_day=values["cl"],
            vc_l=values["vc"],
            q_l_per_day=values["q"],
            vp_l=values["vp"],
            form=self.form,
            emax=values["emax"] if self.form != "lin" else np.maximum(values["emax"], -0.95),
            t50_days=values["t50"],
            hill=self.hill,
            vmax_mg_per_day=values.get("vmax"),
            km_mg_per_l=values.get("km"),
        )

    def draw(self, generator: np.random.Generator, patients: int) -> NDArray[np.float64]:
        """Return random effects, shape (patients, n_effects), of virtual patients."""
        if not self.random_effects:
            return np.zeros((patients, 0))
        factor = np.linalg.cholesky(self.covariance)
        normal = generator.standard_normal((patients, len(self.random_effects)))
        drawn: NDArray[np.float64] = np.clip(normal, -_LARGEST_DEVIATION, _LARGEST_DEVIATION) @ factor.T
        return drawn


def _apply(
    effect: CovariateEffect, covariate: NDArray[np.float64], parameter: NDArray[np.float64]
) -> NDArray[np.float64]:
    reference = effect.reference if effect.reference is not None else 1.0
    smallest = {"power": 0.0, "log_ratio_power": 1.0}.get(effect.kind)
    if smallest is not None and np.any(covariate <= smallest):
        raise ValueError(f"{effect.covariate} must be above {smallest:g}")
    if effect.kind == "power":
        return parameter * (covariate / reference) ** effect.value
    if effect.kind == "log_ratio_power":
        return parameter * (np.log(covariate) / math.log(reference)) ** effect.value
    if effect.kind == "one_plus_linear":
        return parameter * np.maximum(SMALLEST_LINEAR_FACTOR, 1.0 + effect.value * (covariate - reference))
    if effect.kind == "additive_indicator":
        return parameter + effect.value * covariate
    factor = {
        "exp_indicator": math.exp(effect.value),
        "one_plus_indicator": 1.0 + effect.value,
        "factor_indicator": effect.value,
    }[effect.kind]
    return parameter * np.where(covariate > 0, factor, 1.0)


def _covariance(random_effects: tuple[RandomEffect, ...], covariances: list[dict[str, Any]]) -> NDArray[np.float64]:
    names = [effect.name for effect in random_effects]
    matrix = np.diag([effect.variance for effect in random_effects])
    for entry in covariances:
        i, j = (names.index(name) for name in entry["between"])
        matrix[i, j] = matrix[j, i] = entry["value"]
    return matrix


def _read(row: dict[str, Any]) -> AntibodyModel:
    typical = {
        "cl": row["cl_l_per_day"],
        "vc": row["vc_l"],
        "q": row["q_l_per_day"],
        "vp": row["vp_l"],
        "emax": row.get("emax", 0.0),
        "t50": row.get("t50_days", 1.0),
    }
    if "vmax_mg_per_day" in row:
        typical |= {"vmax": row["vmax_mg_per_day"], "km": row["km_mg_per_l"]}
    effects = tuple(
        CovariateEffect(
            entry["kind"], entry["covariate"], tuple(entry["parameters"]), entry["value"], entry.get("reference")
        )
        for entry in row.get("covariates", [])
    )
    random_effects = tuple(
        RandomEffect(entry["name"], tuple(entry["parameters"]), entry["variance"], entry["form"])
        for entry in row.get("random_effects", [])
    )
    return AntibodyModel(
        id=row["id"],
        agent=row["agent"],
        default=row["default"],
        population=row["population"],
        patients=row.get("n_patients"),
        citation=row["citation"],
        doi=row.get("doi"),
        verified=row["verified"],
        typical=typical,
        form=row.get("form", "constant"),
        hill=row.get("hill", 1.0),
        residual_proportional=row.get("residual_proportional"),
        residual_additive_mg_per_l=row.get("residual_additive_mg_per_l"),
        effects=effects,
        random_effects=random_effects,
        covariance=_covariance(random_effects, row.get("covariances", [])),
        notes=tuple(row["notes"]),
    )


def _load() -> dict[str, Any]:
    text = resources.files("simulation").joinpath("data/antibody_pk.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


_DATA: Final = _load()
USUAL_RANGE: Final[Mapping[str, tuple[float, float]]] = {
    name: (low, high) for name, (low, high) in _DATA["usual_range"].items()
}
MODELS: Final[Mapping[str, AntibodyModel]] = {model.id: model for model in map(_read, _DATA["model"])}
DEFAULTS: Final[Mapping[str, AntibodyModel]] = {model.agent: model for model in MODELS.values() if model.default}
