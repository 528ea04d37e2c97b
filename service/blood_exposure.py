"""What one radiotherapy course does to the blood: compartments, sampled distribution, immune-cell dose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from schemas import blood as wire
from schemas.run import RunWarning
from service.blood_limits import check_work
from service.errors import InvalidInput
from simulation.radiation.blood import Beam, BloodDose, sample_blood_dose
from simulation.radiation.circulation import EXPOSED_BY, Circulation
from simulation.radiation.edic import BLOOD_DOSE_REFERENCE_L, edic_gy, edric_gy
from simulation.radiation.plan import Course
from simulation.radiation.tables import read_table

DEFAULT_BEAM_SECONDS: Final = 60.0
TUMOR: Final = "tumor"
NOT_BLOOD: Final = frozenset({"body"})
CM3_PER_L: Final = 1000.0
MOST_CALIBRATED_GY: Final = float(read_table("lymphocyte_relations.toml")["limited_stage_sclc"]["edic_gy"])
_NOT_EDIC: Final[Mapping[str, tuple[str, str]]] = {
    "edric": (
        "body-volume-missing",
        "The volume of the body is not known, so that the lymphocytes follow EDRIC. It equals EDIC where the body has "
        f"{BLOOD_DOSE_REFERENCE_L:g} L and is too high, with too large a loss, where the outline holds less, as on a "
        "partial scan. The DVH of the body with its volume, or body_volume_l of the blood dose, gives EDIC.",
    ),
    "mean_blood_dose": (
        "lymphocytes-from-blood-dose",
        "The doses of lung, heart and body are not all given, so that there is no EDIC and the lymphocytes follow the "
        "mean dose of the blood in the listed organs. The model is not calibrated to that dose, which leaves out all "
        "other blood and is usually well below EDIC: the loss is probably larger than the one given.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseExposure:
    """One course; ``fraction_share`` says how large each fraction is against the mean one."""

    course: Course
    beams: tuple[Beam, ...]
    compartments_gy: Mapping[str, float]
    without_blood: tuple[str, ...]
    blood: BloodDose
    fraction_share: NDArray[np.float64]
    edic: wire.ImmuneDose
    edric: wire.ImmuneDose

    @property
    def basis(self) -> Literal["edic", "edric", "mean_blood_dose"]:
        """What the reserve's exposure is taken from."""
        if self.edic.value_gy is not None:
            return "edic"
        return "mean_blood_dose" if self.edric.value_gy is None else "edric"

    @property
    def exposure_gy(self) -> float:
        """Exposure of the lymphocyte reserve by the whole course."""
        for immune in (self.edic.value_gy, self.edric.value_gy):
            if immune is not None:
                return immune
        return self.blood.mean_gy * self.course.fraction_count

    @property
    def mean_exposure_gy(self) -> float:
        """Exposure of the lymphocyte reserve by a fraction of mean size."""
        return self.exposure_gy / self.course.fraction_count


def course_exposure(request: wire.BloodRequest, index: int, course: Course, circulation: Circulation) -> CourseExposure:
    """Work one course out.

    Parameters
    ----------
    request : BloodRequest
    index : int
        Which course of the plan.
    course : Course
        The same one, resolved.
    circulation : Circulation

    Returns
    -------
    CourseExposure

    Raises
    ------
    InvalidInput
        When the course says nothing about any organ that holds blood, or the request asks for too much work.
    """
    pointer = f"/plan/radiotherapy/{index}/organs"
    check_work(request, circulation, DEFAULT_BEAM_SECONDS)
    doses = _by_organ(course)
    compartments, without = _compartments(doses, circulation, pointer)
    delivery = next((one for one in request.deliveries if one.course_id == course.id), None)
    beams: tuple[Beam, ...] = (Beam(0.0, DEFAULT_BEAM_SECONDS),)
    if delivery is not None:
        beams = tuple(Beam(beam.start_seconds, beam.duration_seconds) for beam in delivery.beams)
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([request.seed, index])))
    count = course.fraction_count
    blood = sample_blood_dose(
        circulation,
        {name: dose / count for name, dose in compartments.items()},
        beams,
        rng=rng,
        particles=request.particles,
        dwell_shape=request.dwell_shape,
    )
    sizes = np.array([fraction.dose_gy for fraction in course.fractions])
    volume_l = request.body_volume_l or _body_volume_l(course)
    return CourseExposure(
        course=course,
        beams=beams,
        compartments_gy=compartments,
        without_blood=without,
        blood=blood,
        fraction_share=sizes / sizes.mean(),
        edic=_edic(doses, count, volume_l),
        edric=_edric(doses, count),
    )


