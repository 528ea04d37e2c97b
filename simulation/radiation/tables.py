"""Reads the parameter tables that are packaged with the numerics, once, at import."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any


def read_table(name: str) -> Mapping[str, Any]:
    """Return the content of one packaged TOML table.

    Parameters
    ----------
    name : str
        File name in ``simulation/data``.

    Returns
    -------
    mapping
        The parsed table.
    """
    return tomllib.loads((files("simulation") / "data" / name).read_text(encoding="utf-8"))
