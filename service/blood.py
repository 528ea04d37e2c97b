"""Blood dose of a plan, and the lymphocyte count through and after it."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schemas import blood as wire
from schemas.run import ModelRef, RunWarning
from service.blood_exposure import DEFAULT_BEAM_SECONDS, CourseExposure, course_exposure, exposure_warnings
from service.blood_figures import draw_blood_dose, draw_counts
from service.blood_lymphocytes import LymphocyteCounts
from service.errors import InvalidInput
from service.kinds import Computation, Kind
from service.radiotherapy import radiotherapy_plan
from service.validation import not_validated
from simulation.radiation.blood import course_dose_gy
from simulation.radiation.circulation import (
    EXPOSED_BY,
    SECONDS_PER_MINUTE,
    Circulation,
    blood_volume_l,
    reference_circulation,
)
from simulation.registry import CARDS

QUANTILES: Final = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
COURSE_STREAM: Final = 1_000_000
CARD_IDS: Final = ("blood-dose", "edic", "lymphocytes-two-pool")


def compute(request: wire.BloodRequest) -> Computation:
    """Follow the blood and the lymphocytes through all courses of a plan."""
    courses = radiotherapy_plan(request.plan.radiotherapy).courses
    if not courses:
        raise InvalidInput("/plan/radiotherapy", "list at least one radiotherapy course")
    unknown = {delivery.course_id for delivery in request.deliveries} - {course.id for course in courses}
    if unknown or len({delivery.course_id for delivery in request.deliveries}) < len(request.deliveries):
        raise InvalidInput("/deliveries", "every course_id must be the id of one course, at most once")
    circulation = circulation_of(request)
    exposures = [course_exposure(request, index, course, circulation) for index, course in enumerate(courses)]
    counted = LymphocyteCounts(exposures, request)
    result = wire.BloodResult(
        total_blood_volume_l=circulation.total_volume_l,
        cardiac_output_l_per_min=_cardiac_output(circulation),
        courses=[_read_course(exposure, request.seed, index) for index, exposure in enumerate(exposures)],
        fractions=counted.fractions(),
        interval_level=request.interval_level,
        relative_count=counted.series(1.0),
        count_1e9_per_l=None if counted.baseline is None else counted.series(counted.baseline),
        nadir=counted.nadir(),
        lymphopenia=counted.grades(),
    )
    models = tuple(ModelRef(id=identifier, version=CARDS[identifier].version) for identifier in CARD_IDS)
    return Computation(result=result, models=models, warnings=(*_warnings(request, exposures), *not_validated(models)))


def circulation_of(request: wire.BloodRequest) -> Circulation:
    """Return the circulation of the patient, with the tumor's where the request describes it.

    Raises
    ------
    InvalidInput
        Body size or tumor give no circulation.
    """
    patient = request.patient
    sex = patient.sex or "male"
    total = request.total_blood_volume_l or blood_volume_l(
        sex, weight_kg=patient.weight_kg, height_cm=patient.height_cm
    )
    if total <= 0:
        raise InvalidInput("/patient/height_cm", "weight and height give no plausible blood volume")
    circulation = reference_circulation(
        sex, total_blood_volume_l=total, cardiac_output_l_per_min=request.cardiac_output_l_per_min
    )
    if request.tumor is None:
        return circulation
    parts = EXPOSED_BY.get(request.tumor.host, ())
    if len(parts) != 1:
        raise InvalidInput(
            "/tumor/host", "must be one of: " + ", ".join(o for o, p in EXPOSED_BY.items() if len(p) == 1)
        )
    return circulation.with_tumor(
        parts[0], volume_fraction=request.tumor.volume_fraction, flow_fraction=request.tumor.flow_fraction
    )


def _cardiac_output(circulation: Circulation) -> float:
    heart = circulation.names.index("left_heart")
    return float(circulation.flow_l_per_s[heart].sum() * SECONDS_PER_MINUTE)


def _spread(values: NDArray[np.float64], mean_gy: float) -> wire.DoseDistribution:
    return wire.DoseDistribution(
        mean_gy=mean_gy,
        sd_gy=float(values.std()),
        quantiles=[
            wire.DoseQuantile(probability=level, dose_gy=float(dose))
            for level, dose in zip(QUANTILES, np.quantile(values, QUANTILES), strict=True)
        ],
    )


def _read_course(exposure: CourseExposure, seed: int, index: int) -> wire.CourseBlood:
    blood, count = exposure.blood, exposure.course.fraction_count
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, COURSE_STREAM, index])))
    whole = course_dose_gy([blood.particles_gy * share for share in exposure.fraction_share], rng)
    return wire.CourseBlood(
        course_id=exposure.course.id,
        fraction_count=count,
        beam_on_seconds=sum(beam.duration_s for beam in exposure.beams),
        per_fraction=_spread(blood.particles_gy, blood.mean_gy),
        unirradiated_share=float(np.mean(blood.particles_gy == 0)),
        course=_spread(whole, blood.mean_gy * count),
        sampled_mean_ratio=blood.sampled_mean_gy / blood.mean_gy if blood.mean_gy > 0 else 1.0,
        compartments=dict(exposure.compartments_gy),
        edic=exposure.edic,
        edric=exposure.edric,
        exposure_basis=exposure.basis,
    )


def _warnings(request: wire.BloodRequest, exposures: Sequence[CourseExposure]) -> tuple[RunWarning, ...]:
    found = [
        RunWarning(
            code="calibrated-model",
            message="The lymphocyte model is calibrated to two published cohort relations (breast, small-cell lung); "
            "other sites and drugs are an extrapolation.",
            pointer=None,
        ),
        RunWarning(
            code="compartments-not-listed",
            message="Blood in organs that the plan does not list counts as unirradiated.",
            pointer="/plan/radiotherapy",
        ),
    ]
    if request.patient.sex is None:
        found.append(
            RunWarning(
                code="sex-assumed", message="Sex is not given; the male circulation was taken.", pointer="/patient/sex"
            )
        )
    given = {delivery.course_id for delivery in request.deliveries}
    for index, exposure in enumerate(exposures):
        if exposure.course.id not in given:
            found.append(
                RunWarning(
                    code="beam-time-assumed",
                    message=f"No delivery is given; one beam of {DEFAULT_BEAM_SECONDS:.0f} s per fraction was taken.",
                    pointer=f"/plan/radiotherapy/{index}",
                )
            )
        if exposure.without_blood:
            found.append(
                RunWarning(
                    code="organ-without-blood",
                    message="Some organs have no blood compartment of their own and were left out.",
                    pointer=f"/plan/radiotherapy/{index}/organs",
                )
            )
    if request.patient.labs.lymphocytes_1e9_per_l is None:
        found.append(
            RunWarning(
                code="baseline-missing",
                message="Without the baseline lymphocyte count there are relative counts only, and no grades.",
                pointer="/patient/labs/lymphocytes_1e9_per_l",
            )
        )
    return (*found, *exposure_warnings(exposures, "/plan/radiotherapy"))


def series(_input: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """Write the count over time, absolute where the baseline is known."""
    counts = result["count_1e9_per_l"] or result["relative_count"]
    name = "relative_count" if result["count_1e9_per_l"] is None else "count_1e9_per_l"
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["day", name, "lower", "upper"])
    writer.writerows(zip(counts["day"], counts["value"], counts["lower"], counts["upper"], strict=True))
    return out.getvalue()


_EXAMPLE: Final = {
    "patient": {
        "sex": "female",
        "weight_kg": 64.0,
        "height_cm": 166.0,
        "labs": {"lymphocytes_1e9_per_l": 1.6},
    },
    "plan": {
        "radiotherapy": [
            {
                "id": "thorax",
                "start_day": 0.0,
                "dose_per_fraction_gy": 2.0,
                "fraction_count": 30,
                "fractions_per_week": 5.0,
                "organs": [
                    {"organ": "lung", "mean_dose_gy": 14.3},
                    {"organ": "heart", "mean_dose_gy": 7.5},
                    {"organ": "aorta", "mean_dose_gy": 23.7},
                    {"organ": "superior_vena_cava", "mean_dose_gy": 30.3},
                    {"organ": "body", "mean_dose_gy": 3.1},
                ],
            }
        ]
    },
    "deliveries": [
        {
            "course_id": "thorax",
            "beams": [
                {"start_seconds": 0.0, "duration_seconds": 40.0},
                {"start_seconds": 70.0, "duration_seconds": 40.0},
            ],
        }
    ],
    "body_volume_l": 38.0,
}

KIND: Final = Kind(
    name="blood",
    path="/doses/blood",
    summary="Dose to circulating blood and lymphocytes, and the lymphocyte count over time",
    description=(
        "Takes organ doses and beam times. Returns the exact mean dose of the blood, its distribution over sampled "
        "blood particles for a fraction and for each course, the effective dose to immune cells, the lymphocytes that "
        "survive every fraction, the lymphocyte count with recovery, and the probabilities of grade 3 and 4 "
        "lymphopenia, with intervals. Calibrated to published cohort relations, not validated on patients. For "
        "research; not advice."
    ),
    request=wire.BloodRequest,
    result=wire.BloodResult,
    compute=compute,
    examples={"lung_60_in_30": _EXAMPLE},
    blocking=True,
    figures={"lymphocyte_count": draw_counts, "blood_dose": draw_blood_dose},
    series=series,
)
