"""The lesions that RECIST follows: the largest, few in an organ, and the same whatever the order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.outcome.targets import choose_targets, nodes, visible

SEVEN = {
    "a": (60.0, "lung"), "b": (50.0, "lung"), "c": (40.0, "liver"), "d": (30.0, "liver"), "e": (20.0, "bone"),
    "f": (15.0, "bone"), "g": (12.0, "brain"),
}  # fmt: skip


def chosen(lesions: dict[str, tuple[float, str]], forbidden: str = "") -> set[str]:
    sizes = [size for size, _ in lesions.values()]
    organs = [organ for _, organ in lesions.values()]
    allowed = [name not in forbidden for name in lesions]
    (flags,) = choose_targets([sizes], list(lesions), organs, allowed)
    return {name for name, flag in zip(lesions, flags, strict=True) if flag}


@given(st.permutations(sorted(SEVEN)))
def test_the_five_largest_whatever_the_order(order: list[str]) -> None:
    assert chosen({name: SEVEN[name] for name in order}) == {"a", "b", "c", "d", "e"}


def test_two_in_one_organ_and_lymph_nodes_are_one_organ() -> None:
    lungs = {name: (50.0 - i, "lung") for i, name in enumerate("abcd")}
    assert chosen(lungs | {"e": (11.0, "liver")}) == {"a", "b", "e"}
    assert chosen({"a": (30.0, "lymph_node"), "b": (20.0, "lymph_node_neck"), "c": (18.0, "lymph_nodes")}) == {"a", "b"}


def test_equal_lesions_are_taken_by_id() -> None:
    assert chosen({name: (30.0 + noise, "lung") for name, noise in (("z", 0.0), ("y", 0.0), ("x", -1e-12))}) == {
        "x", "y",
    }  # fmt: skip


def test_lesions_that_may_not_be_targets_leave_their_place_to_others() -> None:
    assert chosen(SEVEN, forbidden="ae") == {"b", "c", "d", "f", "g"}


@pytest.mark.parametrize(
    ("size", "organ", "expected"),
    [(1.99, "lung", False), (2.0, "lung", True), (9.99, "lymph_node", False), (10.0, "lymph_node", True)],
)
def test_what_a_scan_does_not_show_is_no_target(size: float, organ: str, expected: bool) -> None:
    assert bool(visible([size], nodes([organ]))[0]) is expected
    assert chosen({"a": (size, organ)}) == ({"a"} if expected else set())


def test_every_patient_has_their_own_targets() -> None:
    flags = choose_targets([[30.0, 20.0, 10.0], [10.0, 20.0, 30.0]], "abc", ["lung"] * 3, [True] * 3)
    assert flags.tolist() == [[True, True, False], [False, True, True]]
    assert np.array_equal(flags.sum(axis=1), [2, 2])
