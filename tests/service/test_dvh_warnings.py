"""What is said about sides of a pair and about cold doses."""

from typing import Any

import pytest

from tests.service.test_dvh import compute, uniform

COLD = {"kind": "differential", "dose_gy": [0.0, 50.0], "volume": [50.0, 50.0], "volume_unit": "cm3"}
WARM = {**COLD, "dose_gy": [10.0, 50.0]}
CURVE = {"d50_gy": 55.0, "gamma50": 2.0, "alpha_beta_gy": 10.0}


def limits_of(computation: Any) -> list[tuple[str, float]]:
    return [(one.metric, one.limit) for one in computation.result.structures[0].constraints]


def codes(computation: Any) -> dict[str, str | None]:
    return {warning.code: warning.pointer for warning in computation.warnings}


@pytest.mark.parametrize(
    ("organ", "fraction_count", "limits"),
    [
        ("optic_nerve", 30, [("max", 55.0)]),
        ("cochlea", 30, [("mean", 45.0)]),
        ("optic_nerve", 3, [("max", 17.4), ("D0.2cc", 15.3)]),
        ("optic_nerve", 5, [("max", 25.0), ("D0.2cc", 23.0)]),
        ("brachial_plexus", 3, [("max", 24.0), ("D3cc", 20.4)]),
        ("brachial_plexus", 5, [("max", 30.5), ("D3cc", 27.0)]),
        ("chest_wall", 5, [("max", 43.0), ("D1cc", 35.0)]),
    ],
)
def test_a_limit_for_each_of_a_pair_is_checked_on_either_and_on_both(
    organ: str, fraction_count: int, limits: list[tuple[str, float]]
) -> None:
    for part in ("whole", "left", "contralateral"):
        read = compute(fraction_count=fraction_count, structures=[uniform(organ, 20.0, part=part)])
        assert limits_of(read) == limits
        assert "limits-not-checked" not in codes(read)


def test_one_parotid_gland_has_a_limit_of_its_own() -> None:
    both = compute(fraction_count=35, structures=[uniform("parotid", 22.0)])
    one = compute(fraction_count=35, structures=[uniform("parotid", 22.0, part="left")])
    assert limits_of(both) == [("mean", 25.0)]
    assert limits_of(one) == [("mean", 20.0)]
    assert not one.result.structures[0].constraints[0].passed


@pytest.mark.parametrize("organ", ["lung", "kidney", "parotid"])
def test_limits_of_both_together_are_named_when_only_a_side_is_there(organ: str) -> None:
    left = uniform(organ, 10.0, id="left", part="left")
    alone = compute(fraction_count=30, structures=[left])
    warning = next(one for one in alone.warnings if one.code == "limits-not-checked")
    assert warning.message.endswith(f"{organ}.")
    beside = compute(fraction_count=30, structures=[left, uniform(organ, 10.0)])
    assert "limits-not-checked" not in codes(beside)


@pytest.mark.parametrize("exponent", [-10.0, 0.0])
def test_the_floor_for_cold_doses_is_said_where_it_acts(exponent: float) -> None:
    cold = compute(fraction_count=25, structures=[uniform("lung", 1.0, dvh=COLD)], geud_exponents=[1.0, exponent])
    assert codes(cold)["cold-dose-floor"] == "/geud_exponents"
    assert cold.result.structures[0].geud[1].physical_gy > 0
    for dvh, exponents in ((WARM, [exponent]), (COLD, [1.0])):
        silent = compute(fraction_count=25, structures=[uniform("lung", 1.0, dvh=dvh)], geud_exponents=exponents)
        assert "cold-dose-floor" not in codes(silent)


@pytest.mark.parametrize("form", ["log_logistic", "probit"])
def test_control_says_that_the_floor_stands_for_cold_doses(form: str) -> None:
    def control(dvh: dict[str, Any], exponent: float, **more: Any) -> Any:
        target = {"id": "ptv", "target": True, "dvh": dvh}
        asked = {"structure_id": "ptv", "form": form, "parameters": {**CURVE, "exponent": exponent}}
        preset = {"structure_id": "ptv", "preset": "nsclc"}
        return compute(fraction_count=25, structures=[target], tumor_control=[preset, asked], **more)

    assert codes(control(COLD, -10.0))["cold-dose-floor"] == "/tumor_control/1"
    assert "cold-dose-floor" not in codes(control(WARM, -10.0))
    assert "cold-dose-floor" not in codes(control(COLD, 5.0))


def test_the_floor_is_said_where_only_a_scaled_prescription_meets_it() -> None:
    nearly = {**COLD, "dose_gy": [0.02, 50.0]}
    body = {
        "fraction_count": 25,
        "structures": [{"id": "ptv", "target": True, "dvh": nearly}],
        "tumor_control": [
            {"structure_id": "ptv", "form": "log_logistic", "parameters": {**CURVE, "exponent": -10.0}},
        ],
    }
    assert "cold-dose-floor" not in codes(compute(**body))
    assert "cold-dose-floor" in codes(compute(**body, window={"lowest_scale": 0.05}))
