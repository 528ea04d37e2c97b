"""RECIST 1.1, one rule a test."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.outcome import recist
from simulation.outcome.recist import NewLesion, Target, Visit


def sums(*sizes: float, gap_days: float = 42.0, node: bool = False, **last: object) -> list[Visit]:
    """Visits of one lesion with these diameters."""
    return [
        Visit(
            day=i * gap_days,
            targets=(Target(status="measured", diameter_mm=size, node=node),),
            **(last if i == len(sizes) - 1 else {}),  # type: ignore[arg-type]
        )
        for i, size in enumerate(sizes)
    ]


def overall(visits: list[Visit]) -> list[str]:
    return [a.overall for a in recist.assess(visits)]


def test_nadir_includes_baseline_and_every_evaluable_visit() -> None:
    judged = recist.assess(sums(50, 60, 30, 36))
    assert [a.nadir_mm for a in judged] == [50, 50, 30]
    assert [a.overall for a in judged] == ["PD", "PR", "PD"]
    assert judged[2].change_from_nadir == pytest.approx(0.2)
    assert judged[2].change_from_baseline == pytest.approx(-0.28)


def test_tenths_of_a_millimeter_do_not_decide_by_rounding() -> None:
    assert overall(sums(25.1, 30.12)) == ["PD"]
    assert overall(sums(30.3, 21.21)) == ["PR"]
    assert overall(sums(24.9, 29.8)) == ["SD"]


@pytest.mark.parametrize(("size", "expected"), [(9.9, "CR"), (10.0, "PR"), (15.0, "SD")])
def test_a_node_is_normal_below_ten_millimeters_although_the_sum_is_not_zero(size: float, expected: str) -> None:
    assert overall(sums(18, size, node=True)) == [expected]


def test_too_small_counts_five_millimeters_and_is_not_gone() -> None:
    visits = [*sums(20)[:1], Visit(day=42, targets=(Target(status="too_small"),))]
    judged = recist.assess(visits)
    assert (judged[0].target_sum_mm, judged[0].overall) == (5.0, "PR")


def test_a_missing_target_is_not_evaluable_unless_the_rest_already_progressed() -> None:
    baseline = Visit(day=0, targets=(Target(status="measured", diameter_mm=30), Target(status="absent")))
    for size, expected, rule in (
        (35, "NE", "target-not-evaluable"),
        (36, "PD", "evaluable-targets-alone-20-percent-and-5-mm-above-nadir"),
    ):
        later = Visit(day=42, targets=(Target(status="measured", diameter_mm=size), Target(status="not_evaluable")))
        judged = recist.assess([baseline, later])
        assert (judged[0].overall, judged[0].rule, judged[0].target_sum_mm) == (expected, rule, None)


def test_not_evaluable_visits_leave_the_nadir_alone() -> None:
    visits = [
        *sums(40, 40),
        Visit(day=90, targets=(Target(status="not_evaluable"),)),
        Visit(day=130, targets=(Target(status="measured", diameter_mm=47),)),
    ]
    assert overall(visits) == ["SD", "NE", "SD"]


@pytest.mark.parametrize(
    ("size", "non_target", "new", "expected"),
    [
        (0, "CR", (), "CR"),
        (0, "none", (), "CR"),
        (0, "NON_CR_NON_PD", (), "PR"),
        (0, "NE", (), "PR"),
        (28, "NON_CR_NON_PD", (), "PR"),
        (28, "NE", (), "PR"),
        (40, "NE", (), "SD"),
        (40, "PD", (), "PD"),
        (0, "CR", (NewLesion(id="n"),), "PD"),
        (28, "CR", (NewLesion(id="n"),), "PD"),
    ],
)
def test_overall_response_table(size: float, non_target: str, new: tuple[NewLesion, ...], expected: str) -> None:
    assert overall(sums(40, size, non_target=non_target, new_lesions=new)) == [expected]


@pytest.mark.parametrize(
    ("non_target", "expected"),
    [("CR", "CR"), ("NON_CR_NON_PD", "NON_CR_NON_PD"), ("NE", "NE"), ("none", "NE"), ("PD", "PD")],
)
def test_patients_without_targets(non_target: str, expected: str) -> None:
    visits = [Visit(day=0, non_target="NON_CR_NON_PD"), Visit(day=42, non_target=non_target)]  # type: ignore[arg-type]
    assert overall(visits) == [expected]


def test_reappearance_after_complete_response_is_progression() -> None:
    judged = recist.assess(sums(40, 0, 3))
    assert (judged[1].overall, judged[1].rule) == ("PD", "reappearance-after-complete-response")
    assert overall(sums(18, 8, 9.5, node=True)) == ["CR", "CR"]
    node = recist.assess(sums(18, 8, 10, node=True))
    assert [a.overall for a in node] == ["CR", "PD"]
    assert node[1].rule == "node-reappearance-after-complete-response"


@pytest.mark.parametrize(
    ("lesion_mm", "node_mm", "expected", "rule"),
    [
        (0.0, 9.9, "CR", "targets-gone-and-nodes-normal"),
        (0.0, 10.0, "PD", "node-reappearance-after-complete-response"),
        (3.0, 9.9, "PD", "reappearance-after-complete-response"),
        (3.0, 10.0, "PD", "reappearance-after-complete-response"),
    ],
)
def test_a_node_counts_as_reappeared_from_ten_millimeters(
    lesion_mm: float, node_mm: float, expected: str, rule: str
) -> None:
    """The working group's answers on an abnormal lymph node and on reappearance after complete response."""
    sizes = [(20.0, 18.0), (0.0, 9.9), (lesion_mm, node_mm)]
    visits = [
        Visit(
            day=42.0 * i,
            targets=(
                Target(status="measured", diameter_mm=lesion),
                Target(status="measured", diameter_mm=node, node=True),
            ),
        )
        for i, (lesion, node) in enumerate(sizes)
    ]
    judged = recist.assess(visits)
    assert (judged[1].overall, judged[1].rule) == (expected, rule)


