"""Holds patient and plan against the ranges on the cards of the tumor models, by the check that predictors use.

Outside the allowed range the question is refused; outside the derivation range it is answered with a warning.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from schemas.plan import Plan, RadiotherapyCourse
from schemas.run import RunWarning
from schemas.simulations import ComparisonRequest, SimulationRequest
from service.covariates import COVARIATES, flatten
from service.errors import InvalidInput
from service.predictions_checks import Check, Refusal
from service.scenarios import lesion_volumes
from simulation.model import Input, Value
from simulation.registry import CARDS
from simulation.tumor.interface import MODELS

VOLUME: Final = "patient.lesions.volume_cm3"
DOSE: Final = "plan.radiotherapy.dose_per_fraction_gy"
COUNT: Final = "plan.radiotherapy.fraction_count"
_TAIL_SD: Final = 3.0
"""Lesions of a virtual population must fit within so many standard deviations of log volume."""

Located = tuple[str, Value]
"""A value with the pointer of the member that it comes from."""


def check_ranges(
    request: SimulationRequest | ComparisonRequest,
    plan: Plan,
    models: Sequence[tuple[str, str]],
    pointer: str = "/plan",
) -> tuple[RunWarning, ...]:
    """Return a warning for every member outside the derivation range of a model.

    Parameters
    ----------
    request : SimulationRequest or ComparisonRequest
    plan : Plan
        The plan to follow, which stands at ``pointer``.
    models : sequence of (id, pointer)
        The models that are asked, and which member asks for each.
    pointer : str

    Raises
    ------
    InvalidInput
        A model is unknown, or a member lies outside what it allows.
    """
    found: dict[RunWarning, None] = {}
    covariates = flatten(request.patient, None)
    for model, asked_at in models:
        if model not in MODELS:
            raise InvalidInput(asked_at, f"no tumor model has this id; choose from {', '.join(MODELS)}")
        for given in CARDS[model].inputs:
            check = Check.of(given)
            for where, value in _values(given.name, request, plan, covariates, pointer):
                fault = check.of_value(value)
                if isinstance(fault, Refusal):
                    raise InvalidInput(where, f"{model}: {fault.reason}{_why(given)}")
                if fault is not None:
                    warned = RunWarning(code="outside-derivation-range", message=f"{model}: {fault}", pointer=where)
                    found[warned] = None
    return tuple(found)


def _why(given: Input) -> str:
    return f"; {given.why}" if given.why else ""


def _values(
    name: str,
    request: SimulationRequest | ComparisonRequest,
    plan: Plan,
    covariates: dict[str, Value],
    pointer: str,
) -> Iterator[Located]:
    if name == VOLUME:
        yield from _volumes(request)
    elif name == DOSE:
        for index, course in enumerate(plan.radiotherapy):
            yield from _doses(course, f"{pointer}/radiotherapy/{index}")
    elif name == COUNT:
        for index, course in enumerate(plan.radiotherapy):
            fractions = course.fractions
            count = course.fraction_count if fractions is None else len(fractions)
            if course.lesion_ids and count is not None:
                member = "fraction_count" if fractions is None else "fractions"
                yield f"{pointer}/radiotherapy/{index}/{member}", count
    elif name in covariates:
        yield COVARIATES[name].pointer, covariates[name]


def _volumes(request: SimulationRequest | ComparisonRequest) -> Iterator[Located]:
    population = request.population
    if population is None:
        yield from lesion_volumes(request)
        return
    where = "/population/median_volume_cm3"
    spread = float(np.exp(_TAIL_SD * population.log_volume_sd))
    for end in (1.0 / spread, 1.0, spread):
        yield where if end == 1.0 else "/population/log_volume_sd", population.median_volume_cm3 * end


def _doses(course: RadiotherapyCourse, where: str) -> Iterator[Located]:
    if not course.lesion_ids:
        return
    if course.fractions is None:
        if course.dose_per_fraction_gy is not None:
            yield f"{where}/dose_per_fraction_gy", course.dose_per_fraction_gy
        return
    doses = [fraction.dose_gy for fraction in course.fractions]
    for extreme in dict.fromkeys((min(doses), max(doses))):
        yield f"{where}/fractions/{doses.index(extreme)}/dose_gy", extreme
