"""Fit the two-pool lymphocyte model to the published relations between EDIC and lymphocyte count.

Run from the repository's root::

    python -m scripts.calibrate_lymphocytes

It prints the three calibrated parameters of ``simulation/data/lymphocyte_response.toml`` and, for every
published point of ``simulation/data/lymphocyte_relations.toml``, the model's value beside it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from simulation.radiation.lymphocytes import (
    DEFAULT,
    LymphocyteParameters,
    blood_survival,
    relative_counts,
    reserve_survival,
)
from simulation.radiation.schedule import pattern_days
from simulation.radiation.tables import read_table

SEED = 20
STARTS = 6
FREE = ("reserve_dose_ratio", "reserve_exposed_share", "reserve_fast_share")
LOWER, UPPER = np.array([0.05, 0.2, 0.0]), np.array([6.0, 1.0, 1.0])
LARGE_ERROR_POWER = 3
"""Errors enter with this power, so that the largest one counts most."""


@dataclass(frozen=True, slots=True)
class Point:
    """One published ratio of counts at one EDIC."""

    cohort: str
    edic_gy: float
    ratio: float
    days: NDArray[np.float64]
    at_nadir: bool


def published_points() -> Iterator[Point]:
    """Read the relations."""
    table = read_table("lymphocyte_relations.toml")
    breast, sclc = table["breast"], table["limited_stage_sclc"]
    for edic in breast["edic_gy"]:
        ratio = breast["intercept"] + breast["slope_per_gy"] * edic
        yield Point("breast", edic, ratio, _days(breast), at_nadir=False)
    ratio = sclc["nadir_1e9_per_l"] / sclc["count_before_1e9_per_l"]
    yield Point("limited_stage_sclc", sclc["edic_gy"], ratio, _days(sclc), at_nadir=True)


def _days(row: dict[str, int]) -> NDArray[np.float64]:
    return np.array(pattern_days(0.0, row["fractions"], row["fractions_per_week"], week_start_day=0.0))


def model_ratio(point: Point, parameters: LymphocyteParameters) -> float:
    """Return the model's ratio: at the nadir, or half a day after the last fraction."""
    alpha = [parameters.alpha_per_gy]
    dose = point.edic_gy / len(point.days)
    blood = np.tile(blood_survival([dose], alpha), (len(point.days), 1))
    reserve = np.tile(reserve_survival(dose, alpha, parameters), (len(point.days), 1))
    counts = relative_counts(point.days, blood, reserve, [point.days[-1] + 0.5], parameters)
    return float(counts.nadir[0] if point.at_nadir else counts.at_days[0, 0])


def fit() -> LymphocyteParameters:
    """Return the parameters with the smallest sum over all points, from several random starts."""
    points = list(published_points())

    def residuals(values: NDArray[np.float64]) -> NDArray[np.float64]:
        parameters = replace(DEFAULT, **dict(zip(FREE, map(float, values), strict=True)))
        errors = np.array([np.log(model_ratio(point, parameters) / point.ratio) for point in points])
        raised: NDArray[np.float64] = 100.0 * np.sign(errors) * np.abs(errors) ** LARGE_ERROR_POWER
        return raised

    rng = np.random.Generator(np.random.Philox(SEED))
    starts = LOWER + (UPPER - LOWER) * rng.random((STARTS, len(FREE)))
    found = [least_squares(residuals, start, bounds=(LOWER, UPPER)) for start in starts]
    best = min(found, key=lambda result: result.cost)
    return replace(DEFAULT, **{name: round(float(value), 3) for name, value in zip(FREE, best.x, strict=True)})


def main() -> None:
    """Fit and print."""
    parameters = fit()
    for name in FREE:
        print(f"{name} = {getattr(parameters, name)}")
    for point in published_points():
        value = model_ratio(point, parameters)
        print(f"{point.cohort}: EDIC {point.edic_gy} Gy published {point.ratio:.3f} model {value:.3f}", end=" ")
        print(f"({100 * (value / point.ratio - 1):+.1f} %)")


if __name__ == "__main__":
    main()
