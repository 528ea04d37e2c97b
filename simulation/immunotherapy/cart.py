r"""CAR-T cellular kinetics: expansion, contraction and persistence of the transgene.

Stein 2019 describes tisagenlecleucel in B-ALL by qPCR (transgene copies per microgram of DNA):

.. math:: N(t) = \frac{C_{max}}{F} e^{\rho t} \; (t < T_{max}), \qquad
          N(t) = C_{max} \left[(1 - f) e^{-\alpha \tau} + f e^{-\beta \tau}\right], \; \tau = t - T_{max},

with :math:`\rho = \ln F / T_{max}`. It has no covariate and no dose: more infused cells do not expand further.
"""

import tomllib
from dataclasses import dataclass, replace
from importlib import resources
from itertools import pairwise
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulation.predictors._answers import wilson

OmegaReading = Literal["standard_deviation", "variance"]
"""How the printed random effects are read; the paper leaves it open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellKinetics:
    """Parameters of one or many patients, arrays of shape (n_patients,), and drugs that change the expansion.

    ``cmax_copies_per_ug`` and ``fold_expansion`` are those without such drugs; ``expansion_factors``
    holds the day of each drug and what the rate of expansion is multiplied by from then on.
    """

    cmax_copies_per_ug: NDArray[np.float64]
    tmax_days: NDArray[np.float64]
    fold_expansion: NDArray[np.float64]
    alpha_per_day: NDArray[np.float64]
    slow_fraction: NDArray[np.float64]
    beta_per_day: NDArray[np.float64]
    expansion_factors: tuple[tuple[float, float], ...] = ()

    @property
    def expansion_per_day(self) -> NDArray[np.float64]:
        """Rate of exponential expansion before any drug changes it, 1/d."""
        return np.log(self.fold_expansion) / self.tmax_days

    @property
    def doubling_days(self) -> NDArray[np.float64]:
        """Doubling time during expansion before any drug changes it, d."""
        days: NDArray[np.float64] = np.log(2.0) / self.expansion_per_day
        return days

    @property
    def maximum_copies_per_ug(self) -> NDArray[np.float64]:
        """Highest level, reached at ``tmax_days``, copies/ug."""
        return self._expanded(self.tmax_days)

    def with_expansion_factor(self, factor: float, from_day: float) -> "CellKinetics":
        """Return the kinetics with the rate of expansion multiplied by ``factor`` from a day until the maximum."""
        return replace(self, expansion_factors=tuple(sorted((*self.expansion_factors, (max(from_day, 0.0), factor)))))

    def level(self, time_days: ArrayLike) -> NDArray[np.float64]:
        """Return transgene copies per microgram, shape (n_times, n_patients), at days after infusion."""
        time = np.atleast_1d(np.asarray(time_days, dtype=np.float64))[:, None]
        since = np.maximum(time - self.tmax_days, 0.0)
        after = self.maximum_copies_per_ug * (
            (1.0 - self.slow_fraction) * np.exp(-self.alpha_per_day * since)
            + self.slow_fraction * np.exp(-self.beta_per_day * since)
        )
        return np.where(time < self.tmax_days, self._expanded(np.minimum(time, self.tmax_days)), after)

    def area(self, until_days: float) -> NDArray[np.float64]:
        """Return the area (copies/ug*d), shape (n_patients,), from infusion to a day; closed form."""
        rise = np.minimum(until_days, self.tmax_days)
        expansion = np.zeros_like(self.tmax_days)
        for begin, end, factor in self._phases():
            first, last = np.minimum(begin, rise), np.minimum(end, rise)
            rate = factor * self.expansion_per_day
            expansion = expansion + self._expanded(first) * np.expm1(rate * (last - first)) / rate
        since = np.maximum(until_days - self.tmax_days, 0.0)
        fast = (1.0 - self.slow_fraction) * -np.expm1(-self.alpha_per_day * since) / self.alpha_per_day
        slow = self.slow_fraction * -np.expm1(-self.beta_per_day * since) / self.beta_per_day
        return expansion + self.maximum_copies_per_ug * (fast + slow)

    def _expanded(self, time_days: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the level (copies/ug) at times (d) up to the maximum."""
        days = -self.tmax_days
        for begin, end, factor in self._phases():
            days = days + factor * (np.minimum(time_days, end) - np.minimum(time_days, begin))
        level: NDArray[np.float64] = self.cmax_copies_per_ug * np.exp(self.expansion_per_day * days)
        return level

    def _phases(self) -> list[tuple[float, float, float]]:
        """Return begin (d), end (d) and factor on the rate of each phase of expansion."""
        factors = np.cumprod([1.0, *(factor for _, factor in self.expansion_factors)])
        days = [0.0, *(day for day, _ in self.expansion_factors), np.inf]
        return [(begin, end, factor) for (begin, end), factor in zip(pairwise(days), factors.tolist(), strict=True)]


