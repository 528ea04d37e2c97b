"""The same virtual patients under several plans: outcomes, differences, verdict."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from schemas import simulations as wire
from schemas.plan import Plan
from schemas.run import ModelRef, RunWarning
from service import simulations_figures as figures
from service.complications import complications_of
from service.flat_exposure import BEYOND_TESTED, FLAT_EXPOSURE, beyond_tested, flat_exposure
from service.harms import INCIDENCE_MODEL, Harms, compare_harms, dominance
from service.harms_radiotherapy import Treated
from service.kinds import Computation, Kind
from service.scenarios import lesions_of, output_days, scenario_of
from service.simulations import EXAMPLE, cohort_of, read_band, reference, warnings_of
from service.simulations_outcomes import LEVEL, abscopal_note, estimate, read_outcomes, severe_lymphopenia
from service.simulations_ranges import check_ranges
from simulation.outcome.thresholds import MEANINGFUL_DAYS, MEANINGFUL_PROBABILITY
from simulation.registry import CARDS
from simulation.tumor.cohort import Cohort, mean_difference
from simulation.tumor.interface import MODELS, assumed, unrepresented
from simulation.tumor.scenario import Scenario

Floats = NDArray[np.float64]
Outcome = Literal[
    "objective_response", "abscopal_response", "progression", "severe_lymphopenia",
    "progression_free_days", "overall_survival_days",
]  # fmt: skip
_MORE_IS_BETTER: Final[Mapping[Outcome, bool]] = {
    "objective_response": True,
    "abscopal_response": True,
    "progression": False,
    "severe_lymphopenia": False,
    "progression_free_days": True,
    "overall_survival_days": True,
}
_EFFICACY: Final = frozenset(_MORE_IS_BETTER) - {"severe_lymphopenia"}
_IN_DAYS: Final = frozenset({"progression_free_days", "overall_survival_days"})
_NO_INTERVAL: Final = "the model simulates one subject and gives no interval"
Verdict = Literal["expected gain", "expected loss", "mixed", "no expected gain", "undetermined"]
_VERDICTS: Final[Mapping[tuple[bool, bool], Verdict]] = {
    (True, False): "expected gain",
    (False, True): "expected loss",
    (True, True): "mixed",
    (False, False): "no expected gain",
}


def compute(request: wire.ComparisonRequest) -> Computation:
    """Simulate every plan with the same virtual patients and compare each with the first.

    Raises
    ------
    InvalidInput
        A plan or the lesions do not fit, or the model is unknown or cannot take a scenario.
    """
    shown_days = output_days(request)
    cohorts: list[Cohort] = []
    plans: list[wire.PlanOutcomesRead] = []
    models: dict[ModelRef, None] = {}
    notices: list[RunWarning] = []
    treated: list[Treated] = []
    for index, named in enumerate(request.plans):
        notices += check_ranges(request, named.plan, [(request.model, "/model")], f"/plans/{index}/plan")
    scenarios = [scenario_of(request, named.plan, f"/plans/{i}/plan") for i, named in enumerate(request.plans)]
    irradiated = np.any([scenario.irradiated for scenario, _ in scenarios], axis=0)
    for index, (named, (scenario, read_as)) in enumerate(zip(request.plans, scenarios, strict=True)):
        pointer = f"/plans/{index}/plan"
        cohort = cohort_of(request, scenario, request.model, "/model", irradiated)
        complications = complications_of(named.plan, request.patient, request.seed, pointer)
        cohorts.append(cohort)
        models |= dict.fromkeys((reference(request.model), *complications.models))
        treated.append(Treated(named.plan, complications))
        notices += [*read_as, *complications.warnings, *warnings_of([cohort], pointer)]
        plans.append(
            wire.PlanOutcomesRead(
                id=named.id,
                ignored=list(cohort.ignored),
                notes=list(cohort.notes),
                outcomes=read_outcomes(cohort, request),
                sum_of_diameters_mm=read_band(
                    cohort.sum_of_diameters_mm, np.searchsorted(cohort.time_days, shown_days)
                ),
                complications=list(complications.rows),
            )
        )
    counted_alike = _counted_alike([scenario for scenario, _ in scenarios])
    columns = [_outcomes(cohort, request, counted_alike) for cohort in cohorts]
    lung_lesions = frozenset(lesion.id for lesion in lesions_of(request) if lesion.organ == "lung")
    harms = [
        compare_harms(
            treated[0],
            one,
            request.patient,
            lung_lesions=lung_lesions,
            lymphopenia_known="severe_lymphopenia" in columns[0],
        )
        for one in treated[1:]
    ]
    if any(row.model == INCIDENCE_MODEL for found in harms for row in found.differences):
        models[reference(INCIDENCE_MODEL)] = None
    bearing = [
        _bearing(request, named.plan, scenarios[0][0], scenario)
        for named, (scenario, _) in zip(request.plans[1:], scenarios[1:], strict=True)
    ]
    result = wire.ComparisonResult(
        model=request.model,
        reference=request.plans[0].id,
        time_days=[float(day) for day in shown_days],
        plans=plans,
        comparisons=[
            _compare(named.id, columns[0], column, cohorts[0], found, bears)
            for named, column, found, bears in zip(request.plans[1:], columns[1:], harms, bearing, strict=True)
        ],
        validated_on_patients=CARDS[request.model].validated_on_patients,
    )
    return Computation(result=result, models=tuple(models), warnings=tuple(dict.fromkeys(notices)))


@dataclass(frozen=True, slots=True)
class _Bearing:
    """What bears on a verdict beside the intervals; ``open`` where it keeps the model from any verdict."""

    note: str | None = None
    open: bool = False


def _bearing(request: wire.ComparisonRequest, plan: Plan, first: Scenario, second: Scenario) -> _Bearing:
    if MODELS[request.model].one_subject:
        return _Bearing(_NO_INTERVAL, open=True)
    base, weight_kg = request.plans[0].plan, request.patient.weight_kg
    if flat_exposure(base, plan, weight_kg):
        return _Bearing(FLAT_EXPOSURE)
    notes = [
        f"{why}: {', '.join(parts)}"
        for why, parts in (
            ("the plans differ in what the model cannot represent", unrepresented(request.model, first, second)),
            ("the plans differ in what has an effect of assumed size", assumed(request.model, first, second)),
        )
        if parts
    ]
    beyond = beyond_tested(base, weight_kg), beyond_tested(plan, weight_kg)
    if any(beyond) and first.drugs != second.drugs:
        notes.append(f"{', '.join(sorted({*beyond[0], *beyond[1]}))} is {BEYOND_TESTED}")
    return _Bearing("; ".join(notes), open=True) if notes else _Bearing()


def _counted_alike(scenarios: Sequence[Scenario]) -> bool:
    """Return whether the lymphocytes of all plans with radiotherapy come from organ doses, or from none."""
    return len({scenario.lymphocytes is None for scenario in scenarios if scenario.fractions.day.size}) < 2


def _outcomes(cohort: Cohort, request: wire.ComparisonRequest, counted_alike: bool) -> dict[Outcome, Floats]:
    """Return one number per virtual patient and outcome; outcomes that the model does not know are absent."""
    outcomes = cohort.outcomes
    found: dict[Outcome, Any] = {
        "objective_response": outcomes.responded,
        "abscopal_response": outcomes.abscopal_response if abscopal_note(cohort) is None else None,
        "progression": outcomes.progression_weight,
        "severe_lymphopenia": severe_lymphopenia(outcomes, request.patient) if counted_alike else None,
        "progression_free_days": outcomes.progression_free_days(request.horizon_days),
        "overall_survival_days": outcomes.os_days if cohort.survival_known else None,
    }
    return {name: np.asarray(values, dtype=np.float64) for name, values in found.items() if values is not None}


def _compare(
    plan_id: str,
    base: Mapping[Outcome, Floats],
    other: Mapping[Outcome, Floats],
    cohort: Cohort,
    harms: Harms,
    bears: _Bearing,
) -> wire.PlanComparisonRead:
    rows = [_difference(name, base[name], other[name], cohort, bears.note is None) for name in base if name in other]
    efficacy = [row.better for row in rows if row.outcome in _EFFICACY]
    better, worse = (any(row.better is side for row in rows) for side in (True, False))
    gain, loss = (any(found is side for found in efficacy) for side in (True, False))
    dominates, note = (None, bears.note) if bears.open else dominance(gain, worse, harms, 1.0)
    dominated, against = (None, None) if bears.open else dominance(loss, better, harms, -1.0)
    return wire.PlanComparisonRead(
        id=plan_id,
        verdict="undetermined" if bears.open else _VERDICTS[gain, loss],
        verdict_note=bears.note,
        dominates=dominates,
        dominated=dominated,
        dominance_note=note if note is not None else against,
        differences=rows,
        harms=list(harms.differences),
        harms_unknown=list(harms.unknown),
    )


def _difference(name: Outcome, base: Floats, other: Floats, cohort: Cohort, judged: bool) -> wire.DifferenceRead:
    value = float((other - base).mean())
    in_days = name in _IN_DAYS
    meaningful = MEANINGFUL_DAYS if in_days else MEANINGFUL_PROBABILITY
    interval = None
    better = None
    if not MODELS[cohort.model_id].one_subject:
        interval = mean_difference(base, other, cohort.outcomes.posterior_set, level=LEVEL)
        if judged and (interval.lower > 0.0 or interval.upper < 0.0) and abs(value) >= meaningful:
            better = (value > 0.0) == _MORE_IS_BETTER[name]
    return wire.DifferenceRead(
        outcome=name,
        unit="d" if in_days else "probability",
        difference=estimate(value, interval),
        smallest_meaningful_difference=meaningful,
        better=better,
        number_needed_to_treat=1.0 / abs(value) if better and not in_days else None,
    )


def series(_input: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """Return the differences of outcomes and harms as CSV."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("plan", "reference", "outcome", "unit", "difference", "level", "lower", "upper", "verdict"))
    for compared in result["comparisons"]:
        rows = [(row["outcome"], row["unit"], row["difference"]) for row in compared["differences"]]
        rows += [
            (
                ":".join(filter(None, ("harm", row["organ"], row["harm"], row["model"]))),
                "probability",
                row["difference"],
            )
            for row in compared["harms"]
        ]
        for name, unit, found in rows:
            interval = found["interval"] or {}
            limits = (interval.get(key) for key in ("level", "lower", "upper"))
            head = (compared["id"], result["reference"], name, unit)
            writer.writerow((*head, found["value"], *limits, compared["verdict"]))
    return buffer.getvalue()


