"""Holds patient and plan against the ranges on the cards of the tumor models, by the check that predictors use.

Outside the allowed range the question is refused; outside the derivation range it is answered with a warning, and so
it is where RECIST does not follow a lesion as it was given.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from schemas.plan import Plan, RadiotherapyCourse
from schemas.run import RunWarning
from schemas.simulations import ComparisonRequest, SimulationRequest
from service.covariates import COVARIATES, flatten
from service.errors import InvalidInput
from service.flat_exposure import BEYOND_TESTED, beyond_tested
from service.predictions_checks import Check, Refusal
from service.scenarios import lesion_volumes
from service.simulations_targets import target_warnings
from simulation.model import Input, Value
from simulation.registry import CARDS
from simulation.tumor.interface import MODELS
from simulation.tumor.parts import PD1
from simulation.tumor.tables import values

VOLUME: Final = "patient.lesions.volume_cm3"
TOTAL_VOLUME: Final = "patient.lesions.total_volume_cm3"
ALBUMIN: Final = "patient.labs.albumin_g_per_l"
NEUTROPHILS: Final = "patient.labs.neutrophils_1e9_per_l"
LYMPHOCYTES: Final = "patient.labs.lymphocytes_1e9_per_l"
PRIOR_THERAPY: Final = "patient.prior_systemic_therapy"
DOSE: Final = "plan.radiotherapy.dose_per_fraction_gy"
COUNT: Final = "plan.radiotherapy.fraction_count"
_USUAL_FACTOR: Final = 2.0
"""A convention: beyond it, one covariate decides survival more than the tumor does."""
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
    """Return a warning for every member outside the derivation range of a model or the rules for targets.

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
        if MODELS[model].takes >= PD1:
            found |= {
                RunWarning(
                    code="outside-derivation-range",
                    message=f"{model}: {agent} is {BEYOND_TESTED}",
                    pointer=f"{pointer}/drugs",
                ): None
                for agent in beyond_tested(plan, request.patient.weight_kg, pointer)
            }
        found |= dict.fromkeys((*_assumed(model, covariates), *_far_along_the_survival_link(model, covariates)))
    return (*found, *target_warnings(request))


def _why(given: Input) -> str:
    return f"; {given.why}" if given.why else ""


def _has(model: str, name: str) -> bool:
    return any(given.name == name for given in CARDS[model].inputs)


def _assumed(model: str, covariates: Mapping[str, Value]) -> Iterator[RunWarning]:
    """Say what is assumed of a patient whose earlier therapy is not known: it changes the chance of response."""
    if (
        _has(model, PRIOR_THERAPY)
        and PRIOR_THERAPY not in covariates
        and covariates.get("patient.cancer_type") != "melanoma"
    ):
        yield RunWarning(
            code="assumed-covariate",
            message=f"{model}: prior_systemic_therapy is not given and taken as true; without earlier therapy more "
            "virtual patients respond",
            pointer=COVARIATES[PRIOR_THERAPY].pointer,
        )


def _far_along_the_survival_link(model: str, covariates: Mapping[str, Value]) -> Iterator[RunWarning]:
    """Warn where one term of the link, whose cohort's ranges are not known, outweighs everything usual."""
    if not _has(model, NEUTROPHILS):
        return
    link = values("tgi", "struemper_survival")
    albumin = covariates.get(ALBUMIN)
    terms = []
    if albumin is not None:
        terms.append((ALBUMIN, "albumin", link["albumin_per_g_per_l"] * (float(albumin) - link["albumin_g_per_l"])))
    neutrophils, lymphocytes = covariates.get(NEUTROPHILS), covariates.get(LYMPHOCYTES)
    if neutrophils is not None and lymphocytes:
        ratio = float(neutrophils) / float(lymphocytes)
        terms.append((LYMPHOCYTES, "the neutrophil-lymphocyte ratio", -link["nlr_per_unit"] * (ratio - link["nlr"])))
    for name, what, log_factor in terms:
        if abs(log_factor) > np.log(_USUAL_FACTOR):
            yield RunWarning(
                code="outside-derivation-range",
                message=f"{model}: {what} alone changes survival {np.exp(abs(log_factor)):.3g}-fold against the median "
                "of the cohort of the survival link, whose range was not found; survival is extrapolated",
                pointer=COVARIATES[name].pointer,
            )


def _values(
    name: str,
    request: SimulationRequest | ComparisonRequest,
    plan: Plan,
    covariates: dict[str, Value],
    pointer: str,
) -> Iterator[Located]:
    if name == VOLUME:
        yield from _volumes(request)
    elif name == TOTAL_VOLUME:
        yield _total_volume(request)
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


def _total_volume(request: SimulationRequest | ComparisonRequest) -> Located:
    population = request.population
    if population is None:
        return "/patient/lesions", sum(volume for _, volume in lesion_volumes(request))
    largest = population.median_volume_cm3 * float(np.exp(_TAIL_SD * population.log_volume_sd))
    return "/population/median_volume_cm3", population.lesion_count * largest


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
