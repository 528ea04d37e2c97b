"""The state at a horizon with patients censored before it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from simulation.outcome import performance
from simulation.outcome.horizon import share_with_event, status_at
from simulation.outcome.summaries import proportion_interval
from simulation.outcome.survival import kaplan_meier

follow_up = st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=2, max_size=40)
HORIZON = 8.0


def test_early_events_do_not_outweigh_those_censored() -> None:
    """20 deaths on day 500, 20 censored on day 800, 20 followed beyond the horizon: 1 - 40/60, and not 20/40."""
    day = np.repeat([500.0, 800.0, 2000.0], 20)
    died = np.repeat([True, False, False], 20)
    status = status_at(day, died, 1826.0)
    assert np.unique(status.weight[:20]) == 1.0
    assert np.unique(status.weight[20:40]) == 0.0
    assert np.unique(status.weight[40:]) == pytest.approx(2.0)
    share, interval = share_with_event(day, died, 1826.0)
    assert share == pytest.approx(1 / 3)
    same = proportion_interval(20, 60)  # the estimate has the variance of 60 patients: all die before any is censored
    assert (interval.lower, interval.upper) == pytest.approx((same.lower, same.upper))
    chance = np.full(60, 0.4)
    by_hand = (20 * 1.0 * 0.6**2 + 20 * 2.0 * 0.4**2) / 60
    assert performance.brier(status.event, chance, weight=status.weight)[0] == pytest.approx(by_hand)


@given(follow_up)
def test_weights_and_kaplan_meier_agree(rows: list[tuple[int, bool]]) -> None:
    day, event = np.array([d for d, _ in rows], float), np.array([e for _, e in rows])
    if day.max() < HORIZON:
        day[0] = HORIZON
    status = status_at(day, event, HORIZON)
    share, interval = share_with_event(day, event, HORIZON)
    assert share == pytest.approx(1.0 - kaplan_meier(day, event).at([HORIZON])[0])
    assert np.mean(status.weight * status.event) == pytest.approx(share)
    assert status.weight.mean() == pytest.approx(1.0)
    assert np.all(status.weight[~status.known] == 0.0)
    assert 0.0 <= interval.lower <= share <= interval.upper <= 1.0


@given(follow_up)
def test_without_censoring_it_is_the_proportion(rows: list[tuple[int, bool]]) -> None:
    day = np.array([d if e else d + HORIZON for d, e in rows], float)
    event = np.array([e for _, e in rows])
    status = status_at(day, event, HORIZON)
    hits = int(np.sum(event & (day <= HORIZON)))
    share, interval = share_with_event(day, event, HORIZON)
    peer = proportion_interval(hits, len(rows))
    assert status.known.all()
    assert np.all(status.weight == 1.0)
    assert (share, interval.lower, interval.upper) == pytest.approx((hits / len(rows), peer.lower, peer.upper))


def test_a_horizon_that_no_one_reached_is_refused() -> None:
    with pytest.raises(ValueError, match="followed to the horizon"):
        share_with_event([3.0, 5.0], [True, False], 8.0)
    assert share_with_event([3.0, 5.0], [True, True], 8.0)[0] == 1.0


def test_what_is_measured_on_censored_patients_is_what_full_follow_up_shows() -> None:
    rng = np.random.Generator(np.random.Philox(11))
    chance = special.expit(rng.normal(-0.3, 1.0, 40_000))
    day = -HORIZON * np.log(rng.random(chance.size)) / -np.log1p(-chance)
    left = rng.exponential(2.0 * HORIZON, chance.size)
    full = day <= HORIZON
    status = status_at(np.minimum(day, left), day <= left, HORIZON)
    assert 0.2 < np.mean(~status.known) < 0.4
    dropped = status.event[status.known].mean()
    assert dropped - full.mean() > 0.05
    assert share_with_event(np.minimum(day, left), day <= left, HORIZON)[0] == pytest.approx(full.mean(), abs=0.01)
    for measure in (performance.auc, performance.brier):
        found = measure(status.event, chance, weight=status.weight)[0]
        assert found == pytest.approx(measure(full, chance)[0], abs=0.01)
    weighted, plain = (
        performance.decision_curve(*args, [0.2, 0.5], weight=weight)
        for args, weight in (((status.event, chance), status.weight), ((full, chance), None))
    )
    assert weighted.model == pytest.approx(plain.model, abs=0.01)
