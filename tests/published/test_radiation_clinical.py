"""Named clinical models against the Dutch protocol's coefficients and worked cases."""

from typing import Any

import numpy as np
import pytest

from simulation.radiation.clinical import MODELS
from simulation.radiation.dvh import from_samples
from simulation.radiation.structure import Part, Structure
from tests.published.radiation_cases import assert_matches, identify, read, rows

_BY_ID = {model.id: model for model in MODELS}
_SETTING = {"primary": "primary", "postoperative": "postoperative"}
_SITE = {"oral cavity": "oral_cavity", "pharynx": "pharynx", "larynx": "larynx"}
_DYSPHAGIA = {"0-1": "grade_0_1", "2": "grade_2", ">=3": "grade_3_or_more"}


def _structure(organ: str, dose_gy: float, part: Part = "whole") -> Structure:
    dvh = from_samples([dose_gy], [1.0], volume_cm3=50.0)
    return Structure(id=f"{organ}-{part}", organ=organ, part=part, dvh=dvh)


def _risk(model_id: str, factors: dict[str, Any], **doses_gy: float) -> float:
    model = _BY_ID[model_id]
    count = model.reference_fractions or next(iter(doses_gy.values())) / 2.0
    return model.evaluate([_structure(organ, dose) for organ, dose in doses_gy.items()], count, factors).value


@pytest.mark.parametrize("row", rows("dutch_protocol"), ids=identify)
def test_dutch_protocol(row: dict[str, Any]) -> None:
    i = row["inputs"]
    grade = i["grade"][-1]
    if row["quantity"] == "NTCP_xerostomia":
        structures = [
            _structure("parotid", i["D_parotid_ipsi_Gy"], "ipsilateral"),
            _structure("parotid", i["D_parotid_contra_Gy"], "contralateral"),
            _structure("submandibular_gland", i["D_submandibular_Gy"]),
        ]
        factors = {"baseline_xerostomia": i["baseline"]}
        model = _BY_ID[f"dutch-xerostomia-g{grade}-{_SETTING[i['setting']]}"]
    else:
        structures = [
            _structure("oral_cavity", i["D_oral_cavity_Gy"]),
            _structure("pharyngeal_constrictor_superior", i["D_PCM_superior_Gy"]),
            _structure("pharyngeal_constrictor_middle", i["D_PCM_medius_Gy"]),
            _structure("pharyngeal_constrictor_inferior", i["D_PCM_inferior_Gy"]),
        ]
        factors = {
            "baseline_dysphagia": _DYSPHAGIA[i["baseline_grade"]],
            "head_and_neck_site": _SITE[i["site"]],
        }
        model = _BY_ID[f"dutch-dysphagia-g{grade}-{_SETTING[i['setting']]}"]
    assert_matches(row, model.evaluate(structures, 35, factors).value)


def test_every_dutch_coefficient_set_is_there() -> None:
    sets = read("dutch_protocol")["coefficients"]
    assert len(sets["xero"]) + len(sets["dysph"]) == sum(model.id.startswith("dutch-") for model in MODELS)


@pytest.mark.parametrize(
    ("model_id", "factors", "doses", "expected"),
    [
        ("quantec-pneumonitis", {}, {"lung": 5.0}, 0.03769),
        ("quantec-pneumonitis", {}, {"lung": 25.0}, 0.32739),
        ("appelt-pneumonitis", {}, {"lung": 15.0}, 0.0639),
        ("appelt-pneumonitis", {"pulmonary_comorbidity": True}, {"lung": 15.0}, 0.13416),
        ("appelt-pneumonitis", {"middle_or_lower_lobe": True, "age_over_63": True}, {"lung": 18.0}, 0.24296),
        ("appelt-pneumonitis", {"current_smoker": True}, {"lung": 12.0}, 0.02718),
        ("appelt-thor-pneumonitis", {"age_over_63": True}, {"lung": 15.0}, 0.12225),
        ("appelt-thor-pneumonitis", {"age_over_63": True, "pulmonary_comorbidity": True}, {"lung": 18.0}, 0.30171),
        ("appelt-immunotherapy-pneumonitis", {"immunotherapy_consolidation": True}, {"lung": 15.0}, 0.14227),
        ("huang-pneumonitis", {}, {"lung": 15.0, "heart": 30.0}, 0.13889),
        ("jackson-pneumonitis-g2-lung", {}, {"lung": 8.0}, 0.18422),
        ("jackson-pneumonitis-g3-lung", {}, {"lung": 12.0}, 0.14332),
        ("jackson-pneumonitis-g2-heart", {}, {"heart": 12.0}, 0.53892),
        ("huang-esophagitis", {}, {"esophagus": 20.0}, 0.14754),
        (
            "wijsman-esophagitis",
            {"concurrent_chemotherapy": True, "t_stage_3_or_4": True},
            {"esophagus": 30.0},
            0.67502,
        ),
        ("jackson-esophagitis", {}, {"esophagus": 50.0}, 0.47004),
        ("darby-coronary-events", {}, {"heart": 3.0}, 1.222),
        ("atkins-cardiac-events", {}, {"heart": 10.0}, 1.05**10),
        ("atkins-mortality", {}, {"heart": 10.0}, 1.02**10),
    ],
)
def test_worked_case(model_id: str, factors: dict[str, Any], doses: dict[str, float], expected: float) -> None:
    assert _risk(model_id, factors, **doses) == pytest.approx(expected, abs=6e-6)


def test_published_intervals_reach_the_answer() -> None:
    heart = [_structure("heart", 5.0)]
    darby = _BY_ID["darby-coronary-events"].evaluate(heart, 25, {}).interval
    atkins = _BY_ID["atkins-cardiac-events"].evaluate(heart, 30, {}).interval
    assert darby is not None
    assert atkins is not None
    assert (darby.lower, darby.upper) == pytest.approx((1.145, 1.725))
    assert (atkins.lower, atkins.upper) == pytest.approx((1.02**5, 1.08**5))


def test_quantec_interval_at_the_dose_of_half_the_risk() -> None:
    """At 30.75 Gy the risk is a half; its interval is where the curves of 28.7 and 33.9 Gy are."""
    model = _BY_ID["quantec-pneumonitis"]
    risk = model.evaluate([_structure("lung", 30.7)], 30, {}, stream=np.random.Generator(np.random.Philox(1)))
    assert risk.interval is not None
    curves = [1.0 / (1.0 + np.exp(4.0 * 0.9675 * (1.0 - 30.7 / d50))) for d50 in (33.9, 28.7)]
    assert (risk.interval.lower, risk.interval.upper) == pytest.approx(curves, abs=0.02)


def test_odds_ratios_carry_the_interval_only_when_their_factor_is_present() -> None:
    model, lung = _BY_ID["appelt-pneumonitis"], [_structure("lung", 15.0)]
    stream = np.random.Generator(np.random.Philox(1))
    assert model.evaluate(lung, 35, {}, stream=stream).interval is None
    one = model.evaluate(lung, 35, {"pulmonary_comorbidity": True}, stream=stream)
    without = model.evaluate(lung, 35, {}).value
    assert one.interval is not None
    odds = [bound / (1.0 - bound) / (without / (1.0 - without)) for bound in (one.interval.lower, one.interval.upper)]
    assert odds == pytest.approx((1.25, 4.12), rel=0.04)
