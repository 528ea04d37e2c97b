"""Organ complications of one plan against another, with the antibody that follows the radiotherapy."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final

from schemas.base import Estimate
from schemas.plan import Plan
from schemas.simulations import HarmDifferenceRead
from service import consolidation
from service.complications import Complications
from service.harm_rows import harm_row
from service.predictions_checks import cite
from simulation.registry import CARDS

_Key = tuple[str, str, str]
_NONE: Final = Estimate(value=0.0, interval=None)


@dataclass(frozen=True, slots=True)
class Treated:
    """A plan with the complications that its organ doses lead to."""

    plan: Plan
    found: Complications

    def probabilities(self) -> dict[_Key, Estimate]:
        """Return the probability of every complication by organ, model and endpoint."""
        return {(row.organ, row.model, row.endpoint): row.probability for row in self.found.rows}

    def of(self, key: _Key) -> Estimate | None:
        """Return one probability; 0 without radiotherapy, None where it is not known."""
        if not self.plan.radiotherapy:
            return _NONE
        known = self.probabilities()
        organ, model, endpoint = key
        if model == consolidation.COMPOSED and not self.found.antibody.agents:
            return known.get((organ, consolidation.ALONE, endpoint))
        return known.get(key)


def compare_radiotherapy(
    base: Treated, other: Treated, lung_lesions: Collection[str]
) -> tuple[list[HarmDifferenceRead], list[str]]:
    """Return the complications that differ, and those that are not known for both plans.

    Parameters
    ----------
    base, other : Treated
        The reference plan and the plan that is compared with it.
    lung_lesions : collection of str
        Ids of the lesions in the lung.
    """
    same = base.plan.radiotherapy == other.plan.radiotherapy
    same_antibody = same and base.found.antibody == other.found.antibody
    unknown = [] if same else [reason for treated in (base, other) for reason in _without_complications(treated)]
    if not unknown and not same_antibody:
        unknown += [reason for treated in (base, other) for reason in _with_antibody(treated, lung_lesions)]
    rows: list[HarmDifferenceRead] = []
    if any(len(treated.plan.radiotherapy) > 1 for treated in (base, other)):
        return rows, list(dict.fromkeys(unknown))
    if not same:
        unknown += [reason for treated in (base, other) for reason in _unanswered(treated)]
    for key in base.probabilities() | other.probabilities():
        organ, model, endpoint = key
        composed = model == consolidation.COMPOSED
        before, after = base.of(key), other.of(key)
        if before is None or after is None:
            if not composed:
                unknown.append(
                    f"{endpoint} ({organ}, {model}): not computed for both plans; give the organ in both, in fractions "
                    "that the model covers"
                )
            continue
        if not same or before.value != after.value or (composed and not same_antibody):
            rows.append(_row(key, base, other, before, after))
    return rows, list(dict.fromkeys(unknown))


def _row(key: _Key, base: Treated, other: Treated, before: Estimate, after: Estimate) -> HarmDifferenceRead:
    organ, model, endpoint = key
    composed = model == consolidation.COMPOSED
    notes = [*consolidation.NOTES] if composed else []
    for treated, name in ((base, "reference"), (other, "plan")):
        if composed:
            alone = treated.probabilities().get((organ, consolidation.ALONE, endpoint))
            notes += consolidation.notes_of(treated.found.antibody, None if alone is None else alone.value, name)
    assumed = [name for row in (*base.found.rows, *other.found.rows) if row.model == model for name in row.assumed]
    if assumed:
        notes.append(f"left out and counted as no or as the first category: {', '.join(dict.fromkeys(assumed))}")
    sources = [
        cite(replace(reference, citation=reference.citation.rstrip("."))) for reference in CARDS[model].references
    ]
    return harm_row(endpoint, organ, model, before, after, sources, notes, with_interval=not composed)


def _without_complications(treated: Treated) -> Iterator[str]:
    courses = treated.plan.radiotherapy
    if not courses:
        return
    if len(courses) > 1:
        yield "organ complications: a plan has several courses, and their doses are not added"
    answered = treated.found.rows or treated.found.unanswered
    if not answered or any(organ.dvh is None for course in courses for organ in course.organs):
        yield "organ complications: the radiotherapy differs, and not every course has a dvh of the organs at risk"
    elif any(not course.organs for course in courses):
        yield "organ complications: a course lists no organ"


def _unanswered(treated: Treated) -> Iterator[str]:
    for harm in treated.found.unanswered:
        yield f"{harm}: the models on record were fitted to other fraction sizes"


def _with_antibody(treated: Treated, lung_lesions: Collection[str]) -> Iterator[str]:
    """Yield why the pneumonitis of radiotherapy and antibody together is not known, where the lung may be reached."""
    antibody, courses = treated.found.antibody, treated.plan.radiotherapy
    if not courses or not antibody.agents or not _reaches_lung(treated.plan, lung_lesions):
        return
    what = "pneumonitis of radiotherapy and antibody together"
    if antibody.uncovered:
        yield f"{what}: {antibody.uncovered}"
    elif len(courses) > 1:
        yield f"{what}: a plan has several courses, and their doses are not added"
    elif all(row.model != consolidation.COMPOSED for row in treated.found.rows):
        yield f"{what}: it needs a dvh of the lung and conventional fractions, or a list of the organs in the fields"


def _reaches_lung(plan: Plan, lung_lesions: Collection[str]) -> bool:
    return any(
        not course.organs
        or any(organ.organ == "lung" for organ in course.organs)
        or not set(course.lesion_ids).isdisjoint(lung_lesions)
        for course in plan.radiotherapy
    )
