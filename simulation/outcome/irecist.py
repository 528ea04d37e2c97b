"""iRECIST: unconfirmed and confirmed progression under immunotherapy.

The first progression in the sense of RECIST 1.1 is unconfirmed (iUPD). A later scan confirms
it (iCPD), leaves it open, or resets it when the tumor meets iCR, iPR or iSD. New lesions are
kept outside the target sum. One that is measurable when it is first seen is a new target, which
confirms by 5 mm of growth in sum; any other is a new non-target lesion, which confirms by any
growth. While a new lesion stays without such growth, the iUPD stands unless the targets have
moved to a better category since.

References
----------
Seymour L et al. iRECIST: guidelines for response criteria for use in trials testing
immunotherapeutics. Lancet Oncol 2017;18:e143-e152. doi:10.1016/S1470-2045(17)30074-8
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from simulation.outcome import recist
from simulation.outcome import thresholds as limit

Category = Literal["iCR", "iPR", "iSD", "NON_iCR_NON_iUPD", "iUPD", "iCPD", "NE"]

_IMMUNE: dict[recist.Category, Category] = {
    "CR": "iCR",
    "PR": "iPR",
    "SD": "iSD",
    "NON_CR_NON_PD": "NON_iCR_NON_iUPD",
    "NE": "NE",
}
_OTHER = "progression-in-another-category-"
_RANK: dict[recist.Category, int] = {"CR": 0, "PR": 1, "SD": 2, "PD": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What iRECIST says about one visit.

    ``confirmation_due`` is the window (earliest and latest day) of the confirming scan while
    a progression is open: from the first day on which a scan may confirm, tolerance included,
    until eight weeks after the last visit that was iUPD.
    """

    day: float
    overall: Category
    rule: str
    new_lesion_sum_mm: float | None
    open_since: float | None
    confirmation_due: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """The unconfirmed progression that awaits its confirmation."""

    day: float
    last_day: float
    target_sum_mm: float
    target: recist.Category
    causes: frozenset[str]
    new_sizes_mm: dict[str, float]
    new_unsized: frozenset[str]
    new_ids: frozenset[str]


def assess(visits: Sequence[recist.Visit]) -> tuple[Assessment, ...]:
    """Judge every visit after the baseline by iRECIST.

    Parameters
    ----------
    visits : sequence of recist.Visit
        In order of time, the first is the baseline. New lesions are listed with their id on
        every scan that shows them.

    Returns
    -------
    tuple of Assessment, one per visit after the baseline
    """
    judged: list[Assessment] = []
    pending: _Open | None = None
    confirmed = False
    known: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    for visit, plain in zip(visits[1:], recist.assess(visits), strict=True):
        now = frozenset(lesion.id for lesion in visit.new_lesions)
        causes = _causes(visit, plain, added=bool(now - known))
        targets |= {lesion.id for lesion in visit.new_lesions if lesion.measurable} - known
        overall: Category
        if confirmed:
            overall, rule = "iCPD", "after-confirmed-progression"
        elif pending is None:
            overall, rule = _without_open(visit, plain, causes)
            if overall == "iUPD":
                pending = _open(visit, plain, causes, known | now)
        else:
            overall, rule = _with_open(visit, plain, causes, pending, targets)
            confirmed = overall == "iCPD"
            if overall == "iUPD":
                pending = replace(
                    pending, last_day=visit.day, new_sizes_mm=_first_sizes(visit, pending) | pending.new_sizes_mm
                )
            if overall not in ("iUPD", "iCPD", "NE"):
                pending = None
        known |= now
        judged.append(_record(visit, overall, rule, pending, targets))
    return tuple(judged)


def _causes(visit: recist.Visit, plain: recist.Assessment, *, added: bool) -> frozenset[str]:
    """Categories that progress at this visit in the sense of RECIST 1.1."""
    found = {
        "target": plain.target == "PD",
        "non-target": visit.non_target == "PD",
        "new-lesion": added,
    }
    return frozenset(name for name, progresses in found.items() if progresses)


