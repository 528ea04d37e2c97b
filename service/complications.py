"""Complications of a plan whose courses carry dose-volume histograms of organs."""

from collections.abc import Sequence

from schemas.dvh import EvaluationOptions, PatientFactors
from schemas.dvh_results import ComplicationRead as DvhComplication
from schemas.patient import Patient
from schemas.plan import Plan
from schemas.run import ModelRef, RunWarning
from schemas.simulations import PlanComplicationRead
from service.dvh import Evaluation, evaluate_structures
from service.radiotherapy import radiotherapy_plan
from simulation.radiation.plan import Course
from simulation.radiation.structure import Structure


def complications_of(
    plan: Plan, patient: Patient, seed: int, pointer: str = "/plan"
) -> tuple[list[PlanComplicationRead], tuple[ModelRef, ...], tuple[RunWarning, ...]]:
    """Return the complication probabilities of every course, the models that gave them, and notices.

    Courses are judged one by one: their doses are not added, because histograms do not say where in an organ
    the doses lie.
    """
    found: list[PlanComplicationRead] = []
    models: dict[ModelRef, None] = {}
    notices: list[RunWarning] = []
    for index, course in enumerate(radiotherapy_plan(plan.radiotherapy, pointer=f"{pointer}/radiotherapy").courses):
        structures = _structures(course)
        if len(structures) < len(course.organs):
            notices.append(
                RunWarning(
                    code="complications-need-dvh",
                    message="an organ with only its mean dose is left out of the complications; give its dvh",
                    pointer=f"{pointer}/radiotherapy/{index}/organs",
                )
            )
        if not structures:
            continue
        options = EvaluationOptions(fraction_count=course.fraction_count, factors=_factors(patient))
        evaluation = evaluate_structures(structures, options, seed=seed)
        found += _read(evaluation)
        models |= dict.fromkeys(evaluation.models)
    if len(plan.radiotherapy) > 1 and found:
        notices.append(
            RunWarning(
                code="courses-judged-separately",
                message="complications are given course by course; doses of several courses are not added",
                pointer=f"{pointer}/radiotherapy",
            )
        )
    return found, tuple(models), tuple(notices)


def _structures(course: Course) -> Sequence[Structure]:
    return [
        Structure(id=f"{course.id}:{organ.organ}"[:64], dvh=organ.dvh, organ=organ.organ)
        for organ in course.organs
        if organ.dvh is not None
    ]


def _factors(patient: Patient) -> PatientFactors:
    known = {name for name in PatientFactors.model_fields if getattr(patient, name, None) is not None}
    return PatientFactors.model_validate({name: getattr(patient, name) for name in known})


def _read(evaluation: Evaluation) -> list[PlanComplicationRead]:
    dose_models = [
        PlanComplicationRead(
            organ=structure.organ or structure.id,
            model=one.model,
            endpoint=one.endpoint,
            probability=one.probability,
            interval_note=one.interval_note,
        )
        for structure in evaluation.result.structures
        for one in structure.complications
        if _answerable(one)
    ]
    clinical = [
        PlanComplicationRead(
            organ="plan",
            model=one.model,
            endpoint=one.outcome,
            probability=one.estimate,
            interval_note=one.interval_note,
        )
        for one in evaluation.result.clinical_models
        if one.answer == "probability"
    ]
    return dose_models + clinical


def _answerable(one: DvhComplication) -> bool:
    return one.applicability != "outside"
