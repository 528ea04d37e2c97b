"""How a model did on this site's own runs: discrimination, calibration, benefit, subgroups, drift."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schemas import performance as wire
from schemas.base import IntervalRead
from service.performance_groups import Rows, rows_by_label, shown_parts, survival_by_prediction
from service.performance_records import GRADES, SCORES, Record, StoredOutcome, read_records
from simulation.model import Interval
from simulation.outcome.performance import (
    auc,
    brier,
    calibration_curve,
    calibration_line,
    decision_curve,
    drift_windows,
    propose_recalibration,
)
from simulation.outcome.summaries import proportion_interval
from simulation.outcome.survival import concordance

MINIMUM_PATIENTS: Final = 30
MINIMUM_EVENTS: Final = 10
WINDOWS: Final = 4
THRESHOLDS: Final = tuple(round(0.05 * step, 2) for step in range(1, 16))
SUBGROUPS: Final = ("sex", "cancer_type", "age_group", "prior_systemic_therapy", "smoking_status")
_TOO_SMALL: Final = (
    f"fewer than {MINIMUM_PATIENTS} patients, or fewer than {MINIMUM_EVENTS} with or without the outcome"
)
_NOT_A_PROBABILITY: Final = "the prediction is not a probability"
_FALLING: Final = (
    "prognostic_nutritional_index",
    "advanced_lung_cancer_inflammation_index",
    "loris_score",
)
"""Outcomes of which a higher value goes with longer survival."""


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Predicted and observed of one endpoint; ``day`` where the time to the event is known."""

    endpoint: str
    predicted: str
    unit: str
    value: NDArray[np.float64]
    observed: NDArray[np.bool_]
    records: Sequence[Record]
    day: NDArray[np.float64] | None = None

    @property
    def probability(self) -> bool:
        """Whether the prediction is a probability of the event."""
        return self.unit == "probability"

    def rows(self, index: NDArray[np.intp]) -> "_Pairs":
        """Return some of the patients."""
        return _Pairs(
            self.endpoint,
            self.predicted,
            self.unit,
            self.value[index],
            self.observed[index],
            [self.records[i] for i in index],
            None if self.day is None else self.day[index],
        )


def assess(rows: Iterable[StoredOutcome], model: str) -> wire.ModelPerformance:
    """Return the performance of a model.

    Parameters
    ----------
    rows : iterable of StoredOutcome
        Every outcome that no later one corrects, of the runs in which the model took part.
    model : str
        Id of the model.

    Returns
    -------
    ModelPerformance
        Small numbers are suppressed; a recalibration is proposed as numbers and applied nowhere.
    """
    records = [record for record in read_records(rows, model) if record.predictions]
    times = [record.created_at for record in records]
    notes = ["Patients with a reported outcome only; they may differ from those without one."]
    shown = len(records) >= MINIMUM_PATIENTS
    if not shown:
        notes.append(
            f"Fewer than {MINIMUM_PATIENTS} patients have an outcome, or none; their number and times are hidden."
        )
    return wire.ModelPerformance(
        model=model,
        versions=sorted({record.version for record in records}),
        patients=len(records) if shown else None,
        first_run_at=min(times) if shown else None,
        last_run_at=max(times) if shown else None,
        endpoints=[_endpoint(pairs) for pairs in _endpoints(records)],
        notes=notes,
    )


def _endpoints(records: Sequence[Record]) -> Iterator[_Pairs]:
    targets = dict.fromkeys(
        (read["outcome"], read["unit"], read["horizon_days"]) for record in records for read in record.predictions
    )
    for outcome, unit, horizon in targets:
        for endpoint, observe in _observers(outcome, unit, horizon):
            found = [
                (_value(record, outcome, unit, horizon, endpoint), *seen, record)
                for record in records
                if (seen := observe(record)) is not None and _read(record, outcome, unit, horizon) is not None
            ]
            if found:
                value, happened, day, kept = zip(*found, strict=True)
                yield _Pairs(
                    endpoint,
                    outcome,
                    unit,
                    np.array(value, dtype=np.float64),
                    np.array(happened, dtype=np.bool_),
                    kept,
                    None if day[0] is None else np.array(day, dtype=np.float64),
                )


_Seen = tuple[bool, float | None]
_Observer = Callable[[Record], _Seen | None]


