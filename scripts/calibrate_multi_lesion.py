"""Calibrates the virtual population of the multi-lesion model to the calibration arms, and to nothing else.

Method: ensemble smoother with multiple data assimilation (Emerick and Reynolds 2013, doi:10.1016/j.cageo.2012.03.011).
An ensemble drawn from the priors of ``simulation/data/multi_lesion.toml`` is moved to the data in a few steps, each
with the data errors inflated; the members of the last one with the smallest misfit are the sample. Every member sees
the same virtual patients (common random numbers). Data errors are binomial (response, on the logit scale) and
1/sqrt(events) (log median progression-free time), each with a discrepancy term for what the model leaves out. Two
demands on the structure stand beside the trials: no response without treatment, and almost none outside the field of
radiotherapy alone.

    python scripts/calibrate_multi_lesion.py            # writes simulation/data/multi_lesion_posterior.json
"""

import argparse
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from multi_lesion_arms import Arm, Endpoints, every, median_months, run, weekdays
from numpy.typing import NDArray
from scipy.special import expit, logit

from simulation.outcome.summaries import proportion_interval
from simulation.tumor.scenario import Covariates
from simulation.tumor.tables import table
from simulation.tumor.virtual_patients import Posterior

DATA = Path(__file__).resolve().parent.parent / "simulation" / "data"
SEED = 20_220_330
MEMBERS = 160
KEPT = 96  # members with the smallest misfit
CHECK_SEED, CHECK_TIMES = 7, 16  # the kept sample is checked on other and more virtual patients
STEPS = 6
RESPONSE_DISCREPANCY = 0.07  # logit
PFS_DISCREPANCY = 0.12  # log months
STRUCTURAL_DEVIATION = 0.25  # logit
EVENT_FRACTION = 0.8  # of patients with progression at the time of publication, where not reported
FRACTIONS = ("refractory", "melanoma_refractory", "del4")


@dataclass(frozen=True, kw_only=True)
class Target:
    """One published number that the calibration uses."""

    name: str
    kind: str  # response | pfs_months
    value: float
    n: int
    source: str
    verified: bool
    at_most: float | None = None  # a structural demand instead of a trial's number

    @property
    def observed(self) -> float:
        """Value on the scale of the fit."""
        return float(logit(self.value)) if self.kind == "response" else math.log(self.value)

    @property
    def standard_deviation(self) -> float:
        """Sampling error and discrepancy on the scale of the fit."""
        if self.at_most is not None:
            return STRUCTURAL_DEVIATION
        if self.kind == "response":
            return math.hypot(1.0 / math.sqrt(self.n * self.value * (1 - self.value)), RESPONSE_DISCREPANCY)
        return math.hypot(1.0 / math.sqrt(EVENT_FRACTION * self.n), PFS_DISCREPANCY)

    def interval(self) -> tuple[float, float]:
        """Return the 90 % interval of the published value: Wilson, or log-normal for a median."""
        if self.at_most is not None:
            return 0.0, self.at_most
        if self.kind == "response":
            found = proportion_interval(round(self.n * self.value), self.n, level=0.90, method="wilson")
            return found.lower, found.upper
        width = 1.6449 / math.sqrt(EVENT_FRACTION * self.n)
        return self.value * math.exp(-width), self.value * math.exp(width)