_DRUG_ONLY: Final = {"drugs": EXAMPLE["plan"]["drugs"]}

KIND: Final = Kind(
    name="comparisons",
    path="/comparisons",
    summary="Compare two to eight plans for the same patient",
    description=(
        "The same virtual patients under every plan, so that differences are not noise: difference of each outcome "
        "from the first plan with its 90 % interval, number needed to treat, and 'no expected gain' where every "
        "efficacy interval spans zero or the difference is smaller than a stated one. Harm stands beside it: organ "
        "complications where histograms are given, also with an antibody after the radiotherapy, and published adverse "
        "events of the drugs. One plan dominates another "
        "only if no harm is higher, and where harm is not known for both, dominance is null and says so."
    ),
    request=wire.ComparisonRequest,
    result=wire.ComparisonResult,
    compute=compute,
    examples={
        "with and without radiotherapy": {
            "patient": EXAMPLE["patient"],
            "plans": [
                {"id": "pembrolizumab", "plan": _DRUG_ONLY},
                {"id": "pembrolizumab-3x8", "plan": EXAMPLE["plan"]},
            ],
            "horizon_days": 364,
            "patients": 1000,
            "seed": 7,
        }
    },
    blocking=True,
    figures={"differences": figures.comparison, "survival": figures.comparison_survival},
    series=series,
)
