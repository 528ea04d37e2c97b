"""Every model card: its numbers with their sources, or in words why there are none."""

import html
import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

from service import cards
from simulation.cards._notes import completed
from simulation.model import ModelCard, Published
from simulation.radiation import clinical, complications
from simulation.radiation.constraints import CONSTRAINTS
from simulation.radiation.edic import edric_gy
from simulation.registry import CARDS, PREDICTORS

EVERY = pytest.mark.parametrize("card", CARDS.values(), ids=list(CARDS))
DATA = Path(__file__).parents[2] / "simulation/data"
LISTS = ("coefficients", "performance", "calibration")


@EVERY
def test_numbers_or_in_words_why_there_are_none(card: ModelCard) -> None:
    for name in LISTS:
        note = getattr(card, f"{name}_note")
        if getattr(card, name):
            assert note is None, name
        else:
            assert note is not None, name
            assert len(note.split()) > 4, name
            assert note.endswith("."), name


@EVERY
def test_coefficients_have_a_unit_and_a_source(card: ModelCard) -> None:
    for row in card.coefficients:
        assert row.name
        assert row.unit, row.name
        assert row.source, row.name
        assert np.isfinite(row.value), row.name
        if row.level is not None:
            assert row.lower is not None, row.name
            assert row.upper is not None, row.name
            assert row.lower <= row.value <= row.upper, row.name


@EVERY
def test_the_notes_are_on_the_wire_and_on_the_page(card: ModelCard) -> None:
    read, page = cards.read_card(card.id), cards.page(card.id)
    for name in LISTS:
        note = getattr(read, f"{name}_note")
        assert note == getattr(card, f"{name}_note")
        assert note is None or f"<p>{html.escape(note)}</p>" in page


def test_a_look_up_of_trials_lists_every_figure_that_it_answers() -> None:
    look_ups = [
        name for name, model in PREDICTORS.items() if model.card.equations[0].startswith("Look-up of the trial's")
    ]
    assert len(look_ups) > 15
    for name in look_ups:
        card = CARDS[name]
        listed = {(row.value, row.unit) for row in card.coefficients}
        for known in [card.example, *(known.inputs for known in card.known_values)]:
            answers = PREDICTORS[name].predict(known)
            assert all(isinstance(answer, Published) for answer in answers)
            assert {(answer.value, answer.unit) for answer in answers} <= listed, name


def test_multi_lesion_shows_the_posterior() -> None:
    posterior = json.loads((DATA / "multi_lesion_posterior.json").read_text())
    rows = {row.name.partition(":")[0]: row for row in CARDS["multi-lesion"].coefficients}
    for name, draws in zip(posterior["parameters"], np.array(posterior["sets"]).T, strict=True):
        assert rows[name].value == pytest.approx(np.median(draws))
        assert rows[name].level == 0.9
        assert rows[name].evidence == "calibrated"
    fixed = tomllib.loads((DATA / "multi_lesion.toml").read_text())["parameters"]
    assert set(fixed) <= set(rows)


def test_the_constraints_card_has_every_limit() -> None:
    assert [row.value for row in CARDS["dose-constraints"].coefficients] == [one.limit for one in CONSTRAINTS]


def test_complication_cards_show_the_intervals_that_the_answers_carry() -> None:
    for model in complications.MODELS:
        rows = {row.name: row for row in CARDS[model.id].coefficients}
        shown = {name: (row.lower, row.upper, row.level) for name, row in rows.items() if row.level is not None}
        assert shown == {name: (one.lower, one.upper, one.level) for name, one in model.intervals.items()}
    for named in clinical.MODELS:
        count = len(named.curve_intervals) + len(named.odds_ratio_intervals)
        count += named.coefficient_interval is not None
        assert sum(row.level is not None for row in CARDS[named.id].coefficients) == count


@pytest.mark.parametrize(
    ("card", "name", "lower", "upper"),
    [
        ("michalski-rectal-bleeding", "td50_gy", 73.7, 80.1),
        ("michalski-rectal-bleeding", "m", 0.10, 0.17),
        ("michalski-rectal-bleeding", "n", 0.04, 0.14),
        ("quantec-pneumonitis", "d50_gy", 28.7, 33.9),
        ("quantec-pneumonitis", "gamma50", 0.83, 1.12),
        ("darby-coronary-events", "heart.mean", 0.029, 0.145),
    ],
)
def test_published_intervals_stand_on_the_card(card: str, name: str, lower: float, upper: float) -> None:
    row = next(row for row in cards.read_card(card).coefficients if row.name == name)
    assert row.interval is not None
    assert (row.interval.lower, row.interval.upper, row.interval.level) == (lower, upper, 0.95)


def test_the_weights_of_the_immune_dose_are_those_that_compute() -> None:
    listed = {row.name: row.value for row in CARDS["edic"].coefficients}
    doses = {"mean_lung_dose_gy": 0.0, "mean_heart_dose_gy": 0.0, "mean_body_dose_gy": 0.0}
    for organ in ("lung", "heart"):
        alone = edric_gy(**(doses | {f"mean_{organ}_dose_gy": 10.0}), fraction_count=30)
        assert alone == pytest.approx(10.0 * listed[organ])
    constant = listed["body, whatever the number of fractions"]
    reference = int(listed["reference number of fractions"])
    rest = listed["body, times saturation"] * listed["saturation at the reference number of fractions"]
    assert edric_gy(**(doses | {"mean_body_dose_gy": 1.0}), fraction_count=reference) == pytest.approx(constant + rest)


def test_a_note_of_its_own_is_kept() -> None:
    card = CARDS["therapeutic-window"]
    assert card.calibration_note == "See the control and complication models that it combines."
    assert completed(card) == card
