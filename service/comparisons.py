"""The same virtual patients under several plans: outcomes, differences, verdict."""

import csv
import io
from collections.abc import Mapping
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from schemas import simulations as wire
from schemas.run import ModelRef
from service import simulations_figures as figures
from service.complications import complications_of
from service.kinds import Computation, Kind
from service.scenarios import output_days, scenario_of
from service.simulations import (
    EXAMPLE,
    LEVEL,
    cohort_of,
    estimate,
    read_band,
    read_outcomes,
    reference,
    severe_lymphopenia,
    warnings_of,
)
from simulation.registry import CARDS
from simulation.tumor.cohort import Cohort, mean_difference

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
_RESOLUTION_DAYS: Final = 0.5
"""A smaller mean difference is the solver's tolerance, not an effect of the plan."""


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
    notices = []
    scenarios = [scenario_of(request, named.plan, f"/plans/{i}/plan") for i, named in enumerate(request.plans)]
    irradiated = np.any([scenario.irradiated for scenario in scenarios], axis=0)
    for index, (named, scenario) in enumerate(zip(request.plans, scenarios, strict=True)):
        pointer = f"/plans/{index}/plan"
        cohort = cohort_of(request, scenario, request.model, "/model", irradiated)
        complications, used, noticed = complications_of(named.plan, request.patient, request.seed, pointer)
        cohorts.append(cohort)
        models |= dict.fromkeys((reference(request.model), *used))
        notices += [*noticed, *warnings_of(request.patient, named.plan, [cohort])]
        plans.append(
            wire.PlanOutcomesRead(
                id=named.id,
                ignored=list(cohort.ignored),
                outcomes=read_outcomes(cohort, request),
                sum_of_diameters_mm=read_band(
                    cohort.sum_of_diameters_mm, np.searchsorted(cohort.time_days, shown_days)
                ),
                complications=complications,
            )
        )
    columns = [_outcomes(cohort, request) for cohort in cohorts]
    result = wire.ComparisonResult(
        model=request.model,
        reference=request.plans[0].id,
        time_days=[float(day) for day in shown_days],
        plans=plans,
        comparisons=[
            _compare(named.id, columns[0], column, cohorts[0].outcomes.posterior_set)
            for named, column in zip(request.plans[1:], columns[1:], strict=True)
        ],
        validated_on_patients=CARDS[request.model].validated_on_patients,
    )
    return Computation(result=result, models=tuple(models), warnings=tuple(dict.fromkeys(notices)))


def _outcomes(cohort: Cohort, request: wire.ComparisonRequest) -> dict[Outcome, Floats]:
    """Return one number per virtual patient and outcome; outcomes that the model does not know are absent."""
    outcomes = cohort.outcomes
    found: dict[Outcome, Any] = {
        "objective_response": outcomes.responded,
        "abscopal_response": outcomes.abscopal_response,
        "progression": outcomes.pfs_event,
        "severe_lymphopenia": severe_lymphopenia(outcomes, request.patient),
        "progression_free_days": outcomes.pfs_days,
        "overall_survival_days": outcomes.os_days if cohort.survival_known else None,
    }
    return {name: np.asarray(values, dtype=np.float64) for name, values in found.items() if values is not None}


def _compare(
    plan_id: str, base: Mapping[Outcome, Floats], other: Mapping[Outcome, Floats], posterior_set: NDArray[np.int64]
) -> wire.PlanComparisonRead:
    rows = [_difference(name, base[name], other[name], posterior_set) for name in base if name in other]
    efficacy = [row.better for row in rows if row.outcome in _EFFICACY]
    better, worse = (any(row.better is side for row in rows) for side in (True, False))
    gain, loss = (any(found is side for found in efficacy) for side in (True, False))
    verdicts: dict[tuple[bool, bool], Literal["expected gain", "expected loss", "mixed", "no expected gain"]] = {
        (True, False): "expected gain",
        (False, True): "expected loss",
        (True, True): "mixed",
        (False, False): "no expected gain",
    }
    return wire.PlanComparisonRead(
        id=plan_id,
        verdict=verdicts[gain, loss],
        dominates=gain and not worse,
        dominated=worse and not better,
        differences=rows,
    )


def _difference(name: Outcome, base: Floats, other: Floats, posterior_set: NDArray[np.int64]) -> wire.DifferenceRead:
    value = float((other - base).mean())
    interval = mean_difference(base, other, posterior_set, level=LEVEL)
    in_days = name in _IN_DAYS
    certain = (interval.lower > 0.0 or interval.upper < 0.0) and not (in_days and abs(value) < _RESOLUTION_DAYS)
    return wire.DifferenceRead(
        outcome=name,
        unit="d" if in_days else "probability",
        difference=estimate(value, interval),
        better=((value > 0.0) == _MORE_IS_BETTER[name]) if certain else None,
        number_needed_to_treat=1.0 / abs(value) if certain and not in_days else None,
    )


def series(_input: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """Return the differences as CSV."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("plan", "reference", "outcome", "unit", "difference", "level", "lower", "upper", "verdict"))
    for compared in result["comparisons"]:
        for row in compared["differences"]:
            found = row["difference"]
            interval = (found["interval"][key] for key in ("level", "lower", "upper"))
            head = (compared["id"], result["reference"], row["outcome"], row["unit"])
            writer.writerow((*head, found["value"], *interval, compared["verdict"]))
    return buffer.getvalue()


_DRUG_ONLY: Final = {"drugs": EXAMPLE["plan"]["drugs"]}

KIND: Final = Kind(
    name="comparisons",
    path="/comparisons",
    summary="Compare two to eight plans for the same patient",
    description=(
        "The same virtual patients under every plan, so that differences are not noise: difference of each outcome "
        "from the first plan with its 90 % interval, number needed to treat, dominance, and 'no expected gain' where "
        "every efficacy interval spans zero."
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