def _without_open(visit: recist.Visit, plain: recist.Assessment, causes: frozenset[str]) -> tuple[Category, str]:
    if causes:
        return "iUPD", "first-progression-" + "-and-".join(sorted(causes))
    return _response(visit, plain)


def _response(visit: recist.Visit, plain: recist.Assessment) -> tuple[Category, str]:
    """Category without progression; new lesions that stay keep the response from being complete."""
    if plain.overall != "PD":
        return _IMMUNE[plain.overall], plain.rule
    if not visit.targets:
        return "NON_iCR_NON_iUPD", "known-new-lesion-persists"
    if plain.target == "CR":
        return "iPR", "targets-gone-known-new-lesion-persists"
    return _IMMUNE[plain.target], plain.target_rule


def _with_open(
    visit: recist.Visit,
    plain: recist.Assessment,
    causes: frozenset[str],
    pending: _Open,
    targets: frozenset[str],
) -> tuple[Category, str]:
    reason = _confirmation(visit, plain, causes, pending, targets)
    if reason is not None:
        if visit.day >= _earliest(pending):
            late = visit.day > _latest(pending)
            return "iCPD", f"{reason}-after-the-window" if late else reason
        if visit.prompted_by_symptoms and reason in ("more-new-lesions", f"{_OTHER}new-lesion"):
            return "iCPD", "early-scan-for-symptoms-with-more-new-lesions"
        return "iUPD", "too-early-to-confirm"
    if causes:
        return "iUPD", "progression-without-further-growth"
    if visit.new_lesions and not _improved(plain, pending):
        return "iUPD", "new-lesion-persists"
    category, rule = _response(visit, plain)
    return category, rule if category == "NE" else f"reset-{rule}"


def _earliest(pending: _Open) -> float:
    return pending.day + limit.IRECIST_EARLIEST_DAYS - limit.IRECIST_TOLERANCE_DAYS


def _latest(pending: _Open) -> float:
    return pending.last_day + limit.IRECIST_LATEST_DAYS


def _improved(plain: recist.Assessment, pending: _Open) -> bool:
    return plain.target in _RANK and _RANK[plain.target] < _RANK.get(pending.target, -1)


def _confirmation(
    visit: recist.Visit,
    plain: recist.Assessment,
    causes: frozenset[str],
    pending: _Open,
    targets: frozenset[str],
) -> str | None:
    """Return the reason why this visit confirms the open progression, or None."""
    target_sum = plain.target_sum_mm
    if "target" in pending.causes and target_sum is not None and _grown(pending.target_sum_mm, target_sum):
        return "target-sum-5-mm-above-unconfirmed-progression"
    if "non-target" in pending.causes and visit.non_target_increase:
        return "further-non-target-increase"
    if any(lesion.id not in pending.new_ids for lesion in visit.new_lesions):
        return "more-new-lesions" if "new-lesion" in pending.causes else f"{_OTHER}new-lesion"
    if "new-lesion" in pending.causes:
        grown = _new_lesions_grew(visit, pending, targets)
        if grown is not None:
            return grown
    added = causes - pending.causes
    if added:
        return _OTHER + "-and-".join(sorted(added))
    return None


def _new_lesions_grew(visit: recist.Visit, pending: _Open, targets: frozenset[str]) -> str | None:
    """Compare the new lesions with their first size since the progression: targets in sum, others one by one."""
    before, now = pending.new_sizes_mm, _sizes(visit)
    if any(lesion.grown for lesion in visit.new_lesions):
        return "new-non-target-lesion-grew"
    both = before.keys() & now.keys()
    if any(now[name] > before[name] + limit.ROUNDING_MM for name in both - targets):
        return "new-non-target-lesion-grew"
    if any(lesion.measurable and lesion.id in pending.new_unsized - targets for lesion in visit.new_lesions):
        return "new-non-target-lesion-became-measurable"
    measured = both & targets
    if measured and _grown(math.fsum(before[k] for k in measured), math.fsum(now[k] for k in measured)):
        return "new-lesion-sum-5-mm-above-unconfirmed-progression"
    return None


def _sizes(visit: recist.Visit) -> dict[str, float]:
    return {x.id: x.diameter_mm for x in visit.new_lesions if x.diameter_mm is not None}