def typical() -> CellKinetics:
    """Return the typical patient of Stein 2019."""
    return _kinetics(np.zeros((1, 6)))


def virtual_patients(patients: int, seed: int, omega_reading: OmegaReading) -> CellKinetics:
    """Return virtual patients of Stein 2019; patient i does not depend on how many are asked for.

    Parameters
    ----------
    patients : int
    seed : int
    omega_reading : {"standard_deviation", "variance"}
        Whether the printed random effects are standard deviations or variances on the log scale.
    """
    scale = np.array([MODEL["random_effects"][name] for name in _ORDER])
    if omega_reading == "variance":
        scale = np.sqrt(scale)
    generator = np.random.Generator(np.random.Philox(key=[seed, 3]))
    return _kinetics(np.clip(generator.standard_normal((patients, 6)), -5.0, 5.0) * scale)


_ORDER: Final = ("cmax", "tmax", "fold_expansion", "alpha", "slow_fraction", "beta")


def _kinetics(etas: NDArray[np.float64]) -> CellKinetics:
    factors = np.exp(etas)
    return CellKinetics(
        cmax_copies_per_ug=MODEL["cmax_copies_per_ug"] * factors[:, 0],
        tmax_days=MODEL["tmax_days"] * factors[:, 1],
        fold_expansion=np.maximum(MODEL["fold_expansion"] * factors[:, 2], 1.01),
        alpha_per_day=MODEL["alpha_per_day"] * factors[:, 3],
        slow_fraction=np.minimum(MODEL["slow_fraction"] * factors[:, 4], 1.0),
        beta_per_day=MODEL["beta_per_day"] * factors[:, 5],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class KineticSummary:
    """Printed cellular kinetics of a product in one setting; None where nothing is printed."""

    setting: str
    unit: str
    maximum: float | None
    maximum_day: float | None
    area_0_28: float | None
    source: str
    verified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxicityRate:
    """Incidence of CRS or neurologic toxicity; the scale belongs to the number."""

    event: Literal["crs", "icans"]
    grades: Literal["any", "3+"]
    setting: str
    percent: float
    events: int | None
    n: int | None
    scale: str
    source: str
    verified: bool

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % Wilson interval (0 to 1), where the number of patients is known."""
        if self.n is None:
            return None
        return wilson(round(self.percent / 100.0 * self.n) if self.events is None else self.events, self.n)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellProduct:
    """One CAR-T product; ``kinetic_model`` is None where only summaries are published.

    ``cancer_types`` are those that may carry its ``target``: lymphoma, leukemia and myeloma are ``other``.
    """

    name: str
    title: str
    target: str
    cancer_types: tuple[str, ...]
    kinetic_model: str | None
    kinetics: tuple[KineticSummary, ...]
    toxicity: tuple[ToxicityRate, ...]


def _load() -> tuple[dict[str, Any], dict[str, CellProduct]]:
    text = resources.files("simulation").joinpath("data/cell_products.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    products = {
        row["name"]: CellProduct(
            name=row["name"],
            title=row["title"],
            target=row["target"],
            cancer_types=tuple(row["cancer_types"]),
            kinetic_model=row.get("kinetic_model"),
            kinetics=tuple(
                KineticSummary(**({"maximum": None, "maximum_day": None, "area_0_28": None} | entry))
                for entry in row["kinetics"]
            ),
            toxicity=tuple(ToxicityRate(**({"events": None, "n": None} | entry)) for entry in row["toxicity"]),
        )
        for row in data["product"]
    }
    return data["stein2019"], products


MODEL, PRODUCTS = _load()
