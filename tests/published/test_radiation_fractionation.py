"""Fractionation arithmetic against pyradiobiology, DVHmetrics, pyCERR and worked cases."""

from typing import Any

import numpy as np
import pytest

from simulation.radiation.compensation import Interruption, compensate
from simulation.radiation.linear_quadratic import (
    bed_gy,
    dose_in_fractions_gy,
    eqd2_gy,
    fraction_bed_linear_quadratic_linear_gy,
    fraction_bed_universal_survival_gy,
    isoeffective_dose_gy,
    lea_catcheside_factor,
    log_survival,
)
from simulation.radiation.repair import incomplete_repair_factor
from simulation.radiation.repopulation import Repopulation
from simulation.radiation.schedule import Phase, build_schedule
from simulation.radiation.tissue import Tissue, effect_on
from tests.published.radiation_cases import assert_matches, identify, rows


def _count(inputs: dict[str, Any]) -> float:
    return inputs["n"] if "n" in inputs else inputs["D_Gy"] / inputs["dose_per_fraction_Gy"]


def _interrupted() -> tuple[float, float]:
    """35 x 2 Gy in 46 d, 20 given, the last 15 end on day 53: new fraction size and late BED."""
    plan = build_schedule([Phase(dose_per_fraction_gy=2.0, fraction_count=35)])
    growth = Repopulation(kick_off_day=28.0, rate_gy_per_day=0.9)
    tumor = Tissue(id="tumor", role="tumor", alpha_beta_gy=(10.0,), repopulation=growth)
    late = Tissue(id="late", role="late", alpha_beta_gy=(3.0,))
    case = Interruption(
        planned=plan,
        delivered_count=20,
        days_lost=7.0,
        treatment_days_per_week=5,
        week_start_day=0.0,
        second_fraction_after_hours=6.0,
        first_day_is_one=False,
    )
    options, _ = compensate(case, [tumor, late])
    option = next(one for one in options if one.strategy == "larger_fractions_longer_time")
    assert option.schedule.overall_time_days(first_day_is_one=False) == 53.0
    return option.dose_per_fraction_gy, option.effects[1].bed_gy


def _value(row: dict[str, Any]) -> float:
    i, quantity = row["inputs"], row["quantity"]
    match quantity:
        case "BED" if row["id"] == "own_gap_late_BED3":
            return _interrupted()[1]
        case "compensated_dose_per_fraction":
            return _interrupted()[0]
        case "BED":
            return float(bed_gy(i["D_Gy"], _count(i), i["alpha_beta_Gy"]))
        case "EQD2":
            return float(eqd2_gy(i["D_Gy"], _count(i), i["alpha_beta_Gy"]))
        case "surviving_fraction_LQ":
            doses = np.full(i["n"], i["D_Gy"] / i["n"])
            return float(np.exp(log_survival(doses, alpha_per_gy=i["alpha_per_Gy"], alpha_beta_gy=i["alpha_beta_Gy"])))
        case "isoeffective_total_dose":
            return isoeffective_dose_gy(i["D1_Gy"], i["d1_Gy"], i["d2_Gy"], i["alpha_beta_Gy"])
        case "dose_in_other_fraction_size":
            return isoeffective_dose_gy(
                i["D_Gy"], i["dose_per_fraction_Gy"], i["new_dose_per_fraction_Gy"], i["alpha_beta_Gy"]
            )
        case "dose_in_other_fraction_number":
            return float(dose_in_fractions_gy(i["D_Gy"], i["n"], i["new_n"], i["alpha_beta_Gy"]))
        case "Lea_Catcheside_G_constant_rate":
            return float(lea_catcheside_factor(i["mu_per_h"] * i["duration_h"]))
        case "Thames_h_m":
            return incomplete_repair_factor(i["fractions_per_day"], i["interval_h"], i["repair_half_time_h"])
    return _large_fractions_or_time(quantity, i)


def _large_fractions_or_time(quantity: str, i: dict[str, Any]) -> float:
    match quantity:
        case "BED_LQ_L":
            assert i["gamma_over_alpha"] == pytest.approx(1.0 + 2.0 * i["D_T_Gy"] / i["alpha_beta_Gy"])
            return i["n"] * float(fraction_bed_linear_quadratic_linear_gy(i["d_Gy"], i["alpha_beta_Gy"], i["D_T_Gy"]))
        case "BED_USC":
            return i["n"] * float(
                fraction_bed_universal_survival_gy(
                    i["d_Gy"],
                    alpha_per_gy=i["alpha_per_Gy"],
                    alpha_beta_gy=i["alpha_beta_Gy"],
                    final_slope_dose_gy=i["D0_Gy"],
                    quasi_threshold_dose_gy=i["Dq_Gy"],
                    transition_dose_gy=i["D_T_Gy"],
                )
            )
        case "BED_with_repopulation":
            growth = Repopulation(kick_off_day=i["T_k_day"], rate_gy_per_day=i["K_Gy_per_day"])
            tissue = Tissue(id="t", role="tumor", alpha_beta_gy=(i["alpha_beta_Gy"],), repopulation=growth)
            plan = build_schedule([Phase(dose_per_fraction_gy=i["D_Gy"] / i["n"], fraction_count=i["n"])])
            return effect_on(plan, tissue, overall_time_days=i["T_day"]).bed_gy
    raise AssertionError(f"no rule for {quantity}")


@pytest.mark.parametrize("row", rows("fractionation"), ids=identify)
def test_row(row: dict[str, Any]) -> None:
    assert_matches(row, _value(row))


def test_conventional_course_of_35_takes_47_days_when_the_first_is_day_1() -> None:
    plan = build_schedule([Phase(dose_per_fraction_gy=2.0, fraction_count=35)])
    assert plan.overall_time_days(first_day_is_one=True) == 47.0
