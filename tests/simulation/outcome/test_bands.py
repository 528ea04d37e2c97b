"""Quantiles from counts on a grid agree with the exact ones and do not depend on the chunks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.outcome.bands import LogHistogram


def filled(values: np.ndarray, pieces: int) -> LogHistogram:
    histogram = LogHistogram(values.shape[1], values.shape[2], 0.05, 3000.0)
    for part in np.array_split(values, pieces):
        histogram.add(part)
    return histogram


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(300, 900), st.sampled_from([0.05, 0.25, 0.5, 0.75, 0.95]))
def test_close_to_the_exact_quantile(seed: int, n: int, q: float) -> None:
    values = np.random.default_rng(seed).lognormal(3.0, 0.7, (n, 2, 3))
    lower, higher = (np.quantile(values, q, axis=0, method=side) for side in ("lower", "higher"))
    found = filled(values, 3).quantile(q)
    assert ((0.99 * lower <= found) & (found <= 1.01 * higher)).all()
    assert filled(values, 1).quantile(q) == pytest.approx(np.quantile(values, q, axis=0))


@given(st.integers(0, 2**32 - 1), st.integers(2, 7))
@settings(max_examples=20, deadline=None)
def test_the_chunks_do_not_matter(seed: int, pieces: int) -> None:
    values = np.random.default_rng(seed).lognormal(1.0, 2.0, (100, 1, 4))
    assert (filled(values, pieces).quantile(0.3) == filled(values, 2).quantile(0.3)).all()


def test_bands_hold_the_median_and_zero_stays_zero() -> None:
    values = np.random.default_rng(1).lognormal(0.0, 1.0, (500, 1, 5))
    values[:, :, 2] = 0.0
    (band,) = filled(values, 4).band()
    assert band.median[2] == 0.0
    for _, lower, upper in band.bands:
        assert (lower <= band.median).all()
        assert (band.median <= upper).all()


def test_refuses_other_shapes_and_nothing() -> None:
    with pytest.raises(ValueError, match="shape"):
        LogHistogram(2, 3, 0.1, 10.0).add(np.ones((4, 3, 2)))
    with pytest.raises(ValueError, match="at least 1"):
        LogHistogram(0, 3, 0.1, 10.0)
    with pytest.raises(ValueError, match="no patient"):
        LogHistogram(1, 1, 0.1, 10.0).quantile(0.5)


def test_values_that_are_all_the_same_come_back_exactly() -> None:
    values = np.full((300, 1, 2), 40.0)
    values[:, :, 1] = 12.3
    for q in (0.05, 0.5, 0.95):
        assert (filled(values, 3).quantile(q) == [[40.0, 12.3]]).all()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_no_quantile_lies_outside_the_values(seed: int) -> None:
    values = np.random.default_rng(seed).lognormal(3.0, 0.01, (60, 1, 3))
    for q in (0.0, 0.5, 1.0):
        found = filled(values, 3).quantile(q)
        assert ((values.min(axis=0) <= found) & (found <= values.max(axis=0))).all()
