"""Calibrates the virtual population of the multi-lesion model to the calibration arms, and to nothing else.

Method: ensemble smoother with multiple data assimilation (Emerick and Reynolds 2013, doi:10.1016/j.cageo.2012.03.011).
An ensemble drawn from the priors of ``simulation/data/multi_lesion.toml`` is moved to the data in a few steps, each
with the data errors inflated. In a step every member and every arm meets the same virtual patients (common random
numbers); the next step draws new ones, so that no member is fitted to the luck of one draw. Then, in a few rounds,
proposals are drawn with the mean and covariance of the ensemble, and those nearest to all trials at once stay; a
regression over simulated ones tells which.

Data errors are binomial (response, and the progression-free share at a published median; logit scale), each with a
discrepancy term for what the model leaves out. Two demands on the structure stand beside the trials: no response
without treatment, and almost none outside the field of radiotherapy alone.

    python scripts/calibrate_multi_lesion.py            # writes simulation/data/multi_lesion_posterior.json
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
from multi_lesion_targets import TARGETS, deviation, on_fit_scale, simulate_features, simulate_targets
from numpy.typing import NDArray
from scipy.special import expit, logit

from simulation.tumor.tables import table
from simulation.tumor.virtual_patients import Posterior

DATA = Path(__file__).resolve().parent.parent / "simulation" / "data"
SEED = 20_220_330
MEMBERS = 112
ROUNDS = 3
SIMULATIONS = 224  # of a round
FIRST_PROPOSAL = 1000  # seeds of the simulated proposals, apart from those of the steps
PROPOSALS = 10_000
KEPT = 96
CHECK_SEED, CHECK_TIMES = 7, 64  # the kept sample is checked on other and more virtual patients
STEPS = 4
FRACTIONS = ("refractory", "melanoma_refractory", "del4")


def priors() -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Return names, means and standard deviations of the priors on the unbounded scale."""
    rows = table("multi_lesion")["calibrated"]
    names = list(rows)
    bounds = np.array([[_unbounded(name, edge) for edge in rows[name]["prior"]] for name in names])
    return names, bounds.mean(axis=1), (bounds[:, 1] - bounds[:, 0]) / 4.0


def _unbounded(name: str, value: float) -> float:
    return float(logit(value)) if name in FRACTIONS else math.log(value)


def _bounded(name: str, value: float) -> float:
    return float(expit(value)) if name in FRACTIONS else math.exp(value)


def posterior_of(names: list[str], ensemble: NDArray[np.float64]) -> Posterior:
    """Return ensemble members, shape (n_members, n_parameters), as parameter sets."""
    return Posterior({name: np.array([_bounded(name, x) for x in ensemble[:, i]]) for i, name in enumerate(names)})


def smooth(seed: int, members: int, steps: int) -> tuple[list[str], NDArray[np.float64]]:
    """Return parameter names and the ensemble that the smoother moves from the priors to the data."""
    names, mean, deviations = priors()
    generator = np.random.Generator(np.random.Philox(seed))
    low, high = bounds(mean, deviations)
    ensemble = np.clip(mean + deviations * generator.standard_normal((members, len(names))), low, high)
    observed = np.array([target.observed for target in TARGETS])
    noise = np.array([target.standard_deviation for target in TARGETS])
    for step in range(steps):
        simulated = np.array(
            [
                [on_fit_scale(one) for one in simulate_features(posterior_of(names, member[None]), seed + step)]
                for member in ensemble
            ]
        )
        misfit = np.mean(((simulated - observed) / noise) ** 2, axis=1)
        print(f"step {step}: mean squared misfit {np.median(misfit):.2f} (median of members)", flush=True)
        x = ensemble - ensemble.mean(axis=0)
        d = simulated - simulated.mean(axis=0)
        inflated = math.sqrt(steps) * noise
        gain = (x.T @ d) @ np.linalg.inv(d.T @ d + (members - 1) * np.diag(inflated**2))
        perturbed = observed + inflated * generator.standard_normal(simulated.shape)
        ensemble = np.clip(ensemble + (perturbed - simulated) @ gain.T, low, high)
    return names, ensemble


