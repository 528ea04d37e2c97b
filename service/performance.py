"""How a model did on this site's own runs: discrimination, calibration, benefit, subgroups, drift."""

from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np

from schemas import performance as wire
from schemas.base import IntervalRead
from service.performance_groups import Rows, rows_by_label, shown_parts, survival_by_prediction
from service.performance_pairs import Pairs, endpoints
from service.performance_records import Record, StoredOutcome, read_records
from simulation.model import Interval
from simulation.outcome.calibration import calibration_curve, calibration_line, propose_recalibration
from simulation.outcome.performance import auc, brier, decision_curve, drift_windows
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
_CENSORED: Final = (
    "Where follow-up ended before the horizon, the observed rate is Kaplan-Meier's, and inverse probability of "
    "censoring weights make up for the patients censored; this assumes that follow-up does not end because of the "
    "prognosis."
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
    judged = list(endpoints(records))
    if any(pairs.weight is not None for pairs in judged):
        notes.append(_CENSORED)
    return wire.ModelPerformance(
        model=model,
        versions=sorted({record.version for record in records}),
        patients=len(records) if shown else None,
        first_run_at=min(times) if shown else None,
        last_run_at=max(times) if shown else None,
        endpoints=[_endpoint(pairs) for pairs in judged],
        notes=notes,
    )


def _endpoint(pairs: Pairs) -> wire.EndpointPerformance:
    shown = _enough(pairs)
    return wire.EndpointPerformance(
        endpoint=pairs.endpoint,
        predicted=pairs.predicted,
        unit=pairs.unit,
        **_discrimination(pairs),
        scaled_brier=_measure(pairs, lambda: (_brier(pairs)[1], None), probability=True),
        concordance=_concordance(pairs),
        calibration=_calibration(pairs) if shown and pairs.probability else None,
        net_benefit=_net_benefit(pairs) if shown and pairs.probability else [],
        survival=_survival(pairs),
        recalibration=_recalibration(pairs) if shown and pairs.probability else None,
        subgroups=[group for covariate in SUBGROUPS for group in _subgroups(pairs, covariate)] if shown else [],
        windows=_windows(pairs) if shown else [],
    )


def _enough(pairs: Pairs) -> bool:
    return pairs.value.size >= MINIMUM_PATIENTS and min(pairs.events, pairs.event_free) >= MINIMUM_EVENTS


def _discrimination(pairs: Pairs, *, hidden: bool = False) -> dict[str, Any]:
    if hidden:
        return {"n": None, "events": None, "censored_before_horizon": None} | dict.fromkeys(
            ("auc", "brier", "mean_predicted", "observed"), _absent(_TOO_SMALL)
        )
    shown = _enough(pairs)
    return {
        "n": pairs.value.size if pairs.value.size >= MINIMUM_PATIENTS else None,
        "events": pairs.events if shown else None,
        "censored_before_horizon": (int((~pairs.known).sum()) if shown and pairs.horizon_days is not None else None),
        "auc": _absent("follow-up differs between patients; see concordance")
        if pairs.open_ended
        else _measure(pairs, lambda: auc(pairs.observed, pairs.value, weight=pairs.weight)),
        "brier": _measure(pairs, lambda: (_brier(pairs)[0], None), probability=True),
        "mean_predicted": _measure(pairs, lambda: (float(pairs.value.mean()), None), probability=True),
        "observed": _absent("follow-up differs between patients") if pairs.open_ended else _measure(pairs, pairs.rate),
    }


def _brier(pairs: Pairs) -> tuple[float, float]:
    return brier(pairs.observed, pairs.value, weight=pairs.weight)


def _survival(pairs: Pairs) -> list[wire.SurvivalCurve]:
    if pairs.day is None or not pairs.open_ended or not _enough(pairs):
        return []
    return survival_by_prediction(
        pairs.day, pairs.happened, pairs.value, enough=_large(pairs), least_at_risk=MINIMUM_EVENTS
    )


def _large(pairs: Pairs) -> Callable[[Rows], bool]:
    return lambda rows: _enough(pairs.rows(rows))


def _measure(
    pairs: Pairs, compute: Callable[[], tuple[float, Interval | None]], *, probability: bool = False
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


def _concordance(pairs: Pairs) -> wire.Measure:
    day = pairs.day
    if day is None:
        return _absent("the endpoint has no time")
    if not pairs.open_ended:
        return _absent("the endpoint is judged at its horizon; see auc")
    return _measure(pairs, lambda: concordance(day, pairs.happened, pairs.value))


def _calibration(pairs: Pairs) -> wire.LocalCalibration:
    def part(name: str) -> wire.Measure:
        def compute() -> tuple[float, Interval | None]:
            line = calibration_line(pairs.observed, pairs.value, weight=pairs.weight)
            return getattr(line, name), getattr(line, f"{name}_interval")

        return _measure(pairs, compute)

    curve = calibration_curve(
        pairs.observed,
        pairs.value,
        known=pairs.known,
        observed=pairs.rate,
        least_patients=MINIMUM_PATIENTS,
        least_of_each=MINIMUM_EVENTS,
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


def _net_benefit(pairs: Pairs) -> list[wire.NetBenefitPoint]:
    curve = decision_curve(pairs.observed, pairs.value, THRESHOLDS, weight=pairs.weight)
    return [
        wire.NetBenefitPoint(threshold=float(threshold), model=float(model), everyone=float(everyone))
        for threshold, model, everyone in zip(curve.threshold, curve.model, curve.everyone, strict=True)
    ]


def _recalibration(pairs: Pairs) -> wire.RecalibrationProposal | None:
    try:
        proposal = propose_recalibration(pairs.observed, pairs.value, weight=pairs.weight)
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


def _subgroups(pairs: Pairs, covariate: str) -> list[wire.SubgroupPerformance]:
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


def _windows(pairs: Pairs) -> list[wire.WindowPerformance]:
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
