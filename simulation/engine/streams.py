"""Counter-based random streams: patient number i depends on the seed and on i, on nothing else."""

import math

import numpy as np

CHUNK = 256
"""Patients per stream. Part of the definition of the draws: changing it changes every answer."""


def stream(seed: int, chunk: int, purpose: int) -> np.random.Generator:
    """Return the generator of one chunk of patients for one purpose.

    Separate purposes have separate streams, so that a plan with another drug leaves the patients unchanged.

    Parameters
    ----------
    seed : int
        0 <= seed < 2**63.
    chunk : int
        Number of the chunk, 0 <= chunk < 2**31.
    purpose : int
        0 <= purpose < 2**31.

    Returns
    -------
    numpy.random.Generator

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    if not 0 <= seed < 2**63 or not 0 <= chunk < 2**31 or not 0 <= purpose < 2**31:
        raise ValueError("seed, chunk and purpose must be non-negative and fit 63, 31 and 31 bits")
    return np.random.Generator(np.random.Philox(key=np.array([seed, (purpose << 32) | chunk], dtype=np.uint64)))


def chunk_count(patients: int) -> int:
    """Return how many chunks hold this many patients."""
    return math.ceil(patients / CHUNK)
