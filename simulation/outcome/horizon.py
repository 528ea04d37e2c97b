"""Whether the event came by a horizon, where some patients left observation before it.

Whoever is censored before the horizon says nothing about it. Dropping these patients keeps the early events and
loses their peers without one, so the others stand in for them by inverse probability of censoring weights. This
assumes that leaving observation does not depend on the prognosis.

References
----------
Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457-481. doi:10.1080/01621459.1958.10501452
Graf E et al. Stat Med 1999;18:2529-2545.
doi:10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulation.model import Interval
from simulation.outcome.incidence import censoring_weights, wilson
from simulation.outcome.survival import checked, kaplan_meier

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """State of every patient at the horizon; arrays of shape (n,).

    ``weight`` is 0 where the state is not known, 1 everywhere when all are known, and else one over the probability
    of still being observed just before the event or the horizon.
    """

    event: NDArray[np.bool_]
    known: NDArray[np.bool_]
    weight: Floats


def status_at(times: ArrayLike, events: ArrayLike, horizon: float) -> Status:
    """Return who had the event by the horizon, who had not, and the weights of both.

    Parameters
    ----------
    times : array-like, shape (n,), any unit of time
        Time of the event or of censoring, >= 0.
    events : array-like of bool, shape (n,)
    horizon : float, same unit
        An event at the horizon counts; whoever is censored at it was free of the event.

    Returns
    -------
    Status
    """
    time, event = checked(times, events)
    by_horizon = event & (time <= horizon)
    known = by_horizon | (time >= horizon)
    return Status(event=by_horizon, known=known, weight=censoring_weights(np.minimum(time, horizon), known))


def share_with_event(
    times: ArrayLike, events: ArrayLike, horizon: float, *, level: float = 0.95
) -> tuple[float, Interval]:
    """Return one minus the Kaplan-Meier estimate at the horizon.

    The interval is Wilson's for the number of patients whose share has Greenwood's variance; that is their number
    where no one is censored before the horizon.

    Parameters
    ----------
    times : array-like, shape (n,), any unit of time
    events : array-like of bool, shape (n,)
    horizon : float, same unit
    level : float

    Returns
    -------
    tuple of float and Interval

    Raises
    ------
    ValueError
        No one was followed to the horizon and some had no event: the estimate does not reach it.
    """
    time, event = checked(times, events)
    by_horizon = event & (time <= horizon)
    if not by_horizon.all() and time.max() < horizon:
        raise ValueError("no patient was followed to the horizon")
    curve = kaplan_meier(np.minimum(time, horizon), by_horizon, level=level)
    share = 1.0 - float(curve.survival[-1])
    variance = float(curve.greenwood_variance[-1])
    n = share * (1.0 - share) / variance if variance > 0.0 else float(np.sum(by_horizon | (time >= horizon)))
    lower, upper = wilson(np.array([share]), np.array([min(n, float(time.size))]), level)
    return share, Interval(level=level, lower=float(lower[0]), upper=float(upper[0]))
