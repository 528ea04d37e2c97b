"""The published numbers that calibrate the multi-lesion model, and the simulated arms that stand for them.

Schedules of scans: every 9 weeks in KEYNOTE-001 (ASCO 2016 abstract 9026) and KEYNOTE-010 (US product information), and
so taken for KEYNOTE-024; every 6 weeks in the pooled radiotherapy trials and, in CheckMate 067, at week 12, every 6
weeks to week 48, then every 12 weeks (both as remembered from the protocols). The intervals of the CheckMate 067
medians are those of its 4-year report (ESMO 2018), which gives the same medians; that of KEYNOTE-001 is quoted in the
lung cancer summary (PDQ) of the National Cancer Institute.
"""

import math
from dataclasses import dataclass

import numpy as np
from multi_lesion_arms import DAYS_PER_MONTH, Arm, Endpoints, every, median_months, run, weekdays
from numpy.typing import NDArray
from scipy.special import logit

from simulation.immunotherapy.plan import DoseEvent
from simulation.outcome.summaries import proportion_interval
from simulation.tumor.scenario import Covariates
from simulation.tumor.tables import table
from simulation.tumor.virtual_patients import Posterior

RESPONSE_DISCREPANCY = 0.05  # logit
PFS_DISCREPANCY = 0.05  # logit of the progression-free share
STRUCTURAL_DEVIATION = 0.25  # logit
EVENT_FRACTION = 0.8  # of patients with progression at the time of publication, where no interval was read
Z_90, Z_95 = 1.6449, 1.9600


@dataclass(frozen=True, kw_only=True)
class Target:
    """One published number that the calibration uses."""

    name: str
    kind: str  # response | pfs_months
    value: float
    n: int
    source: str
    verified: bool
    published_95: tuple[float, float] | None = None
    at_most: float | None = None  # a structural demand instead of a trial's number

    @property
    def observed(self) -> float:
        """Value on the scale of the fit: the logit of a response rate, of one half for a median."""
        return float(logit(self.value)) if self.kind == "response" else 0.0

    @property
    def standard_deviation(self) -> float:
        """Sampling error and discrepancy on the scale of the fit."""
        if self.at_most is not None:
            return STRUCTURAL_DEVIATION
        if self.kind == "response":
            return math.hypot(1.0 / math.sqrt(self.n * self.value * (1 - self.value)), RESPONSE_DISCREPANCY)
        return math.hypot(2.0 / math.sqrt(EVENT_FRACTION * self.n), PFS_DISCREPANCY)

    def interval(self) -> tuple[float, float]:
        """Return the 90 % interval of the published value.

        Wilson's for a response. For a median the published 95 % interval, narrowed on the log scale; where none was
        read, log-normal with the variance 1/events.
        """
        if self.at_most is not None:
            return 0.0, self.at_most
        if self.kind == "response":
            found = proportion_interval(round(self.n * self.value), self.n, level=0.90, method="wilson")
            return found.lower, found.upper
        if self.published_95 is not None:
            lower, upper = (self.value * (edge / self.value) ** (Z_90 / Z_95) for edge in self.published_95)
            return lower, upper
        width = Z_90 / math.sqrt(EVENT_FRACTION * self.n)
        return self.value * math.exp(-width), self.value * math.exp(width)


