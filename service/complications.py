"""Complications of a plan whose courses carry dose-volume histograms of organs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schemas.dvh import EvaluationOptions, PatientFactors
from schemas.patient import Patient
from schemas.plan import Plan
from schemas.run import ModelRef, RunWarning
from schemas.simulations import PlanComplicationRead
from service.consolidation import COMPOSED, Antibody, antibody_of
from service.dvh import Evaluation, evaluate_structures
from service.radiotherapy import radiotherapy_plan
from service.validation import not_validated
from simulation.radiation.plan import Course
from simulation.radiation.structure import Structure
from simulation.registry import CARDS

_OUTSIDE = "outside"
_OF_ANY_FRACTION = ("pneumonitis", "esophagitis")
_FORWARDED = frozenset({"lq-beyond-validity"})


@dataclass(frozen=True, slots=True)
class Complications:
    """What the organ doses of a plan lead to.

    ``unanswered`` are harms, with their organs, whose models were all fitted to other fraction sizes.
    """

    rows: tuple[PlanComplicationRead, ...]
    unanswered: tuple[str, ...]
    antibody: Antibody
    models: tuple[ModelRef, ...]
    warnings: tuple[RunWarning, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """One model of one course: its answer, the organs that it reads, and whether it covers the fractions."""

    row: PlanComplicationRead
    organs: frozenset[str]
    covered: bool

    @property
    def harm(self) -> str:
        """The harm, the same for all models of those that were fitted to both small and large fractions."""
        return next((harm for harm in _OF_ANY_FRACTION if harm in self.row.endpoint), self.row.endpoint)

    @property
    def name(self) -> str:
        """The harm with its organs."""
        return f"{self.harm} ({', '.join(sorted(self.organs)).replace('_', ' ')})"


def complications_of(plan: Plan, patient: Patient, seed: int, pointer: str = "/plan") -> Complications:
    """Return the complication probabilities of every course, the models that gave them, and notices.

    Courses are judged one by one: their doses are not added, because histograms do not say where in an organ
    the doses lie. A model fitted to other fraction sizes than those of the course does not answer.
    """
    rows: list[PlanComplicationRead] = []
    unanswered: dict[str, None] = {}
    notices: list[RunWarning] = []
    radiotherapy = radiotherapy_plan(plan.radiotherapy, pointer=f"{pointer}/radiotherapy")
    antibody = antibody_of(plan, radiotherapy, patient, pointer)
    factors = _factors(plan, patient, antibody)
    for index, course in enumerate(radiotherapy.courses):
        where = f"{pointer}/radiotherapy/{index}"
        structures = _structures(course)
        if len(structures) < len(course.organs):
            notices.append(
                RunWarning(
                    code="complications-need-dvh",
                    message="an organ with only its mean dose is left out of the complications; give its dvh",
                    pointer=f"{where}/organs",
                )
            )
        if not structures:
            continue
        # copied in, because a course may be longer than one prescription on the wire
        options = EvaluationOptions(fraction_count=course.fraction_count, factors=factors).model_copy(
            update={"prescribed_dose_gy": course.total_dose_gy}
        )
        evaluation = evaluate_structures(structures, options, seed=seed)
        found = [one for one in _read(evaluation) if one.row.model != COMPOSED or antibody.consolidates]
        rows += [one.row for one in found if one.covered]
        answered = {one.harm for one in found if one.covered}
        unanswered |= dict.fromkeys(one.name for one in found if not one.covered and one.harm not in answered)
        notices += _notices(evaluation, found, where)
    if len(plan.radiotherapy) > 1 and rows:
        notices.append(
            RunWarning(
                code="courses-judged-separately",
                message="complications are given course by course; doses of several courses are not added",
                pointer=f"{pointer}/radiotherapy",
            )
        )
    if antibody.uncovered and any("pneumonitis" in row.endpoint for row in rows):
        notices.append(
            RunWarning(
                code="antibody-left-out",
                message=f"pneumonitis is that of the radiotherapy without the antibodies: {antibody.uncovered}",
                pointer=f"{pointer}/drugs",
            )
        )
    models = _models(rows)
    return Complications(tuple(rows), tuple(unanswered), antibody, models, (*notices, *not_validated(models)))


def _structures(course: Course) -> Sequence[Structure]:
    return [
        Structure(id=f"{course.id}:{organ.organ}"[:64], dvh=organ.dvh, organ=organ.organ)
        for organ in course.organs
        if organ.dvh is not None
    ]


def _factors(plan: Plan, patient: Patient, antibody: Antibody) -> PatientFactors:
    chemotherapy = plan.chemotherapy_with_radiotherapy
    return PatientFactors(
        age_years=patient.age_years,
        sex=patient.sex,
        smoking_status=patient.smoking_status,
        pulmonary_comorbidity=patient.conditions.pulmonary_comorbidity,
        middle_or_lower_lobe=patient.conditions.tumor_in_mid_or_lower_lobe,
        sequential_chemotherapy=None if chemotherapy is None else chemotherapy == "sequential",
        concurrent_chemotherapy=None if chemotherapy is None else chemotherapy == "concurrent",
        immunotherapy_consolidation=antibody.consolidates,
        t_stage_3_or_4=None if patient.clinical_t_stage is None else patient.clinical_t_stage in ("T3", "T4"),
    )


def _read(evaluation: Evaluation) -> Iterator[_Found]:
    organ_of = {structure.id: structure.organ or structure.id for structure in evaluation.result.structures}
    for structure in evaluation.result.structures:
        for one in structure.complications:
            organ = organ_of[structure.id]
            row = PlanComplicationRead(
                organ=organ,
                model=one.model,
                endpoint=one.endpoint,
                probability=one.probability,
                interval_note=one.interval_note,
                assumed=[],
            )
            yield _Found(row, frozenset({organ}), one.applicability != _OUTSIDE)
    for answer in evaluation.result.clinical_models:
        if answer.answer != "probability":
            continue
        row = PlanComplicationRead(
            organ="plan",
            model=answer.model,
            endpoint=answer.outcome,
            probability=answer.estimate,
            interval_note=answer.interval_note,
            assumed=[given.name for given in answer.inputs if given.assumed],
        )
        organs = frozenset(organ_of[given.structure_id] for given in answer.inputs if given.structure_id is not None)
        yield _Found(row, organs, answer.applicability != _OUTSIDE)


def _notices(evaluation: Evaluation, found: Sequence[_Found], pointer: str) -> Iterator[RunWarning]:
    for warning in evaluation.warnings:
        if warning.code in _FORWARDED:
            yield RunWarning(code=warning.code, message=warning.message, pointer=pointer)
    left_out = dict.fromkeys(one.row.model for one in found if not one.covered)
    if left_out:
        yield RunWarning(
            code="outside-derivation-range",
            message=f"left out of the complications, being fitted to other fraction sizes: {', '.join(left_out)}",
            pointer=pointer,
        )
    answered = [one.row for one in found if one.covered]
    if any(not reference.verified for row in answered for reference in CARDS[row.model].references):
        yield RunWarning(
            code="unverified-parameter",
            message="some table values were not read in the cited publication itself; see the cards of the models",
            pointer=pointer,
        )
    if any(row.assumed for row in answered):
        yield RunWarning(
            code="assumed-factor",
            message="factors that were left out count as no or as the first category; see complications[].assumed",
            pointer="/patient",
        )


def _models(rows: Sequence[PlanComplicationRead]) -> tuple[ModelRef, ...]:
    used = ["dvh-metrics", *(row.model for row in rows)] if rows else []
    return tuple(ModelRef(id=name, version=CARDS[name].version) for name in dict.fromkeys(used))
