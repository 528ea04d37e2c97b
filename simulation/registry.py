"""Finds every model at import; a duplicate id stops the start."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from simulation import predictors
from simulation.model import ModelCard, Predictor


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda found: found.name):
        if not info.name.startswith("_"):
            yield importlib.import_module(f"{package.__name__}.{info.name}")


def _load_predictors() -> dict[str, Predictor]:
    found: dict[str, Predictor] = {}
    for module in _modules(predictors):
        model: Predictor = module.Model()
        if model.card.id in found:
            raise RuntimeError(f"two models share the id {model.card.id!r}")
        found[model.card.id] = model
    return found


PREDICTORS: dict[str, Predictor] = _load_predictors()


def _load_cards() -> dict[str, ModelCard]:
    from simulation import cards
    from simulation.cards._notes import completed

    found = {model.card.id: completed(model.card, model.predict(model.card.example)) for model in PREDICTORS.values()}
    for module in _modules(cards):
        for card in module.CARDS:
            if card.id in found:
                raise RuntimeError(f"two models share the id {card.id!r}")
            found[card.id] = completed(card)
    return dict(sorted(found.items()))


CARDS: dict[str, ModelCard] = _load_cards()
