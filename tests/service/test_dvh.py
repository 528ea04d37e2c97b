import copy
import json
from pathlib import Path
from typing import Any

import pytest

from schemas.dvh_results import DvhResult
from service.dvh import KIND
from service.errors import InvalidInput

LUNG = copy.deepcopy(KIND.examples["lung_60_in_30"]["structures"][1])
TARGET = copy.deepcopy(KIND.examples["lung_60_in_30"]["structures"][0])

HALF = {"kind": "differential", "dose_gy": [5.0, 10.0], "volume": [30.0, 20.0], "volume_unit": "cm3"}


def compute(**body: Any) -> Any:
    computation = KIND.compute(KIND.request.model_validate_json(json.dumps(body)))
    assert isinstance(computation.result, DvhResult)
    return computation


def uniform(organ: str, dose_gy: float, **more: Any) -> dict[str, Any]:
    dvh = {
        "kind": "differential",
        "dose_gy": [dose_gy],
        "volume": [100.0],
        "volume_unit": "cm3",
    }
    return {"id": organ, "organ": organ, "dvh": dvh, **more}


def pointer_of(**body: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        compute(**body)
    return caught.value.errors[0]["pointer"]


@pytest.mark.parametrize("name", sorted(KIND.examples))
def test_examples_compute_the_same_bytes_twice_and_draw(name: str) -> None:
    body = KIND.examples[name]
    request = KIND.request.model_validate_json(json.dumps(body))
    first, second = KIND.compute(request).result, KIND.compute(request).result
    assert isinstance(first, DvhResult)
    assert isinstance(second, DvhResult)
    assert first.model_dump_json() == second.model_dump_json()
    for draw in KIND.figures.values():
        picture = draw(body, first.model_dump())
        assert picture == draw(body, first.model_dump())
        assert b"<title" in picture
        assert b"<desc" in picture
    assert KIND.series is not None
    assert KIND.series(body, first.model_dump()).startswith("structure,dose_gy")


def test_metrics_in_both_senses() -> None:
    body = {"fraction_count": 30, "structures": [uniform("lung", 60.0)], "metrics": ["D95%", "V60Gy", "D200cc"]}
    read = compute(**body, geud_exponents=[1.0]).result.structures[0]
    physical = {one.name: one for one in read.physical}
    eqd2 = {one.name: one.value for one in read.eqd2}
    assert physical["mean"].value == physical["D95%"].value == eqd2["D95%"] == 60.0
    assert physical["V60Gy"].value == 100.0
    assert physical["D200cc"].value is None
    assert physical["D200cc"].reason == "the structure is smaller than this volume"
    assert read.geud[0].physical_gy == pytest.approx(60.0)
    assert read.volume_cm3 == 100.0


def test_the_curve_can_be_given_in_any_form() -> None:
    percent = compute(fraction_count=30, structures=[LUNG]).result.structures[0]
    cm3 = copy.deepcopy(LUNG)
    cm3["dvh"]["volume"] = [share * 39.0 for share in LUNG["dvh"]["volume"]]
    cm3["dvh"]["volume_unit"] = "cm3"
    del cm3["dvh"]["total_volume_cm3"]
    absolute = compute(fraction_count=30, structures=[cm3]).result.structures[0]
    for one, other in zip(percent.physical, absolute.physical, strict=True):
        assert one.value == pytest.approx(other.value)
    assert absolute.volume_cm3 == pytest.approx(3900.0)


def test_constraints_follow_the_fractionation_and_say_the_margin() -> None:
    conventional = compute(fraction_count=30, prescribed_dose_gy=60.0, structures=[LUNG]).result.structures[0]
    v20 = next(one for one in conventional.constraints if one.metric == "V20Gy")
    assert (v20.protocol, v20.value, v20.passed) == ("quantec", 24.0, True)
    assert v20.margin == pytest.approx(6.0)
    stereotactic = compute(fraction_count=5, prescribed_dose_gy=50.0, structures=[LUNG]).result.structures[0]
    assert {one.protocol for one in stereotactic.constraints} == {"tg101", "hytec"}
    spared = next(one for one in stereotactic.constraints if one.kind == "spared_at_least")
    assert spared.value is not None
    assert spared.margin == pytest.approx(spared.value - spared.limit)


def test_a_limit_of_the_caller() -> None:
    own = [{"structure_id": "lungs", "metric": "V5Gy", "limit": 40.0}]
    read = compute(fraction_count=30, structures=[LUNG], constraints=own).result.structures[0]
    mine = next(one for one in read.constraints if one.protocol == "given")
    assert (mine.passed, mine.source) == (False, None)
    assert mine.margin == pytest.approx(-8.0)


def test_complications_stand_outside_their_fractionation() -> None:
    read = compute(fraction_count=3, prescribed_dose_gy=54.0, structures=[LUNG])
    assert {one.applicability for one in read.result.structures[0].complications} == {"outside"}
    assert "outside-derivation-range" in {warning.code for warning in read.warnings}
    jackson = next(one for one in read.result.clinical_models if one.model == "jackson-pneumonitis-g2-lung")
    assert jackson.applicability == "inside"


def test_one_lung_is_not_both() -> None:
    read = compute(fraction_count=30, structures=[{**LUNG, "part": "left"}]).result
    assert read.structures[0].complications == []
    assert read.structures[0].constraints == []
    assert read.clinical_models == []


def test_factors_left_out_are_named() -> None:
    read = compute(fraction_count=30, structures=[LUNG], factors={"age_years": 70.0})
    appelt = next(one for one in read.result.clinical_models if one.model == "appelt-pneumonitis")
    used = {one.name: (one.value, one.assumed) for one in appelt.inputs}
    assert used["age_over_63"] == ("yes", False)
    assert used["current_smoker"] == ("no", True)
    assert "assumed-factor" in {warning.code for warning in read.warnings}
    assert [one.model for one in read.result.clinical_models_missing] == ["huang-pneumonitis"]


def test_head_and_neck_setting_picks_its_models() -> None:
    glands = [
        uniform("parotid", 30.0, id="ipsi", part="ipsilateral"),
        uniform("parotid", 20.0, id="contra", part="contralateral"),
        uniform("submandibular_gland", 45.0),
    ]
    factors = {"head_and_neck_setting": "primary", "baseline_xerostomia": "mild"}
    read = compute(fraction_count=35, structures=glands, factors=factors).result
    values = {one.model: one.estimate.value for one in read.clinical_models}
    assert values == pytest.approx(
        {"dutch-xerostomia-g2-primary": 0.502464082149759, "dutch-xerostomia-g3-primary": 0.14791738379791305}
    )
    assert {one.model for one in read.structures[0].complications} >= {"quantec-parotid", "burman-parotid"}


def test_parameter_intervals_reach_the_probability() -> None:
    read = compute(**KIND.examples["own_complication_model"]).result.structures[0]
    own = next(one for one in read.complications if one.model == "local-pneumonitis")
    interval = own.probability.interval
    assert interval is not None
    assert interval.lower < own.probability.value < interval.upper
    assert own.source is None
    table = next(one for one in read.complications if one.model == "burman-lung")
    assert table.probability.interval is None
    assert own.interval_note.startswith("Carries the given intervals of ")
    assert table.interval_note.startswith("No interval: ")


def test_published_intervals_of_the_tables_reach_the_answer() -> None:
    structures = [uniform("lung", 20.0), uniform("rectum", 70.0)]
    read = compute(fraction_count=30, structures=structures, factors={"pulmonary_comorbidity": True}).result
    sets = {one.model: one.probability for structure in read.structures for one in structure.complications}
    models = {one.model: one.estimate for one in read.clinical_models}
    for one in (
        sets["michalski-rectal-bleeding"],
        sets["quantec-pneumonitis-probit"],
        models["quantec-pneumonitis"],
        models["appelt-pneumonitis"],
    ):
        assert one.interval is not None
        assert one.interval.level == 0.95
        assert one.interval.lower < one.value < one.interval.upper


def test_every_estimate_says_in_words_what_its_interval_is() -> None:
    structures = [uniform("lung", 20.0), uniform("heart", 10.0), uniform("esophagus", 30.0), TARGET]
    control = [{"structure_id": "ptv", "preset": "nsclc"}]
    read = compute(fraction_count=30, structures=structures, tumor_control=control).result
    said = [(one.probability, one.interval_note) for structure in read.structures for one in structure.complications]
    said += [(one.estimate, one.interval_note) for one in read.clinical_models]
    said += [(one.probability, one.interval_note) for one in read.tumor_control]
    assert len(said) > 20
    for value, note in said:
        if value.interval is None:
            assert "no interval" in note.lower() or "none was found for the curve in dose" in note
        else:
            assert note.startswith(("Carries", "Image"))


def test_control_by_every_form() -> None:
    cells = {"alpha_per_gy": 0.3, "alpha_beta_gy": 10.0, "clonogens_per_cm3": 1e7}
    curve = {"d50_gy": 55.0, "alpha_beta_gy": 10.0}
    asked = [
        {"structure_id": "ptv", "preset": "nsclc"},
        {
            "structure_id": "ptv",
            "parameters": {**cells, "hypoxic_share": 0.1},
            "intervals": {"alpha_per_gy": {"level": 0.9, "lower": 0.27, "upper": 0.33}},
        },
        {
            "structure_id": "ptv",
            "form": "zaider_minerbo",
            "parameters": {**cells, "birth_per_day": 0.1, "death_per_day": 0.0, "followup_days": 30.0},
            "fraction_days": [float(day) for day in range(30)],
        },
        {"structure_id": "ptv", "form": "log_logistic", "parameters": {**curve, "gamma50": 2.0, "exponent": -10.0}},
        {"structure_id": "ptv", "form": "probit", "parameters": {**curve, "gamma50": 2.0, "exponent": -10.0}},
        {"structure_id": "ptv", "form": "poisson_kallman", "parameters": {**curve, "gamma": 2.0}},
        {"structure_id": "ptv", "form": "poisson_exact", "parameters": {**curve, "gamma": 2.0}},
    ]
    read = compute(fraction_count=30, structures=[TARGET], tumor_control=asked)
    for one in read.result.tumor_control:
        assert 0.0 <= one.probability.value <= 1.0
        assert (one.probability.interval is None) == (one is not read.result.tumor_control[1])
    assert {"tcp-poisson-clonogens", "tcp-zaider-minerbo", "tcp-dose-response"} <= {model.id for model in read.models}


def test_window_scans_the_prescription() -> None:
    window = compute(**KIND.examples["lung_60_in_30"]).result.window
    assert window is not None
    assert window.prescribed_dose_gy is not None
    assert window.prescribed_dose_gy[0] == pytest.approx(36.0)
    assert all(later >= earlier for earlier, later in zip(window.control, window.control[1:], strict=False))
    assert min(window.scale) <= window.best_scale <= max(window.scale)


def test_proton_dose_becomes_photon_equivalent() -> None:
    plain = uniform("lung", 20.0)
    fixed = compute(fraction_count=20, structures=[{**plain, "rbe": {"model": "fixed"}}])
    assert fixed.result.structures[0].physical[0].value == pytest.approx(22.0)
    assert "rbe-fixed" in {model.id for model in fixed.models}
    rbe = {"model": "wedenberg_2013", "let_kev_per_um": 2.5}
    variable = compute(fraction_count=20, structures=[{**plain, "rbe": rbe, "alpha_beta_gy": 3.0}])
    assert variable.result.structures[0].physical[0].value > 22.0
    far = {"model": "wedenberg_2013", "let_kev_per_um": 25.0}
    warned = compute(fraction_count=20, structures=[{**plain, "rbe": far}])
    assert "/structures/0/rbe/let_kev_per_um" in {warning.pointer for warning in warned.warnings}


def test_a_structure_without_dose_is_no_error() -> None:
    read = compute(
        fraction_count=30,
        structures=[uniform("lung", 0.0), {**uniform("ptv", 0.0), "organ": None, "target": True}],
        tumor_control=[{"structure_id": "ptv", "preset": "nsclc"}],
        geud_exponents=[-10.0, 0.0, 5.0],
        window={},
    )
    assert read.result.tumor_control[0].probability.value == 0.0
    assert "cold-dose-floor" in {warning.code for warning in read.warnings}
    for draw in KIND.figures.values():
        assert draw({}, read.result.model_dump()).startswith(b"<?xml")


def test_large_fractions_are_warned_of() -> None:
    within = compute(fraction_count=6, structures=[uniform("lung", 60.0)])
    beyond = compute(fraction_count=5, structures=[uniform("lung", 60.0)])
    assert "lq-beyond-validity" not in {warning.code for warning in within.warnings}
    assert beyond.warnings[0].code == "lq-beyond-validity"


def test_a_misspelled_organ_is_pointed_at() -> None:
    read = compute(fraction_count=30, structures=[uniform("lung", 20.0), uniform("lungs", 20.0)])
    warning = next(warning for warning in read.warnings if warning.code == "organ-not-known")
    assert warning.pointer == "/structures/1/organ"
    assert "lung," in warning.message


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"constraints": [{"structure_id": "x", "metric": "mean", "limit": 1.0}]}, "/constraints/0/structure_id"),
        ({"tumor_control": [{"structure_id": "x", "preset": "nsclc"}]}, "/tumor_control/0/structure_id"),
        ({"tumor_control": [{"structure_id": "lungs", "preset": "none"}]}, "/tumor_control/0/preset"),
        ({"tumor_control": [{"structure_id": "lungs"}]}, "/tumor_control/0/parameters"),
        (
            {"tumor_control": [{"structure_id": "lungs", "parameters": {"alpha_per_gy": 0.3, "alpha_beta_gy": 0.0}}]},
            "/tumor_control/0/parameters/alpha_beta_gy",
        ),
        (
            {"tumor_control": [{"structure_id": "lungs", "preset": "nsclc", "fraction_days": [0.0]}]},
            "/tumor_control/0/fraction_days",
        ),
        ({"window": {}}, "/tumor_control"),
        (
            {"window": {"complications": ["x"]}, "tumor_control": [{"structure_id": "lungs", "preset": "nsclc"}]},
            "/window/complications",
        ),
        ({"structures": [{**LUNG, "dvh": {**LUNG["dvh"], "volume": [90.0] * 9}}]}, "/structures/0/dvh/volume"),
        (
            {"structures": [uniform("lung", 10.0) | {"dvh": {**HALF, "volume_unit": "percent"}}]},
            "/structures/0/dvh/volume",
        ),
        (
            {"structures": [uniform("lung", 10.0) | {"dvh": {**HALF, "total_volume_cm3": 100.0}}]},
            "/structures/0/dvh/total_volume_cm3",
        ),
        (
            {"structures": [{**LUNG, "rbe": {"model": "mcnamara_2015", "let_kev_per_um": 60.0}}]},
            "/structures/0/rbe/let_kev_per_um",
        ),
        (
            {
                "structures": [
                    {
                        **LUNG,
                        "complication_models": [
                            {"id": "m", "endpoint": "e", "form": "lyman", "parameters": {"td50_gy": 30.0, "m": 0.3}}
                        ],
                    }
                ]
            },
            "/structures/0/complication_models/0/parameters",
        ),
        (
            {
                "structures": [
                    {
                        **LUNG,
                        "complication_models": [
                            {
                                "id": "m",
                                "endpoint": "e",
                                "form": "lyman",
                                "parameters": {"td50_gy": 30.0, "m": 0.3, "n": 1.0},
                                "intervals": {"m": {"level": 0.9, "lower": 0.4, "upper": 0.5}},
                            }
                        ],
                    }
                ]
            },
            "/structures/0/complication_models/0/intervals/m",
        ),
    ],
)
def test_what_cannot_be_computed_is_pointed_at(more: dict[str, Any], pointer: str) -> None:
    assert pointer_of(**{"fraction_count": 30, "structures": [LUNG], **more}) == pointer


@pytest.mark.parametrize("name", sorted(KIND.examples))
def test_example_files_are_the_examples(name: str) -> None:
    file = Path(__file__).parents[2] / "examples" / f"dvh_{name}.json"
    assert json.loads(file.read_text(encoding="utf-8")) == KIND.examples[name]
