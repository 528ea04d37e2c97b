"""Trial arms as scenarios of the multi-lesion model, and the endpoints the calibration and the hold-out report read."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from simulation.engine.streams import CHUNK
from simulation.immunotherapy.plan import DoseEvent, DrugPlan
from simulation.outcome.summaries import cohort_response
from simulation.tumor.multi_lesion_model import prepare_with
from simulation.tumor.scenario import Covariates, Fractions, Scenario, Trajectories, concatenate
from simulation.tumor.tables import table
from simulation.tumor.virtual_patients import Posterior

LESIONS = 4
MEDIAN_VOLUME_CM3 = 12.0
VOLUME_SPREAD_LOG = 0.8
DAYS_PER_MONTH = 30.4375
PR = 1
WEIGHT_KG = 75.0


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One simulated arm; lesion 1 is the one that is irradiated.

    ``out_of_field`` reads the response in the other lesions only, as the pooled radiotherapy trials did.
    """

    drugs: tuple[DoseEvent, ...] = ()
    fraction_days: tuple[float, ...] = ()
    dose_gy: float = 0.0
    covariates: Covariates = field(default_factory=lambda: Covariates(cancer_type="nsclc"))
    scan_weeks: int = 6
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
        output_days=np.arange(0.0, horizon, 7.0 * arm.scan_weeks),
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

    def median_pfs_months(self, chosen: NDArray[np.bool_] | None = None) -> float:
        """Return the median progression-free time, as :func:`median_months`."""
        return median_months(self.pfs_days if chosen is None else self.pfs_days[chosen])


def median_months(days: NDArray[np.float64], scan_days: float = 7.0 * 6) -> float:
    """Return the median of times that are known at scans only, interpolated between scans.

    Times beyond the horizon may be infinite; a median among them is the last finite time.
    """
    grid = np.arange(0.0, np.max(days[np.isfinite(days)], initial=scan_days) + scan_days, scan_days)
    gone = np.array([np.mean(days <= t) for t in grid])
    return float(np.interp(0.5, gone, grid) / DAYS_PER_MONTH)


def run(arm: Arm, posterior: Posterior, *, patients: int, seed: int) -> Endpoints:
    """Simulate an arm and read its endpoints at the scans."""
    one = prepare_with(posterior, scenario(arm), seed)
    sizes = [min(CHUNK, patients - start) for start in range(0, patients, CHUNK)]
    whole = concatenate([one(chunk, size) for chunk, size in enumerate(sizes)])
    day = whole.time_days
    new = whole.new_lesion_day[:, None] <= day
    gone = np.minimum(whole.dropout_day, whole.death_day)
    scanned = day <= gone[:, None]
    diameters = whole.diameter_mm
    everywhere = cohort_response(diameters, day, new_lesion=new)
    read = cohort_response(
        diameters[:, 1:] if arm.out_of_field else diameters, day, new_lesion=new, confirmation_required=arm.confirmed
    )
    progression = np.where(everywhere.progressed, everywhere.pfs_day, np.inf)
    last_scan = np.where(scanned, day, 0.0).max(axis=1)
    responded = (read.best_response <= PR) & (read.first_response_day <= last_scan)
    return Endpoints(
        responded, read.first_response_day, np.minimum(progression, whole.death_day), whole.death_day, whole
    )
