"""The event table: what happens when, as arrays the kernels step through."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Stops:
    """Times at which the integration must stop, with one event row each.

    Attributes
    ----------
    day : ndarray, shape (n_stops,)
        Never decreasing; the first is 0, the last is the end of the simulation, where nothing happens.
        Two events at one time are two stops.
    table : ndarray, shape (n_stops, n_columns)
        Zeros where nothing happens.
    """

    day: NDArray[np.float64]
    table: NDArray[np.float64]


def merge(
    events: Iterable[tuple[float, NDArray[np.float64]]], end_day: float, columns: int, kinks: Iterable[float] = ()
) -> Stops:
    """Merge event rows into stops; rows at one time stay in the order given, rows of zeros are no events.

    Parameters
    ----------
    events : iterable of (day, row)
        Days from 0 on; events at or after the end are left out. Rows have shape (columns,).
    end_day : float
        End of the simulation, > 0.
    columns : int
    kinks : iterable of float
        Days on which nothing happens but a known quantity bends: a step must not cross them.

    Returns
    -------
    Stops

    Raises
    ------
    ValueError
        If an event lies before day 0 or the end is not after day 0.
    """
    if not end_day > 0:
        raise ValueError("the end of the simulation must lie after day 0")
    kept = [(day, row) for day, row in events if np.any(row)] + [(day, np.zeros(columns)) for day in kinks]
    if any(day < 0 for day, _ in kept):
        raise ValueError("events must not lie before day 0")
    kept = sorted((event for event in kept if event[0] < end_day), key=lambda event: event[0])
    if not kept or kept[0][0] > 0:
        kept.insert(0, (0.0, np.zeros(columns)))
    day = np.array([event[0] for event in kept] + [end_day])
    table = np.vstack([event[1] for event in kept] + [np.zeros(columns)])
    return Stops(day, np.ascontiguousarray(table))
