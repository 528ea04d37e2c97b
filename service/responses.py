"""RECIST 1.1 and iRECIST from the scans of one patient."""

import csv
import io
from collections.abc import Mapping
from typing import Any

from schemas import responses as wire
from schemas.run import ModelRef, RunWarning
from service import responses_figures
from service.errors import InvalidInput
from service.kinds import Computation, Kind
from simulation.outcome import irecist, recist
from simulation.outcome import thresholds as limit
from simulation.outcome.rules import explain
from simulation.registry import CARDS

UNNAMED_NEW_LESION = "unnamed"
_READER_DECIDES = (
    "node-reappearance-after-complete-response",
    "targets-gone-non-target-back-after-complete-response",
    "non-target-back-after-complete-response",
)
_SIZE_DECIMALS = 6
"""A size in mm that rounds to nothing is nothing: no change can be given relative to it."""


def compute(request: wire.ResponseRequest) -> Computation:
    """Assess every visit after the baseline by both sets of criteria."""
    visits = _visits(request)
    plain, immune = recist.assess(visits), irecist.assess(visits)
    start = request.start_day if request.start_day is not None else max(0.0, visits[0].day)
    best = recist.best_response(
        plain,
        start_day=start,
        confirmation_required=request.response_is_primary_endpoint,
        confirmation_days=request.confirmation_interval_days,
        stable_disease_days=request.stable_disease_minimum_days,
    )
    immune_category, immune_day = irecist.best_response(
        immune, start_day=start, stable_disease_days=request.stable_disease_minimum_days
    )
    baseline = visits[0].targets
    result = wire.ResponseResult(
        start_day=start,
        baseline=wire.BaselineRead(
            day=visits[0].day,
            target_sum_mm=sum(target.size_mm for target in baseline) if baseline else None,
            target_count=len(baseline),
        ),
        visits=[
            _read_visit(request, visit, visits[0], a, b) for visit, a, b in zip(visits[1:], plain, immune, strict=True)
        ],
        best_change_from_baseline=_best_change(plain),
        recist_best_response=wire.BestResponseRead(
            category=best.category,
            day=best.day,
            confirmed=best.confirmed,
            rule=best.rule,
            explanation=explain(best.rule),
        ),
        irecist_best_response=wire.IrecistBestResponseRead(category=immune_category, day=immune_day),
        recist_progression=_read_progression(recist.progression(plain, start_day=start, death_day=request.death_day)),
        irecist_progression=_read_progression(
            irecist.progression(immune, start_day=start, death_day=request.death_day)
        ),
    )
    models = tuple(ModelRef(id=name, version=CARDS[name].version) for name in ("recist_1_1", "irecist"))
    return Computation(result=result, models=models, warnings=(*_warnings(request), *_returned(plain)))


def _visits(request: wire.ResponseRequest) -> list[recist.Visit]:
    """Turn the scans into visits with the targets of the baseline in one order."""
    baseline = request.scans[0]
    nodes = {lesion.id: lesion.short_axis_mm is not None for lesion in baseline.lesions}
    if request.death_day is not None and request.death_day < request.scans[-1].day:
        raise InvalidInput("/death_day", "must not come before the last scan")
    visits = []
    for index, scan in enumerate(request.scans):
        if index and scan.day <= request.scans[index - 1].day:
            raise InvalidInput(f"/scans/{index}/day", "must be later than the scan before")
        found = _targets(scan, nodes, f"/scans/{index}/lesions")
        new = scan.new_lesions
        if index == 0 and new:
            raise InvalidInput("/scans/0/new_lesions", "the first scan is the baseline; it has no new lesions")
        if index == 0 and scan.non_target == "PD":
            raise InvalidInput("/scans/0/non_target", "the first scan is the baseline; nothing progressed yet")
        missing = recist.Target(status="not_evaluable")
        visits.append(
            recist.Visit(
                day=scan.day,
                targets=tuple(found.get(name, missing) for name in nodes),
                non_target=scan.non_target,
                non_target_increase=scan.non_target_increase,
                new_lesions=_new_lesions(new, nodes, f"/scans/{index}/new_lesions"),
                prompted_by_symptoms=scan.prompted_by_symptoms,
            )
        )
    for position, (name, target) in enumerate(zip(nodes, visits[0].targets, strict=True)):
        if target.status == "not_evaluable":
            raise InvalidInput(f"/scans/0/lesions/{position}/status", "a target needs a size at baseline")
        if target.gone and not nodes[name]:
            raise InvalidInput(f"/scans/0/lesions/{position}", "a target must be present at baseline")
    return visits