def exposure_warnings(exposures: Sequence[CourseExposure], pointer: str) -> tuple[RunWarning, ...]:
    """Say where the lymphocyte count does not follow EDIC, or lies outside the EDIC of its calibration.

    Parameters
    ----------
    exposures : sequence of CourseExposure
        One for every course.
    pointer : str
        Where the courses stand in the request.

    Returns
    -------
    tuple of RunWarning
    """
    found = [
        RunWarning(
            code=_NOT_EDIC[exposure.basis][0],
            message=_NOT_EDIC[exposure.basis][1],
            pointer=f"{pointer}/{index}/organs",
        )
        for index, exposure in enumerate(exposures)
        if exposure.basis in _NOT_EDIC
    ]
    total = sum(exposure.exposure_gy for exposure in exposures)
    if total > MOST_CALIBRATED_GY:
        found.append(
            RunWarning(
                code="outside-derivation-range",
                message=f"The exposure of the lymphocytes, {total:.3g} Gy in all, is above the {MOST_CALIBRATED_GY:g} "
                "Gy of EDIC up to which their model is calibrated.",
                pointer=pointer,
            )
        )
    return tuple(found)


def _by_organ(course: Course) -> dict[str, float]:
    doses: dict[str, list[float]] = {}
    for organ in course.organs:
        doses.setdefault(organ.organ, []).append(organ.mean_dose_gy)
    return {organ: float(np.mean(values)) for organ, values in doses.items()}


def _compartments(
    doses: Mapping[str, float], circulation: Circulation, pointer: str
) -> tuple[dict[str, float], tuple[str, ...]]:
    found: dict[str, list[float]] = {}
    without: list[str] = []
    for organ, dose in doses.items():
        if organ == TUMOR and TUMOR not in circulation.names:
            raise InvalidInput(pointer, "the organ tumor needs the member tumor of the request: its host and shares")
        parts: Sequence[str] = (TUMOR,) if organ == TUMOR else EXPOSED_BY.get(organ, ())
        if not parts and organ not in NOT_BLOOD:
            without.append(organ)
        for part in parts:
            found.setdefault(part, []).append(dose)
    if not found:
        raise InvalidInput(
            pointer,
            "list the mean dose or DVH of at least one organ that holds blood: " + ", ".join(sorted(EXPOSED_BY)),
        )
    return {part: float(np.mean(values)) for part, values in found.items()}, tuple(without)


def _body_volume_l(course: Course) -> float | None:
    for organ in course.organs:
        if organ.organ == "body" and organ.dvh is not None:
            volume = organ.dvh.volume_cm3
            return None if volume is None else volume / CM3_PER_L
    return None


def _edic(doses: Mapping[str, float], count: int, body_volume_l: float | None) -> wire.ImmuneDose:
    missing = [organ for organ in ("lung", "heart", "body") if organ not in doses]
    if missing:
        return wire.ImmuneDose(value_gy=None, reason="the mean dose is missing of: " + ", ".join(missing))
    if body_volume_l is None:
        return wire.ImmuneDose(value_gy=None, reason="the volume of the body is not known; give body_volume_l")
    value = edic_gy(
        mean_lung_dose_gy=doses["lung"],
        mean_heart_dose_gy=doses["heart"],
        integral_dose_gy_l=doses["body"] * body_volume_l,
        fraction_count=count,
    )
    return wire.ImmuneDose(value_gy=value, reason=None)


def _edric(doses: Mapping[str, float], count: int) -> wire.ImmuneDose:
    missing = [organ for organ in ("lung", "heart", "body") if organ not in doses]
    if missing:
        return wire.ImmuneDose(value_gy=None, reason="the mean dose is missing of: " + ", ".join(missing))
    value = edric_gy(
        mean_lung_dose_gy=doses["lung"],
        mean_heart_dose_gy=doses["heart"],
        mean_body_dose_gy=doses["body"],
        fraction_count=count,
    )
    return wire.ImmuneDose(value_gy=value, reason=None)
