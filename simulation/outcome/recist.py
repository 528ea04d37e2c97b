"""RECIST 1.1: category of every visit with the rule that decided it, best response, progression.

The first visit is the baseline. Progression is judged before response. A visit is judged by
its own sum, so a patient in partial response whose sum drifts back above -30 % reads SD at
that visit; the best overall response keeps the PR. A target that is seen again after a complete
response is progression whatever its size, a node from 10 mm short axis on. Non-target disease
that is seen again is progression where the reader reports PD: the category alone does not tell
a lesion that came back from a node that is visible again.

References
----------
Eisenhauer EA et al. New response evaluation criteria in solid tumours: revised RECIST
guideline (version 1.1). Eur J Cancer 2009;45:228-247. doi:10.1016/j.ejca.2008.10.026
RECIST Working Group. Questions and clarifications on RECIST 1.1: abnormal lymph node; does a new
lesion always result in PD? recist.eortc.org
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from simulation.outcome import thresholds as limit

TargetStatus = Literal["measured", "too_small", "absent", "not_evaluable"]
NonTarget = Literal["none", "CR", "NON_CR_NON_PD", "PD", "NE"]
Category = Literal["CR", "PR", "SD", "NON_CR_NON_PD", "PD", "NE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One target lesion on one scan: longest diameter, or short axis of a lymph node, in mm."""

    status: TargetStatus
    diameter_mm: float | None = None
    node: bool = False

    @property
    def size_mm(self) -> float:
        """Contribution to the sum; NaN when not evaluable."""
        if self.status == "measured":
            return math.nan if self.diameter_mm is None else self.diameter_mm
        return {"too_small": limit.TOO_SMALL_MM, "absent": 0.0, "not_evaluable": math.nan}[self.status]

    @property
    def gone(self) -> bool:
        """No disease here: a node of normal size, or a lesion that is no longer seen."""
        return self.size_mm < limit.NORMAL_NODE_MM if self.node else self.size_mm == 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLesion:
    """A lesion that baseline did not have, on one scan; ``diameter_mm`` where it has a size.

    Of a node (``node``) the size is the short axis. ``grown`` reports growth since the previous scan of a new lesion
    that is not measured.
    """

    id: str
    diameter_mm: float | None = None
    node: bool = False
    grown: bool = False

    @property
    def measurable(self) -> bool:
        """Whether it has the size that a target needs at baseline."""
        least = limit.TARGET_NODE_MM if self.node else limit.TARGET_LONGEST_DIAMETER_MM
        return self.diameter_mm is not None and self.diameter_mm >= least


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One scan. ``targets`` keeps the same order on every visit; new lesions are those seen now."""

    day: float
    targets: tuple[Target, ...] = ()
    non_target: NonTarget = "none"
    non_target_increase: bool = False
    new_lesions: tuple[NewLesion, ...] = ()
    prompted_by_symptoms: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What RECIST 1.1 says about one visit; ``rule`` names the criterion that decided."""

    day: float
    target_sum_mm: float | None
    nadir_mm: float | None
    change_from_baseline: float | None
    change_from_nadir: float | None
    target: Category
    target_rule: str
    overall: Category
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BestResponse:
    """Best overall response and the visit that first showed it."""

    category: Category
    day: float | None
    confirmed: bool
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progression:
    """Progression-free survival of one patient, counted from ``start_day``."""

    time_days: float
    event: bool
    cause: Literal["progression", "death", "censored"]
    rule: str


def target_response(
    baseline_sum_mm: float, nadir_sum_mm: float, current_sum_mm: float, *, all_gone: bool | None = None
) -> Category:
    """Category of the target lesions from three sums.

    Parameters
    ----------
    baseline_sum_mm, nadir_sum_mm, current_sum_mm : float, mm
        The nadir is the smallest sum on study before this visit, baseline included.
    all_gone : bool, optional
        Every target outside nodes is gone and every node is normal; by default, the sum is 0.

    Returns
    -------
    {"CR", "PR", "SD", "PD"}
    """
    if current_sum_mm == 0.0 if all_gone is None else all_gone:
        return "CR"
    if exceeds_nadir(nadir_sum_mm, current_sum_mm):
        return "PD"
    if current_sum_mm <= (1.0 - limit.RELATIVE_DECREASE) * baseline_sum_mm + limit.ROUNDING_MM:
        return "PR"
    return "SD"


