"""The two-pool lymphocyte model."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from simulation.radiation.lymphocytes import (
    DEFAULT,
    alpha_values_per_gy,
    blood_survival,
    count_quantiles,
    probability_below,
    relative_counts,
    reserve_survival,
    spread_of_log,
)

DAYS = np.arange(30) // 5 * 7 + np.arange(30) % 5 + 0.0


def counts(dose, days=DAYS, wanted=None, alpha=(0.4,), parameters=DEFAULT):
    blood = np.tile(blood_survival([dose], alpha), (len(days), 1))
    reserve = np.tile(reserve_survival(dose, alpha, parameters), (len(days), 1))
    return relative_counts(days, blood, reserve, days if wanted is None else wanted, parameters)


def test_no_dose_no_loss():
    found = counts(0.0, wanted=np.arange(0.0, 100.0))
    assert found.at_days == pytest.approx(np.ones((100, 1)))
    assert found.nadir == pytest.approx([1.0])


def test_one_fraction_kills_then_refills():
    found = counts(0.5, days=np.array([0.0]), wanted=[0.0, 0.001, 2.0, 5.0, 400.0, 5000.0])
    assert found.at_days[0, 0] == 1.0
    assert found.after_fractions[0, 0] == pytest.approx(np.exp(-0.2))
    assert found.at_days[1, 0] == pytest.approx(np.exp(-0.2), abs=1e-3)
    assert found.at_days[3, 0] < found.at_days[4, 0] < found.at_days[5, 0]
    assert found.at_days[5, 0] == pytest.approx(1.0, abs=1e-4)


def test_closed_form_agrees_with_a_solver():
    exposed, fast = DEFAULT.reserve_exposed_share, DEFAULT.reserve_fast_share
    full = np.outer([exposed, 1 - exposed], [fast, 1 - fast]).ravel()
    rate = np.log(2) / np.tile([DEFAULT.fast_recovery_half_time_days, DEFAULT.slow_recovery_half_time_days], 2)
    exchange = np.log(2) / DEFAULT.exchange_half_time_days
    survived = np.exp(-0.4 * DEFAULT.reserve_dose_ratio)
    start = np.concatenate([[np.exp(-0.4)], full * [survived, survived, 1, 1]])

    def drift(_time, state):
        return np.concatenate([[exchange * (state[1:].sum() - state[0])], rate * (full - state[1:])])

    solved = solve_ivp(drift, (0, 30), start, t_eval=[1.0, 7.0, 30.0], rtol=1e-9, atol=1e-12).y[0]
    found = counts(1.0, days=np.array([0.0]), wanted=[1.0, 7.0, 30.0]).at_days[:, 0]
    assert found == pytest.approx(solved, rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(dose=st.floats(0, 1), more=st.floats(0.001, 0.5), alpha=st.floats(0.1, 1.0))
def test_more_dose_never_leaves_more(dose, more, alpha):
    wanted = np.arange(0.0, 120.0, 3.0)
    low, high = counts(dose, wanted=wanted, alpha=(alpha,)), counts(dose + more, wanted=wanted, alpha=(alpha,))
    assert np.all(high.at_days <= low.at_days + 1e-12)
    assert np.all((high.at_days > 0) & (high.at_days <= 1 + 1e-12))


@settings(max_examples=30, deadline=None)
@given(doses=st.lists(st.floats(0, 3), min_size=1, max_size=30), alpha=st.floats(0, 1))
def test_survival_lies_between_the_extreme_doses(doses, alpha):
    found = blood_survival(doses, alpha)[0]
    assert np.exp(-alpha * max(doses)) - 1e-12 <= found <= np.exp(-alpha * min(doses)) + 1e-12


def test_survival_of_many_particles_is_that_of_all():
    dose = np.random.default_rng(2).gamma(1.0, 0.12, 50_000) * (np.random.default_rng(3).random(50_000) < 0.5)
    assert blood_survival(dose, 0.4)[0] == pytest.approx(np.exp(-0.4 * dose).mean(), rel=1e-6)


@pytest.mark.parametrize("gy", [5e-324, 1e-300, 2.0])
def test_blood_that_receives_almost_one_dose(gy):
    dose = np.where(np.arange(5000) % 2, gy, np.nextafter(gy, 3.0))
    dose[:1000] = 0.0
    assert blood_survival(dose, 0.4)[0] == pytest.approx(0.2 + 0.8 * np.exp(-0.4 * gy), rel=1e-12)


def test_alpha_is_spread_as_its_table_says():
    values = alpha_values_per_gy(count=401)
    assert np.median(values) == pytest.approx(0.40)
    assert np.quantile(values, [0.025, 0.975]) == pytest.approx([0.2, 0.77], rel=0.06)


def test_probabilities_and_bands():
    nadirs = counts(0.12, alpha=alpha_values_per_gy()).nadir
    three, four = (probability_below(limit, 1.6, nadirs) for limit in (0.5, 0.2))
    assert 0 < four < three < 1
    assert probability_below(0.5, 0.8, nadirs) > three
    series = counts(0.12, wanted=np.arange(0.0, 60.0), alpha=alpha_values_per_gy()).at_days
    lower, upper = count_quantiles(series, (0.025, 0.975))
    assert np.all(lower <= series[:, 20])
    assert np.all(series[:, 20] <= upper)
    assert spread_of_log(np.array([1.0, 0.66, 0.1])) == pytest.approx([0.1, np.hypot(0.3, 0.1), np.hypot(0.3, 0.1)])


@settings(max_examples=40, deadline=None)
@given(baseline=st.floats(0.05, 3.0), limit=st.sampled_from([0.2, 0.5]), dose=st.floats(0, 0.5))
def test_a_measured_count_below_the_limit_is_below_it(baseline, limit, dose):
    found = probability_below(limit, baseline, counts(dose, alpha=alpha_values_per_gy()).nadir)
    assert found == 1.0 if baseline < limit else 0.0 <= found <= 1.0


def test_faster_exchange_hides_less():
    slow = replace(DEFAULT, exchange_half_time_days=3.0)
    assert counts(0.2, parameters=slow).nadir < counts(0.2).nadir


def test_days_must_not_decrease():
    with pytest.raises(ValueError, match="decrease"):
        relative_counts([1.0, 0.0], [[1.0], [1.0]], [[1.0], [1.0]], [0.0])
