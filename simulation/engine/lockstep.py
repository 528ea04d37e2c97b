"""Integrates one model for many patients, eight at a time with one common step size.

A model gives five small compiled functions, all working on the workspace of :mod:`simulation.engine.lanes`:

``rhs(ws, units)``
    Derivatives (block DY) of the stage state (block S).
``force(ws, units, tau)``
    Quantities known in closed form (rows X), ``tau`` days after the last stop, from their bases (rows B).
``event(ws, units, elapsed, row)``
    What happens at a stop: bring the bases forward by ``elapsed`` days, then apply one row of the event table
    to the state (block Y).
``settle(ws, units)``
    After each accepted step and each event: extinction and other rules. Returns whether a state was changed.
``observe(ws, units)``
    Observed quantities (rows OBS) of the state in block S.

``units`` is what the model repeats (lesions). The model calls what :func:`integrator` returns from a compiled function
of its own, which is the unit of compilation and of caching.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulation.engine.lanes import DY, FLOOR, K1, K7, LANES, OBS, OPTIONS, WORKSPACE, P, S, Y
from simulation.engine.tsit5 import error_ratio, interpolate, stepper

FIRST_STEP_DAYS = 0.05
MAX_FIRST_STEP_DAYS = 0.25  # after an event the fast transients restart
MIN_STEP_DAYS = 1e-9
MAX_STEP_DAYS = 14.0

DONE = 0
STEP_TOO_SMALL = 1


def integrator(  # noqa: C901  (a family of nested kernels that share the model's functions)
    rhs: Callable[..., None],
    force: Callable[..., None],
    event: Callable[..., None],
    settle: Callable[..., bool],
    observe: Callable[..., None],
) -> Callable[..., None]:
    """Compile ``integrate(...)`` for one model.

    Parameters
    ----------
    rhs, force, event, settle, observe : compiled functions
        The model, as the module describes.

    Returns
    -------
    compiled function
        Its arguments are described in its own docstring.
    """
    stages = stepper(rhs, force)

    @njit(**OPTIONS)
    def record(
        ws: NDArray[Any], units: int, tau: float,
        out: NDArray[Any], k: int, first: int, full: bool,
    ) -> None:  # fmt: skip
        rows = out.shape[1]
        if full:
            for i in range(rows):
                for l in range(LANES):
                    out[k, i, first + l] = ws[S + i * LANES + l]
        else:
            force(ws, units, tau)
            observe(ws, units)
            for i in range(rows):
                for l in range(LANES):
                    out[k, i, first + l] = ws[OBS + i * LANES + l]

    @njit(**OPTIONS)
    def run_lanes(  # noqa: C901  (the one loop over stops, steps and outputs)
        ws: NDArray[Any], rows: int, units: int, first: int,
        stop_days: NDArray[Any], table: NDArray[Any], output_days: NDArray[Any], outputs_follow_events: bool,
        rtol: float, full: bool, out: NDArray[Any],
    ) -> tuple[int, int]:  # fmt: skip
        size = rows * LANES
        h = FIRST_STEP_DAYS
        steps = 0
        next_out = 0
        n_out = output_days.size
        for k in range(stop_days.size - 1):
            start = stop_days[k]
            length = stop_days[k + 1] - start
            if k == 0 and not outputs_follow_events:
                while next_out < n_out and output_days[next_out] <= start:
                    for e in range(size):
                        ws[S + e] = ws[Y + e]
                    record(ws, units, 0.0, out, next_out, first, full)
                    next_out += 1
            event(ws, units, 0.0 if k == 0 else start - stop_days[k - 1], table[k])
            settle(ws, units)
            while next_out < n_out and output_days[next_out] <= start and length > 0.0:
                for e in range(size):
                    ws[S + e] = ws[Y + e]
                record(ws, units, 0.0, out, next_out, first, full)
                next_out += 1
            fresh = True
            done = 0.0
            h = min(h, MAX_FIRST_STEP_DAYS)
            while done < length:
                left = length - done
                last = h >= left
                step = left if last else (0.5 * left if 2.0 * h > left else h)
                stages(ws, size, units, done, step, fresh)
                ratio = error_ratio(ws, size, step, rtol)
                steps += 1
                if ratio <= 1.0:
                    end = length if last else done + step
                    while next_out < n_out and (
                        output_days[next_out] - start < end
                        or (last and not outputs_follow_events and output_days[next_out] <= stop_days[k + 1])
                    ):
                        tau = output_days[next_out] - start
                        for e in range(size):
                            ws[DY + e] = ws[S + e]
                        interpolate(ws, size, step, (tau - done) / step)
                        record(ws, units, tau, out, next_out, first, full)
                        for e in range(size):
                            ws[S + e] = ws[DY + e]
                        next_out += 1
                    for e in range(size):
                        ws[Y + e] = ws[S + e]
                        ws[K1 + e] = ws[K7 + e]
                    done = end
                    fresh = settle(ws, units)
                    grown = step * min(5.0, 0.9 * (ratio + 1e-10) ** -0.2)
                    h = min(MAX_STEP_DAYS, max(h, grown) if last else grown)
                else:
                    shrink = 0.9 * ratio**-0.2
                    h = step * (shrink if shrink > 0.2 else 0.2)
                    fresh = False
                    if h < MIN_STEP_DAYS:
                        return STEP_TOO_SMALL, steps
        last_stop = stop_days.size - 1
        while next_out < n_out:
            for e in range(size):
                ws[S + e] = ws[Y + e]
            record(ws, units, stop_days[last_stop] - stop_days[last_stop - 1], out, next_out, first, full)
            next_out += 1
        return DONE, steps

    @njit(**OPTIONS)
    def integrate(
        parameters: NDArray[Any], initial: NDArray[Any], units: int,
        stop_days: NDArray[Any], table: NDArray[Any], output_days: NDArray[Any], outputs_follow_events: bool,
        floors: NDArray[Any], rtol: float, full: bool, out: NDArray[Any], final: NDArray[Any], status: NDArray[Any],
    ) -> None:  # fmt: skip
        """Integrate every patient; the number of patients must be a multiple of the lanes.

        Parameters
        ----------
        parameters : ndarray, shape (n_parameters, n)
        initial : ndarray, shape (n_states, n)
        stop_days : ndarray, shape (n_stops,)
            Increasing; the first is the start, the last is the end, where no event happens.
        table : ndarray, shape (n_stops, n_columns)
            One event row per stop; a row of zeros is no event.
        output_days : ndarray, shape (n_outputs,)
            Increasing. Outputs are interpolated, so they do not change the steps.
        floors : ndarray, shape (n_states,)
            Scale below which a state's error is absolute.
        out : ndarray, shape (n_outputs, n_rows, n)
            Filled with the observed quantities, or with the states if ``full``.
        final : ndarray, shape (n_states, n)
            Filled with the states at the end.
        status : ndarray, shape (n / LANES, 2)
            Filled with the result code and the number of steps of each group of lanes.
        """
        room = np.zeros(WORKSPACE + LANES)
        shift = (-(room.ctypes.data // 8)) % LANES  # a row that straddles two cache lines costs twice
        ws = room[shift : shift + WORKSPACE]
        rows = initial.shape[0]
        for group in range(initial.shape[1] // LANES):
            first = group * LANES
            ws[:] = 0.0
            for i in range(parameters.shape[0]):
                for l in range(LANES):
                    ws[P + i * LANES + l] = parameters[i, first + l]
            for i in range(rows):
                for l in range(LANES):
                    ws[Y + i * LANES + l] = initial[i, first + l]
                    ws[FLOOR + i * LANES + l] = floors[i]
            code, steps = run_lanes(
                ws, rows, units, first,
                stop_days, table, output_days, outputs_follow_events, rtol, full, out,
            )  # fmt: skip
            status[group, 0] = code
            status[group, 1] = steps
            for i in range(rows):
                for l in range(LANES):
                    final[i, first + l] = ws[Y + i * LANES + l]

    return integrate  # type: ignore[no-any-return]
