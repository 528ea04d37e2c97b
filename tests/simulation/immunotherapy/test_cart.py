"""CAR-T kinetics and product tables."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.immunotherapy import cart


def test_area_is_the_integral_of_the_level() -> None:
    virtual = cart.virtual_patients(20, 3, "standard_deviation")
    time = np.linspace(0.0, 28.0, 40_001)
    assert virtual.area(28.0) == pytest.approx(np.trapezoid(virtual.level(time), time, axis=0), rel=1e-4)
    early = np.linspace(0.0, 5.0, 40_001)
    assert virtual.area(5.0) == pytest.approx(np.trapezoid(virtual.level(early), early, axis=0), rel=1e-4)


def test_the_level_is_continuous_and_peaks_once() -> None:
    typical = cart.typical()
    tmax = float(typical.tmax_days[0])
    before, at, after = typical.level([tmax - 1e-9, tmax, tmax + 1e-9])[:, 0]
    assert before == pytest.approx(at)
    assert after == pytest.approx(at)
    assert at == pytest.approx(24000.0)
    assert typical.level([0.0])[0, 0] == pytest.approx(24000.0 / 3900.0)
    assert np.argmax(typical.level(np.arange(200.0))[:, 0]) in (9, 10)


def test_the_two_readings_of_the_random_effects_differ_as_they_must() -> None:
    deviation, variance = (cart.virtual_patients(4000, 1, reading) for reading in ("standard_deviation", "variance"))
    assert np.log(deviation.cmax_copies_per_ug).std() == pytest.approx(0.65, rel=0.05)
    assert np.log(variance.cmax_copies_per_ug).std() == pytest.approx(0.65**0.5, rel=0.05)
    assert np.all(deviation.slow_fraction <= 1.0)
    few = cart.virtual_patients(10, 1, "variance")
    assert np.array_equal(few.tmax_days, variance.tmax_days[:10])


def test_expansion_factors_act_until_the_maximum_only() -> None:
    typical = cart.typical()
    early, late = typical.with_expansion_factor(1.2, 0.0), typical.with_expansion_factor(1.2, 20.0)
    assert early.maximum_copies_per_ug[0] == pytest.approx(24000.0 * 3900.0**0.2)
    assert late.maximum_copies_per_ug[0] == pytest.approx(24000.0)
    assert typical.with_expansion_factor(1.0, 3.0).maximum_copies_per_ug[0] == pytest.approx(24000.0)
    assert early.level([0.0])[0, 0] == pytest.approx(typical.level([0.0])[0, 0])


@given(day=st.floats(0.0, 60.0), factor=st.floats(0.5, 1.5), other=st.floats(0.0, 60.0))
def test_nothing_changes_before_the_day_of_the_drug(day: float, factor: float, other: float) -> None:
    untreated = cart.virtual_patients(5, 11, "standard_deviation")
    treated = untreated.with_expansion_factor(factor, day)
    until = np.linspace(0.0, day, 7)
    assert treated.level(until) == pytest.approx(untreated.level(until))
    assert treated.area(day) == pytest.approx(untreated.area(day))
    both = treated.with_expansion_factor(1.1, other)
    time = np.linspace(0.0, 28.0, 101)
    swapped = untreated.with_expansion_factor(1.1, other).with_expansion_factor(factor, day)
    assert both.level(time) == pytest.approx(swapped.level(time))


def test_the_area_under_tocilizumab_is_the_integral_of_the_level() -> None:
    for day, expected in ((7.0, 252_385.0), (3.0, 512_849.0)):
        treated = cart.typical().with_expansion_factor(1.2, day)
        time = np.linspace(0.0, 28.0, 200_001)
        integral = np.trapezoid(treated.level(time), time, axis=0)
        assert treated.area(28.0) == pytest.approx(integral, rel=1e-5)
        assert integral[0] == pytest.approx(expected, rel=1e-4)


def test_every_toxicity_carries_its_scale() -> None:
    for product in cart.PRODUCTS.values():
        assert product.toxicity
        for row in product.toxicity:
            assert row.scale
            assert row.source
            bounds = row.interval
            assert bounds is None or bounds[0] <= row.percent / 100.0 <= bounds[1]
    severe = [row for row in cart.PRODUCTS["tisagenlecleucel"].toxicity if row.events == 10]
    assert severe[0].interval == pytest.approx((0.0741, 0.2283), abs=1e-3)
