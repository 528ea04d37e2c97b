"""Concentrations that sources name as targets, and label-level pharmacokinetics."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A concentration with a published meaning; ``maximum`` belongs to ``half_maximal`` only."""

    agent: str
    kind: Literal["target", "half_maximal"]
    value_mg_per_l: float
    what: str
    source: str
    verified: bool
    maximum: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelLevel:
    """What is known of an agent without a population model."""

    agent: str
    id: str
    linear_clearance_l_per_day: float
    saturable_share_of_clearance: float
    volume_l: float
    half_life_days: float
    source: str
    verified: bool
    notes: tuple[str, ...]

    @property
    def clearance_l_per_day(self) -> float:
        """Total clearance at the labelled dose, L/d."""
        return self.linear_clearance_l_per_day / (1.0 - self.saturable_share_of_clearance)

    def average_mg_per_l(self, dose_mg: float, interval_days: float) -> float:
        """Return the average concentration at steady state, mg/L."""
        return dose_mg / (self.clearance_l_per_day * interval_days)


def _load() -> tuple[dict[str, Target], dict[str, LabelLevel]]:
    text = resources.files("simulation").joinpath("data/exposure_targets.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    targets = {row["agent"]: Target(**row) for row in data["target"]}
    levels = {row["agent"]: LabelLevel(**(row | {"notes": tuple(row["notes"])})) for row in data["label_level"]}
    return targets, levels


TARGETS: Mapping[str, Target]
LABEL_LEVEL: Mapping[str, LabelLevel]
TARGETS, LABEL_LEVEL = _load()
