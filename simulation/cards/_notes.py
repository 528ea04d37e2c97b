"""Why a card has no coefficients, no figure of merit or no calibration plot, where a whole family shares the reason."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from simulation.cards._tables import UNCHECKED
from simulation.model import ModelCard, ModelKind, Prediction, Published

NO_DATA: Final = "None was read in the cited publication, and no open patient-level data were at hand to measure one."
_PRINTED: Final = "The answers are printed figures: nothing is predicted that outcomes could be held against."
_NO_PROBABILITY: Final = "The answer is not a probability."
_CALIBRATION: Final[Mapping[ModelKind, str]] = {
    "predictor": UNCHECKED,
    "simulator": "No calibration plot: its probabilities were not compared with outcomes of single patients, for no "
    "open patient-level data of its treatments were at hand.",
    "dose": "The answer is a dose, a count or a concentration, not a probability of an outcome.",
    "toxicity": UNCHECKED,
    "forecast": UNCHECKED,
    "endpoint": "It defines an endpoint and predicts nothing.",
}
_PERFORMANCE: Final[Mapping[ModelKind, str]] = {
    "predictor": NO_DATA,
    "simulator": "Not checked against patients here: no figure of merit is known.",
    "dose": "The answer has no outcome to be held against; the tests check its arithmetic.",
    "toxicity": NO_DATA,
    "forecast": NO_DATA,
    "endpoint": "It defines an endpoint and predicts nothing.",
}


def completed(card: ModelCard, example: tuple[Prediction, ...] = ()) -> ModelCard:
    """Return the card with the notes of its family where it has none of its own.

    Parameters
    ----------
    card : ModelCard
    example : tuple of Prediction
        What a predictor answers to its own example; tells whether it predicts anything, and a probability.

    Returns
    -------
    ModelCard
        Every list that is empty has a note.
    """
    calibration, performance = _CALIBRATION[card.kind], _PERFORMANCE[card.kind]
    if UNCHECKED in card.known_failures:
        calibration = UNCHECKED
        performance = NO_DATA
    elif example and all(isinstance(answer, Published) for answer in example):
        calibration = performance = _PRINTED
    elif example and not any(answer.unit == "probability" for answer in example):
        calibration = _NO_PROBABILITY
    return replace(
        card,
        calibration_note=None if card.calibration else card.calibration_note or calibration,
        performance_note=None if card.performance else card.performance_note or performance,
    )
