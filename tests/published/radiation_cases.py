"""Reference rows for the radiation tests: inputs, expected value and tolerance of each."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from simulation.radiation.dvh import Dvh, from_cumulative, from_samples

_FOLDER = Path(__file__).parent / "data" / "radiation"


def read(name: str) -> dict[str, Any]:
    return json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def rows(name: str) -> list[dict[str, Any]]:
    return read(name)["rows"]


def identify(row: dict[str, Any]) -> str:
    return row["id"]


_CURVES = {row["id"]: row for row in rows("cumulative_dvhs")}
_POINTS = read("geud")["dvhs"]


def dvh(name: str) -> Dvh:
    if name in _CURVES:
        row = _CURVES[name]
        volume = [*row["volume_percent"], 0.0]
        return from_cumulative(np.arange(len(volume)) * row["dose_step_Gy"], volume, volume_cm3=row["volume_cc"])
    points = _POINTS[name]
    return from_samples(points["dose_Gy"], points["volume"], volume_cm3=sum(points["volume"]))


def dvh_of(inputs: dict[str, Any]) -> Dvh:
    """The distribution of a row, in EQD2 where the row gives fractions."""
    found = dvh(inputs["dvh"])
    if "n_fractions" in inputs:
        return found.in_eqd2(inputs["n_fractions"], inputs["alpha_beta_Gy"])
    return found


def assert_matches(row: dict[str, Any], value: float, expected: float | None = None) -> None:
    wanted = row["expected"] if expected is None else expected
    assert abs(value - wanted) <= max(row["rel_tol"] * abs(wanted), row["abs_tol"]), (value, wanted)