def _targets(scan: wire.ResponseScan, nodes: Mapping[str, bool], pointer: str) -> dict[str, recist.Target]:
    found: dict[str, recist.Target] = {}
    for position, lesion in enumerate(scan.lesions):
        here = f"{pointer}/{position}"
        if lesion.id in found:
            raise InvalidInput(f"{here}/id", "this lesion is listed twice on the scan")
        if lesion.id not in nodes:
            raise InvalidInput(f"{here}/id", "the first scan does not list this lesion; report it in new_lesions")
        if lesion.longest_diameter_mm is not None and nodes[lesion.id]:
            raise InvalidInput(f"{here}/longest_diameter_mm", "a lymph node is measured by short_axis_mm on every scan")
        if lesion.short_axis_mm is not None and not nodes[lesion.id]:
            raise InvalidInput(f"{here}/short_axis_mm", "this lesion has a longest diameter at baseline; keep to it")
        measured = lesion.short_axis_mm if nodes[lesion.id] else lesion.longest_diameter_mm
        size = None if measured is None else round(measured, _SIZE_DECIMALS)
        status = lesion.status or ("measured" if size else "absent")
        found[lesion.id] = recist.Target(
            status=status, diameter_mm=size if status == "measured" else None, node=nodes[lesion.id]
        )
    return found


def _new_lesions(
    new: bool | list[wire.NewLesionOnScan], nodes: Mapping[str, bool], pointer: str
) -> tuple[recist.NewLesion, ...]:
    if isinstance(new, bool):
        return (recist.NewLesion(id=UNNAMED_NEW_LESION),) if new else ()
    for position, lesion in enumerate(new):
        if lesion.id in nodes:
            raise InvalidInput(f"{pointer}/{position}/id", "the first scan lists this lesion; it is not new")
        if any(other.id == lesion.id for other in new[:position]):
            raise InvalidInput(f"{pointer}/{position}/id", "this lesion is listed twice on the scan")
    return tuple(
        recist.NewLesion(
            id=lesion.id,
            diameter_mm=lesion.longest_diameter_mm if lesion.short_axis_mm is None else lesion.short_axis_mm,
            node=lesion.short_axis_mm is not None,
            grown=lesion.grown,
        )
        for lesion in new
    )


def _read_visit(
    request: wire.ResponseRequest,
    visit: recist.Visit,
    baseline: recist.Visit,
    plain: recist.Assessment,
    immune: irecist.Assessment,
) -> wire.VisitRead:
    due = immune.confirmation_due
    return wire.VisitRead(
        day=visit.day,
        target_sum_mm=plain.target_sum_mm,
        nadir_mm=plain.nadir_mm,
        change_from_baseline=plain.change_from_baseline,
        change_from_nadir=plain.change_from_nadir,
        lesions=[
            _read_target(lesion.id, now, before)
            for lesion, now, before in zip(request.scans[0].lesions, visit.targets, baseline.targets, strict=True)
        ],
        recist=wire.RecistVisitRead(
            target=plain.target if visit.targets else None,
            overall=plain.overall,
            rule=plain.rule,
            explanation=explain(plain.rule),
        ),
        irecist=wire.IrecistVisitRead(
            overall=immune.overall,
            rule=immune.rule,
            explanation=explain(immune.rule),
            new_lesion_sum_mm=immune.new_lesion_sum_mm,
            unconfirmed_since_day=immune.open_since,
            confirmation_due=None if due is None else wire.WindowRead(earliest_day=due[0], latest_day=due[1]),
        ),
    )


def _read_target(name: str, now: recist.Target, before: recist.Target) -> wire.TargetRead:
    seen = now.status != "not_evaluable"
    change = now.size_mm / before.size_mm - 1.0 if seen and before.size_mm > 0.0 else None
    return wire.TargetRead(
        id=name, status=now.status, size_mm=now.size_mm if seen else None, change_from_baseline=change
    )


def _best_change(assessments: tuple[recist.Assessment, ...]) -> float | None:
    changes = []
    for assessment in assessments:
        if assessment.change_from_baseline is not None:
            changes.append(assessment.change_from_baseline)
        if assessment.overall == "PD":
            break
    return min(changes, default=None)


def _read_progression(found: recist.Progression) -> wire.ProgressionRead:
    return wire.ProgressionRead(
        time_days=found.time_days,
        event=found.event,
        cause=found.cause,
        rule=found.rule,
        explanation=explain(found.rule),
    )


