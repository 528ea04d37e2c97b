"""Tumor control models with their parameters, ready to be asked about a distribution."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from simulation.model import Interval, Reference
from simulation.radiation.dvh import Dvh
from simulation.radiation.linear_quadratic import fraction_bed_gy
from simulation.radiation.ntcp import log_logistic, lyman
from simulation.radiation.oxygen import dose_reduction
from simulation.radiation.tables import read_table
from simulation.radiation.tcp import poisson_clonogens, poisson_dose_response, zaider_minerbo

ControlForm = Literal["poisson", "zaider_minerbo", "log_logistic", "probit", "poisson_kallman", "poisson_exact"]
_MOST_BINS = 1000
Curve = Callable[[Dvh, float, Mapping[str, float], Sequence[float]], float]


def _clonogens(dvh: Dvh, p: Mapping[str, float]) -> float:
    if "clonogens" in p:
        return p["clonogens"]
    if dvh.volume_cm3 is None:
        raise ValueError("a clonogen density needs the volume of the target")
    return p["clonogens_per_cm3"] * dvh.volume_cm3


def _poisson(dvh: Dvh, fraction_count: float, p: Mapping[str, float], _days: Sequence[float]) -> float:
    return poisson_clonogens(
        dvh.condensed(_MOST_BINS),
        _clonogens(dvh, p),
        alpha_per_gy=p["alpha_per_gy"],
        alpha_beta_gy=p["alpha_beta_gy"],
        fraction_count=fraction_count,
        alpha_sd_per_gy=p.get("alpha_sd_per_gy", 0.0),
        repopulation_loss_gy=p.get("repopulation_loss_gy", 0.0),
        hypoxic_share=p.get("hypoxic_share", 0.0),
        hypoxic_dose_reduction=dose_reduction(p.get("hypoxic_oxygen_tension_mmhg", 0.0)),
    )


def _zaider_minerbo(dvh: Dvh, fraction_count: float, p: Mapping[str, float], days: Sequence[float]) -> float:
    bins = dvh.condensed(_MOST_BINS)
    per_fraction = -p["alpha_per_gy"] * fraction_bed_gy(bins.dose_gy / fraction_count, p["alpha_beta_gy"])
    return zaider_minerbo(
        _clonogens(dvh, p) * bins.share,
        log_survival_per_fraction=per_fraction,
        fraction_days=days,
        end_day=days[-1] + p["followup_days"],
        birth_per_day=p["birth_per_day"],
        death_per_day=p["death_per_day"],
    )


def _equivalent(dvh: Dvh, fraction_count: float, p: Mapping[str, float]) -> float:
    return dvh.in_eqd2(fraction_count, p["alpha_beta_gy"]).generalized_eud_gy(p["exponent"])


_CURVES: Mapping[ControlForm, Curve] = {
    "poisson": _poisson,
    "zaider_minerbo": _zaider_minerbo,
    "log_logistic": lambda dvh, n, p, _: float(
        log_logistic(_equivalent(dvh, n, p), td50_gy=p["d50_gy"], gamma50=p["gamma50"])
    ),
    "probit": lambda dvh, n, p, _: float(
        lyman(_equivalent(dvh, n, p), td50_gy=p["d50_gy"], m=1.0 / (p["gamma50"] * np.sqrt(2.0 * np.pi)))
    ),
    "poisson_kallman": lambda dvh, n, p, _: poisson_dose_response(
        dvh.in_eqd2(n, p["alpha_beta_gy"]), d50_gy=p["d50_gy"], gamma=p["gamma"], form="kallman_1992"
    ),
    "poisson_exact": lambda dvh, n, p, _: poisson_dose_response(
        dvh.in_eqd2(n, p["alpha_beta_gy"]), d50_gy=p["d50_gy"], gamma=p["gamma"], form="exact_gamma"
    ),
}


REQUIRED: Mapping[ControlForm, tuple[str, ...]] = {
    "poisson": ("alpha_per_gy", "alpha_beta_gy"),
    "zaider_minerbo": ("alpha_per_gy", "alpha_beta_gy", "birth_per_day", "death_per_day", "followup_days"),
    "log_logistic": ("d50_gy", "gamma50", "exponent", "alpha_beta_gy"),
    "probit": ("d50_gy", "gamma50", "exponent", "alpha_beta_gy"),
    "poisson_kallman": ("d50_gy", "gamma", "alpha_beta_gy"),
    "poisson_exact": ("d50_gy", "gamma", "alpha_beta_gy"),
}
CLONOGENS = ("clonogens", "clonogens_per_cm3")
"""A cell-survival form takes one of these."""
OPTIONAL = ("alpha_sd_per_gy", "repopulation_loss_gy", "hypoxic_share", "hypoxic_oxygen_tension_mmhg")
"""What the Poisson form takes beside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlModel:
    """A tumor control model with its parameters.

    ``fraction_days`` are used by the birth-death model alone.
    """

    form: ControlForm
    parameters: Mapping[str, float]
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    fraction_days: tuple[float, ...] = ()

    def probability(self, dvh: Dvh, fraction_count: float, parameters: Mapping[str, float] | None = None) -> float:
        """Return the control probability of a distribution.

        Parameters
        ----------
        dvh : Dvh
            Physical dose to the target.
        fraction_count : float
            Number of equal fractions.
        parameters : mapping, optional
            In place of the model's own.

        Returns
        -------
        float
            Probability.
        """
        return _CURVES[self.form](dvh, fraction_count, parameters or self.parameters, self.fraction_days)

    def is_floored(self, dvh: Dvh, fraction_count: float) -> bool:
        """Say whether a floor dose stands for cold doses in the answer.

        Parameters
        ----------
        dvh : Dvh
            Physical dose to the target.
        fraction_count : float
            Number of equal fractions.

        Returns
        -------
        bool
            True for a form with a generalized equivalent uniform dose that the floor enters.
        """
        if "exponent" not in self.parameters:
            return False
        return dvh.in_eqd2(fraction_count, self.parameters["alpha_beta_gy"]).is_floored(self.parameters["exponent"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPreset:
    """Parameters of the Poisson model for one tumor, with their source and a word on their intervals."""

    label: str
    parameters: Mapping[str, float]
    reference: Reference
    interval_note: str


_TABLE = read_table("radiation_tcp.toml")
CLONOGENS_PER_CM3: float = _TABLE["clonogen_density"]["value_per_cm3"]
PRESETS: Mapping[str, ControlPreset] = {
    name: ControlPreset(
        label=row["label"],
        parameters={key: row[key] for key in ("alpha_per_gy", "alpha_sd_per_gy", "alpha_beta_gy", "clonogens_per_cm3")},
        reference=Reference(citation=row["source"], doi=row["doi"], evidence=row["evidence"], verified=row["verified"]),
        interval_note=row["interval_note"],
    )
    for name, row in _TABLE["presets"].items()
}