POOLED = "Theelen 2021, doi:10.1016/S2213-2600(20)30391-X"
KEYNOTE_001 = "Garon 2015, doi:10.1056/NEJMoa1501824"
KEYNOTE_010 = "Herbst 2016, doi:10.1016/S0140-6736(15)01281-7"
KEYNOTE_024 = "Reck 2016, doi:10.1056/NEJMoa1606774"
CHECKMATE_067 = "Wolchok 2022, doi:10.1200/JCO.21.02229"
TARGETS: tuple[Target, ...] = (
    Target(name="pooled control, out of field", kind="response", value=0.197, n=76, source=POOLED, verified=False),
    Target(name="pooled control", kind="pfs_months", value=4.4, n=76, source=POOLED, verified=False),
    Target(name="pooled radiotherapy, out of field", kind="response", value=0.417, n=72, source=POOLED, verified=True),
    Target(name="pooled radiotherapy", kind="pfs_months", value=9.0, n=72, source=POOLED, verified=True),
    Target(name="KEYNOTE-001", kind="response", value=0.194, n=495, source=KEYNOTE_001, verified=False),
    Target(
        name="KEYNOTE-001", kind="pfs_months", value=3.7, n=495, source=KEYNOTE_001, verified=False,
        published_95=(2.9, 4.1),
    ),
    Target(name="KEYNOTE-001, TPS >= 50 %", kind="response", value=0.452, n=73, source=KEYNOTE_001, verified=False),
    Target(name="KEYNOTE-010, TPS >= 1 %", kind="response", value=0.18, n=690, source=KEYNOTE_010, verified=False),
    Target(name="KEYNOTE-010, TPS >= 1 %", kind="pfs_months", value=3.9, n=690, source=KEYNOTE_010, verified=False),
    Target(name="KEYNOTE-010, TPS >= 50 %", kind="response", value=0.295, n=290, source=KEYNOTE_010, verified=False),
    Target(name="KEYNOTE-024, TPS >= 50 %", kind="response", value=0.448, n=154, source=KEYNOTE_024, verified=False),
    Target(name="KEYNOTE-024, TPS >= 50 %", kind="pfs_months", value=10.3, n=154, source=KEYNOTE_024, verified=False),
    Target(name="CheckMate 067, both", kind="response", value=0.58, n=314, source=CHECKMATE_067, verified=True),
    Target(name="CheckMate 067, nivolumab", kind="response", value=0.45, n=316, source=CHECKMATE_067, verified=True),
    Target(name="CheckMate 067, ipilimumab", kind="response", value=0.19, n=315, source=CHECKMATE_067, verified=True),
    Target(
        name="CheckMate 067, both", kind="pfs_months", value=11.5, n=314, source=CHECKMATE_067, verified=True,
        published_95=(8.7, 19.3),
    ),
    Target(
        name="CheckMate 067, nivolumab", kind="pfs_months", value=6.9, n=316, source=CHECKMATE_067, verified=True,
        published_95=(5.1, 10.2),
    ),
    Target(
        name="CheckMate 067, ipilimumab", kind="pfs_months", value=2.9, n=315, source=CHECKMATE_067, verified=True,
        published_95=(2.8, 3.2),
    ),
)  # fmt: skip
SMALLEST_RATE = 0.004
CASE_REPORTS = "structure: 46 case reports of an abscopal response to radiotherapy alone in 45 years"
TARGETS += (
    Target(
        name="untreated, out of field", kind="response", value=SMALLEST_RATE, n=0, at_most=0.005,
        source="structure: untreated tumors grow", verified=False,
    ),
    Target(
        name="8 Gy x 3 alone, out of field", kind="response", value=0.010, n=0, at_most=0.02,
        source=CASE_REPORTS, verified=False,
    ),
    Target(
        name="8 Gy x 3 alone, TPS >= 50 %", kind="response", value=0.015, n=0, at_most=0.04, source=CASE_REPORTS,
        verified=False,
    ),
    Target(
        name="8 Gy x 3 alone, naive, TPS >= 50 %", kind="response", value=0.02, n=0, at_most=0.05, source=CASE_REPORTS,
        verified=False,
    ),
)  # fmt: skip
TREATED_FRACTION_KEYNOTE_001 = 0.8
TREATED_FRACTION_KEYNOTE_001_HIGH = 57 / 73  # as remembered from the report: 57 of 73 had been treated before

PEMBROLIZUMAB = every("pembrolizumab", mg=200.0, days=21.0, doses=35)
TREATED = Covariates(cancer_type="nsclc", prior_systemic_therapy=True)
NAIVE = Covariates(cancer_type="nsclc", prior_systemic_therapy=False)
TREATED_HIGH = Covariates(cancer_type="nsclc", prior_systemic_therapy=True, pd_l1_tps_percent=75.0)
NAIVE_HIGH = Covariates(cancer_type="nsclc", prior_systemic_therapy=False, pd_l1_tps_percent=75.0)
MELANOMA = Covariates(cancer_type="melanoma")
NIVOLUMAB = every("nivolumab", mg=240.0, days=14.0, doses=52)
SCANS_CHECKMATE_067 = (*np.arange(84.0, 337.0, 42.0).tolist(), *np.arange(420.0, 730.0, 84.0).tolist())
IPILIMUMAB = every("ipilimumab", mg=225.0, days=21.0, doses=4)
BOTH = every("nivolumab", mg=75.0, days=21.0, doses=4) + every(
    "nivolumab", mg=240.0, days=14.0, doses=46, start=84.0
) + IPILIMUMAB  # fmt: skip


def _pembrolizumab(covariates: Covariates, *, out_of_field: bool = False, scan_weeks: int = 9) -> Arm:
    return Arm(
        drugs=PEMBROLIZUMAB, covariates=covariates, out_of_field=out_of_field, scan_weeks=scan_weeks,
        confirmed=not out_of_field,
    )  # fmt: skip


