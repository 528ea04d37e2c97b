"""iRECIST: confirmation, windows, resets, new lesions."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.outcome import irecist, recist
from simulation.outcome.recist import NewLesion, Target, Visit


def visit(day: float, size: float, **more: Any) -> Visit:
    return Visit(day=day, targets=(Target(status="measured", diameter_mm=size),), **more)


def overall(*visits: Visit) -> list[str]:
    return [a.overall for a in irecist.assess(visits)]


def new(**sizes: float | None) -> tuple[NewLesion, ...]:
    return tuple(NewLesion(id=name, diameter_mm=size) for name, size in sizes.items())


def test_a_scan_before_four_weeks_less_two_days_does_not_confirm() -> None:
    for wait, expected in ((25.0, "iUPD"), (26.0, "iCPD"), (56.0, "iCPD"), (90.0, "iCPD")):
        judged = irecist.assess([visit(0, 80), visit(42, 100), visit(42 + wait, 110)])
        assert judged[1].overall == expected, wait
    assert judged[1].rule == "target-sum-5-mm-above-unconfirmed-progression-after-the-window"
    assert irecist.assess([visit(0, 80), visit(42, 100), visit(60, 110)])[1].rule == "too-early-to-confirm"


def test_the_window_of_the_confirming_scan_is_told_while_open() -> None:
    judged = irecist.assess([visit(0, 80), visit(42, 100), visit(84, 100), visit(126, 50)])
    assert [a.confirmation_due for a in judged] == [(68.0, 98.0), (84.0, 140.0), None]
    assert [a.open_since for a in judged] == [42.0, 42.0, None]


def test_a_scan_on_the_first_day_that_was_told_confirms_and_one_before_does_not() -> None:
    start = [visit(0, 80), visit(42, 100)]
    due = irecist.assess(start)[-1].confirmation_due
    assert due is not None
    assert irecist.assess([*start, visit(due[0], 110)])[-1].overall == "iCPD"
    assert irecist.assess([*start, visit(due[0] - 0.5, 110)])[-1].rule == "too-early-to-confirm"


def test_another_unconfirmed_visit_moves_the_end_of_the_window() -> None:
    start = [visit(0, 80), visit(42, 100), visit(112, 100)]
    assert irecist.assess(start)[-1].confirmation_due == (112.0, 168.0)
    for day, late in ((168, False), (169, True)):
        judged = irecist.assess([*start, visit(day, 110)])[-1]
        assert judged.overall == "iCPD"
        assert judged.rule.endswith("-after-the-window") == late


def test_an_early_scan_for_symptoms_with_an_additional_new_lesion_confirms() -> None:
    start = [visit(0, 50), visit(42, 50, new_lesions=new(a=12))]
    more = visit(56, 50, new_lesions=new(a=12, b=11), prompted_by_symptoms=True)
    assert irecist.assess([*start, more])[1].overall == "iCPD"
    routine = visit(56, 50, new_lesions=new(a=12, b=11))
    assert irecist.assess([*start, routine])[1].overall == "iUPD"


@pytest.mark.parametrize(
    ("later", "expected", "rule"),
    [
        (new(a=16.9), "iUPD", "new-lesion-persists"),
        (new(a=17.0), "iCPD", "new-lesion-sum-5-mm-above-unconfirmed-progression"),
        (new(a=12.0, b=None), "iCPD", "more-new-lesions"),
        ((NewLesion(id="a", grown=True),), "iCPD", "new-non-target-lesion-grew"),
        ((), "iSD", "reset-target-sum-between-response-and-progression"),
    ],
)
def test_new_lesions(later: tuple[NewLesion, ...], expected: str, rule: str) -> None:
    judged = irecist.assess([visit(0, 50), visit(42, 50, new_lesions=new(a=12)), visit(84, 50, new_lesions=later)])
    assert (judged[1].overall, judged[1].rule) == (expected, rule)


@pytest.mark.parametrize(
    ("first", "later", "expected", "rule"),
    [
        (6.0, 9.0, "iCPD", "new-non-target-lesion-grew"),
        (6.0, 6.1, "iCPD", "new-non-target-lesion-grew"),
        (9.9, 12.0, "iCPD", "new-non-target-lesion-grew"),
        (6.0, 6.0, "iUPD", "new-lesion-persists"),
        (6.0, 5.0, "iUPD", "new-lesion-persists"),
        (10.0, 13.0, "iUPD", "new-lesion-persists"),
        (10.0, 15.0, "iCPD", "new-lesion-sum-5-mm-above-unconfirmed-progression"),
        (None, 30.0, "iCPD", "new-non-target-lesion-became-measurable"),
        (None, 9.9, "iUPD", "new-lesion-persists"),
        (6.0, None, "iUPD", "new-lesion-persists"),
    ],
)
def test_any_growth_of_a_new_lesion_that_was_not_measurable_confirms(
    first: float | None, later: float | None, expected: str, rule: str
) -> None:
    """Seymour 2017, table 2: 5 mm in sum for new targets, any increase for new non-target lesions."""
    start = [visit(0, 80), visit(42, 80, new_lesions=new(a=first))]
    judged = irecist.assess([*start, visit(84, 80, new_lesions=new(a=later))])
    assert (judged[1].overall, judged[1].rule) == (expected, rule)


def test_a_new_node_is_a_target_from_fifteen_millimeters() -> None:
    for first, expected in ((14.0, "iCPD"), (15.0, "iUPD")):
        scans = [
            visit(day, 80, new_lesions=(NewLesion(id="n", diameter_mm=size, node=True),))
            for day, size in ((42, first), (84, first + 1))
        ]
        assert overall(visit(0, 80), *scans) == ["iUPD", expected]


def test_growth_is_seen_from_the_first_size_on_and_on_the_next_scan_in_time() -> None:
    scans = [visit(42 * (i + 1), 80, new_lesions=new(a=size)) for i, size in enumerate((None, 6.0, 6.0, 7.0))]
    assert overall(visit(0, 80), *scans) == ["iUPD", "iUPD", "iUPD", "iCPD"]
    early = [visit(day, 80, new_lesions=new(a=size)) for day, size in ((42, None), (56, 12.0), (84, 12.0))]
    judged = irecist.assess([visit(0, 80), *early])
    assert [a.rule for a in judged][1:] == ["too-early-to-confirm", "new-non-target-lesion-became-measurable"]


def test_the_sum_of_new_targets_leaves_out_what_was_not_measurable_at_first() -> None:
    scans = [visit(42, 80, new_lesions=new(a=12, b=6)), visit(84, 80, new_lesions=new(a=9, b=20))]
    assert [a.new_lesion_sum_mm for a in irecist.assess([visit(0, 80), *scans])] == [12.0, 9.0]


def test_growth_of_a_new_lesion_adds_up_over_visits() -> None:
    assert overall(
        visit(0, 50),
        visit(42, 50, new_lesions=new(a=12)),
        visit(84, 50, new_lesions=new(a=16)),
        visit(126, 50, new_lesions=new(a=18)),
    ) == ["iUPD", "iUPD", "iCPD"]


def test_shrinking_targets_reset_although_the_new_lesion_stays() -> None:
    seen = new(a=12)
    assert overall(visit(0, 50), visit(42, 50, new_lesions=seen), visit(84, 30, new_lesions=seen)) == ["iUPD", "iPR"]
    assert overall(visit(0, 50), visit(42, 50, new_lesions=seen), visit(84, 0, new_lesions=seen)) == ["iUPD", "iPR"]
    before = [visit(0, 50), visit(42, 30), visit(84, 30, new_lesions=seen), visit(126, 30, new_lesions=seen)]
    assert overall(*before) == ["iPR", "iUPD", "iUPD"]


def test_after_a_reset_only_a_further_new_lesion_opens_again() -> None:
    seen = new(a=12)
    start = [visit(0, 50), visit(42, 50, new_lesions=seen), visit(84, 30, new_lesions=seen)]
    assert overall(*start, visit(126, 30, new_lesions=seen))[-1] == "iPR"
    assert overall(*start, visit(126, 30, new_lesions=new(a=12, b=None)))[-1] == "iUPD"


def test_progression_in_another_category_confirms() -> None:
    judged = irecist.assess([visit(0, 50), visit(42, 62), visit(84, 62, new_lesions=new(a=None))])
    assert (judged[1].overall, judged[1].rule) == ("iCPD", "progression-in-another-category-new-lesion")
    judged = irecist.assess([visit(0, 50), visit(42, 62), visit(84, 62, non_target="PD")])
    assert judged[1].rule == "progression-in-another-category-non-target"


def test_a_new_lesion_of_an_early_scan_confirms_at_the_next_one() -> None:
    seen = new(a=None)
    start = [visit(0, 50), visit(42, 62), visit(56, 62, new_lesions=seen)]
    assert overall(*start) == ["iUPD", "iUPD"]
    assert overall(*start, visit(84, 62, new_lesions=seen)) == ["iUPD", "iUPD", "iCPD"]
    prompted = visit(56, 62, new_lesions=seen, prompted_by_symptoms=True)
    assert overall(*start[:2], prompted) == ["iUPD", "iCPD"]


def test_non_target_progression_is_confirmed_by_any_further_increase() -> None:
    start = [visit(0, 50, non_target="NON_CR_NON_PD"), visit(42, 50, non_target="PD")]
    assert overall(*start, visit(84, 50, non_target="PD"))[-1] == "iUPD"
    assert overall(*start, visit(84, 50, non_target="PD", non_target_increase=True))[-1] == "iCPD"
    assert overall(*start, visit(84, 50, non_target="NON_CR_NON_PD"))[-1] == "iSD"


def test_without_targets() -> None:
    known = new(a=None)
    start = [Visit(day=0, non_target="NON_CR_NON_PD"), Visit(day=42, non_target="NON_CR_NON_PD", new_lesions=known)]
    same = Visit(day=84, non_target="NON_CR_NON_PD", new_lesions=known)
    assert overall(*start, same) == ["iUPD", "iUPD"]
    assert overall(*start, Visit(day=84, non_target="NON_CR_NON_PD")) == ["iUPD", "NON_iCR_NON_iUPD"]


def test_not_evaluable_leaves_the_progression_open() -> None:
    missing = Visit(day=84, targets=(Target(status="not_evaluable"),))
    assert overall(visit(0, 80), visit(42, 100), missing, visit(126, 105)) == ["iUPD", "NE", "iCPD"]


def test_progression_is_dated_at_the_unconfirmed_one() -> None:
    confirmed = irecist.assess([visit(0, 80), visit(42, 100), visit(84, 106), visit(126, 60)])
    assert [a.overall for a in confirmed] == ["iUPD", "iCPD", "iCPD"]
    found = irecist.progression(confirmed, start_day=0.0)
    assert (found.time_days, found.event, found.rule) == (42.0, True, "confirmed-progression")
    never_imaged = irecist.assess([visit(0, 80), visit(42, 100)])
    assert irecist.progression(never_imaged, start_day=0.0).rule == "unconfirmed-progression-never-reset"


def test_a_reset_progression_is_no_event() -> None:
    reset = irecist.assess([visit(0, 120), visit(42, 150), visit(84, 80)])
    found = irecist.progression(reset, start_day=0.0)
    assert (found.time_days, found.event) == (84.0, False)
    dead = irecist.progression(reset, start_day=0.0, death_day=100.0)
    assert (dead.time_days, dead.cause) == (100.0, "death")
    assert irecist.best_response(reset, start_day=0.0) == ("iPR", 84.0)


def test_nothing_seen_is_not_evaluable() -> None:
    assert irecist.best_response((), start_day=0.0) == ("NE", None)
    assert irecist.progression((), start_day=0.0).time_days == 0.0


@given(st.lists(st.floats(1.0, 150.0), min_size=2, max_size=9))
def test_it_differs_from_recist_only_from_the_first_progression_on(sizes: list[float]) -> None:
    visits = [visit(42.0 * i, size) for i, size in enumerate(sizes)]
    plain, immune = recist.assess(visits), irecist.assess(visits)
    for a, b in zip(plain, immune, strict=True):
        if a.overall == "PD":
            assert b.overall == "iUPD"
            break
        assert b.overall == f"i{a.overall}"
    confirmed = [i for i, a in enumerate(immune) if a.overall == "iCPD"]
    if confirmed:
        assert immune[confirmed[0] - 1].overall == "iUPD"
        assert all(a.overall == "iCPD" for a in immune[confirmed[0] :])
