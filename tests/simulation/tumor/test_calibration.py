"""The shipped posterior of the multi-lesion model against the calibration arms and what the structure must give."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "scripts"))

from multi_lesion_arms import Arm, Endpoints, median_months, run
from multi_lesion_targets import MIXTURES, PEMBROLIZUMAB, TARGETS, TREATED, Simulated

from simulation.outcome.summaries import proportion_interval
from simulation.tumor.cohort import probability, summarize
from simulation.tumor.interface import simulate
from simulation.tumor.multi_lesion_model import REPORTED
from simulation.tumor.scenario import Covariates
from simulation.tumor.tables import document
from simulation.tumor.virtual_patients import Posterior
from tests.simulation.tumor import scenarios

EIGHT_BY_THREE = (0.0, 2.0, 4.0)
REFRACTORY = Covariates(cancer_type="nsclc", prior_systemic_therapy=True, prior_immunotherapy="refractory")
SEED = 91
PATIENTS = 4096


def simulated(patients: int = PATIENTS, **members: object) -> Endpoints:
    arm = Arm(**{"covariates": TREATED, "out_of_field": True, **members})
    return run(arm, Posterior.shipped(), patients=patients, seed=SEED)


def test_every_calibration_arm_lies_inside_the_interval_of_its_trial() -> None:
    arms = document("multi_lesion_posterior")["calibration_arms"]
    assert [(arm["arm"], arm["endpoint"]) for arm in arms] == [(target.name, target.kind) for target in TARGETS]
    for arm, target in zip(arms, TARGETS, strict=True):
        assert arm["observed_90"] == pytest.approx(target.interval(), abs=1e-4)
        assert target.interval()[0] <= arm["simulated"] <= target.interval()[1], arm["arm"]
        assert arm["inside"] is True


@pytest.mark.parametrize(
    ("name", "kind", "tolerance"),
    [
        ("pooled control, out of field", "response", 0.035),
        ("CheckMate 067, ipilimumab", "response", 0.035),
        ("CheckMate 067, both", "response", 0.04),
        ("CheckMate 067, ipilimumab", "pfs_months", 0.15),
    ],
)
def test_the_shipped_posterior_gives_the_shipped_value(name: str, kind: str, tolerance: float) -> None:
    arms = document("multi_lesion_posterior")["calibration_arms"]
    index = next(i for i, target in enumerate(TARGETS) if (target.name, target.kind) == (name, kind))
    found = Simulated(Posterior.shipped(), SEED, 8).value(TARGETS[index], MIXTURES[index])
    assert found == pytest.approx(arms[index]["simulated"], abs=tolerance)


def test_untreated_tumors_grow_and_do_not_respond() -> None:
    found = simulated()
    assert found.response_rate() <= 0.005
    viable = found.trajectories.viable_cm3.sum(axis=1)
    assert np.all(viable[:, 1] > viable[:, 0])


def test_radiotherapy_alone_gives_almost_no_response_out_of_field() -> None:
    assert simulated(fraction_days=EIGHT_BY_THREE, dose_gy=8.0).response_rate() <= 0.02


def test_one_large_fraction_is_not_better_than_three_moderate_ones() -> None:
    large = simulated(drugs=PEMBROLIZUMAB, fraction_days=(0.0,), dose_gy=20.0)
    moderate = simulated(drugs=PEMBROLIZUMAB, fraction_days=EIGHT_BY_THREE, dose_gy=8.0)
    alone = simulated(drugs=PEMBROLIZUMAB)
    assert large.response_rate() <= moderate.response_rate()
    assert moderate.response_rate() > alone.response_rate()


def test_a_patient_refractory_to_pd1_gains_nothing() -> None:
    alone = simulated(512, drugs=PEMBROLIZUMAB, covariates=REFRACTORY)
    both = simulated(512, drugs=PEMBROLIZUMAB, fraction_days=EIGHT_BY_THREE, dose_gy=8.0, covariates=REFRACTORY)
    assert both.response_rate() == alone.response_rate() == 0.0


def test_the_median_is_that_of_the_weighted_patients() -> None:
    days = np.array([10.0, 20.0, 30.0, np.inf])
    assert median_months(days) * 30.4375 == pytest.approx(20.0)
    assert median_months(days, np.array([1.0, 1.0, 1.0, 7.0])) == np.inf
    assert median_months(days, np.array([6.0, 1.0, 1.0, 1.0])) * 30.4375 == pytest.approx(10.0)


def test_intervals_of_probabilities_carry_the_uncertainty_of_the_parameters() -> None:
    plan = scenarios.scenario(course=scenarios.SBRT, drugs=scenarios.PEMBROLIZUMAB, days=np.arange(0.0, 365.0, 42.0))
    found = simulate("multi-lesion", plan, patients=2048, seed=3)
    assert "posterior_set" in REPORTED
    cohort = summarize([found], plan, scan_days=plan.output_days, targets=np.ones(3, dtype=bool))
    sets = cohort.outcomes.posterior_set
    assert np.unique(sets).size == Posterior.shipped().size
    share, interval = probability(cohort.outcomes.responded, sets)
    binomial = proportion_interval(round(share * sets.size), sets.size, level=0.9)
    assert interval.upper - interval.lower > 1.3 * (binomial.upper - binomial.lower)
    _, sampling_only = probability(cohort.outcomes.responded, np.zeros_like(sets))
    assert sampling_only.upper - sampling_only.lower == pytest.approx(binomial.upper - binomial.lower)