def _first_sizes(visit: recist.Visit, pending: _Open) -> dict[str, float]:
    """Sizes of lesions that had none; one that is measurable now has grown, so its size is no start."""
    measurable = {lesion.id for lesion in visit.new_lesions if lesion.measurable}
    return {name: size for name, size in _sizes(visit).items() if name in pending.new_unsized - measurable}


def _grown(before_mm: float, after_mm: float) -> bool:
    return after_mm - before_mm + limit.ROUNDING_MM >= limit.ABSOLUTE_INCREASE_MM


def _open(visit: recist.Visit, plain: recist.Assessment, causes: frozenset[str], ids: frozenset[str]) -> _Open:
    seen = math.fsum(t.size_mm for t in visit.targets if not math.isnan(t.size_mm))
    return _Open(
        day=visit.day,
        last_day=visit.day,
        target_sum_mm=seen if plain.target_sum_mm is None else plain.target_sum_mm,
        target=plain.target,
        causes=causes,
        new_sizes_mm=_sizes(visit),
        new_unsized=frozenset(x.id for x in visit.new_lesions if x.diameter_mm is None),
        new_ids=ids,
    )


def _record(
    visit: recist.Visit, overall: Category, rule: str, pending: _Open | None, targets: frozenset[str]
) -> Assessment:
    sizes = [size for name, size in _sizes(visit).items() if name in targets]
    due = pending is not None and overall in ("iUPD", "NE")
    return Assessment(
        day=visit.day,
        overall=overall,
        rule=rule,
        new_lesion_sum_mm=math.fsum(sizes) if sizes else None,
        open_since=None if pending is None else pending.day,
        confirmation_due=(
            (max(_earliest(pending), visit.day), max(_latest(pending), visit.day))
            if due and pending is not None
            else None
        ),
    )


def best_response(
    assessments: Sequence[Assessment],
    *,
    start_day: float,
    stable_disease_days: float = limit.STABLE_DISEASE_DAYS,
) -> tuple[Category, float | None]:
    """Best category up to the confirmed progression, and the day that first showed it.

    Confirmation of responses is not asked for, as in the randomized setting of the guideline.

    Parameters
    ----------
    assessments : sequence of Assessment
    start_day : float, d
    stable_disease_days : float, d

    Returns
    -------
    tuple of category and day (None when nothing was evaluable)
    """
    first: dict[Category, float] = {}
    for visit in assessments:
        stable = visit.overall in ("iSD", "NON_iCR_NON_iUPD")
        if not stable or visit.day - start_day >= stable_disease_days:
            first.setdefault(visit.overall, visit.day)
    order: tuple[Category, ...] = ("iCR", "iPR", "iSD", "NON_iCR_NON_iUPD", "iCPD", "iUPD")
    for category in order:
        if category in first:
            return category, first[category]
    return "NE", None


def progression(
    assessments: Sequence[Assessment], *, start_day: float, death_day: float | None = None
) -> recist.Progression:
    """Progression-free survival under iRECIST.

    The event is dated at the unconfirmed progression that was confirmed, or that was never
    reset; a progression that was reset is none.

    Parameters
    ----------
    assessments : sequence of Assessment
    start_day : float, d
    death_day : float, d, optional

    Returns
    -------
    recist.Progression
    """
    counted = [a for a in assessments if death_day is None or a.day <= death_day]
    if counted and counted[-1].open_since is not None:
        confirmed = any(a.overall == "iCPD" for a in counted)
        rule = "confirmed-progression" if confirmed else "unconfirmed-progression-never-reset"
        time = counted[-1].open_since - start_day
        return recist.Progression(time_days=time, event=True, cause="progression", rule=rule)
    if death_day is not None:
        return recist.Progression(time_days=death_day - start_day, event=True, cause="death", rule="death")
    evaluable = [a.day for a in counted if a.overall != "NE"]
    last = max(evaluable[-1] - start_day, 0.0) if evaluable else 0.0
    return recist.Progression(time_days=last, event=False, cause="censored", rule="last-evaluable-visit")
