"""The whole-cell vaccine model and hazard ratios."""

import numpy as np
import pytest

from simulation.immunotherapy.vaccines import PRODUCTS, STATES, simulate, under_hazard_ratio


def test_published_states_are_reproduced() -> None:
    initial = dict.fromkeys(STATES, 1.0) | {"vaccine_cells": 1e6}
    week, fortnight = simulate([], [], [7.0, 14.0], initial=initial)
    assert week == pytest.approx([41.9094, 19407.8, 2175.02, 9029.88, 16107.1, 1004.43, 0.115572], rel=2e-5)
    assert fortnight[4] == pytest.approx(5918.21, rel=2e-5)
    assert fortnight[6] == pytest.approx(0.0151626, rel=2e-5)


def test_a_dose_adds_vaccine_after_its_output() -> None:
    at = simulate([0.0, 7.0], 1e6, [0.0, 7.0, 7.001], initial={})
    assert at[0, 0] == 0.0
    assert at[1, 0] == pytest.approx(1e6 * np.exp(-0.06 * 168.0), rel=1e-5)
    assert at[2, 0] > 9e5


def test_without_vaccine_only_the_tumor_grows() -> None:
    states = simulate([], [], [0.0, 100.0], initial={"tumor_cells": 1e6})
    assert states[1, :6] == pytest.approx(np.zeros(6))
    assert states[1, 6] == pytest.approx(1e6 * np.exp(1e-5 * 2400.0), rel=1e-6)
    faster = simulate([], [], [100.0], initial={"tumor_cells": 1e6}, tumor_growth_per_hour=1e-4)
    assert faster[0, 6] > states[1, 6]
    spared = simulate([0.0], 1e6, [50.0], initial={"tumor_cells": 1e6}, killing_per_cell_hour=0.0)
    assert spared[0, 6] > 1e6


def test_hazard_ratio_on_a_curve() -> None:
    assert under_hazard_ratio([1.0, 0.62, 0.0], 0.561) == pytest.approx([1.0, 0.7648, 0.0], abs=1e-4)
    assert under_hazard_ratio(0.5, 1.0) == 0.5


def test_every_product_has_a_source_and_a_dose() -> None:
    assert {product.effect for product in PRODUCTS.values()} == {"dynamics", "hazard_ratio", "none"}
    for product in PRODUCTS.values():
        assert product.source
        assert product.dose
        assert list(product.schedule_days) == sorted(product.schedule_days)


@pytest.mark.parametrize("twice", [[1e-300, 14.0], [0.0, 14.0, 14.000000000000002], [5e-324, 14.0]])
def test_times_that_differ_by_rounding_are_one_instant(twice: list[float]) -> None:
    outputs = [0.0, 7.0, 14.0, 14.000000000000002, 28.0]
    found = simulate(twice, 1e6, outputs, initial={"tumor_cells": 1e6})
    rounded = [round(day, 6) for day in twice]
    assert found == pytest.approx(simulate(rounded, 1e6, outputs, initial={"tumor_cells": 1e6}), rel=1e-5, abs=1e-5)
    assert np.array_equal(found[2], found[3])


def test_the_last_output_may_come_at_once() -> None:
    assert simulate([0.0], 1e6, [0.0, 5e-324], initial={"tumor_cells": 3.0})[:, 6] == pytest.approx([3.0, 3.0])


def test_the_work_is_bounded() -> None:
    many = np.arange(50) * 70.0
    with pytest.raises(RuntimeError, match="too many steps"):
        simulate(many, 1e12, [3650.0], initial={"tumor_cells": 1e13, "cytotoxic_t_cells": 1e13})
    with pytest.raises(RuntimeError, match="no bound"):
        simulate([], [], [3650.0], initial={"tumor_cells": 1e6}, tumor_growth_per_hour=0.1)