def select(
    names: list[str], ensemble: NDArray[np.float64], seed: int, *, rounds: int, simulations: int, kept: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the proposals that come closest to all trials at once, and their simulated targets.

    Proposals are normal with the mean and covariance of the ensemble, in later rounds with those of the proposals kept
    before. Some are simulated, each with virtual patients of its own; the linear regression of the features on the
    parameters, with slopes over all simulated so far and a level for every round, is free of most of the chance of the
    draws and ranks the proposals by their largest deviation in half-widths of the trials' intervals.
    """
    _, mean, deviations = priors()
    generator = np.random.Generator(np.random.Philox([seed, 1]))
    tried, found = np.empty((0, len(names))), []
    for turn in range(rounds):
        center, covariance = ensemble.mean(axis=0), np.cov(ensemble.T)
        drawn = generator.multivariate_normal(center, covariance, simulations + PROPOSALS, method="cholesky")
        drawn = np.clip(drawn, *bounds(mean, deviations))
        tried = np.vstack([tried, drawn[:simulations]])
        found += [
            np.concatenate(simulate_features(posterior_of(names, one[None]), seed + FIRST_PROPOSAL * (turn + 1) + i))
            for i, one in enumerate(drawn[:simulations])
        ]
        scale = np.sqrt(np.diag(covariance))
        level = np.repeat(np.eye(turn + 1), simulations, axis=0)
        coefficients = np.linalg.lstsq(np.hstack([level, (tried - center) / scale]), np.array(found), rcond=None)[0]
        expected = coefficients[turn] + (drawn[simulations:] - center) / scale @ coefficients[turn + 1 :]
        worst = np.max(np.abs([deviations_of(one) for one in expected]), axis=1)
        best = np.argsort(worst, kind="stable")[:kept]
        print(f"round {turn}: largest deviation {worst[best[0]]:.2f} to {worst[best[-1]]:.2f} among {kept}", flush=True)
        ensemble = drawn[simulations:][np.sort(best)]
    return ensemble, np.array([simulate_targets(posterior_of(names, one[None]), seed - 1) for one in ensemble])


def deviations_of(features: NDArray[np.float64]) -> list[float]:
    """Return the deviations of all targets from their features, one after another."""
    ends = np.cumsum([1 if target.kind == "response" else 2 for target in TARGETS])[:-1]
    return [deviation(target, own.tolist()) for target, own in zip(TARGETS, np.split(features, ends), strict=True)]


def bounds(
    mean: NDArray[np.float64], deviations: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the edges at which parameters are held, on the unbounded scale."""
    return mean - 2.5 * deviations, mean + 2.5 * deviations


def main() -> None:
    """Calibrate and write the posterior sample."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--members", type=int, default=MEMBERS)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--simulations", type=int, default=SIMULATIONS)
    parser.add_argument("--kept", type=int, default=KEPT)
    parser.add_argument("--out", type=Path, default=DATA / "multi_lesion_posterior.json")
    arguments = parser.parse_args()
    names, ensemble = smooth(arguments.seed, arguments.members, arguments.steps)
    members, simulated = select(
        names,
        ensemble,
        arguments.seed,
        rounds=arguments.rounds,
        simulations=arguments.simulations,
        kept=arguments.kept,
    )
    sets = posterior_of(names, members)
    checked = simulate_targets(sets, CHECK_SEED, CHECK_TIMES)
    arms = []
    for i, target in enumerate(TARGETS):
        value = checked[i]
        lower, upper = np.quantile(simulated[:, i], [0.05, 0.95]).tolist()
        low, high = target.interval()
        arms.append(
            {
                "arm": target.name, "endpoint": target.kind, "observed": target.value, "n": target.n,
                "observed_90": [round(low, 4), round(high, 4)], "simulated": round(value, 4),
                "simulated_90": [round(lower, 4), round(upper, 4)], "inside": bool(low <= value <= high),
                "source": target.source, "verified": target.verified,
            }
        )  # fmt: skip
        print(f"{target.name:36s} {target.kind:10s} {target.value:7.3f} [{low:.3f}, {high:.3f}]  {value:.3f} "
              f"[{lower:.3f}, {upper:.3f}]  {'in' if arms[-1]['inside'] else 'OUT'}")  # fmt: skip
    document = {
        "script": "scripts/calibrate_multi_lesion.py",
        "seed": arguments.seed,
        "method": f"ensemble smoother with multiple data assimilation, {arguments.members} members, "
        f"{arguments.steps} steps, common random numbers; then {arguments.rounds} rounds of {PROPOSALS} proposals with "
        f"the mean and covariance of the sets kept so far, of which the {arguments.kept} stay whose largest deviation "
        f"is smallest by a regression over {arguments.simulations} simulated ones",
        "evidence": "calibrated",
        "calibration_arms": arms,
        "parameters": names,
        "sets": [[float(f"{sets.sets[name][i]:.6g}") for name in names] for i in range(arguments.kept)],
    }
    arguments.out.write_text(json.dumps(document, indent=1).replace("\n   ", " ") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