POOLED = "Theelen 2021, doi:10.1016/S2213-2600(20)30391-X"
KEYNOTE_001 = "Garon 2015, doi:10.1056/NEJMoa1501824"
KEYNOTE_010 = "Herbst 2016, doi:10.1016/S0140-6736(15)01281-7"
KEYNOTE_024 = "Reck 2016, doi:10.1056/NEJMoa1606774"
CHECKMATE_067 = "Wolchok 2022, doi:10.1200/JCO.21.02229"
TARGETS = (
    Target(name="pooled control, out of field", kind="response", value=0.197, n=76, source=POOLED, verified=False),
    Target(name="pooled control", kind="pfs_months", value=4.4, n=76, source=POOLED, verified=False),
    Target(name="pooled radiotherapy, out of field", kind="response", value=0.417, n=72, source=POOLED, verified=True),
    Target(name="pooled radiotherapy", kind="pfs_months", value=9.0, n=72, source=POOLED, verified=True),
    Target(name="KEYNOTE-001", kind="response", value=0.194, n=495, source=KEYNOTE_001, verified=False),
    Target(name="KEYNOTE-001", kind="pfs_months", value=3.7, n=495, source=KEYNOTE_001, verified=False),
    Target(name="KEYNOTE-001, TPS >= 50 %", kind="response", value=0.452, n=73, source=KEYNOTE_001, verified=False),
    Target(name="KEYNOTE-010, TPS >= 1 %", kind="response", value=0.18, n=690, source=KEYNOTE_010, verified=False),
    Target(name="KEYNOTE-010, TPS >= 1 %", kind="pfs_months", value=3.9, n=690, source=KEYNOTE_010, verified=False),
    Target(name="KEYNOTE-010, TPS >= 50 %", kind="response", value=0.295, n=290, source=KEYNOTE_010, verified=False),
    Target(name="KEYNOTE-024, TPS >= 50 %", kind="response", value=0.448, n=154, source=KEYNOTE_024, verified=False),
    Target(name="KEYNOTE-024, TPS >= 50 %", kind="pfs_months", value=10.3, n=154, source=KEYNOTE_024, verified=False),
    Target(name="CheckMate 067, both", kind="response", value=0.58, n=314, source=CHECKMATE_067, verified=True),
    Target(name="CheckMate 067, nivolumab", kind="response", value=0.45, n=316, source=CHECKMATE_067, verified=True),
    Target(name="CheckMate 067, ipilimumab", kind="response", value=0.19, n=315, source=CHECKMATE_067, verified=True),
    Target(name="CheckMate 067, both", kind="pfs_months", value=11.5, n=314, source=CHECKMATE_067, verified=True),
    Target(name="CheckMate 067, nivolumab", kind="pfs_months", value=6.9, n=316, source=CHECKMATE_067, verified=True),
    Target(name="CheckMate 067, ipilimumab", kind="pfs_months", value=2.9, n=315, source=CHECKMATE_067, verified=True),
)
SMALLEST_RATE = 0.004
TARGETS += (
    Target(
        name="untreated, out of field", kind="response", value=SMALLEST_RATE, n=0, at_most=0.005,
        source="structure: untreated tumors grow", verified=False,
    ),
    Target(
        name="8 Gy x 3 alone, out of field", kind="response", value=0.010, n=0, at_most=0.02,
        source="structure: 46 case reports of an abscopal response to radiotherapy alone in 45 years", verified=False,
    ),
)  # fmt: skip
TREATED_FRACTION_KEYNOTE_001 = 0.8

PEMBROLIZUMAB = every("pembrolizumab", mg=200.0, days=21.0, doses=35)
TREATED = Covariates(cancer_type="nsclc", prior_systemic_therapy=True)
NAIVE = Covariates(cancer_type="nsclc", prior_systemic_therapy=False)
TREATED_HIGH = Covariates(cancer_type="nsclc", prior_systemic_therapy=True, pd_l1_tps_percent=75.0)
NAIVE_HIGH = Covariates(cancer_type="nsclc", prior_systemic_therapy=False, pd_l1_tps_percent=75.0)
MELANOMA = Covariates(cancer_type="melanoma")
NIVOLUMAB = every("nivolumab", mg=240.0, days=14.0, doses=52)
IPILIMUMAB = every("ipilimumab", mg=225.0, days=21.0, doses=4)
BOTH = every("nivolumab", mg=75.0, days=21.0, doses=4) + every(
    "nivolumab", mg=240.0, days=14.0, doses=46, start=84.0
) + IPILIMUMAB  # fmt: skip


def _pembrolizumab(covariates: Covariates, *, out_of_field: bool = False, scan_weeks: int = 9) -> Arm:
    return Arm(
        drugs=PEMBROLIZUMAB, covariates=covariates, out_of_field=out_of_field, scan_weeks=scan_weeks,
        confirmed=not out_of_field,
    )  # fmt: skip


def _with_radiotherapy(days: tuple[float, ...], dose_gy: float) -> Arm:
    return Arm(
        drugs=PEMBROLIZUMAB, fraction_days=days, dose_gy=dose_gy, covariates=TREATED, out_of_field=True, scan_weeks=6
    )


def _melanoma(drugs: tuple) -> Arm:
    return Arm(drugs=drugs, covariates=MELANOMA, confirmed=True, scan_weeks=6)


ARMS: dict[str, tuple[Arm, int]] = {
    "pooled control": (_pembrolizumab(TREATED, out_of_field=True, scan_weeks=6), 384),
    "8 Gy x 3": (_with_radiotherapy((0.0, 2.0, 4.0), 8.0), 256),
    "12.5 Gy x 4": (_with_radiotherapy((0.0, 1.0, 2.0, 3.0), 12.5), 128),
    "3 Gy x 15": (_with_radiotherapy(weekdays(15), 3.0), 128),
    "treated": (_pembrolizumab(TREATED), 512),
    "naive": (_pembrolizumab(NAIVE), 256),
    "treated, high": (_pembrolizumab(TREATED_HIGH), 256),
    "naive, high": (_pembrolizumab(NAIVE_HIGH), 256),
    "untreated": (Arm(covariates=TREATED, out_of_field=True), 384),
    "8 Gy x 3 alone": (
        Arm(covariates=TREATED, fraction_days=(0.0, 2.0, 4.0), dose_gy=8.0, out_of_field=True),
        512,
    ),
    "both": (_melanoma(BOTH), 256),
    "nivolumab": (_melanoma(NIVOLUMAB), 256),
    "ipilimumab": (_melanoma(IPILIMUMAB), 256),
}


