"""Trial arms as scenarios of the multi-lesion model, and the endpoints the calibration and the hold-out report read."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from simulation.engine.streams import CHUNK
from simulation.immunotherapy.plan import DoseEvent, DrugPlan
from simulation.outcome.summaries import PR
from simulation.tumor.judging import Following, judge
from simulation.tumor.multi_lesion_model import prepare_with
from simulation.tumor.scenario import Covariates, Fractions, Scenario, Trajectories, concatenate
from simulation.tumor.tables import table
from simulation.tumor.virtual_patients import Posterior

LESIONS = 4
MEDIAN_VOLUME_CM3 = 12.0
VOLUME_SPREAD_LOG = 0.8
DAYS_PER_MONTH = 30.4375
VISITS = 8_067  # stream of the days of visits
VISIT_WINDOW_DAYS = 7.0
"""Scans of a trial fall this much before or after the day of the schedule, as protocols allow."""
BETWEEN_SCANS = 0.5
"""Share of progressions that are dated before the planned scan, at any time since the last one: symptoms, unplanned
imaging, shifted visits (assumed; without it no median could lie between planned scans, as those of the calibration arms
do)."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One simulated arm; lesion 1 is the one that is irradiated.

    ``out_of_field`` reads the response in the other lesions only, as the pooled radiotherapy trials did.
    ``scan_days`` is a schedule of scans that is not regular; otherwise one follows every ``scan_weeks``.
    """

    drugs: tuple[DoseEvent, ...] = ()
    fraction_days: tuple[float, ...] = ()
    dose_gy: float = 0.0
    covariates: Covariates = field(default_factory=lambda: Covariates(cancer_type="nsclc"))
    scan_weeks: int = 6
    scan_days: tuple[float, ...] = ()
    months: int = 24
    out_of_field: bool = False
    confirmed: bool = False
    lesions: int = LESIONS
    all_irradiated: bool = False
    median_volume_cm3: float = MEDIAN_VOLUME_CM3


def every(agent: str, *, mg: float, days: float, doses: int, start: float = 0.0) -> tuple[DoseEvent, ...]:
    """Return equal doses at equal intervals."""
    return tuple(DoseEvent(start + days * i, agent, mg, 0.02) for i in range(doses))


def weekdays(fractions: int) -> tuple[float, ...]:
    """Return the days of a course of five fractions a week."""
    return tuple(float(7 * (i // 5) + i % 5) for i in range(fractions))


def scenario(arm: Arm) -> Scenario:
    """Return the arm as a scenario of lung lesions."""
    exposure = table("multi_lesion")["field_exposure"]
    stereotactic = arm.dose_gy >= exposure["stereotactic_from_dose_gy"]
    dose = np.zeros((len(arm.fraction_days), arm.lesions))
    dose[:, : arm.lesions if arm.all_irradiated else 1] = arm.dose_gy
    fractions = Fractions(
        day=np.array(arm.fraction_days, dtype=np.float64),
        dose_gy=dose,
        field_exposure=np.full(dose.shape[0], exposure["stereotactic" if stereotactic else "conventional"]),
        node_dose_gy=np.zeros(dose.shape[0]),
    )
    horizon = arm.months * DAYS_PER_MONTH
    return Scenario(
        lesion_ids=tuple(f"lesion-{i + 1}" for i in range(arm.lesions)),
        organs=("lung",) * arm.lesions,
        volume_cm3=np.full(arm.lesions, arm.median_volume_cm3),
        fractions=fractions,
        drugs=DrugPlan.of(arm.drugs),
        horizon_days=horizon,
        output_days=np.array((0.0, *arm.scan_days)) if arm.scan_days else np.arange(0.0, horizon, 7.0 * arm.scan_weeks),
        covariates=arm.covariates,
        volume_spread_log=VOLUME_SPREAD_LOG,
    )


@dataclass(frozen=True)
class Endpoints:
    """Of every virtual patient: response, progression-free days, death."""

    responded: NDArray[np.bool_]
    first_response_days: NDArray[np.float64]
    pfs_days: NDArray[np.float64]
    death_days: NDArray[np.float64]
    trajectories: Trajectories

    def response_rate(self, chosen: NDArray[np.bool_] | None = None) -> float:
        """Return the fraction of (chosen) patients who responded."""
        return float(np.mean(self.responded if chosen is None else self.responded[chosen]))


def median_months(days: NDArray[np.float64], weights: NDArray[np.float64] | None = None) -> float:
    """Return the Kaplan-Meier median: the first day on which half of the patients have had the event.

    Times beyond the horizon are infinite, and so is a median among them.
    """
    order = np.argsort(days, kind="stable")
    share = np.cumsum(np.ones(days.size) if weights is None else weights[order])
    half = np.searchsorted(share, share[-1] / 2.0 - 1e-12)
    return float(days[order][min(int(half), days.size - 1)] / DAYS_PER_MONTH)


def run(arm: Arm, posterior: Posterior, *, patients: int, seed: int) -> Endpoints:
    """Simulate an arm and read its endpoints at the scans."""
    asked = scenario(arm)
    one = prepare_with(posterior, asked, seed)
    sizes = [min(CHUNK, patients - start) for start in range(0, patients, CHUNK)]
    whole = concatenate([one(chunk, size) for chunk, size in enumerate(sizes)])
    day = whole.time_days
    every_lesion = np.ones(arm.lesions, dtype=np.bool_)
    counted = every_lesion & (np.arange(arm.lesions) > 0) if arm.out_of_field else every_lesion
    everywhere = judge(
        whole, asked, Following(asked, every_lesion).of(whole), scan_days=day, last_day=np.full(patients, np.inf)
    )
    read = judge(
        whole, asked, Following(asked, every_lesion, counted).of(whole), scan_days=day,
        last_day=np.minimum(whole.dropout_day, whole.death_day), confirmation_required=arm.confirmed,
    )  # fmt: skip
    generator = np.random.Generator(np.random.Philox(key=[seed, VISITS]))
    window, early, part = generator.random((patients, 3)).T
    planned = everywhere.pfs_day
    before = day[np.maximum(np.searchsorted(day, planned) - 1, 0)]
    visit = np.where(
        early < BETWEEN_SCANS, before + part * (planned - before), planned + VISIT_WINDOW_DAYS * (2.0 * window - 1.0)
    )
    progression = np.where(everywhere.progressed, visit, np.inf)
    return Endpoints(
        read.best_response <= PR,
        read.first_response_day,
        np.minimum(progression, whole.death_day),
        whole.death_day,
        whole,
    )
