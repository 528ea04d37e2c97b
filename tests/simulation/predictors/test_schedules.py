"""A look-up of a trial says when the plan's radiotherapy is another one than the trial's."""

import pytest

from simulation.model import Value
from simulation.predictors._answers import published
from simulation.predictors._schedules import DOSE, FRACTIONS, with_schedule
from simulation.registry import PREDICTORS

ANSWERS = (published("response", 0.4, "probability"), published("survival", 9.0, "months", note="Median."))
GIVEN = ((4, 12.5, "4 x 12.5 Gy"), (15, 3.0, "15 x 3 Gy"), (None, 0.5, "0.5 Gy a cycle"))


@pytest.mark.parametrize(
    "planned",
    [
        {},
        {FRACTIONS: 4, DOSE: 12.5},
        {FRACTIONS: 15, DOSE: 3.0},
        {FRACTIONS: 9, DOSE: 0.5},
        {FRACTIONS: 15},
        {DOSE: 12.5},
    ],
)
def test_a_schedule_of_the_trial_leaves_the_answers_as_they_are(planned: dict[str, Value]) -> None:
    assert with_schedule(ANSWERS, planned, GIVEN, "A border.") is ANSWERS


@pytest.mark.parametrize(
    ("planned", "words"),
    [
        ({FRACTIONS: 3, DOSE: 8.0}, "planned 3 fractions of up to 8 Gy, given"),
        ({FRACTIONS: 15, DOSE: 12.5}, "planned 15 fractions of up to 12.5 Gy, given"),
        ({DOSE: 8.0}, "planned fractions of up to 8 Gy, given"),
    ],
)
def test_another_schedule_is_outside_the_trial_in_every_answer(planned: dict[str, Value], words: str) -> None:
    first, second = with_schedule(ANSWERS, planned, GIVEN, "A border.")
    for answer in (first, second):
        (reason,) = answer.outside
        assert words in reason
        assert reason.endswith("given 4 x 12.5 Gy or 15 x 3 Gy or 0.5 Gy a cycle.")
    assert [answer.note for answer in (first, second)] == ["A border.", "Median. A border."]
    assert [answer.value for answer in (first, second)] == [0.4, 9.0]


def test_what_was_outside_before_stays_so() -> None:
    already = tuple(answer._replace(outside=("Another dose.",)) for answer in ANSWERS)
    for answer in with_schedule(already, {FRACTIONS: 3, DOSE: 8.0}, GIVEN):
        assert answer.outside[0] == "Another dose."
        assert len(answer.outside) == 2


def test_the_mdacc_border_is_told_where_it_decides() -> None:
    model = PREDICTORS["radiotherapy-mdacc"]
    example = dict(model.card.example)
    assert all("ours" not in (answer.note or "") for answer in model.predict({**example, FRACTIONS: 4, DOSE: 12.5}))
    for answer in model.predict({**example, FRACTIONS: 3, DOSE: 8.0}):
        assert "planned 3 fractions of up to 8 Gy, given 4 x 12.5 Gy or 15 x 3 Gy" in str(answer.outside)
        assert "border of 6 Gy a fraction; it is ours, not the trial's" in str(answer.note)


@pytest.mark.parametrize("name", ["schoenfeld", "formenti", "i-sabr", "mcbride", "pembro-rt", "pembro-rt-mdacc"])
def test_every_trial_of_a_schedule_is_outside_when_the_plan_has_another(name: str) -> None:
    model = PREDICTORS[f"radiotherapy-{name}"]
    example = {key: value for key, value in model.card.example.items() if key not in (FRACTIONS, DOSE)}
    answers = model.predict({**example, FRACTIONS: 7, DOSE: 5.0})
    assert all("Another schedule than the trial's: planned 7 fractions" in answer.outside[0] for answer in answers)