def exceeds_nadir(nadir_sum_mm: float, current_sum_mm: float) -> bool:
    """Tell whether the sum is both 20 % and 5 mm above the nadir (sums in mm)."""
    increase = current_sum_mm - nadir_sum_mm + limit.ROUNDING_MM
    return increase >= limit.RELATIVE_INCREASE * nadir_sum_mm and increase >= limit.ABSOLUTE_INCREASE_MM


_TARGET_RULES: dict[Category, str] = {
    "CR": "targets-gone-and-nodes-normal",
    "PD": "target-sum-20-percent-and-5-mm-above-nadir",
    "PR": "target-sum-30-percent-below-baseline",
    "SD": "target-sum-between-response-and-progression",
}


def assess(visits: Sequence[Visit]) -> tuple[Assessment, ...]:
    """Judge every visit after the first, which is the baseline.

    Parameters
    ----------
    visits : sequence of Visit
        In order of time; every target is evaluable at the first.

    Returns
    -------
    tuple of Assessment, one per visit after the baseline

    Raises
    ------
    ValueError
        No visit, days that do not increase, targets that change in number, or a baseline
        target without a size.
    """
    check_visits(visits)
    baseline = _sum_mm(visits[0].targets)
    nadir = baseline
    complete = False
    judged = []
    for visit in visits[1:]:
        current = _sum_mm(visit.targets)
        target, target_rule = _judge_targets(visit, baseline, nadir, after_complete_response=complete)
        overall, rule = _overall(target, target_rule, visit, after_complete_response=complete)
        evaluable = bool(visit.targets) and not math.isnan(current)
        judged.append(
            Assessment(
                day=visit.day,
                target_sum_mm=current if evaluable else None,
                nadir_mm=nadir if visit.targets else None,
                change_from_baseline=_change(current, baseline) if evaluable else None,
                change_from_nadir=_change(current, nadir) if evaluable else None,
                target=target,
                target_rule=target_rule,
                overall=overall,
                rule=rule,
            )
        )
        if evaluable:
            nadir = min(nadir, current)
        if overall != "NE":
            complete = overall == "CR"
    return tuple(judged)


def check_visits(visits: Sequence[Visit]) -> None:
    """Raise ValueError where the visits cannot be assessed at all."""
    if not visits:
        raise ValueError("at least the baseline visit is needed")
    if any(later.day <= earlier.day for earlier, later in itertools.pairwise(visits)):
        raise ValueError("the days of the visits must increase")
    if any(len(visit.targets) != len(visits[0].targets) for visit in visits):
        raise ValueError("every visit must list the targets of the baseline")
    if any(math.isnan(target.size_mm) for target in visits[0].targets):
        raise ValueError("every target needs a size at baseline")


def _sum_mm(targets: Sequence[Target]) -> float:
    return math.fsum(target.size_mm for target in targets)


def _change(current_mm: float, reference_mm: float) -> float | None:
    return current_mm / reference_mm - 1.0 if reference_mm > 0.0 else None


def _judge_targets(
    visit: Visit, baseline_mm: float, nadir_mm: float, *, after_complete_response: bool
) -> tuple[Category, str]:
    if not visit.targets:
        return "NE", "no-target-lesions"
    current = _sum_mm(visit.targets)
    if math.isnan(current):
        seen = math.fsum(target.size_mm for target in visit.targets if not math.isnan(target.size_mm))
        if exceeds_nadir(nadir_mm, seen):
            return "PD", "evaluable-targets-alone-20-percent-and-5-mm-above-nadir"
        return "NE", "target-not-evaluable"
    all_gone = all(target.gone for target in visit.targets)
    if after_complete_response and not all_gone:
        elsewhere = any(not target.gone for target in visit.targets if not target.node)
        rule = "reappearance-after-complete-response" if elsewhere else "node-reappearance-after-complete-response"
        return "PD", rule
    category = target_response(baseline_mm, nadir_mm, current, all_gone=all_gone)
    return category, _TARGET_RULES[category]


