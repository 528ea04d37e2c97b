"""Tables of adverse events."""

from simulation.immunotherapy.adverse_events import FATAL, GRADES, INCIDENCE, MANAGEMENT, SOURCES, signed_off


def test_every_row_has_a_source_and_a_share() -> None:
    for row in INCIDENCE:
        assert row.source in SOURCES
        assert row.classes or row.agents
        assert 0.0 < row.probability < 1.0
        assert row.bounds is None or row.bounds[0] <= row.probability <= row.bounds[1]
    for fatal in FATAL:
        assert 0.0 < fatal.percent < 2.0
        assert all(0.0 < percent <= 100.0 for percent in fatal.causes.values())


def test_grades_and_management_await_sign_off() -> None:
    assert GRADES
    assert MANAGEMENT
    assert signed_off(GRADES) == ()
    assert signed_off(MANAGEMENT) == ()
    assert all(row.source in SOURCES for row in (*GRADES, *MANAGEMENT))
    assert {step.grade for step in MANAGEMENT if step.event == "any"} == {1, 2, 3, 4}
