"""Approved regimens."""

import re

import pytest

from simulation.immunotherapy.regimens import INFUSION_MINUTES, REGIMENS, Regimen, WeightNeeded

EVERY = pytest.mark.parametrize("regimen", REGIMENS.values(), ids=list(REGIMENS))


@EVERY
def test_a_regimen_is_complete(regimen: Regimen) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,95}", regimen.name)
    assert regimen.source
    assert regimen.indication
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", regimen.recorded)
    assert set(regimen.agents) <= set(INFUSION_MINUTES)
    for part in regimen.parts:
        assert (part.dose_mg is None) != (part.dose_mg_per_kg is None)
        assert part.interval_days is not None or part.dose_count == 1


@EVERY
def test_a_regimen_expands_in_order_and_within_its_duration(regimen: Regimen) -> None:
    events = regimen.expand(weight_kg=70.0)
    times = [event.time_days for event in events]
    assert times == sorted(times)
    assert times[0] == 0.0
    assert times[-1] <= regimen.duration_days
    few = regimen.expand(weight_kg=70.0, visits=3, start_day=10.0)
    assert sorted({event.time_days - 10.0 for event in few}) == sorted({event.time_days for event in events})[:3]
    assert regimen.needs_weight == any(part.dose_mg_per_kg is not None for part in regimen.parts)


def test_weight_based_doses_and_caps() -> None:
    child = REGIMENS["pembrolizumab-pediatric-2mgkg-q3w"]
    assert child.expand(visits=1, weight_kg=30.0)[0].amount_mg == 60.0
    assert child.expand(visits=1, weight_kg=150.0)[0].amount_mg == 200.0
    with pytest.raises(WeightNeeded):
        child.expand(visits=1)


def test_published_sequences() -> None:
    both = REGIMENS["nivolumab-1-ipilimumab-3-then-480-q4w"].expand(weight_kg=80.0, visits=6)
    assert [event.amount_mg for event in both if event.agent == "ipilimumab"] == [240.0] * 4
    assert [event.amount_mg for event in both if event.agent == "nivolumab"] == [80.0] * 4 + [480.0] * 2
    alone = REGIMENS["dostarlimab-500-q3w-1000-q6w"].expand(visits=6)
    given = [(event.time_days, event.amount_mg) for event in alone]
    assert given[3:] == [(63.0, 500.0), (84.0, 1000.0), (126.0, 1000.0)]
    stride = REGIMENS["tremelimumab-300-durvalumab-1500-q4w"].expand(visits=2, infusion_minutes=30.0)
    assert {event.agent: event.infusion_days for event in stride}["durvalumab"] == pytest.approx(30.0 / 1440.0)
    assert sum(event.agent == "tremelimumab" for event in stride) == 1
