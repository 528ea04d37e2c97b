"""Exposure metrics: per dosing cycle, at steady state, time above a target, receptor occupancy."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulation.immunotherapy.disposition import Disposition, Exposure, simulate
from simulation.immunotherapy.timeline import Doses

_STEADY_CHANGE = 1e-7
_MOST_CYCLES = 400
_MOMENT_DAYS = 1e-9
"""An output at the time of a bolus shows the state before it; one this much later shows the bolus."""
_FIRST_STEP_DAYS, _STEP_GROWTH, _LONGEST_GAP_DAYS = 0.1, 0.1, 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleMetrics:
    """Exposure per cycle; concentrations in mg/L, areas in mg*d/L, shape (n_cycles, n_patients).

    A cycle runs from one dose to the next, even where that lies beyond the horizon. The cycle of the
    last dose takes the length of the one before it, or ends with the horizon when there is a single dose.
    """

    start_days: NDArray[np.float64]
    length_days: NDArray[np.float64]
    maximum_mg_per_l: NDArray[np.float64]
    trough_mg_per_l: NDArray[np.float64]
    area_mg_day_per_l: NDArray[np.float64]

    @property
    def average_mg_per_l(self) -> NDArray[np.float64]:
        """Area over length, shape (n_cycles, n_patients), mg/L."""
        return self.area_mg_day_per_l / self.length_days[:, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyState:
    """Exposure of one interval at steady state, arrays of shape (n_patients,)."""

    maximum_mg_per_l: NDArray[np.float64]
    trough_mg_per_l: NDArray[np.float64]
    area_mg_day_per_l: NDArray[np.float64]
    average_mg_per_l: NDArray[np.float64]


def cycle_bounds(doses: Doses, horizon_days: float) -> NDArray[np.float64]:
    """Return the bounds (d) of the dosing cycles, one more than there are dose days before the horizon."""
    days = np.unique(doses.time_days)
    starts = days[days < horizon_days]
    if starts.size == 0:
        return starts
    if starts.size < days.size:
        return days[: starts.size + 1]
    end = starts[-1] + (starts[-1] - starts[-2]) if starts.size > 1 else horizon_days
    return np.append(starts, end)


def output_grid(doses: Doses, horizon_days: float, step_days: float) -> NDArray[np.float64]:
    """Return output times (d): a regular grid, the turning points, and the bounds of the cycles.

    Turning points are the start and the end of every infusion, and the times of boluses and resets with
    the moment after them.
    """
    regular = np.arange(0.0, horizon_days + step_days / 2, step_days)
    bounds = cycle_bounds(doses, horizon_days)
    everything = np.concatenate([regular, [horizon_days], bounds, _turning_points(doses)])
    limit = max(horizon_days, float(bounds[-1]) if bounds.size else 0.0)
    return np.unique(everything[everything <= limit])


def crossing_grid(doses: Doses, horizon_days: float) -> NDArray[np.float64]:
    """Return output times (d) up to the horizon that are close enough for :func:`days_above`.

    The gaps start at 0.1 d after each turning point, where distribution bends the curve, and grow by a
    tenth of the time since, up to 4 d. With the published models this finds a crossing within 0.02 d.
    """
    turns = np.unique(np.append(_turning_points(doses), horizon_days))
    turns = turns[turns <= horizon_days]
    offsets = _crossing_offsets(float(turns[-1] - turns[0]))
    between = [begin + offsets[offsets < end - begin] for begin, end in itertools.pairwise(turns)]
    return np.unique(np.concatenate([turns, *between]))


def _turning_points(doses: Doses) -> NDArray[np.float64]:
    at_once = np.concatenate([doses.time_days[doses.infusion_days == 0], doses.reset_days])
    ends = doses.time_days + doses.infusion_days
    first = min([0.0, *doses.time_days[:1]])
    return np.concatenate([[first], doses.time_days, ends, at_once, at_once + _MOMENT_DAYS])


def _crossing_offsets(until_days: float) -> NDArray[np.float64]:
    offsets = [_FIRST_STEP_DAYS]
    while offsets[-1] < until_days:
        offsets.append(offsets[-1] + min(_FIRST_STEP_DAYS + _STEP_GROWTH * offsets[-1], _LONGEST_GAP_DAYS))
    return np.array(offsets)


def cycle_metrics(exposure: Exposure, doses: Doses, horizon_days: float) -> CycleMetrics:
    """Return the metrics of every cycle.

    Parameters
    ----------
    exposure : Exposure
        With outputs that contain those of :func:`output_grid`; maxima are taken over the outputs.
    doses : Doses
    horizon_days : float

    Raises
    ------
    ValueError
        If the outputs do not contain the bounds of the cycles.
    """
    bounds = cycle_bounds(doses, horizon_days)
    at = np.searchsorted(exposure.time_days, bounds)
    if bounds.size and (at[-1] >= exposure.time_days.size or not np.array_equal(exposure.time_days[at], bounds)):
        raise ValueError("the outputs must contain the bounds of the cycles; use output_grid")
    maxima = [
        exposure.concentration_mg_per_l[first + 1 : last + 1].max(axis=0) for first, last in itertools.pairwise(at)
    ]
    patients = exposure.concentration_mg_per_l.shape[1]
    return CycleMetrics(
        start_days=bounds[:-1],
        length_days=np.diff(bounds),
        maximum_mg_per_l=np.array(maxima).reshape(-1, patients),
        trough_mg_per_l=exposure.concentration_mg_per_l[at[1:]],
        area_mg_day_per_l=np.diff(exposure.area_mg_day_per_l[at], axis=0),
    )


def steady_state(
    disposition: Disposition, amount_mg: NDArray[np.float64] | float, infusion_days: float, interval_days: float
) -> SteadyState:
    """Return exposure after infinitely many equal doses, with clearance at its late value.

    Parameters
    ----------
    disposition : Disposition
    amount_mg : float or ndarray, shape (n_patients,)
    infusion_days, interval_days : float
        Infusion must be shorter than the interval.

    Raises
    ------
    ValueError
        If the infusion is not shorter than the interval.
    """
    if not 0 <= infusion_days < interval_days:
        raise ValueError("infusion_days must be >= 0 and shorter than interval_days")
    late = disposition.at_late_clearance()
    amount = np.atleast_2d(np.asarray(amount_mg, dtype=np.float64))
    if late.linear:
        doses = Doses.of([0.0], amount, infusion_days, steady_state_interval_days=interval_days)
        return _one_interval(simulate(late, doses, _interval_outputs(0.0, infusion_days, interval_days)))
    cycles = 1
    before = np.zeros(late.size)
    while True:
        times = interval_days * np.arange(cycles)
        doses = Doses.of(times, np.repeat(amount, cycles, axis=0), infusion_days)
        run = simulate(late, doses, _interval_outputs(float(times[-1]), infusion_days, interval_days))
        trough = run.concentration_mg_per_l[-1]
        if np.all(np.abs(trough - before) <= _STEADY_CHANGE * trough) or cycles >= _MOST_CYCLES:
            return _one_interval(run)
        before = trough
        cycles = min(2 * cycles, _MOST_CYCLES)


def _interval_outputs(start: float, infusion_days: float, interval_days: float) -> NDArray[np.float64]:
    return start + np.array([0.0, infusion_days or _MOMENT_DAYS, interval_days])


def _one_interval(run: Exposure) -> SteadyState:
    area = run.area_mg_day_per_l[-1] - run.area_mg_day_per_l[0]
    return SteadyState(
        maximum_mg_per_l=run.concentration_mg_per_l[1],
        trough_mg_per_l=run.concentration_mg_per_l[-1],
        area_mg_day_per_l=area,
        average_mg_per_l=area / (run.time_days[-1] - run.time_days[0]),
    )


def days_above(
    time_days: NDArray[np.float64], concentration_mg_per_l: NDArray[np.float64], target_mg_per_l: float
) -> NDArray[np.float64]:
    """Return the time (d) that each patient spends at or above a target.

    Between outputs a falling concentration is taken as exponential, which is exact in the terminal
    phase, and a rising one, as under an infusion, as linear. The outputs of :func:`crossing_grid` are
    close enough for both.

    Parameters
    ----------
    time_days : ndarray, shape (n_outputs,), d
    concentration_mg_per_l : ndarray, shape (n_outputs, n_patients), mg/L
    target_mg_per_l : float, mg/L, > 0
    """
    begin, end = concentration_mg_per_l[:-1], concentration_mg_per_l[1:]
    falling = (begin > end) & (end > 0)
    lower = np.where(falling, np.log(np.where(falling, begin, 1.0) / target_mg_per_l), begin - target_mg_per_l)
    upper = np.where(falling, np.log(np.where(falling, end, 1.0) / target_mg_per_l), end - target_mg_per_l)
    width = np.where(lower == upper, 1.0, np.abs(upper - lower))
    crossed = np.clip(np.maximum(lower, upper) / width, 0.0, 1.0)
    share = np.where((lower >= 0) & (upper >= 0), 1.0, np.where((lower < 0) & (upper < 0), 0.0, crossed))
    above: NDArray[np.float64] = (np.diff(time_days)[:, None] * share).sum(axis=0)
    return above


def occupancy(
    concentration_mg_per_l: NDArray[np.float64], half_maximal_mg_per_l: float, maximum: float = 1.0
) -> NDArray[np.float64]:
    """Return target engagement, ``maximum * C / (C + C50)``, 0 to 1.

    For approved regimens it stays near its maximum over the whole interval: it cannot tell doses apart.
    """
    return maximum * concentration_mg_per_l / (concentration_mg_per_l + half_maximal_mg_per_l)
