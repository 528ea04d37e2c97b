"""Doses and the order of what happens at one moment."""

import numpy as np
import pytest

from simulation.immunotherapy.disposition import Disposition, simulate
from simulation.immunotherapy.timeline import Doses, compile_stream

ONE = Disposition.of(cl_l_per_day=0.2, vc_l=4.0, q_l_per_day=0.6, vp_l=3.0)


def test_an_output_at_a_dose_is_the_one_before_it() -> None:
    run = simulate(ONE, Doses.of([1.0], 400.0), [0.0, 1.0, 1.0 + 1e-9])
    assert run.concentration_mg_per_l[:2, 0].tolist() == [0.0, 0.0]
    assert run.concentration_mg_per_l[2, 0] == pytest.approx(100.0)


def test_a_reset_empties_and_stops_running_infusions() -> None:
    doses = Doses.of([0.0, 0.5], 400.0, [1.0, 0.0], reset_days=[0.5])
    run = simulate(ONE, doses, [0.5, 0.5 + 1e-9, 2.0])
    alone = simulate(ONE, Doses.of([0.5], 400.0), [0.5, 0.5 + 1e-9, 2.0])
    assert run.concentration_mg_per_l[0, 0] > 0
    assert run.concentration_mg_per_l[1:, 0] == pytest.approx(alone.concentration_mg_per_l[1:, 0])


def test_a_steady_state_dose_replaces_what_was_there() -> None:
    doses = Doses.of([0.0, 10.0], 400.0, [0.0, 0.5], steady_state_interval_days=[0.0, 21.0])
    run = simulate(ONE, doses, [10.0, 31.0])
    only = simulate(ONE, Doses.of([10.0], 400.0, 0.5, steady_state_interval_days=21.0), [10.0, 31.0])
    assert run.concentration_mg_per_l == pytest.approx(only.concentration_mg_per_l)


def test_overlapping_infusions_end_one_by_one() -> None:
    both = simulate(ONE, Doses.of([0.0, 0.5], [100.0, 300.0], [1.0, 1.0]), [0.75, 1.25, 5.0])
    parts = [simulate(ONE, Doses.of([t], mg, 1.0), [0.75, 1.25, 5.0]) for t, mg in ((0.0, 100.0), (0.5, 300.0))]
    total = parts[0].concentration_mg_per_l + parts[1].concentration_mg_per_l
    assert both.concentration_mg_per_l == pytest.approx(total)


def test_no_dose_no_concentration() -> None:
    run = simulate(ONE, Doses.of([], []), [0.0, 10.0])
    assert not run.concentration_mg_per_l.any()
    late = simulate(ONE, Doses.of([50.0], 100.0), [0.0, 10.0])
    assert not late.concentration_mg_per_l.any()


def test_steps_are_no_longer_than_asked() -> None:
    _, _, lengths, ages = compile_stream(Doses.of([3.0], 100.0), np.array([0.0, 24.0]), 2.0)
    assert lengths.max() <= 2.0
    assert lengths.sum() == pytest.approx(21.0)
    assert ages.min() >= 0.0


@pytest.mark.parametrize(
    ("time", "amount", "infusion", "message"),
    [
        ([2.0, 1.0], 1.0, 0.0, "decrease"),
        ([0.0], -1.0, 0.0, "amount_mg"),
        ([0.0], 1.0, np.nan, "infusion_days"),
        ([0.0, 1.0], [1.0, 2.0, 3.0], 0.0, "shape|broadcast|row"),
    ],
)
def test_impossible_doses_are_refused(time: list[float], amount: float, infusion: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Doses.of(time, amount, infusion)


def test_an_infusion_longer_than_its_interval_has_no_steady_state() -> None:
    with pytest.raises(ValueError, match="interval"):
        Doses.of([0.0], 1.0, 3.0, steady_state_interval_days=2.0)


def test_decreasing_outputs_are_refused() -> None:
    with pytest.raises(ValueError, match="output_days"):
        compile_stream(Doses.of([0.0], 1.0), np.array([2.0, 1.0]), 1.0)
