"""Fit the two-pool lymphocyte model to the published relations between EDIC and lymphocyte count.

Run from the repository's root::

    python -m scripts.calibrate_lymphocytes

It prints the three calibrated parameters of ``simulation/data/lymphocyte_response.toml`` and, for every
published point of ``simulation/data/lymphocyte_relations.toml``, the model's value beside it. Circulating cells
are killed by the blood dose that ``POST /v1/doses/blood`` works out for the cohort's assumed plan, and the reserve
by the exposure that it takes, so that the parameters hold for the answers of that route.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from schemas.blood import BloodRequest
from service.blood import circulation_of
from service.blood_exposure import course_exposure
from service.radiotherapy import radiotherapy_plan
from simulation.radiation.edic import BLOOD_DOSE_REFERENCE_L, edric_gy
from simulation.radiation.lymphocytes import (
    DEFAULT,
    LymphocyteParameters,
    blood_survival,
    relative_counts,
    reserve_survival,
)
from simulation.radiation.tables import read_table

SEED = 20
STARTS = 6
FREE = ("reserve_dose_ratio", "reserve_exposed_share", "reserve_fast_share")
LOWER, UPPER = np.array([0.05, 0.2, 0.0]), np.array([6.0, 1.0, 1.0])
LARGE_ERROR_POWER = 3
"""Errors enter with this power, so that the largest one counts most."""
DAYS_TO_COUNT = 1.0
"""When the end of radiotherapy is observed: so long after the last fraction."""
TABLE = read_table("lymphocyte_relations.toml")


@dataclass(frozen=True, slots=True)
class Point:
    """One published ratio of counts at one EDIC, with what a fraction does at the median sensitivity."""

    cohort: str
    edic_gy: float
    ratio: float
    days: NDArray[np.float64]
    blood_surviving: NDArray[np.float64]
    reserve_exposure_gy: float


def published_points() -> Iterator[Point]:
    """Read the relations."""
    breast, sclc = TABLE["breast"], TABLE["limited_stage_sclc"]
    for edic in breast["edic_gy"]:
        yield point("breast", edic, breast["intercept"] + breast["slope_per_gy"] * edic)
    yield point("limited_stage_sclc", sclc["edic_gy"], sclc["nadir_1e9_per_l"] / sclc["count_before_1e9_per_l"])


def point(cohort: str, edic_gy: float, ratio: float) -> Point:
    """Return the point of a cohort at an EDIC, with the blood dose of the plan that is assumed for it."""
    request = BloodRequest.model_validate_json(
        json.dumps(request_with(cohort, edic_gy, TABLE["assumed_plan"]["gy_per_edic_gy"]))
    )
    (course,) = radiotherapy_plan(request.plan.radiotherapy).courses
    exposure = course_exposure(request, 0, course, circulation_of(request))
    return Point(
        cohort,
        edic_gy,
        ratio,
        np.array([fraction.day for fraction in course.fractions]),
        blood_survival(exposure.blood.particles_gy, [DEFAULT.alpha_per_gy]),
        exposure.mean_exposure_gy,
    )


def request_with(cohort: str, edic_gy: float, gy_per_edic_gy: Mapping[str, float]) -> dict[str, Any]:
    """Return the blood-dose request with these organs and this EDIC; the body has what is left of it."""
    row = TABLE[cohort]
    doses = {organ: edic_gy * share for organ, share in gy_per_edic_gy.items()}

    def immune_dose(body_gy: float) -> float:
        return edric_gy(
            mean_lung_dose_gy=doses["lung"],
            mean_heart_dose_gy=doses["heart"],
            mean_body_dose_gy=body_gy,
            fraction_count=row["fractions"],
        )

    body = (edic_gy - immune_dose(0.0)) / (immune_dose(1.0) - immune_dose(0.0))
    course = {
        "id": cohort,
        "start_day": 0.0,
        "dose_per_fraction_gy": 2.0,
        "fraction_count": row["fractions"],
        "fractions_per_week": row["fractions_per_week"],
        "organs": [{"organ": organ, "mean_dose_gy": dose} for organ, dose in {**doses, "body": body}.items()],
    }
    return {
        "patient": {"sex": row["sex"]},
        "plan": {"radiotherapy": [course]},
        "body_volume_l": BLOOD_DOSE_REFERENCE_L,
    }


def model_ratio(point: Point, parameters: LymphocyteParameters) -> float:
    """Return the model's ratio: at the nadir, or a day after the last fraction."""
    count = (len(point.days), 1)
    blood = np.tile(point.blood_surviving, count)
    reserve = np.tile(reserve_survival(point.reserve_exposure_gy, [DEFAULT.alpha_per_gy], parameters), count)
    counts = relative_counts(point.days, blood, reserve, [point.days[-1] + DAYS_TO_COUNT], parameters)
    at_nadir = TABLE[point.cohort]["observed"] == "nadir"
    return float(counts.nadir[0] if at_nadir else counts.at_days[0, 0])


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
    for one in published_points():
        value = model_ratio(one, parameters)
        print(f"{one.cohort}: EDIC {one.edic_gy} Gy published {one.ratio:.3f} model {value:.3f}", end=" ")
        print(f"({100 * (value / one.ratio - 1):+.1f} %)")


if __name__ == "__main__":
    main()
