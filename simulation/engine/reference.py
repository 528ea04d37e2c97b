"""The readable driver: one patient, SciPy's DOP853, the same stops as the compiled engine.

Slow and plain on purpose. Tests hold the compiled engine to it.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from simulation.engine.stops import Stops

Array = NDArray[np.float64]
RightHandSide = Callable[[float, Array], Array]
Vanishing = Callable[[Array], Array]
"""State to the quantities that count as nothing once they fall through 0."""


def solve(
    rhs: RightHandSide,
    apply_event: Callable[[float, Array, Array], Array],
    empty: Callable[[Array, int], Array],
    vanishing: Vanishing,
    initial: Array,
    stops: Stops,
    output_days: Sequence[float] | Array,
    *,
    rtol: float = 1e-11,
    atol: float = 1e-14,
) -> Array:
    """Integrate one patient.

    Parameters
    ----------
    rhs : callable
        (time, state) to derivative.
    apply_event : callable
        (time, state, event row) to the state just after the event.
    empty : callable
        (state, index) to the state once quantity ``index`` of ``vanishing`` has fallen through 0.
    vanishing : callable
    initial : ndarray, shape (n_states,)
    stops : Stops
    output_days : array-like, shape (n_times,)
        Increasing; a state at the time of an event is the one before it.
    rtol, atol : float

    Returns
    -------
    ndarray, shape (n_times, n_states)
    """
    wanted = np.asarray(output_days, dtype=np.float64)
    found = np.empty((wanted.size, initial.size))
    found[wanted <= stops.day[0]] = initial
    state = initial.copy()
    for start, end, row in zip(stops.day[:-1], stops.day[1:], stops.table[:-1], strict=True):
        state = apply_event(float(start), state, row)
        for i in np.flatnonzero(vanishing(state) < 0):
            state = empty(state, int(i))
        time = float(start)
        while time < end:
            alive = np.flatnonzero(vanishing(state) > 0)
            watch = [_crossing(vanishing, int(i)) for i in alive]
            part = solve_ivp(
                rhs, (time, float(end)), state, method="DOP853", rtol=rtol, atol=atol, dense_output=True, events=watch
            )
            here = (wanted > time) & (wanted <= part.t[-1])
            if here.any() and part.sol is not None:
                found[here] = part.sol(wanted[here]).T
            time, state = float(part.t[-1]), part.y[:, -1]
            for i, hits in zip(alive, part.t_events or [], strict=True):
                if hits.size:
                    state = empty(state, int(i))
    return found


def _crossing(vanishing: Vanishing, index: int) -> Callable[[float, Array], float]:
    def gap(_: float, state: Array) -> float:
        return float(vanishing(state)[index])

    gap.terminal = True  # type: ignore[attr-defined]
    gap.direction = -1  # type: ignore[attr-defined]
    return gap
