"""Parameter tables of the tumor models, read once from the packaged data."""

import json
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any


@cache
def table(name: str) -> Mapping[str, Any]:
    """Return ``data/<name>.toml``."""
    return tomllib.loads(resources.files("simulation").joinpath(f"data/{name}.toml").read_text(encoding="utf-8"))


@cache
def document(name: str) -> Mapping[str, Any]:
    """Return ``data/<name>.json``."""
    loaded: Mapping[str, Any] = json.loads(
        resources.files("simulation").joinpath(f"data/{name}.json").read_text(encoding="utf-8")
    )
    return loaded


@cache
def values(name: str, section: str) -> Mapping[str, float]:
    """Return the numbers of one section of a table, without their units and sources."""
    return {key: float(row["value"]) for key, row in table(name)[section].items()}


def struemper_survival() -> Mapping[str, float]:
    """Return the coefficients of the survival link of Struemper 2025."""
    return values("tgi", "struemper_survival")
