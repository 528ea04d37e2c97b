"""CAR-T kinetics and product tables."""

import numpy as np
import pytest

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
    assert early.cmax_copies_per_ug[0] == pytest.approx(24000.0 * 3900.0**0.2)
    assert late.cmax_copies_per_ug[0] == pytest.approx(24000.0)
    assert typical.with_expansion_factor(1.0, 3.0).cmax_copies_per_ug[0] == pytest.approx(24000.0)
    assert early.level([0.0])[0, 0] == pytest.approx(typical.level([0.0])[0, 0])


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
