"""How much work a blood-dose request may ask for, so that every accepted one is answered in about two seconds."""

from typing import Final

from schemas import blood as wire
from schemas.plan import RadiotherapyCourse
from service.errors import InvalidInput
from simulation.radiation.circulation import Circulation

MOST_FRACTIONS: Final = 400
MOST_SAMPLED_DOSES: Final = 5_000_000
MOST_PASSAGES: Final = 700_000
"""Passages of particles through the heart while beams are on or between them, all courses together."""


def check_work(request: wire.BloodRequest, circulation: Circulation, default_beam_seconds: float) -> None:
    """Refuse a request that would keep a thread busy for long.

    Raises
    ------
    InvalidInput
        Too many fractions, or too many particles for so many fractions or so long beams.
    """
    courses = request.plan.radiotherapy
    fractions = sum(_fraction_count(course) for course in courses)
    if fractions > MOST_FRACTIONS:
        raise InvalidInput(
            "/plan/radiotherapy", f"at most {MOST_FRACTIONS} fractions are followed, all courses counted"
        )
    if request.particles * fractions > MOST_SAMPLED_DOSES:
        raise InvalidInput(
            "/particles",
            f"particles times fractions may be at most {MOST_SAMPLED_DOSES}; take fewer particles",
        )
    ends = {
        delivery.course_id: max(beam.start_seconds + beam.duration_seconds for beam in delivery.beams)
        for delivery in request.deliveries
    }
    seconds = sum(ends.get(course.id, default_beam_seconds) for course in courses)
    heart = circulation.names.index("left_heart")
    turnover_per_s = float(circulation.flow_l_per_s[heart].sum()) / circulation.total_volume_l
    if request.particles * seconds * turnover_per_s > MOST_PASSAGES:
        raise InvalidInput("/particles", "the beams are on too long for so many particles; take fewer particles")


def _fraction_count(course: RadiotherapyCourse) -> int:
    return len(course.fractions) if course.fractions is not None else course.fraction_count or 0
