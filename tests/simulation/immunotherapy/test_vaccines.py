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
