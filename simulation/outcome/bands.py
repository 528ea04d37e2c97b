"""Quantile bands of many virtual patients without keeping the patients.

Counts on a logarithmic grid are added chunk by chunk; the memory grows with the number of curves
and times, not with the number of patients. Quantiles are read off with an error below half a
per cent of their value and never lie outside the values; those of a single chunk are exact.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
BINS = 1024


@dataclass(frozen=True, slots=True)
class Band:
    """Median and central bands over time; ``bands`` holds (level, lower, upper)."""

    median: Floats
    bands: tuple[tuple[float, Floats, Floats], ...]


class LogHistogram:
    """Counts of positive values on a logarithmic grid, for several curves over time.

    Parameters
    ----------
    curves, times : int
    low, high : float
        Values below ``low`` count as 0, values above ``high`` as ``high``.
    """

    def __init__(self, curves: int, times: int, low: float, high: float) -> None:
        if curves < 1 or times < 1 or not 0 < low < high:
            raise ValueError("curves and times must be at least 1, and 0 < low < high")
        self._shape = (curves, times)
        self._log_low = float(np.log(low))
        self._scale = (BINS - 1) / (float(np.log(high)) - self._log_low)
        self._below = float(np.exp(self._log_low - 0.5 / self._scale))
        self._only: Floats | None = None
        self._counts: NDArray[np.int64] | None = None
        self._least = np.full(self._shape, np.inf)
        self._most = np.zeros(self._shape)

    def add(self, values: ArrayLike) -> None:
        """Count the values of more patients.

        Parameters
        ----------
        values : array-like, shape (n, curves, times)
            Finite and >= 0.
        """
        data = np.asarray(values, dtype=np.float64)
        if data.ndim != 3 or data.shape[1:] != self._shape:
            raise ValueError("values must have the shape (n, curves, times)")
        if self._counts is None and self._only is None:
            self._only = data.copy()
            return
        if self._counts is None:
            self._counts = np.zeros((self._shape[0] * self._shape[1], BINS), dtype=np.int64)
        for values_at_once in (self._only, data):
            if values_at_once is not None:
                self._count(values_at_once, self._counts)
                np.minimum(self._least, values_at_once.min(axis=0), out=self._least)
                np.maximum(self._most, values_at_once.max(axis=0), out=self._most)
        self._only = None

    def _count(self, data: Floats, counts: NDArray[np.int64]) -> None:
        position = np.maximum(data, self._below)
        np.log(position, out=position)
        position *= self._scale
        position += 1.0 - self._log_low * self._scale
        np.minimum(position, BINS - 1, out=position)
        bins = position.astype(np.int64)
        bins += np.arange(counts.shape[0], dtype=np.int64).reshape(self._shape) * BINS
        counts += np.bincount(bins.ravel(), minlength=counts.size).reshape(counts.shape)

    def quantile(self, q: float) -> Floats:
        """Return the quantile of every curve at every time, shape (curves, times)."""
        if self._counts is None:
            if self._only is None:
                raise ValueError("no patient was added")
            return np.asarray(np.quantile(self._only, q, axis=0))
        total = self._counts.sum(axis=1)
        target = q * (total - 1) + 0.5
        running = np.cumsum(self._counts, axis=1)
        found = np.minimum((running < target[:, None]).sum(axis=1), BINS - 1)
        rows = np.arange(found.size)
        before = np.where(found > 0, running[rows, found - 1], 0)
        share = (target - before) / np.maximum(self._counts[rows, found], 1)
        value = np.exp(self._log_low + (found - 1 + np.clip(share, 0.0, 1.0)) / self._scale)
        read = np.where(found == 0, 0.0, value).reshape(self._shape)
        return np.asarray(np.clip(read, self._least, self._most))

    def band(self, levels: tuple[float, ...] = (0.5, 0.9)) -> tuple[Band, ...]:
        """Return median and central bands of every curve."""
        median = self.quantile(0.5)
        sides = [(level, self.quantile(0.5 - level / 2), self.quantile(0.5 + level / 2)) for level in levels]
        return tuple(
            Band(median[curve], tuple((level, low[curve], high[curve]) for level, low, high in sides))
            for curve in range(self._shape[0])
        )
