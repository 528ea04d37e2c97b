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


def test_growth_acts_on_survival_from_the_nadir_on() -> None:
    growth, nadir, baseline = np.array([0.05]), np.array([30.0]), np.array([100.0])
    for normal in (np.array([-2.0]), np.array([0.0]), np.array([1.0])):
        never = death_day(np.array([0.0]), nadir, baseline, normal)
        published = death_day(growth, nadir, baseline, normal)
        late = death_day(growth, nadir, baseline, normal, growth_starts_day=np.array([210.0]))
        assert published == pytest.approx(death_day(growth, nadir, baseline, normal, growth_starts_day=np.array([0.0])))
        assert published <= late <= never
        if never <= 210.0:
            assert late == never
        else:
            assert late - 210.0 == pytest.approx((never - 210.0) * published / never)


def test_regrowth_below_the_measurable_size_does_not_count() -> None:
    week = np.arange(105.0)
    curve = np.where(week < 20, 80.0 * np.exp(-0.4 * week), 80.0 * np.exp(-8.0 + 0.1 * (week - 20)))[None]
    growth, nadir = growth_after_nadir(curve, week, smallest_mm=20.0)
    leaves = week[np.flatnonzero(curve[0] > 20.0)[1:]]
    assert nadir[0] == leaves[leaves > 20][0] - 1.0
    assert growth[0] < 0.1
