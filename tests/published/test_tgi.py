"""Human growth-inhibition models and the survival link: table values and properties of the closed forms."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from simulation.tumor import tgi
from simulation.tumor.survival_link import death_day, growth_after_nadir
from simulation.tumor.tables import values


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


def test_growth_is_read_after_the_nadir() -> None:
    week = np.arange(105.0)
    curve = 100.0 * np.where(week < 30, np.exp(-0.02 * week), np.exp(-0.6 + 0.01 * (week - 30)))
    growth, nadir = growth_after_nadir(np.stack([curve, 100.0 * np.exp(-0.01 * week)]), week)
    assert growth == pytest.approx([0.01, 0.0])
    assert nadir == pytest.approx([30.0, 104.0])
