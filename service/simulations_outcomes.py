"""Response, progression, relapse and survival of the virtual patients, at the horizon and by time."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas import simulations as wire
from schemas.base import Estimate, IntervalRead
from schemas.patient import Patient
from service.scenarios import output_days, scan_days
from simulation.model import Interval
from simulation.outcome.incidence import Incidence, censoring_weights, cumulative_incidence
from simulation.outcome.summaries import CR, NE, PD, PR, SD
from simulation.outcome.survival import kaplan_meier, median
from simulation.outcome.thresholds import SEVERE_LYMPHOPENIA_1E9_PER_L
from simulation.tumor.cohort import Cohort, PatientOutcomes, probability
from simulation.tumor.interface import MODELS

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
LEVEL: Final = 0.9
_DIGITS: Final = 10
_LEAST_MAGNITUDE: Final = -290
"""Power of ten below which a number is shown as 0: its scale would overflow."""
_NO_MECHANISM: Final = "this model has no effect of an irradiated lesion on another"
_NO_LESION: Final = "no lesion is irradiated, or none lies outside the fields"
_ONE_SUBJECT: Final = "the model simulates one subject: every virtual patient is the same, so a share has no interval"


def read_outcomes(cohort: Cohort, request: wire.SimulationRequest | wire.ComparisonRequest) -> wire.OutcomesRead:
    """Return response, progression and survival of the virtual patients."""
    share = Shares(cohort)
    outcomes = cohort.outcomes
    best = outcomes.best_response
    curve_days = np.unique(np.append(scan_days(request), request.horizon_days))
    by_time = _by_time(cohort, share, np.unique(np.append(output_days(request), request.horizon_days)))
    lymphopenia = severe_lymphopenia(outcomes, request.patient)
    return wire.OutcomesRead(
        best_response=wire.ResponseRead(
            complete=share.of(best == CR),
            partial=share.of(best == PR),
            stable=share.of(best == SD),
            progressive=share.of(best == PD),
            not_evaluable=share.of(best == NE),
        ),
        objective_response=_last(by_time.response),
        abscopal_response=None if by_time.abscopal_response is None else _last(by_time.abscopal_response),
        abscopal_note=abscopal_note(cohort),
        progression=_last(by_time.progression),
        relapse_after_response=(
            None if by_time.relapse_after_response is None else _last(by_time.relapse_after_response)
        ),
        severe_lymphopenia=None if lymphopenia is None else share.of(lymphopenia),
        interval_note=_ONE_SUBJECT if share.one_subject else None,
        by_time=by_time,
        progression_free_survival=_curve(outcomes.pfs_days, outcomes.pfs_event, curve_days, share.one_subject),
        overall_survival=(
            _curve(outcomes.os_days, outcomes.os_event, curve_days, share.one_subject)
            if cohort.survival_known
            else None
        ),
    )


class Shares:
    """Shares of the virtual patients of one cohort, with intervals where the patients differ."""

    def __init__(self, cohort: Cohort) -> None:
        self.one_subject = MODELS[cohort.model_id].one_subject
        self._sets = cohort.outcomes.posterior_set

    def of(self, flags: Flags) -> Estimate:
        """Return the share of the patients with a flag."""
        value, interval = probability(np.asarray(flags), self._sets, level=LEVEL)
        return estimate(value, None if self.one_subject else interval)

    def by(self, day: Floats, weight: Floats, days: Floats, among: Flags | None = None) -> wire.IncidenceRead:
        """Return the share of the patients, or of those among whom to count, with the event by each day."""
        sets = self._sets if among is None else self._sets[among]
        found: Incidence = cumulative_incidence(day, weight, sets, days, level=LEVEL)
        return wire.IncidenceRead(
            probability=floats(found.probability),
            lower=None if self.one_subject else floats(found.lower),
            upper=None if self.one_subject else floats(found.upper),
        )


def abscopal_note(cohort: Cohort) -> str | None:
    """Return why there is no abscopal response; None where there is one."""
    if not MODELS[cohort.model_id].abscopal:
        return _NO_MECHANISM
    return _NO_LESION if cohort.outcomes.abscopal_day is None else None


def _by_time(cohort: Cohort, share: Shares, days: Floats) -> wire.OutcomesByTimeRead:
    outcomes = cohort.outcomes
    everyone = np.ones(outcomes.pfs_days.size)
    progressed = np.where(outcomes.pfs_event, outcomes.pfs_days, np.inf)
    responded = outcomes.responded
    abscopal = None
    if outcomes.abscopal_day is not None and abscopal_note(cohort) is None:
        abscopal = share.by(outcomes.abscopal_day, everyone, days)
    relapse = None
    if responded.any():
        weight = censoring_weights(outcomes.pfs_days[responded], outcomes.pfs_event[responded])
        relapse = share.by(progressed[responded], weight, days, responded)
    return wire.OutcomesByTimeRead(
        time_days=floats(days),
        level=LEVEL,
        response=share.by(outcomes.response_day, everyone, days),
        abscopal_response=abscopal,
        progression=share.by(progressed, outcomes.progression_weight, days),
        relapse_after_response=relapse,
    )


def _last(curve: wire.IncidenceRead) -> Estimate:
    interval = None
    if curve.lower is not None and curve.upper is not None:
        interval = IntervalRead(level=LEVEL, lower=curve.lower[-1], upper=curve.upper[-1])
    return Estimate(value=curve.probability[-1], interval=interval)


def severe_lymphopenia(outcomes: PatientOutcomes, patient: Patient) -> Flags | None:
    """Return who is ever below 0.5e9/L (CTCAE grade 3 and above); None without a count or a model of it.

    Everybody is where the measured count before treatment lies below it.
    """
    start = patient.labs.lymphocytes_1e9_per_l
    if start is None or np.isnan(outcomes.lymphocyte_nadir).any():
        return None
    nadir = outcomes.lymphocyte_nadir * start
    return np.asarray((nadir < SEVERE_LYMPHOPENIA_1E9_PER_L) | (start < SEVERE_LYMPHOPENIA_1E9_PER_L))


def _curve(days: Floats, events: Flags, at: Floats, one_subject: bool) -> wire.CurveRead:
    curve = kaplan_meier(days, events, level=LEVEL)
    steps = np.searchsorted(curve.time, at, side="right")
    middle, _, _ = median(curve)
    nothing = np.full(at.size, np.nan)
    return wire.CurveRead(
        time_days=floats(at),
        survival=_known(curve.at(at)),
        lower=_known(nothing if one_subject else np.concatenate(([1.0], curve.lower))[steps]),
        upper=_known(nothing if one_subject else np.concatenate(([1.0], curve.upper))[steps]),
        at_risk=[int(n) for n in curve.numbers_at_risk(at)],
        median_days=None if middle is None else rounded(middle),
    )


def _known(values: Floats) -> list[float | None]:
    return [None if np.isnan(value) else rounded(min(max(value, 0.0), 1.0)) for value in values]


def estimate(value: float, interval: Interval | None) -> Estimate:
    """Return the wire form of a value and its interval."""
    if interval is None:
        return Estimate(value=rounded(value), interval=None)
    read = IntervalRead(level=interval.level, lower=rounded(interval.lower), upper=rounded(interval.upper))
    return Estimate(value=rounded(value), interval=read)


def floats(values: Sequence[float] | Floats) -> list[float]:
    """Return numbers as :func:`rounded` does, many at once."""
    data = np.asarray(values, dtype=np.float64)
    magnitude = np.floor(np.log10(np.abs(data), where=data != 0.0, out=np.zeros_like(data)))
    scale = 10.0 ** (_DIGITS - 1 - np.maximum(magnitude, _LEAST_MAGNITUDE))
    shown: list[float] = (np.round(data * scale) / scale).tolist()
    return shown


def rounded(value: float) -> float:
    """Ten significant digits: far below every uncertainty, and the answers stay readable."""
    return float(f"{value:.{_DIGITS}g}")