def simulate_targets(posterior: Posterior, seed: int, times: int = 1) -> NDArray[np.float64]:
    """Return the simulated value of every target on the scale of the fit, with so many times the patients.

    The pooled radiotherapy arm mixes its schedules in proportion to the patients that the two trials planned (half
    8 Gy x 3, a quarter each 12.5 Gy x 4 and 3 Gy x 15): only the mixture is compared with data.
    """
    found = {name: run(arm, posterior, patients=times * n, seed=seed) for name, (arm, n) in ARMS.items()}
    pooled = [found[name] for name in ("8 Gy x 3", "12.5 Gy x 4", "3 Gy x 15")]
    tps = _tps(found["treated"])
    share = TREATED_FRACTION_KEYNOTE_001
    mixed_pfs = np.concatenate([found["treated"].pfs_days, found["naive"].pfs_days[: times * 128]])
    simulated = (
        found["pooled control"].response_rate(),
        found["pooled control"].median_pfs_months(),
        float(np.mean(np.concatenate([arm.responded for arm in pooled]))),
        median_months(np.concatenate([arm.pfs_days for arm in pooled])),
        share * found["treated"].response_rate() + (1 - share) * found["naive"].response_rate(),
        median_months(mixed_pfs),
        share * found["treated, high"].response_rate() + (1 - share) * found["naive, high"].response_rate(),
        found["treated"].response_rate(tps >= 0.01),
        found["treated"].median_pfs_months(tps >= 0.01),
        found["treated, high"].response_rate(),
        found["naive, high"].response_rate(),
        found["naive, high"].median_pfs_months(),
        *(found[name].response_rate() for name in ("both", "nivolumab", "ipilimumab")),
        *(found[name].median_pfs_months() for name in ("both", "nivolumab", "ipilimumab")),
        found["untreated"].response_rate(),
        found["8 Gy x 3 alone"].response_rate(),
    )
    return np.array(
        [
            float(logit(np.clip(value, SMALLEST_RATE, 1 - SMALLEST_RATE)))
            if target.kind == "response"
            else math.log(max(value, 0.3))
            for target, value in zip(TARGETS, simulated, strict=True)
        ]
    )


def _tps(arm: Endpoints) -> NDArray[np.float64]:
    level = arm.trajectories.parameters[:, arm.trajectories.parameter_names.index("L0")]
    return level / table("multi_lesion")["population"]["pd_l1_scale"]["value"]


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


def calibrate(seed: int, members: int, steps: int) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Return parameter names, the posterior ensemble and its simulated targets."""
    names, mean, deviation = priors()
    generator = np.random.Generator(np.random.Philox(seed))
    low, high = mean - 2.5 * deviation, mean + 2.5 * deviation
    ensemble = np.clip(mean + deviation * generator.standard_normal((members, len(names))), low, high)
    observed = np.array([target.observed for target in TARGETS])
    noise = np.array([target.standard_deviation for target in TARGETS])

    def forward(sets: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([simulate_targets(posterior_of(names, one[None]), seed) for one in sets])

    for step in range(steps):
        simulated = forward(ensemble)
        misfit = np.mean(((simulated - observed) / noise) ** 2, axis=1)
        print(f"step {step}: mean squared misfit {np.median(misfit):.2f} (median of members)", flush=True)
        x = ensemble - ensemble.mean(axis=0)
        d = simulated - simulated.mean(axis=0)
        inflated = math.sqrt(steps) * noise
        gain = (x.T @ d) @ np.linalg.inv(d.T @ d + (members - 1) * np.diag(inflated**2))
        perturbed = observed + inflated * generator.standard_normal(simulated.shape)
        ensemble = np.clip(ensemble + (perturbed - simulated) @ gain.T, low, high)
    return names, ensemble, forward(ensemble)


def main() -> None:
    """Calibrate and write the posterior sample."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--members", type=int, default=MEMBERS)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--out", type=Path, default=DATA / "multi_lesion_posterior.json")
    arguments = parser.parse_args()
    names, ensemble, simulated = calibrate(arguments.seed, arguments.members, arguments.steps)
    observed = np.array([target.observed for target in TARGETS])
    noise = np.array([target.standard_deviation for target in TARGETS])
    kept = np.sort(np.argsort(np.mean(((simulated - observed) / noise) ** 2, axis=1), kind="stable")[:KEPT])
    ensemble, simulated = ensemble[kept], simulated[kept]
    sets = posterior_of(names, ensemble)
    checked = simulate_targets(sets, CHECK_SEED, CHECK_TIMES)
    arms = []
    for i, target in enumerate(TARGETS):
        back = expit if target.kind == "response" else np.exp
        value = float(back(checked[i]))
        lower, upper = (float(back(q)) for q in np.quantile(simulated[:, i], [0.05, 0.95]))
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
        f"{arguments.steps} steps, common random numbers; the {KEPT} members with the smallest misfit are kept",
        "evidence": "calibrated",
        "calibration_arms": arms,
        "parameters": names,
        "sets": [[float(f"{sets.sets[name][i]:.6g}") for name in names] for i in range(KEPT)],
    }
    arguments.out.write_text(json.dumps(document, indent=1).replace("\n   ", " ") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