def _observers(outcome: str, unit: str, horizon: int | None) -> Iterator[tuple[str, _Observer]]:
    """Yield the endpoints that a prediction can be judged by."""
    if outcome in ("objective_response", "loris_score"):
        yield "response", lambda record: None if record.responded is None else (record.responded, None)
    survival = {"overall_survival": "death", "progression_free_survival": "progression_or_death"}
    if unit == "probability" and outcome in survival and horizon is not None:
        yield survival[outcome], lambda record: _within(record, survival[outcome], horizon)
    if unit in SCORES:
        for endpoint in survival.values():
            yield endpoint, _timed(endpoint)
    for name in ("pneumonitis", "esophagitis"):
        suffix = outcome.removeprefix(name)
        if unit == "probability" and outcome.startswith(name) and suffix in GRADES:
            yield f"{name}_grade_{GRADES[suffix]}_or_higher", _toxic(name, GRADES[suffix])


def _timed(endpoint: str) -> _Observer:
    def observe(record: Record) -> _Seen | None:
        seen = record.time_to(endpoint)
        return None if seen is None else (seen[1], seen[0])

    return observe


def _within(record: Record, endpoint: str, horizon_days: int) -> _Seen | None:
    """Return whether the event fell within the horizon; None where follow-up ended before it."""
    seen = record.time_to(endpoint)
    if seen is None:
        return None
    day, happened = seen
    if happened and day <= horizon_days:
        return True, None
    return (False, None) if day >= horizon_days else None


def _toxic(name: str, grade: int) -> _Observer:
    return lambda record: (record.toxicities[name] >= grade, None) if name in record.toxicities else None


def _read(record: Record, outcome: str, unit: str, horizon: int | None) -> Any:
    wanted = (outcome, unit, horizon)
    return next((r for r in record.predictions if (r["outcome"], r["unit"], r["horizon_days"]) == wanted), None)


def _value(record: Record, outcome: str, unit: str, horizon: int | None, endpoint: str) -> float:
    """Return the prediction, turned so that a higher value means that the endpoint is likelier."""
    value = float(_read(record, outcome, unit, horizon)["value"])
    if endpoint not in ("death", "progression_or_death"):
        return value
    if unit == "probability":
        return 1.0 - value
    return -value if outcome in _FALLING else value


def _endpoint(pairs: _Pairs) -> wire.EndpointPerformance:
    shown = _enough(pairs)
    return wire.EndpointPerformance(
        endpoint=pairs.endpoint,
        predicted=pairs.predicted,
        unit=pairs.unit,
        **_discrimination(pairs),
        scaled_brier=_measure(pairs, lambda: (brier(pairs.observed, pairs.value)[1], None), probability=True),
        concordance=_concordance(pairs),
        calibration=_calibration(pairs) if shown and pairs.probability else None,
        net_benefit=_net_benefit(pairs) if shown and pairs.probability else [],
        survival=_survival(pairs),
        recalibration=_recalibration(pairs) if shown and pairs.probability else None,
        subgroups=[group for covariate in SUBGROUPS for group in _subgroups(pairs, covariate)] if shown else [],
        windows=_windows(pairs) if shown else [],
    )


def _enough(pairs: _Pairs) -> bool:
    events = int(pairs.observed.sum())
    return pairs.value.size >= MINIMUM_PATIENTS and min(events, pairs.value.size - events) >= MINIMUM_EVENTS


def _discrimination(pairs: _Pairs, *, hidden: bool = False) -> dict[str, Any]:
    if hidden:
        return {"n": None, "events": None} | dict.fromkeys(
            ("auc", "brier", "mean_predicted", "observed"), _absent(_TOO_SMALL)
        )
    shown = _enough(pairs)
    binary = pairs.day is None
    return {
        "n": pairs.value.size if pairs.value.size >= MINIMUM_PATIENTS else None,
        "events": int(pairs.observed.sum()) if shown else None,
        "auc": _measure(pairs, lambda: auc(pairs.observed, pairs.value))
        if binary
        else _absent("follow-up differs between patients; see concordance"),
        "brier": _measure(pairs, lambda: (brier(pairs.observed, pairs.value)[0], None), probability=True),
        "mean_predicted": _measure(pairs, lambda: (float(pairs.value.mean()), None), probability=True),
        "observed": _measure(pairs, lambda: _rate(pairs.observed))
        if binary
        else _absent("follow-up differs between patients"),
    }


def _rate(observed: NDArray[np.bool_]) -> tuple[float, Interval | None]:
    return float(observed.mean()), proportion_interval(int(observed.sum()), observed.size)


def _survival(pairs: _Pairs) -> list[wire.SurvivalCurve]:
    if pairs.day is None or not _enough(pairs):
        return []
    return survival_by_prediction(
        pairs.day, pairs.observed, pairs.value, enough=_large(pairs), least_at_risk=MINIMUM_EVENTS
    )


