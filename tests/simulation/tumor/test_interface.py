"""Every tumor model through the same checks: the same scenario in, the same terms out."""

import numpy as np
import pytest

from simulation.registry import CARDS
from simulation.tumor.interface import MODELS, simulate, simulate_chunks
from simulation.tumor.scenario import CellDose, Covariates, concatenate, diameter_mm, volume_cm3
from simulation.tumor.tables import document, table
from tests.simulation.tumor.scenarios import IPILIMUMAB, PEMBROLIZUMAB, SBRT, scenario

EVERY = pytest.mark.parametrize("model_id", MODELS)
PLAN = scenario(
    course=SBRT, drugs=PEMBROLIZUMAB[:4] + IPILIMUMAB, cells=(CellDose(3.0, "car-t", 1e8),), vaccine_days=(1.0,),
    days=np.arange(0.0, 130.0, 10.0),
)  # fmt: skip


@EVERY
def test_answers_in_the_same_terms(model_id: str) -> None:
    found = simulate(model_id, PLAN, patients=11, seed=2)
    n, lesions, times = 11, 3, PLAN.output_days.size
    assert found.model_id == model_id
    assert found.diameter_mm.shape == found.viable_cm3.shape == (n, lesions, times)
    assert found.lymphocyte_relative.shape == found.car_relative.shape == (n, times)
    assert all(values.shape == (n, times) for values in found.drug_mg_per_l.values())
    assert found.new_lesion_day.shape == found.dropout_day.shape == found.death_day.shape == (n,)
    assert found.parameters.shape == (n, len(found.parameter_names))
    assert np.all(np.isfinite(found.diameter_mm))
    assert np.all(found.diameter_mm >= 0.0)
    assert found.diameter_mm[:, :, 0] == pytest.approx(np.tile(diameter_mm(PLAN.volume_cm3), (n, 1)), rel=1e-6)
    assert found.ignored
    assert found.notes


@EVERY
def test_seed_threads_and_numbers_of_patients(model_id: str) -> None:
    alone = simulate(model_id, PLAN, patients=300, seed=4)
    parts = list(simulate_chunks(model_id, PLAN, patients=300, seed=4, threads=2))
    assert [part.diameter_mm.shape[0] for part in parts] == [256, 44]
    joined = concatenate(parts)
    few = simulate(model_id, PLAN, patients=9, seed=4)
    for name in ("diameter_mm", "death_day", "parameters"):
        assert getattr(alone, name).tobytes() == getattr(joined, name).tobytes()
        assert getattr(few, name).tobytes() == getattr(alone, name)[:9].tobytes()


@EVERY
def test_what_a_model_cannot_represent_is_said(model_id: str) -> None:
    said = " ".join(simulate(model_id, PLAN, patients=1, seed=1).ignored)
    if model_id != "multi-lesion":
        assert "vaccine" in said
    if "friedrich" in model_id or "kosinsky" in model_id:
        assert "absolute lesion sizes" in said
        assert "cell therapy" in said
    if model_id in ("chatterjee-2016", "claret-2009", "stein-growth-decay", "struemper-2025", "mueller-schoell-2021"):
        assert "radiotherapy" in said


def test_every_model_has_a_card_that_does_not_claim_validation() -> None:
    cards = {card.id: card for card in CARDS.values() if card.id in MODELS}
    assert set(cards) == set(MODELS)
    assert not any(card.validated_on_patients for card in cards.values())
    assert all(card.leaves_out and card.equations and card.references for card in cards.values())


def test_unknown_models_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown model"):
        simulate("serre-2016", PLAN, patients=1, seed=1)


def test_spheres_there_and_back() -> None:
    assert volume_cm3(diameter_mm(np.array([0.0, 1.0, 30.0]))) == pytest.approx([0.0, 1.0, 30.0])


def test_mouse_models_answer_to_the_schedule() -> None:
    known = Covariates()
    untreated = scenario(volumes=(12.0, 5.0), covariates=known, days=np.array([0.0, 14.0]))
    treated = scenario(
        course=SBRT, drugs=PEMBROLIZUMAB[:1], volumes=(12.0, 5.0), covariates=known, days=np.array([0.0, 14.0])
    )
    for model_id in ("friedrich-2022", "friedrich-2022-converged", "kosinsky-2018"):
        grown, shrunk = (
            simulate(model_id, plan, patients=8, seed=1).diameter_mm[..., 1] for plan in (untreated, treated)
        )
        assert np.all(grown > diameter_mm(untreated.volume_cm3))
        assert np.all(shrunk[:, 0] < grown[:, 0])


def test_posterior_and_holdout_belong_together() -> None:
    posterior, holdout = document("multi_lesion_posterior"), document("multi_lesion_holdout")
    calibrated = table("multi_lesion")["calibrated"]
    assert posterior["parameters"] == list(calibrated)
    sets = np.array(posterior["sets"])
    assert sets.shape[0] >= 64
    assert np.all(sets > 0.0)
    arms = posterior["calibration_arms"]
    assert all(arm["inside"] == (arm["observed_90"][0] <= arm["simulated"] <= arm["observed_90"][1]) for arm in arms)
    structural = [arm for arm in arms if arm["source"].startswith("structure")]
    assert len(structural) == 4
    assert all(arm["inside"] for arm in structural)
    assert {arm["hit"] for arm in holdout["arms"]} == {True, False}
