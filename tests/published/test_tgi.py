"""Human growth-inhibition models and the survival link: table values and properties of the closed forms."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from simulation.tumor import tgi
from simulation.tumor.interface import simulate
from simulation.tumor.scenario import volume_cm3
from simulation.tumor.survival_link import death_day, death_day_along
from simulation.tumor.tables import values
from tests.simulation.tumor.scenarios import PEMBROLIZUMAB, scenario


def test_chatterjee_typical_curve() -> None:
    p = values("tgi", "chatterjee")
    time = np.array([0.0, 63.0, 126.0, 365.0])
    found = tgi.chatterjee(time, p["kg"], p["kd"], p["f"], 0.0)
    expected = 0.426 * np.exp(0.00114 * time) + 0.574 * np.exp(-0.00265 * time)
    assert found == pytest.approx(expected, rel=1e-12)
    assert p["kd_tps_50"] == 2.74
    assert p["kd_tps_below_1"] == 0.623


def test_claret_solves_its_equation() -> None:
    time = np.linspace(0.0, 400.0, 9)
    growth, shrinkage, resistance, exposure = 0.002, 0.01, 0.004, 1.3

    def rhs(t: float, y: np.ndarray) -> np.ndarray:
        return growth * y - shrinkage * np.exp(-resistance * t) * exposure * y

    expected = solve_ivp(rhs, (0, 400), [1.0], t_eval=time, rtol=1e-11, atol=1e-13).y[0]
    assert tgi.claret(time, growth, shrinkage, resistance, exposure) == pytest.approx(expected, rel=1e-9)


def test_stein_forms() -> None:
    time = np.linspace(0.0, 500.0, 6)
    assert tgi.growth_decay(time, 0.002, 0.01) == pytest.approx(np.exp(-0.01 * time) + np.exp(0.002 * time) - 1.0)
    assert tgi.growth_decay_fraction(time, 0.002, 0.01, 0.7) == pytest.approx(
        0.7 * np.exp(-0.01 * time) + 0.3 * np.exp(0.002 * time)
    )
    assert tgi.growth_decay(0.0, 0.002, 0.01) == 1.0


def test_time_to_growth_is_the_minimum() -> None:
    growth, decay = values("tgi", "struemper_pembrolizumab").values()
    weeks = np.linspace(0.0, 200.0, 20_001)
    curve = tgi.growth_decay(weeks, growth, decay)
    assert float(tgi.time_to_growth(growth, decay)) == pytest.approx(weeks[curve.argmin()], abs=0.02)
    assert float(tgi.time_to_growth(0.02, 0.01)) == 0.0


def test_struemper_median_survival() -> None:
    growth, decay = values("tgi", "struemper_pembrolizumab").values()
    reference = death_day(np.array([growth]), np.array([39.9]), np.array([100.0]), np.array([0.0]))
    assert reference == pytest.approx(np.exp(6.94 - 6.91 * growth / (growth + 0.109)), rel=1e-12)
    frail = death_day(
        np.array([growth]), np.array([39.9]), np.array([100.0]), np.array([0.0]), albumin_g_per_l=29.4,
        neutrophil_lymphocyte_ratio=4.1,
    )  # fmt: skip
    assert frail / reference == pytest.approx(np.exp(-0.452), rel=1e-12)
    late = death_day(np.array([growth]), np.array([49.9]), np.array([90.0]), np.array([0.0]))
    assert late / reference == pytest.approx(np.exp(0.124 + 0.0366), rel=1e-12)
    spread = death_day(np.array([growth]), np.array([39.9]), np.array([100.0]), np.array([1.0]))
    assert spread / reference == pytest.approx(np.exp(np.exp(-0.331)), rel=1e-12)
    assert float(tgi.time_to_growth(growth, decay)) == pytest.approx(np.log(0.017 / 0.00651) / 0.02351, rel=1e-12)


WEEK = np.arange(261.0)
RATE = 0.05


def test_along_a_course_that_grows_from_the_start_survival_is_the_published_one() -> None:
    curve = 100.0 * np.exp(RATE * WEEK)[None]
    for normal in (-2.0, 0.0, 1.0):
        along = death_day_along(curve, WEEK, np.array([normal]))
        published = death_day(np.array([RATE]), np.array([0.0]), np.array([100.0]), np.array([normal]))
        assert along == pytest.approx(published, abs=7.0)  # the first week has seen no growth yet


def test_without_growth_time_runs_at_the_pace_of_the_reference() -> None:
    shrinking = 100.0 * np.exp(-0.01 * WEEK)[None]
    found = death_day_along(shrinking, WEEK, np.array([-1.0]))
    assert found == pytest.approx(death_day(np.array([0.0]), np.array([39.9]), np.array([100.0]), np.array([-1.0])))
    assert np.isinf(death_day_along(shrinking, WEEK, np.array([5.0])))


@given(st.integers(0, 2**32 - 1), st.integers(1, 259))
def test_nobody_dies_earlier_or_later_for_what_comes_afterwards(seed: int, until: int) -> None:
    random = np.random.default_rng(seed)
    first = 60.0 * np.exp(np.cumsum(random.normal(0.0, 0.1, (40, WEEK.size)), axis=1))
    second = np.where(until >= WEEK, first, 60.0 * np.exp(np.cumsum(random.normal(0.0, 0.1, first.shape), axis=1)))
    normal = random.standard_normal(40)
    one, other = (death_day_along(curve, WEEK, normal) for curve in (first, second))
    shorter = death_day_along(first[:, : until + 1], WEEK[: until + 1], normal)
    known = np.minimum(one, other) <= 7.0 * until
    assert one[known] == pytest.approx(other[known])
    assert one[known] == pytest.approx(shorter[known])
    assert np.all(np.isinf(shorter[~known]))


def test_treatment_after_growth_slows_the_time_again() -> None:
    grown = 50.0 * np.exp(0.01 * WEEK)
    treated = np.where(WEEK < 40, grown, 20.0)
    normal = np.ones(1)
    late, early = (death_day_along(curve[None], WEEK, normal) for curve in (treated, grown))
    assert late > early > 280.0


def test_regrowth_below_the_measurable_size_does_not_count() -> None:
    curve = np.where(WEEK < 20, 80.0 * np.exp(-0.4 * WEEK), 80.0 * np.exp(-8.0 + 0.1 * (WEEK - 20)))[None]
    hidden, seen = (death_day_along(curve, WEEK, np.zeros(1), smallest_mm=size) for size in (20.0, 0.001))
    assert seen < hidden


@pytest.mark.parametrize(
    ("curve", "lowest", "parameters"),
    [
        (tgi.claret, tgi.claret_time_to_growth, (0.0016, 0.0034, 0.005)),
        (tgi.claret, tgi.claret_time_to_growth, (0.002, 0.001, 0.005)),
        (tgi.chatterjee, tgi.chatterjee_time_to_growth, (0.0011, 0.0027, 0.57, 0.0)),
        (tgi.chatterjee, tgi.chatterjee_time_to_growth, (0.01, 0.02, 0.6, 20.0)),
        (tgi.chatterjee, tgi.chatterjee_time_to_growth, (0.02, 0.001, 0.1, 0.0)),
    ],
)
def test_every_time_to_growth_is_the_minimum(curve, lowest, parameters) -> None:
    days = np.linspace(0.0, 1500.0, 150_001)
    assert float(lowest(*parameters)) == pytest.approx(days[curve(days, *parameters).argmin()], abs=0.02)


def test_survival_of_the_joint_model_is_its_published_equation() -> None:
    """One lesion of 86.07 mm on pembrolizumab from day 0, against 400,000 draws from the equation itself."""
    days = np.array([0.0, 189.0, 378.0, 756.0, 1820.0])
    plan = scenario(volumes=(float(volume_cm3(86.07)),), drugs=PEMBROLIZUMAB, days=days)
    death = simulate("struemper-2025", plan, patients=20_000, seed=3).death_day
    rates, p = values("tgi", "struemper_pembrolizumab"), values("tgi", "struemper_covariates")
    random = np.random.default_rng(11)
    cov = [[p["var_growth"], p["cov_growth_shrinkage"]], [p["cov_growth_shrinkage"], p["var_shrinkage"]]]
    eta = random.multivariate_normal([0.0, 0.0], cov, 400_000)
    kg, ks = rates["growth_per_week"] * np.exp(eta[:, 0]), rates["shrinkage_per_week"] * np.exp(eta[:, 1])
    lowest = np.maximum(np.log(ks / kg) / (ks + kg), 0.0)
    log_days = 6.94 - 6.91 * kg / (kg + 0.109) - 0.00366 * (86.07 - 100.0) + 0.0124 * (lowest - 39.9)
    expected = np.exp(log_days + np.exp(-0.331) * random.standard_normal(kg.size))
    for day in days[1:]:
        assert np.mean(death > day) == pytest.approx(np.mean(expected > day), abs=0.012)
    assert np.median(death) == pytest.approx(np.median(expected), rel=0.03)


def test_a_drug_to_come_saves_nobody() -> None:
    late = tuple(replace(dose, time_days=dose.time_days + 360.0) for dose in PEMBROLIZUMAB)
    days = np.arange(0.0, 1000.0, 28.0)
    none, coming = (
        simulate("struemper-2025", scenario(drugs=drugs, days=days), patients=2000, seed=3).death_day
        for drugs in ((), late)
    )
    assert np.minimum(coming, 360.0) == pytest.approx(np.minimum(none, 360.0))
    assert np.mean(coming > 900.0) > np.mean(none > 900.0)