def _large(pairs: _Pairs) -> Callable[[Rows], bool]:
    return lambda rows: _enough(pairs.rows(rows))


def _measure(
    pairs: _Pairs, compute: Callable[[], tuple[float, Interval | None]], *, probability: bool = False
) -> wire.Measure:
    if probability and not pairs.probability:
        return _absent(_NOT_A_PROBABILITY)
    if not _enough(pairs):
        return _absent(_TOO_SMALL)
    try:
        value, interval = compute()
    except ValueError as error:
        return _absent(str(error))
    return wire.Measure(value=value, interval=_interval(interval), reason=None)


def _absent(reason: str) -> wire.Measure:
    return wire.Measure(value=None, interval=None, reason=reason)


def _interval(interval: Interval | None) -> IntervalRead | None:
    return None if interval is None else IntervalRead(level=interval.level, lower=interval.lower, upper=interval.upper)


def _concordance(pairs: _Pairs) -> wire.Measure:
    day = pairs.day
    if day is None:
        return _absent("the endpoint has no time")
    return _measure(pairs, lambda: concordance(day, pairs.observed, pairs.value))


def _calibration(pairs: _Pairs) -> wire.LocalCalibration:
    def part(name: str) -> wire.Measure:
        def compute() -> tuple[float, Interval | None]:
            line = calibration_line(pairs.observed, pairs.value)
            return getattr(line, name), getattr(line, f"{name}_interval")

        return _measure(pairs, compute)

    curve = calibration_curve(
        pairs.observed, pairs.value, least_patients=MINIMUM_PATIENTS, least_of_each=MINIMUM_EVENTS
    )
    points = [
        wire.CalibrationPointRead(
            n=point.n,
            mean_predicted=point.predicted,
            observed=point.observed,
            interval=IntervalRead(level=point.interval.level, lower=point.interval.lower, upper=point.interval.upper),
        )
        for point in curve
    ]
    return wire.LocalCalibration(
        in_the_large=part("in_the_large"), intercept=part("intercept"), slope=part("slope"), points=points
    )


def _net_benefit(pairs: _Pairs) -> list[wire.NetBenefitPoint]:
    curve = decision_curve(pairs.observed, pairs.value, THRESHOLDS)
    return [
        wire.NetBenefitPoint(threshold=float(threshold), model=float(model), everyone=float(everyone))
        for threshold, model, everyone in zip(curve.threshold, curve.model, curve.everyone, strict=True)
    ]


def _recalibration(pairs: _Pairs) -> wire.RecalibrationProposal | None:
    try:
        proposal = propose_recalibration(pairs.observed, pairs.value)
    except ValueError:
        return None
    return wire.RecalibrationProposal(
        method=proposal.method, intercept=proposal.intercept, slope=proposal.slope, p_value=proposal.p_value
    )


def _label(record: Record, covariate: str) -> str:
    if covariate == "age_group":
        age = record.covariates.get("age_years")
        return "not given" if age is None else "65 years or older" if age >= 65 else "younger than 65 years"
    value = record.covariates.get(covariate)
    return "not given" if value is None else str(value).lower()


def _subgroups(pairs: _Pairs, covariate: str) -> list[wire.SubgroupPerformance]:
    labels = [_label(record, covariate) for record in pairs.records]
    if len(set(labels)) < 2:
        return []
    groups = rows_by_label(labels)
    shown = shown_parts(list(groups.values()), _large(pairs))
    return [
        wire.SubgroupPerformance(
            covariate=covariate, value=label, **_discrimination(pairs.rows(rows), hidden=not visible)
        )
        for (label, rows), visible in zip(groups.items(), shown, strict=True)
    ]


def _windows(pairs: _Pairs) -> list[wire.WindowPerformance]:
    order = np.argsort([record.created_at for record in pairs.records], kind="stable")
    windows = drift_windows(np.argsort(order, kind="stable"), WINDOWS, minimum=MINIMUM_PATIENTS)
    if len(windows) < 2:
        return []
    shown = shown_parts(windows, _large(pairs))
    return [
        wire.WindowPerformance(
            first_run_at=min(pairs.records[i].created_at for i in index) if visible else None,
            last_run_at=max(pairs.records[i].created_at for i in index) if visible else None,
            **_discrimination(pairs.rows(index), hidden=not visible),
        )
        for index, visible in zip(windows, shown, strict=True)
    ]