def _overall(
    target: Category, target_rule: str, visit: Visit, *, after_complete_response: bool
) -> tuple[Category, str]:
    if target == "PD":
        return "PD", target_rule
    if visit.non_target == "PD":
        return "PD", "unequivocal-non-target-progression"
    if visit.new_lesions:
        return "PD", "new-lesion"
    if not visit.targets:
        return _without_targets(visit.non_target, after_complete_response=after_complete_response)
    if target == "CR" and visit.non_target == "NE":
        return "PR", "targets-gone-non-target-not-evaluated"
    if target == "CR" and visit.non_target == "NON_CR_NON_PD":
        back = "targets-gone-non-target-back-after-complete-response"
        return "PR", back if after_complete_response else "targets-gone-non-target-persists"
    return target, target_rule


def _without_targets(non_target: NonTarget, *, after_complete_response: bool) -> tuple[Category, str]:
    if non_target == "CR":
        return "CR", "non-target-gone"
    if non_target == "NON_CR_NON_PD":
        back = "non-target-back-after-complete-response"
        return "NON_CR_NON_PD", back if after_complete_response else "non-target-persists"
    return "NE", "non-target-not-evaluated"


def best_response(
    assessments: Sequence[Assessment],
    *,
    start_day: float,
    confirmation_required: bool,
    confirmation_days: float = limit.CONFIRMATION_DAYS,
    stable_disease_days: float = limit.STABLE_DISEASE_DAYS,
) -> BestResponse:
    """Best overall response up to the first progression.

    With confirmation, CR needs two CR and PR two responses at least ``confirmation_days``
    apart with no progression between them; what lies between may be SD or NE. An
    unconfirmed response counts as SD when it lasted the minimum from the start.

    Parameters
    ----------
    assessments : sequence of Assessment
        In order of time, as :func:`assess` returns them.
    start_day : float, d
        Study entry, from which the minimum duration of SD counts.
    confirmation_required : bool
        Response is the primary endpoint of a trial without randomization.
    confirmation_days, stable_disease_days : float, d

    Returns
    -------
    BestResponse
    """
    counted = _until_progression(assessments)
    complete = [a.day for a in counted if a.overall == "CR"]
    response = [a.day for a in counted if a.overall in ("CR", "PR")]
    ranked: tuple[tuple[Category, list[float]], ...] = (("CR", complete), ("PR", response))
    for category, days in ranked:
        confirmed = bool(days) and days[-1] - days[0] >= confirmation_days
        if days and (confirmed or not confirmation_required):
            rule = "confirmed-response" if confirmed else "response-without-required-confirmation"
            return BestResponse(category=category, day=days[0], confirmed=confirmed, rule=rule)
    stable = [a for a in counted if a.overall in ("CR", "PR", "SD", "NON_CR_NON_PD")]
    lasting = [a.day for a in stable if a.day - start_day >= stable_disease_days]
    if lasting:
        persists = all(a.overall == "NON_CR_NON_PD" for a in stable)
        category = "NON_CR_NON_PD" if persists else "SD"
        rule = "unconfirmed-response-counts-as-stable" if response else "stable-for-the-minimum-duration"
        return BestResponse(category=category, day=lasting[0], confirmed=False, rule=rule)
    if counted and counted[-1].overall == "PD":
        return BestResponse(category="PD", day=counted[-1].day, confirmed=False, rule=counted[-1].rule)
    rule = "stable-for-less-than-the-minimum-duration" if stable else "no-evaluable-visit"
    return BestResponse(category="NE", day=None, confirmed=False, rule=rule)


def _until_progression(assessments: Sequence[Assessment]) -> list[Assessment]:
    counted = []
    for assessment in assessments:
        counted.append(assessment)
        if assessment.overall == "PD":
            break
    return counted


def progression(assessments: Sequence[Assessment], *, start_day: float, death_day: float | None = None) -> Progression:
    """Progression-free survival: progression or death, censored at the last evaluable visit.

    Parameters
    ----------
    assessments : sequence of Assessment
    start_day : float, d
    death_day : float, d, optional

    Returns
    -------
    Progression
    """
    for assessment in assessments:
        if assessment.overall == "PD" and (death_day is None or assessment.day <= death_day):
            return Progression(
                time_days=assessment.day - start_day, event=True, cause="progression", rule=assessment.rule
            )
    if death_day is not None:
        return Progression(time_days=death_day - start_day, event=True, cause="death", rule="death")
    evaluable = [a.day for a in assessments if a.overall != "NE"]
    last = max(evaluable[-1] - start_day, 0.0) if evaluable else 0.0
    return Progression(time_days=last, event=False, cause="censored", rule="last-evaluable-visit")
