"""The latent process: its covariance, and conditioning on scans."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.forecast_process import Process, condition, from_scale, to_scale

PROCESS = Process(
    response_mean=-0.06, response_variance=0.08, response_months=3.0, trend_mean=0.01, trend_variance=0.0005,
    walk_variance=0.002, velocity_variance=0.004, velocity_months=0.7, measurement_variance=0.002,
    degrees_of_freedom=2.0,
)  # fmt: skip


@given(st.lists(st.floats(0.05, 24.0), min_size=1, max_size=8, unique=True))
def test_the_covariance_is_one(months: list[float]) -> None:
    month = np.sort(np.array(months))
    matrix = PROCESS.covariance(month, month)
    assert matrix == pytest.approx(matrix.T)
    assert np.linalg.eigvalsh(matrix).min() > -1e-9


def test_it_starts_at_zero() -> None:
    zero = np.zeros(1)
    assert PROCESS.mean(zero)[0] == 0.0
    assert PROCESS.covariance(zero, np.array([0.0, 5.0])) == pytest.approx(np.zeros((1, 2)))


def test_the_velocity_is_an_integrated_ornstein_uhlenbeck_process() -> None:
    only = Process(
        response_mean=0.0, response_variance=0.0, response_months=1.0, trend_mean=0.0, trend_variance=0.0,
        walk_variance=0.0, velocity_variance=0.5, velocity_months=2.0, measurement_variance=0.0, degrees_of_freedom=3.0,
    )  # fmt: skip
    step = 0.01
    grid = (np.arange(300) + 0.5) * step
    velocity = 0.5 * np.exp(-np.abs(grid[:, None] - grid[None, :]) / 2.0)
    first, second = grid < 1.0, grid < 3.0
    numeric = velocity[np.ix_(first, second)].sum() * step**2
    assert only.covariance(np.array([1.0]), np.array([3.0]))[0, 0] == pytest.approx(numeric, rel=1e-3)


@given(st.floats(0.5, 300.0), st.sampled_from([0.0, 0.25, 0.5, 1.0]))
def test_the_scale_goes_there_and_back(size: float, exponent: float) -> None:
    assert from_scale(to_scale(np.array(size), exponent), exponent) == pytest.approx(size)


def test_below_the_image_of_zero_is_zero() -> None:
    assert from_scale(np.array(-50.0), 0.5) == 0.0


def test_conditioning_is_that_of_the_joint_distribution() -> None:
    day, asked = np.array([0.0, 40.0, 85.0]), np.array([120.0, 170.0])
    z = np.array([3.4, 3.3, 3.5])
    location, scale, freedom = condition(PROCESS, day, z, asked)
    month = np.concatenate((day[1:], asked)) / 30.0
    joint = PROCESS.covariance(month, month) + PROCESS.measurement_variance * (1.0 + np.eye(4))
    precision = np.linalg.inv(joint)
    inner = np.linalg.inv(precision[2:, 2:])
    residual = z[1:] - z[0] - PROCESS.mean(month[:2])
    expected = z[0] + PROCESS.mean(month[2:]) - inner @ precision[2:, :2] @ residual
    squares = residual @ np.linalg.solve(joint[:2, :2], residual)
    assert location == pytest.approx(expected)
    assert scale**2 == pytest.approx(np.diag(inner) * (2.0 + squares) / 4.0)
    assert freedom == 4.0


def test_one_scan_gets_the_population() -> None:
    asked = np.array([42.0])
    location, scale, freedom = condition(PROCESS, np.array([7.0]), np.array([3.0]), asked + 7.0)
    month = asked / 30.0
    assert location == pytest.approx(3.0 + PROCESS.mean(month))
    assert scale**2 == pytest.approx(PROCESS.covariance(month, month)[0] + 2 * PROCESS.measurement_variance)
    assert freedom == PROCESS.degrees_of_freedom


def test_a_lesion_that_jumped_is_less_certain_than_a_quiet_one() -> None:
    day, asked = np.array([0.0, 42.0, 84.0]), np.array([126.0])
    quiet = condition(PROCESS, day, np.log([30.0, 30.5, 30.0]), asked)[1][0]
    jumpy = condition(PROCESS, day, np.log([30.0, 60.0, 25.0]), asked)[1][0]
    assert jumpy > 2.0 * quiet
