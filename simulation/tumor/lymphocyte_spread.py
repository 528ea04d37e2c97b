"""Lymphocyte counts of virtual patients: one course of the count, and how patients differ around it.

The spread is that of the two-pool model of :mod:`simulation.radiation.lymphocytes`: sensitivity to radiation where
organ doses are known, and the rest of what differs between patients with the same dose.
"""

import numpy as np
from numpy.typing import NDArray

from simulation.engine.streams import CHUNK, chunk_count, stream
from simulation.radiation.lymphocytes import SMALLEST_COUNT, spread_of_log
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
    """
    if np.isnan(relative[0, 0]):
        return relative, relative[:, 0]
    n = relative.shape[0]
    normal, uniform = _draws(seed, first // CHUNK, n)
    nadir = relative.min(axis=1)
    course = scenario.lymphocytes
    if course is not None:
        sensitivity = (uniform * course.nadir.size).astype(np.int64)
        relative, nadir = course.relative[sensitivity], course.nadir[sensitivity]
    return _around(relative, normal[:, None]), _around(nadir, normal)


def _around(typical: Array, normal: Array) -> Array:
    return np.asarray(np.maximum(typical, SMALLEST_COUNT) * np.exp(spread_of_log(typical) * normal))


def _draws(seed: int, chunk: int, n: int) -> tuple[Array, Array]:
    streams = [stream(seed, chunk + k, LYMPHOCYTES) for k in range(chunk_count(n))]
    drawn = [(one.standard_normal(CHUNK), one.random(CHUNK)) for one in streams]
    normal, uniform = (np.concatenate(parts)[:n] for parts in zip(*drawn, strict=True))
    return normal, uniform
