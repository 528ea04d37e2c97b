"""How the rows of the real plan are judged: by the programs as published, not by what they would converge to."""

import pytest

from benchmarks._dvh_rows import bounds, missed_by_all, read_rows, report

SCAR = next(row for row in read_rows() if row["id"] == "breast_boost_Scar")


def middle(row):
    """A value inside the range for every member."""
    programs = list(row["expected"].values())
    return {member: sum(bounds(member, [p[member] for p in programs], "Scar")) / 2 for member in programs[0]}


def test_a_row_is_met_when_every_member_is_inside():
    assert report("any", {"Scar": middle(SCAR)}, [SCAR]) == set()


@pytest.mark.parametrize("member", ["D50", "D95", "D98", "min", "max"])
def test_a_converged_value_explains_and_does_not_widen(member, capsys):
    (converged,) = SCAR["converged"].values()
    found = {"Scar": middle(SCAR) | {member: converged[member]}}
    assert report("any", found, [SCAR]) == {"breast_boost_Scar"}
    assert f"OUT (converged value of a program: {converged[member]:g})" in capsys.readouterr().out


def test_a_row_counts_as_met_when_one_model_meets_it_whole():
    assert missed_by_all({"one": {"a", "b"}, "other": {"b", "c"}}) == {"b"}
