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
from simulation.outcome.incidence import cumulative_incidence
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
_NO_LESION: Final = "no lesion is irradiated, or no target lesion lies outside the fields"
_ONE_SUBJECT: Final = "the model simulates one subject: every virtual patient is the same, so a share has no interval"
_ONE_PARAMETER_SET: Final = (
    "the intervals cover how many virtual patients were drawn and how they differ, not the uncertainty of the model's "
    "parameters: all of them share one set"
)


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
        interval_note=share.note,
        by_time=by_time,
        progression_free_survival=_curve(share, outcomes.pfs_days, outcomes.pfs_event, curve_days),
        overall_survival=(
            _curve(share, outcomes.os_days, outcomes.os_event, curve_days) if cohort.survival_known else None
        ),
    )


class Shares:
    """Shares of the virtual patients of one cohort, with intervals where the patients differ."""

    def __init__(self, cohort: Cohort) -> None:
        self.one_subject = MODELS[cohort.model_id].one_subject
        self._sets = cohort.outcomes.posterior_set
        self._grid = cohort.time_days

    @property
    def note(self) -> str | None:
        """What the intervals leave out, or why there are none; None where they cover sampling and parameters."""
        if self.one_subject:
            return _ONE_SUBJECT
        return _ONE_PARAMETER_SET if np.ptp(self._sets) == 0 else None

    def of(self, flags: Flags) -> Estimate:
        """Return the share of the patients with a flag."""
        value, interval = probability(np.asarray(flags), self._sets, level=LEVEL)
        return estimate(value, None if self.one_subject else interval)

    def by(self, time: Floats, event: Flags, days: Floats, among: Flags | None = None) -> wire.IncidenceRead:
        """Return the share of the patients, or of those among whom to count, with the event by each day.

        Limits come from all days of the cohort, so that those of one day are the same in every answer.
        """
        chosen = np.ones(time.size, dtype=np.bool_) if among is None else among
        grid = np.union1d(self._grid, days)
        found = cumulative_incidence(time[chosen], event[chosen], self._sets[chosen], grid, level=LEVEL)
        shown = np.searchsorted(grid, days)
        return wire.IncidenceRead(
            probability=floats(found.probability[shown]),
            lower=None if self.one_subject else floats(found.lower[shown]),
            upper=None if self.one_subject else floats(found.upper[shown]),
        )


def abscopal_note(cohort: Cohort) -> str | None:
    """Return why there is no abscopal response; None where there is one."""
    if not MODELS[cohort.model_id].abscopal:
        return _NO_MECHANISM
    return _NO_LESION if cohort.outcomes.abscopal_day is None else None


def _by_time(cohort: Cohort, share: Shares, days: Floats) -> wire.OutcomesByTimeRead:
    outcomes = cohort.outcomes
    responded = outcomes.responded
    time, event = outcomes.pfs_days, outcomes.pfs_event
    abscopal = None
    if outcomes.abscopal_day is not None and abscopal_note(cohort) is None:
        abscopal = share.by(outcomes.abscopal_day, np.isfinite(outcomes.abscopal_day), days)
    return wire.OutcomesByTimeRead(
        time_days=floats(days),
        level=LEVEL,
        response=share.by(outcomes.response_day, np.isfinite(outcomes.response_day), days),
        abscopal_response=abscopal,
        progression=share.by(time, event, days),
        relapse_after_response=share.by(time, event, days, responded) if responded.any() else None,
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


def _curve(share: Shares, time: Floats, event: Flags, days: Floats) -> wire.CurveRead:
    curve = kaplan_meier(time, event, level=LEVEL)
    middle, _, _ = median(curve)
    followed = ~np.isnan(curve.at(days))
    gone = share.by(time, event, days)
    return wire.CurveRead(
        time_days=floats(days),
        survival=_kept(gone.probability, followed),
        lower=_kept(gone.upper, followed),
        upper=_kept(gone.lower, followed),
        at_risk=[int(n) for n in curve.numbers_at_risk(days)],
        median_days=None if middle is None else rounded(middle),
    )


def _kept(gone: list[float] | None, followed: Flags) -> list[float | None]:
    """Return the shares still without the event; None where nobody is followed, or without such a share."""
    if gone is None:
        return [None] * followed.size
    return [rounded(1.0 - share) if seen else None for share, seen in zip(gone, followed, strict=True)]


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
