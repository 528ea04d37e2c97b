"""Intervals of complication probabilities from the dose summaries of a plan."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.predictors._arithmetic import logistic, logit
from simulation.predictors._dose import CLINICAL
from simulation.radiation.dvh import from_samples
from simulation.radiation.structure import Structure
from simulation.registry import PREDICTORS

NO_FACTOR: dict[str, Any] = {
    "plan.mean_lung_dose_gy": 15.0,
    "patient.conditions.pulmonary_comorbidity": False,
    "patient.conditions.tumor_in_mid_or_lower_lobe": False,
    "patient.age_years": 60.0,
    "plan.chemotherapy_with_radiotherapy": "none",
    "patient.smoking_status": "never",
}


def ask(name: str, **changes: Any) -> Any:
    return PREDICTORS[name].predict(NO_FACTOR | {key.replace("__", "."): value for key, value in changes.items()})[0]


def test_quantec_has_the_interval_of_the_published_curve() -> None:
    found = PREDICTORS["mean-dose-quantec-pneumonitis"].predict({"plan.mean_lung_dose_gy": 21.82})[0]
    assert found.value == pytest.approx(0.24589, abs=1e-5)
    assert found.interval.level == 0.95
    assert (found.interval.lower, found.interval.upper) == pytest.approx((0.192, 0.290), abs=0.005)


@given(st.floats(1.0, 40.0))
def test_quantec_agrees_with_the_evaluation_of_a_histogram(dose_gy: float) -> None:
    found = PREDICTORS["mean-dose-quantec-pneumonitis"].predict({"plan.mean_lung_dose_gy": dose_gy})[0]
    lung = Structure(id="lung", organ="lung", dvh=from_samples([dose_gy], [1.0]))
    stream = np.random.Generator(np.random.Philox(5))
    risk = CLINICAL["quantec-pneumonitis"].evaluate([lung], 30, {}, stream=stream)
    assert found.value == pytest.approx(risk.value)
    assert risk.interval is not None
    assert (found.interval.lower, found.interval.upper) == pytest.approx(
        (risk.interval.lower, risk.interval.upper), abs=0.01
    )
    assert found.interval.lower < found.value < found.interval.upper


@pytest.mark.parametrize("name", ["mean-dose-appelt-pneumonitis", "mean-dose-appelt-thor-pneumonitis"])
def test_one_factor_gives_the_image_of_its_interval(name: str) -> None:
    assert ask(name).interval is None
    assert "without such a factor there is no interval" in ask(name).note
    with_factor = ask(name, patient__conditions__pulmonary_comorbidity=True)
    base = logit(ask(name).value)
    assert (with_factor.interval.lower, with_factor.interval.upper) == pytest.approx(
        (logistic(base + math.log(1.25)), logistic(base + math.log(4.12))), abs=0.002
    )


def test_more_factors_leave_more_open() -> None:
    name = "mean-dose-appelt-pneumonitis"
    one = ask(name, patient__conditions__pulmonary_comorbidity=True).interval
    two = ask(
        name, patient__conditions__pulmonary_comorbidity=True, patient__conditions__tumor_in_mid_or_lower_lobe=True
    ).interval
    assert logit(two.upper) - logit(two.lower) > logit(one.upper) - logit(one.lower)


def test_without_an_interval_the_reason_stands_beside_the_number() -> None:
    (found, _) = PREDICTORS["eqd2-jackson-pneumonitis-lung"].predict({"plan.mean_lung_eqd2_gy": 8.0})
    assert found.interval is None
    assert found.note is not None
    assert found.note.startswith("No interval")
