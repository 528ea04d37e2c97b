"""Virtual patients: reproducible, independent of how many are asked for, of the published spread."""

import numpy as np
import pytest

from simulation.immunotherapy.antibodies import MODELS
from simulation.immunotherapy.metrics import output_grid
from simulation.immunotherapy.population import (
    CHUNK,
    CovariateDistribution,
    WeightedDoses,
    draw_covariates,
    percentiles,
    simulate_population,
    virtual_patients,
)
from simulation.immunotherapy.timeline import Doses

MODEL = MODELS["pk-nivolumab-zhang2019"]
WEIGHT = CovariateDistribution(covariate="weight_kg", kind="lognormal", center=76.0, spread=0.2, low=40.0, high=150.0)
DRAW = draw_covariates((WEIGHT, CovariateDistribution(covariate="female", kind="indicator", center=0.4)))


def course(*rows: list[float]) -> WeightedDoses:
    return WeightedDoses(*(np.array(row) for row in rows))


FLAT = course([0.0, 28.0], [480.0, 480.0], [0.0, 0.0], [np.inf, np.inf], [0.02, 0.02])
PER_KG = course([0.0, 14.0], [0.0, 0.0], [3.0, 3.0], [np.inf, 200.0], [0.02, 0.02])


def clearances(count: int, seed: int = 7) -> np.ndarray:
    chunks = virtual_patients(MODEL, DRAW, {"ecog_1_or_more": 1.0}, count, seed)
    return np.concatenate([patients.cl_l_per_day for _, patients, _ in chunks])


def test_patient_i_does_not_depend_on_the_number_of_patients() -> None:
    many = clearances(CHUNK + 50)
    assert np.array_equal(clearances(20), many[:20])
    assert np.array_equal(clearances(CHUNK + 50), many)
    assert not np.array_equal(clearances(20, seed=8), many[:20])
    assert not np.array_equal(many[:50], many[CHUNK : CHUNK + 50])


def test_the_spread_is_the_published_one() -> None:
    draw = draw_covariates(())
    _, patients, _ = next(virtual_patients(MODEL, draw, {}, CHUNK, 3))
    logs = np.log(np.stack([patients.cl_l_per_day, patients.vc_l, patients.vp_l]))
    covariance = np.cov(logs)
    assert covariance[0, 0] == pytest.approx(0.157, rel=0.1)
    assert covariance[0, 1] == pytest.approx(0.0596, rel=0.25)
    assert abs(covariance[0, 2]) < 0.02
    assert np.var(patients.emax) == pytest.approx(0.0874, rel=0.1)
    assert np.median(patients.cl_l_per_day) == pytest.approx(0.2592, rel=0.05)


def test_doses_by_weight_follow_the_drawn_weight_up_to_the_cap() -> None:
    doses = PER_KG.for_weights(np.array([50.0, 100.0]))
    assert doses.amount_mg.tolist() == [[150.0, 300.0], [150.0, 200.0]]
    with pytest.raises(ValueError, match="weight"):
        PER_KG.for_weights(None)


def test_bands_widen_and_hold_the_typical_patient() -> None:
    grid = output_grid(FLAT.for_weights(None), 56.0, 7.0)
    found = simulate_population(
        MODEL, FLAT, grid, 56.0, draw=DRAW, known={}, patients=600, seed=1, target_mg_per_l=20.0
    )
    low, middle, high = percentiles(found.concentration_mg_per_l[1:], (5.0, 50.0, 95.0))
    assert np.all(low < middle)
    assert np.all(middle < high)
    assert found.cycles.trough_mg_per_l.shape == (2, 600)
    assert found.days_above_target is not None
    assert np.all((found.days_above_target >= 0) & (found.days_above_target <= 56.0))
    coarse = output_grid(FLAT.for_weights(None), 56.0, 56.0)
    again = simulate_population(
        MODEL, FLAT, coarse, 56.0, draw=DRAW, known={}, patients=600, seed=1, target_mg_per_l=20.0
    )
    assert again.days_above_target == pytest.approx(found.days_above_target, rel=1e-4, abs=1e-4)


def test_plain_doses_serve_event_tables() -> None:
    doses = Doses.of([0.0, 28.0], 480.0, 0.02)
    grid = output_grid(doses, 56.0, 7.0)
    by_table, by_course = (
        simulate_population(MODEL, given, grid, 56.0, draw=DRAW, known={}, patients=30, seed=1)
        for given in (doses, FLAT)
    )
    assert np.array_equal(by_table.concentration_mg_per_l, by_course.concentration_mg_per_l)
    assert by_table.days_above_target is None


def test_normal_covariates_are_clipped_and_counts_checked() -> None:
    albumin = CovariateDistribution(
        covariate="albumin_g_per_l", kind="normal", center=38.0, spread=8.0, low=30.0, high=45.0
    )
    drawn = draw_covariates((albumin,))(np.random.default_rng(1), 500)["albumin_g_per_l"]
    assert drawn.min() == 30.0
    assert drawn.max() == 45.0
    with pytest.raises(ValueError, match="between"):
        next(virtual_patients(MODEL, DRAW, {}, 0, 1))