def _warnings(request: wire.ResponseRequest) -> list[RunWarning]:
    found = []
    baseline = request.scans[0].lesions
    organs = ["lymph_node" if x.short_axis_mm is not None else x.organ for x in baseline]
    crowded = any(organs.count(organ) > limit.TARGETS_PER_ORGAN for organ in set(organs) if organ is not None)
    if len(baseline) > limit.TARGET_COUNT or crowded:
        found.append(
            RunWarning(
                code="more-targets-than-recist-allows",
                message="RECIST 1.1 follows at most five targets, two in one organ (lymph nodes are one organ); "
                "all that were given are summed.",
                pointer="/scans/0/lesions",
            )
        )
    for position, lesion in enumerate(baseline):
        least = limit.TARGET_LONGEST_DIAMETER_MM if lesion.short_axis_mm is None else limit.TARGET_NODE_MM
        size = lesion.longest_diameter_mm if lesion.short_axis_mm is None else lesion.short_axis_mm
        if size is None or size < least:
            found.append(
                RunWarning(
                    code="target-not-measurable-at-baseline",
                    message="A target is measurable from 10 mm longest diameter, a lymph node from 15 mm short axis.",
                    pointer=f"/scans/0/lesions/{position}",
                )
            )
    if any(scan.new_lesions is True for scan in request.scans):
        found.append(
            RunWarning(
                code="new-lesions-without-identity",
                message="New lesions were reported without identity or size; iRECIST cannot see them grow or multiply. "
                "List them with id and diameter on every scan that shows them.",
                pointer=None,
            )
        )
    return found


def _returned(assessments: tuple[recist.Assessment, ...]) -> list[RunWarning]:
    """Warn of a return after complete response whose category rests on more than the sizes."""
    return [
        RunWarning(code=assessment.rule, message=explain(assessment.rule), pointer=f"/scans/{index}")
        for index, assessment in enumerate(assessments, start=1)
        if assessment.rule in _READER_DECIDES
    ]


def series(data: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """One row for every visit, baseline included."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ("day", "target_sum_mm", "change_from_baseline", "nadir_mm", "recist", "recist_rule", "irecist", "irecist_rule")
    )
    baseline = result["baseline"]
    unchanged = None if baseline["target_sum_mm"] is None else 0.0
    writer.writerow((baseline["day"], baseline["target_sum_mm"], unchanged, None, "baseline", "", "baseline", ""))
    for visit in result["visits"]:
        first, second = visit["recist"], visit["irecist"]
        writer.writerow(
            (
                visit["day"], visit["target_sum_mm"], visit["change_from_baseline"], visit["nadir_mm"],
                first["overall"], first["rule"], second["overall"], second["rule"],
            )
        )  # fmt: skip
    return out.getvalue()


_SIMPLE: dict[str, Any] = {
    "scans": [
        {
            "day": -7,
            "lesions": [
                {"id": "lung-1", "organ": "lung", "longest_diameter_mm": 42},
                {"id": "node-1", "organ": "mediastinum", "short_axis_mm": 18},
            ],
            "non_target": "NON_CR_NON_PD",
        },
        {
            "day": 42,
            "lesions": [{"id": "lung-1", "longest_diameter_mm": 30}, {"id": "node-1", "short_axis_mm": 11}],
            "non_target": "NON_CR_NON_PD",
        },
        {
            "day": 84,
            "lesions": [{"id": "lung-1", "longest_diameter_mm": 28}, {"id": "node-1", "short_axis_mm": 9}],
            "non_target": "NON_CR_NON_PD",
        },
    ],
    "response_is_primary_endpoint": True,
}
_IMMUNE: dict[str, Any] = {
    "scans": [
        {"day": 0, "lesions": [{"id": "liver-1", "longest_diameter_mm": 60}]},
        {
            "day": 42,
            "lesions": [{"id": "liver-1", "longest_diameter_mm": 58}],
            "new_lesions": [{"id": "bone-1", "longest_diameter_mm": 12}],
        },
        {
            "day": 84,
            "lesions": [{"id": "liver-1", "longest_diameter_mm": 40}],
            "new_lesions": [{"id": "bone-1", "longest_diameter_mm": 12}],
        },
        {
            "day": 126,
            "lesions": [{"id": "liver-1", "status": "too_small"}],
            "new_lesions": [{"id": "bone-1", "longest_diameter_mm": 18}, {"id": "bone-2"}],
        },
    ]
}

KIND = Kind(
    name="responses",
    path="/responses",
    summary="Assess response by RECIST 1.1 and iRECIST",
    description="Scans of one patient in, the category of every visit out, with the rule that decided it, best "
    "overall response and progression-free survival by both sets of criteria. The first scan is the baseline and "
    "names the target lesions. Research use; it does not replace the reading of a radiologist.",
    request=wire.ResponseRequest,
    result=wire.ResponseResult,
    compute=compute,
    examples={"partial_response_with_a_node": _SIMPLE, "new_lesion_then_shrinkage": _IMMUNE},
    figures={"spider": responses_figures.spider, "waterfall": responses_figures.waterfall},
    series=series,
)