def _with_radiotherapy(covariates: Covariates, days: tuple[float, ...], dose_gy: float) -> Arm:
    return Arm(
        drugs=PEMBROLIZUMAB, fraction_days=days, dose_gy=dose_gy, covariates=covariates, out_of_field=True, scan_weeks=6
    )


def _radiotherapy_alone(covariates: Covariates) -> Arm:
    return Arm(covariates=covariates, fraction_days=(0.0, 2.0, 4.0), dose_gy=8.0, out_of_field=True)


def _melanoma(drugs: tuple[DoseEvent, ...]) -> Arm:
    return Arm(drugs=drugs, covariates=MELANOMA, confirmed=True, scan_days=SCANS_CHECKMATE_067)


ARMS: dict[str, tuple[Arm, int]] = {
    "pooled control": (_pembrolizumab(TREATED, out_of_field=True, scan_weeks=6), 384),
    "pooled control, naive": (_pembrolizumab(NAIVE, out_of_field=True, scan_weeks=6), 128),
    "8 Gy x 3": (_with_radiotherapy(TREATED, (0.0, 2.0, 4.0), 8.0), 512),
    "12.5 Gy x 4": (_with_radiotherapy(TREATED, (0.0, 1.0, 2.0, 3.0), 12.5), 128),
    "12.5 Gy x 4, naive": (_with_radiotherapy(NAIVE, (0.0, 1.0, 2.0, 3.0), 12.5), 128),
    "3 Gy x 15": (_with_radiotherapy(TREATED, weekdays(15), 3.0), 128),
    "3 Gy x 15, naive": (_with_radiotherapy(NAIVE, weekdays(15), 3.0), 128),
    "treated": (_pembrolizumab(TREATED), 768),
    "naive": (_pembrolizumab(NAIVE), 384),
    "treated, high": (_pembrolizumab(TREATED_HIGH), 512),
    "naive, high": (_pembrolizumab(NAIVE_HIGH), 512),
    "untreated": (Arm(covariates=TREATED, out_of_field=True), 256),
    "8 Gy x 3 alone": (_radiotherapy_alone(TREATED), 384),
    "8 Gy x 3 alone, high": (_radiotherapy_alone(TREATED_HIGH), 256),
    "8 Gy x 3 alone, naive, high": (_radiotherapy_alone(NAIVE_HIGH), 256),
    "both": (_melanoma(BOTH), 384),
    "nivolumab": (_melanoma(NIVOLUMAB), 384),
    "ipilimumab": (_melanoma(IPILIMUMAB), 384),
}  # patients of one parameter set


Parts = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Mixture:
    """Arms that stand for the patients of a trial, mixed by weight; ``tps`` limits the scores of the first one."""

    parts: Parts
    tps: tuple[float, float] = (0.0, 2.0)


