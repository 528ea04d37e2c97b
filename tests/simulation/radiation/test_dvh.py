from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from simulation.radiation.dvh import FLOOR_DOSE_GY, Dvh, from_cumulative, from_samples
from tests.simulation.radiation.strategies import distributions, ratios

SHARES = np.linspace(0.0, 1.0, 21)


@given(distributions)
def test_curve_falls_from_one_to_nothing(dvh: Dvh) -> None:
    read = [dvh.share_at_dose(float(dose)) for dose in np.linspace(0.0, dvh.maximum_gy + 1.0, 40)]
    assert read[0] == pytest.approx(1.0)
    assert read[-1] == 0.0
    assert all(later <= earlier for earlier, later in pairwise(read))


@given(distributions)
def test_dose_falls_as_more_volume_is_asked_for(dvh: Dvh) -> None:
    read = [dvh.dose_at_share(float(share)) for share in SHARES]
    assert all(later <= earlier + 1e-9 for earlier, later in pairwise(read))
    assert read[0] == dvh.maximum_gy
    assert read[-1] == dvh.minimum_gy


@given(distributions, st.floats(min_value=0.01, max_value=0.99))
def test_volume_at_the_dose_of_a_share_is_at_least_that_share(dvh: Dvh, share: float) -> None:
    assert dvh.share_at_dose(dvh.dose_at_share(share)) >= share - 1e-6


@given(distributions, st.floats(min_value=-60.0, max_value=60.0))
def test_generalized_eud_lies_between_the_extremes(dvh: Dvh, exponent: float) -> None:
    low = max(float(dvh.dose_gy[0]), FLOOR_DOSE_GY) if exponent <= 0 else float(dvh.dose_gy[0])
    high = max(float(dvh.dose_gy[-1]), FLOOR_DOSE_GY) if exponent <= 0 else float(dvh.dose_gy[-1])
    assert low * (1 - 1e-9) <= dvh.generalized_eud_gy(exponent) <= high * (1 + 1e-9)


@given(distributions, st.floats(min_value=-20.0, max_value=20.0), st.floats(min_value=0.1, max_value=10.0))
def test_generalized_eud_grows_with_the_exponent(dvh: Dvh, exponent: float, more: float) -> None:
    assume(exponent > 0 or exponent + more <= 0)  # the floor for cold doses applies below zero only
    assert dvh.generalized_eud_gy(exponent + more) >= dvh.generalized_eud_gy(exponent) * (1 - 1e-9) - 1e-12


@given(distributions, st.floats(min_value=-20.0, max_value=20.0))
def test_the_floor_is_said_exactly_where_it_changes_a_dose(dvh: Dvh, exponent: float) -> None:
    raised = dvh.mapped(lambda dose: np.maximum(dose, FLOOR_DOSE_GY))
    changed = not np.array_equal(raised.dose_gy[dvh.share > 0], dvh.dose_gy[dvh.share > 0])
    assert dvh.is_floored(exponent) == (exponent <= 0 and changed)
    if exponent <= 0:
        assert dvh.generalized_eud_gy(exponent) == raised.generalized_eud_gy(exponent)


@given(distributions)
def test_generalized_eud_with_exponent_one_is_the_mean(dvh: Dvh) -> None:
    assert dvh.generalized_eud_gy(1.0) == pytest.approx(dvh.mean_gy, abs=1e-9)


@given(distributions, st.floats(min_value=0.2, max_value=3.0))
def test_scaling_scales_every_dose(dvh: Dvh, factor: float) -> None:
    scaled = dvh.scaled(factor)
    assert scaled.mean_gy == pytest.approx(factor * dvh.mean_gy)
    assert scaled.dose_at_share(0.3) == pytest.approx(factor * dvh.dose_at_share(0.3), abs=1e-9)
    assert scaled.generalized_eud_gy(4.0) == pytest.approx(factor * dvh.generalized_eud_gy(4.0), abs=1e-9)


