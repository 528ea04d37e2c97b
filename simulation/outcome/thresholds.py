"""Numbers of the response criteria, read from ``simulation/data/endpoints.toml``."""

import tomllib
from importlib import resources
from typing import Final

with resources.files("simulation").joinpath("data/endpoints.toml").open("rb") as _file:
    _TABLE = tomllib.load(_file)


def _value(name: str) -> float:
    return float(_TABLE[name]["value"])


RELATIVE_INCREASE: Final = _value("target_relative_increase")
ABSOLUTE_INCREASE_MM: Final = _value("target_absolute_increase")
RELATIVE_DECREASE: Final = _value("target_relative_decrease")
NORMAL_NODE_MM: Final = _value("normal_node_short_axis")
TARGET_NODE_MM: Final = _value("target_node_short_axis")
TARGET_LONGEST_DIAMETER_MM: Final = _value("target_longest_diameter")
TOO_SMALL_MM: Final = _value("too_small_diameter")
TARGET_COUNT: Final = int(_value("target_count"))
TARGETS_PER_ORGAN: Final = int(_value("targets_per_organ"))
CONFIRMATION_DAYS: Final = _value("confirmation_interval")
STABLE_DISEASE_DAYS: Final = _value("stable_disease_duration")
IRECIST_EARLIEST_DAYS: Final = _value("progression_confirmation_earliest")
IRECIST_LATEST_DAYS: Final = _value("progression_confirmation_latest")
IRECIST_TOLERANCE_DAYS: Final = _value("progression_confirmation_tolerance")
DETECTION_LIMIT_MM: Final = _value("simulated_detection_limit")
LARGEST_DIAMETER_MM: Final = _value("simulated_largest_diameter")
SEVERE_LYMPHOPENIA_1E9_PER_L: Final = _value("severe_lymphopenia")
MEANINGFUL_PROBABILITY: Final = _value("smallest_meaningful_probability")
MEANINGFUL_DAYS: Final = _value("smallest_meaningful_days")

ROUNDING_MM: Final = 1e-6
"""Slack of the comparisons: a sum of tenths of a millimeter is not exact in binary."""
