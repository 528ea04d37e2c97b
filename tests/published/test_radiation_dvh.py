"""Metrics and generalized EUD of distributions against DVHmetrics, pyradiobiology, pyCERR and ntcp-1.0."""

from typing import Any

import pytest

from simulation.radiation.metrics import metric
from tests.published.radiation_cases import assert_matches, dvh, dvh_of, identify, rows

_NAMES = {"DMEAN": "mean", "DMAX": "max"}


def _name(quantity: str) -> str:
    return _NAMES.get(quantity, quantity.replace("CC", "cc").replace("GY", "Gy"))


@pytest.mark.parametrize("row", rows("dvh_metrics"), ids=identify)
def test_metric(row: dict[str, Any]) -> None:
    assert_matches(row, metric(_name(row["quantity"])).read(dvh(row["inputs"]["dvh"])))


@pytest.mark.parametrize("row", rows("geud"), ids=identify)
def test_generalized_eud(row: dict[str, Any]) -> None:
    assert_matches(row, dvh_of(row["inputs"]).generalized_eud_gy(row["inputs"]["a"]))