class Simulated:
    """The arms as simulated so far: each one runs when a target first asks for it."""

    def __init__(self, posterior: Posterior, seed: int, times: int = 1) -> None:
        self._posterior, self._seed, self._times = posterior, seed, times
        self._arms: dict[str, Endpoints] = {}

    def arm(self, name: str) -> Endpoints:
        """Return the endpoints of one arm."""
        if name not in self._arms:
            arm, patients = ARMS[name]
            self._arms[name] = run(arm, self._posterior, patients=self._times * patients, seed=self._seed)
        return self._arms[name]

    def response(self, mixture: Mixture) -> float:
        """Return the response rate."""
        weights = [weight for _, weight in mixture.parts]
        rates = [float(np.mean(one.responded[kept])) for one, kept in self._patients(mixture)]
        return float(np.average(rates, weights=weights))

    def progression_free(self, mixture: Mixture) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return progression-free days and the weight of every patient, which sum to one."""
        days = [one.pfs_days[kept] for one, kept in self._patients(mixture)]
        total = sum(weight for _, weight in mixture.parts)
        weights = [np.full(d.size, w / d.size / total) for d, (_, w) in zip(days, mixture.parts, strict=True)]
        return np.concatenate(days), np.concatenate(weights)

    def value(self, target: Target, mixture: Mixture) -> float:
        """Return what the trial published: the response rate, or the median in months."""
        return self.response(mixture) if target.kind == "response" else median_months(*self.progression_free(mixture))

    def features(self, target: Target, mixture: Mixture) -> list[float]:
        """Return what the fit reads, smooth in the parameters.

        The logit of the response rate; for a median, which jumps from scan to scan, the progression-free shares at both
        ends of its interval.
        """
        if target.kind == "response":
            return [float(logit(np.clip(self.response(mixture), SMALLEST_RATE, 1.0 - SMALLEST_RATE)))]
        days, weights = self.progression_free(mixture)
        return [float(np.sum(weights[days > edge * DAYS_PER_MONTH])) for edge in target.interval()]

    def _patients(self, mixture: Mixture) -> list[tuple[Endpoints, NDArray[np.bool_]]]:
        found = [self.arm(name) for name, _ in mixture.parts]
        kept = [np.ones(one.pfs_days.size, dtype=np.bool_) for one in found]
        tps = _tps(found[0])
        kept[0] = np.asarray((tps >= mixture.tps[0]) & (tps < mixture.tps[1]))
        return list(zip(found, kept, strict=True))


CONTROL = (("pooled control", 0.75), ("pooled control, naive", 0.25))
RADIOTHERAPY = (
    ("8 Gy x 3", 0.5),
    *((f"{schedule}{line}", 0.125) for schedule in ("12.5 Gy x 4", "3 Gy x 15") for line in ("", ", naive")),
)
"""The two trials, half each: PEMBRO-RT gave 8 Gy x 3 to patients treated before; MDACC gave the other schedules and
took patients with and without earlier treatment, here in equal parts (assumed). Only the mixture meets data."""
ANY_LINE = (("treated", TREATED_FRACTION_KEYNOTE_001), ("naive", 1.0 - TREATED_FRACTION_KEYNOTE_001))
HIGH_ANY_LINE = (
    ("treated, high", TREATED_FRACTION_KEYNOTE_001_HIGH),
    ("naive, high", 1.0 - TREATED_FRACTION_KEYNOTE_001_HIGH),
)
POSITIVE = (("treated", 400.0), ("treated, high", 290.0))
"""KEYNOTE-010 enrolled 290 of 690 patients with a score of at least 50 %, more than any score of 1 % or more holds."""
POSITIVE_MIXTURE = Mixture(POSITIVE, tps=(0.01, 0.5))
MELANOMA_ARMS = tuple(Mixture(((name, 1.0),)) for name in ("both", "nivolumab", "ipilimumab"))
MIXTURES: tuple[Mixture, ...] = (
    Mixture(CONTROL),
    Mixture(CONTROL),
    Mixture(RADIOTHERAPY),
    Mixture(RADIOTHERAPY),
    Mixture(ANY_LINE),
    Mixture(ANY_LINE),
    Mixture(HIGH_ANY_LINE),
    POSITIVE_MIXTURE,
    POSITIVE_MIXTURE,
    Mixture((("treated, high", 1.0),)),
    Mixture((("naive, high", 1.0),)),
    Mixture((("naive, high", 1.0),)),
    *MELANOMA_ARMS,
    *MELANOMA_ARMS,
    Mixture((("untreated", 1.0),)),
    *(Mixture(((f"8 Gy x 3 alone{who}", 1.0),)) for who in ("", ", high", ", naive, high")),
)
"""One for every target."""


def simulate_targets(posterior: Posterior, seed: int, times: int = 1) -> list[float]:
    """Return the simulated rate or median of every target, with so many times the patients."""
    simulated = Simulated(posterior, seed, times)
    return [simulated.value(*pair) for pair in zip(TARGETS, MIXTURES, strict=True)]


def simulate_features(posterior: Posterior, seed: int) -> list[list[float]]:
    """Return the features of every target."""
    simulated = Simulated(posterior, seed)
    return [simulated.features(*pair) for pair in zip(TARGETS, MIXTURES, strict=True)]


def on_fit_scale(features: list[float]) -> float:
    """Return the one number of a target that the smoother compares with the published one."""
    if len(features) == 1:
        return features[0]
    return float(logit(np.clip(np.mean(features), SMALLEST_RATE, 1.0 - SMALLEST_RATE)))


def deviation(target: Target, features: list[float]) -> float:
    """Return the distance from the published value; up to 1 lies inside the interval.

    In half-widths of the interval for a response; of what exceeds its value for a structural demand. A median lies
    inside when more than half are free of progression at the lower end and less than half at the upper end.
    """
    if target.kind == "response":
        lower, upper = (float(logit(max(edge, SMALLEST_RATE))) for edge in target.interval())
        off = features[0] - target.observed
        if target.at_most is not None:
            return max(off, 0.0) / (upper - target.observed)
        return off / (upper - target.observed) if off > 0.0 else off / (target.observed - lower)
    at_lower, at_upper = features
    return (at_lower + at_upper - 1.0) / max(at_lower - at_upper, SMALLEST_RATE)


def _tps(arm: Endpoints) -> NDArray[np.float64]:
    level = arm.trajectories.parameters[:, arm.trajectories.parameter_names.index("L0")]
    return np.asarray(level / table("multi_lesion")["population"]["pd_l1_scale"]["value"])