@given(distributions, ratios, st.integers(min_value=1, max_value=40), st.integers(min_value=1, max_value=40))
def test_changing_the_fraction_number_and_back_changes_nothing(dvh: Dvh, ratio: float, old: int, new: int) -> None:
    back = dvh.in_fractions(old, new, ratio).in_fractions(new, old, ratio)
    assert back.dose_gy == pytest.approx(dvh.dose_gy, rel=1e-9, abs=1e-9)


@given(distributions, ratios, st.integers(min_value=1, max_value=40))
def test_eqd2_keeps_the_volumes(dvh: Dvh, ratio: float, count: int) -> None:
    eqd2 = dvh.in_eqd2(count, ratio)
    assert np.array_equal(eqd2.share, dvh.share)
    assert np.all(np.diff(eqd2.curve_dose_gy) >= 0)


@given(distributions)
def test_condensing_keeps_mean_and_curve(dvh: Dvh) -> None:
    fewer = dvh.condensed(5)
    assert fewer.mean_gy == pytest.approx(dvh.mean_gy)
    assert fewer.share.sum() == pytest.approx(1.0)
    assert fewer.dose_at_share(0.4) == dvh.dose_at_share(0.4)
    assert len(fewer.dose_gy) <= max(5, 1)


@given(distributions)
def test_the_unit_of_volume_does_not_matter(dvh: Dvh) -> None:
    assert dvh.volume_cm3 is not None
    dose, share = dvh.curve_dose_gy[::2], dvh.curve_share[::2]
    if share[0] <= 0 or np.any(np.diff(dose) <= 0):
        return
    percent = from_cumulative(dose, 100.0 * share, volume_cm3=dvh.volume_cm3)
    absolute = from_cumulative(dose, dvh.volume_cm3 * share, volume_cm3=dvh.volume_cm3)
    assert percent.mean_gy == pytest.approx(absolute.mean_gy)
    half = dvh.volume_cm3 / 2.0
    assert percent.dose_at_volume_cm3(half) == pytest.approx(absolute.dose_at_volume_cm3(half))


def test_cumulative_and_differential_of_one_triangle_agree() -> None:
    cumulative = from_cumulative([0.0, 60.0], [1.0, 0.0])
    middle = (np.arange(6000) + 0.5) / 100.0
    differential = from_samples(middle, np.ones_like(middle))
    for exponent in (0.5, 1.0, 8.0):
        found = cumulative.generalized_eud_gy(exponent)
        assert found == pytest.approx(differential.generalized_eud_gy(exponent), rel=1e-3)
    assert cumulative.generalized_eud_gy(8.0) == pytest.approx((60.0**8 / 9.0) ** 0.125, rel=1e-4)


def test_what_is_left_at_the_last_dose_gets_that_dose() -> None:
    uniform = from_cumulative([0.0, 50.0], [10.0, 10.0])
    assert uniform.minimum_gy == uniform.maximum_gy == uniform.mean_gy == 50.0


def test_a_cold_voxel_is_floored_under_a_negative_exponent() -> None:
    assert 0.0 < from_samples([0.0, 60.0], [1.0, 99.0]).generalized_eud_gy(-10.0) < 0.01
    assert from_samples([0.0], [1.0]).generalized_eud_gy(3.0) == 0.0


@pytest.mark.parametrize(
    ("dose", "volume"),
    [([1.0, 0.5], [1.0, 0.0]), ([0.0, 1.0], [1.0, 2.0]), ([0.0], [0.0]), ([0.0, 1.0], [1.0]), ([-1.0], [1.0])],
)
def test_bad_curves_are_refused(dose: list[float], volume: list[float]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_cumulative(dose, volume)


def test_absolute_volumes_need_the_volume() -> None:
    with pytest.raises(ValueError, match="not known"):
        from_samples([1.0], [1.0]).dose_at_volume_cm3(0.1)
    with pytest.raises(ValueError, match="smaller"):
        from_samples([1.0], [1.0], volume_cm3=0.05).dose_at_volume_cm3(0.1)