def test_a_node_that_grows_after_partial_response_is_judged_by_the_sum() -> None:
    held = [Visit(day=v.day, targets=v.targets, non_target="NON_CR_NON_PD") for v in sums(18, 9.9, 10.0, node=True)]
    assert overall(held) == ["PR", "PR"]


def test_non_target_disease_that_is_seen_again_is_named() -> None:
    again = sums(40, 0, 0, non_target="NON_CR_NON_PD")
    judged = recist.assess([again[0], Visit(day=42, targets=again[1].targets, non_target="CR"), again[2]])
    assert [a.rule for a in judged] == [
        "targets-gone-and-nodes-normal",
        "targets-gone-non-target-back-after-complete-response",
    ]
    assert judged[1].overall == "PR"
    alone = [Visit(day=42.0 * i, non_target=s) for i, s in enumerate(("NON_CR_NON_PD", "CR", "NON_CR_NON_PD"))]  # type: ignore[arg-type]
    assert [a.rule for a in recist.assess(alone)] == ["non-target-gone", "non-target-back-after-complete-response"]


def test_reappearance_after_partial_response_only_adds_to_the_sum() -> None:
    visits = sums(40, 0, 3)
    held = [Visit(day=v.day, targets=v.targets, non_target="NON_CR_NON_PD") for v in visits]
    assert overall(held) == ["PR", "PR"]


def best(*sizes: float, gap_days: float = 42.0, required: bool = True) -> tuple[str, float | None]:
    found = recist.best_response(
        recist.assess(sums(*sizes, gap_days=gap_days)), start_day=0.0, confirmation_required=required
    )
    return found.category, found.day


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((100, 60, 50), ("PR", 42.0)),
        ((100, 60, 71, 55), ("PR", 42.0)),
        ((100, 60, 80), ("SD", 42.0)),
        ((100, 0, 0), ("CR", 42.0)),
        ((100, 60, 0), ("PR", 42.0)),
        ((100, 130, 40), ("PD", 42.0)),
        ((100, 100, 130), ("SD", 42.0)),
    ],
)
def test_best_response_with_confirmation(sizes: tuple[float, ...], expected: tuple[str, float]) -> None:
    assert best(*sizes) == expected


def test_confirmation_needs_four_weeks() -> None:
    assert best(100, 60, 60, gap_days=27.0)[0] == "SD"
    assert best(100, 60, 60, gap_days=28.0)[0] == "PR"
    assert best(100, 60, gap_days=27.0, required=False) == ("PR", 27.0)


def test_stable_disease_needs_its_minimum_duration() -> None:
    assert best(100, 100, gap_days=41.0) == ("NE", None)
    assert best(100, 100, gap_days=42.0) == ("SD", 42.0)
    assert best(100, 100, 130, gap_days=21.0) == ("PD", 42.0)


def test_progression_free_survival() -> None:
    judged = recist.assess(sums(100, 90, 130))
    event = recist.progression(judged, start_day=0.0)
    assert (event.time_days, event.event, event.cause) == (84.0, True, "progression")
    assert event.rule == "target-sum-20-percent-and-5-mm-above-nadir"
    dead = recist.progression(judged[:1], start_day=0.0, death_day=60.0)
    assert (dead.time_days, dead.cause) == (60.0, "death")
    open_end = recist.progression(judged[:1], start_day=0.0)
    assert (open_end.time_days, open_end.event, open_end.cause) == (42.0, False, "censored")
    assert recist.progression((), start_day=0.0).time_days == 0.0


@pytest.mark.parametrize(
    ("visits", "message"),
    [
        ([], "baseline"),
        (sums(10, 10, gap_days=0.0), "increase"),
        ([*sums(10), Visit(day=42)], "targets of the baseline"),
        ([Visit(day=0, targets=(Target(status="not_evaluable"),))], "size at baseline"),
    ],
)
def test_visits_that_cannot_be_assessed(visits: list[Visit], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        recist.assess(visits)


sizes = st.lists(st.floats(0.0, 200.0), min_size=1, max_size=4)


@given(st.lists(st.floats(1.0, 200.0), min_size=2, max_size=8), st.floats(0.5, 3.0))
def test_scaling_up_never_undoes_a_relative_progression(diameters: list[float], factor: float) -> None:
    before = recist.assess(sums(*diameters))
    after = recist.assess(sums(*(max(1.0, factor) * size for size in diameters)))
    first = next((i for i, a in enumerate(before) if a.overall == "PD"), None)
    if first is not None:
        assert any(a.overall == "PD" for a in after[: first + 1])


@given(st.permutations(range(3)), st.lists(st.tuples(sizes, sizes), min_size=2, max_size=5))
def test_order_of_lesions_does_not_matter(order: list[int], rows: list[tuple[list[float], list[float]]]) -> None:
    def visits(permuted: bool) -> list[Visit]:
        made = []
        for i, (left, right) in enumerate(rows):
            values = [left[0], right[0], left[-1]]
            chosen = [values[k] for k in order] if permuted else values
            made.append(Visit(day=30.0 * i, targets=tuple(Target(status="measured", diameter_mm=v) for v in chosen)))
        return made

    plain, shuffled = recist.assess(visits(False)), recist.assess(visits(True))
    assert [a.overall for a in plain] == [a.overall for a in shuffled]


def test_a_measured_target_without_a_size_is_no_number() -> None:
    assert math.isnan(Target(status="measured").size_mm)
