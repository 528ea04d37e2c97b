"""Lymphocyte counts of virtual patients: one course of the count, and how patients differ around it.

The spread is that of the two-pool model of :mod:`simulation.radiation.lymphocytes`: sensitivity to radiation where
organ doses are known, and the rest of what differs between patients with the same dose. Counts are relative to the one
measured on day 0, which has no spread; from then on one count differs from another by its variation from day to day at
least.
"""

import numpy as np
from numpy.typing import NDArray

from simulation.engine.streams import CHUNK, chunk_count, stream
from simulation.radiation.lymphocytes import SMALLEST_COUNT, spread_of_log
from simulation.tumor.exposure import lowest_count
from simulation.tumor.scenario import Scenario

Array = NDArray[np.float64]

LYMPHOCYTES = 3
"""Purpose of the random stream; the tumor models draw their patients from the ones below."""


def spread_of_patients(relative: Array, scenario: Scenario, seed: int, first: int) -> tuple[Array, Array]:
    """Return every patient's relative count over time and its lowest value, with the spread between patients.

    Parameters
    ----------
    relative : ndarray, shape (n, n_times)
        Count by the tumor model; NaN where it has none.
    scenario : Scenario
        Its lymphocytes, where organ doses are known, replace ``relative``.
    seed : int
    first : int
        Number of the first of these patients; a multiple of the size of a chunk.

    Returns
    -------
    relative : ndarray, shape (n, n_times)
    nadir : ndarray, shape (n,)
        Just after a fraction where that is lowest, whatever the days of output; at most 1, the count on day 0.
    """
    if np.isnan(relative[0, 0]):
        return relative, relative[:, 0]
    n = relative.shape[0]
    normal, uniform = _draws(seed, first // CHUNK, n)
    course = scenario.lymphocytes
    if course is None:
        nadir = np.full(n, _lowest_by_fields(scenario))
    else:
        sensitivity = (uniform * course.nadir.size).astype(np.int64)
        relative, nadir = course.relative[sensitivity], course.nadir[sensitivity]
    start = scenario.output_days == 0.0
    return (
        np.where(start, relative, _around(relative, normal[:, None])),
        np.minimum(_around(nadir, normal), 1.0),
    )


def _lowest_by_fields(scenario: Scenario) -> float:
    plan = scenario.fractions
    given = np.any(plan.dose_gy > 0.0, axis=1) | (plan.node_dose_gy > 0.0)
    return lowest_count(plan.day[given], plan.field_exposure[given])


def _around(typical: Array, normal: Array) -> Array:
    return np.asarray(np.maximum(typical, SMALLEST_COUNT) * np.exp(spread_of_log(typical) * normal))


def _draws(seed: int, chunk: int, n: int) -> tuple[Array, Array]:
    streams = [stream(seed, chunk + k, LYMPHOCYTES) for k in range(chunk_count(n))]
    drawn = [(one.standard_normal(CHUNK), one.random(CHUNK)) for one in streams]
    normal, uniform = (np.concatenate(parts)[:n] for parts in zip(*drawn, strict=True))
    return normal, uniform
