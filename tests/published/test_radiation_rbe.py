"""Proton effectiveness against matRad, and the constant on which it departs from the literature."""

from typing import Any

import pytest

from simulation.radiation.rbe import MODELS, effectiveness
from tests.published.radiation_cases import assert_matches, identify, rows

_MODELS = {
    "RBE_parameters_McNamara2015": "mcnamara_2015_matrad",
    "RBE_McNamara": "mcnamara_2015_matrad",
    "RBE_parameters_Wedenberg2013": "wedenberg_2013",
    "RBE_parameters_Carabe-Fernandez2012": "carabe_2012",
}


@pytest.mark.parametrize("row", rows("proton_rbe"), ids=identify)
def test_row(row: dict[str, Any]) -> None:
    i = row["inputs"]
    high, low = MODELS[_MODELS[row["quantity"]]].limits(i["LETd_keV_per_um"], i["alpha_beta_Gy"])
    if row["quantity"] == "RBE_McNamara":
        assert_matches(row, float(effectiveness(i["d_Gy"], i["alpha_beta_Gy"], high, low)))
    else:
        assert_matches(row, float(high), row["expected"]["RBEmax"])
        assert_matches(row, float(low), row["expected"]["RBEmin"])


def test_published_constant_is_lower_than_the_one_in_matrad() -> None:
    """Table 1 of Br J Radiol 2020;93:20190334 gives 0.99064 for McNamara 2015, matRad 0.999064."""
    published, _ = MODELS["mcnamara_2015"].limits(0.0, 3.0)
    matrad, _ = MODELS["mcnamara_2015_matrad"].limits(0.0, 3.0)
    assert float(published) == 0.99064
    assert float(matrad) == 0.999064
