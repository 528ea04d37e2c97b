"""The population models: covariate kinds, reference patients, random effects."""

import math

import numpy as np
import pytest

from simulation.immunotherapy.antibodies import DEFAULTS, MODELS, SMALLEST_LINEAR_FACTOR, AntibodyModel
from simulation.immunotherapy.targets import LABEL_LEVEL, TARGETS

EVERY = pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))


@EVERY
def test_a_patient_at_the_reference_is_the_typical_one(model: AntibodyModel) -> None:
    reference = {name: value if value is not None else 0.0 for name, value in model.covariates.items()}
    given, none = model.individual(reference), model.individual()
    for name in ("cl_l_per_day", "vc_l", "q_l_per_day", "vp_l", "emax", "t50_days"):
        assert getattr(given, name) == pytest.approx(getattr(none, name))
    assert none.cl_l_per_day[0] == model.typical["cl"]


@EVERY
def test_random_effects_have_a_usable_covariance(model: AntibodyModel) -> None:
    drawn = model.draw(np.random.default_rng(0), 4000)
    assert drawn.shape == (4000, len(model.random_effects))
    if model.random_effects:
        assert np.linalg.eigvalsh(model.covariance).min() > 0
        assert np.cov(drawn.T) == pytest.approx(model.covariance, abs=0.1 * model.covariance.max())


def test_every_antibody_but_relatlimab_has_one_usual_model() -> None:
    assert len(DEFAULTS) == 9
    assert set(LABEL_LEVEL) == {"relatlimab"}
    assert sum(model.default for model in MODELS.values()) == 9
    assert set(TARGETS) <= {*DEFAULTS}


@pytest.mark.parametrize(
    ("model_id", "covariates", "parameter", "factor"),
    [
        ("pk-pembrolizumab-ahamadi2017", {"weight_kg": 60.0}, "cl_l_per_day", (60.0 / 76.8) ** 0.595),
        ("pk-pembrolizumab-ahamadi2017", {"female": 1.0}, "cl_l_per_day", 1.0 - 0.152),
        ("pk-nivolumab-zhang2019", {"female": 1.0}, "cl_l_per_day", math.exp(-0.181)),
        ("pk-nivolumab-bajaj2017", {"male": 1.0}, "cl_l_per_day", math.exp(0.165)),
        ("pk-nivolumab-bajaj2017", {"weight_kg": 100.0}, "vp_l", 1.0),
        ("pk-atezolizumab-fda761041", {"anti_drug_antibodies": 1.0}, "cl_l_per_day", 1.158),
        ("pk-ipilimumab-feng2014", {"ldh_u_per_l": 1000.0}, "cl_l_per_day", 1.3410488),
        ("pk-durvalumab-baverel2018", {"albumin_g_per_l": 48.0}, "cl_l_per_day", 1.0 - 0.035 * 10.0),
        ("pk-durvalumab-baverel2018", {"albumin_g_per_l": 70.0}, "cl_l_per_day", SMALLEST_LINEAR_FACTOR),
        ("pk-avelumab-masters2022", {"weight_kg": 40.0}, "q_l_per_day", 0.5),
    ],
)  # fmt: skip
def test_covariate_forms(model_id: str, covariates: dict[str, float], parameter: str, factor: float) -> None:
    model = MODELS[model_id]
    changed, typical = getattr(model.individual(covariates), parameter), getattr(model.individual(), parameter)
    assert changed[0] / typical[0] == pytest.approx(factor)


def test_additive_indicator_acts_on_the_change_of_clearance() -> None:
    model = MODELS["pk-ipilimumab-sanghavi2020"]
    assert model.individual().emax[0] == -0.0644
    assert model.individual({"with_nivolumab": 1.0}).emax[0] == pytest.approx(-0.2664)
    assert MODELS["pk-tremelimumab-hwang2022"].individual().emax[0] > 0


def test_forms_of_the_random_effects_differ_by_model() -> None:
    nivolumab = MODELS["pk-nivolumab-zhang2019"]
    etas = np.zeros((1, 5))
    etas[0, 4] = 0.5
    assert nivolumab.individual(etas=etas).emax[0] == pytest.approx(-0.24 + 0.5)
    cemiplimab = MODELS["pk-cemiplimab-yang2021"]
    etas = np.array([[0.0, 0.0, 0.5, 0.0]])
    assert cemiplimab.individual(etas=etas).emax[0] == pytest.approx(-0.41 * math.exp(0.5))


def test_drifting_models_say_how_short_a_step_must_be() -> None:
    assert MODELS["pk-pembrolizumab-ahamadi2017"].longest_step_days is None
    steps = {name: model.longest_step_days for name, model in MODELS.items() if model.form != "constant"}
    assert all(step is not None and 0.1 <= step <= 2.0 for step in steps.values())


def test_impossible_covariates_are_refused() -> None:
    with pytest.raises(ValueError, match="weight_kg must be above"):
        MODELS["pk-nivolumab-zhang2019"].individual({"weight_kg": 0.0})
