"""Every lesion of a patient under a plan, by one or several tumor models, in the same terms."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schemas import simulations as wire
from schemas.base import Estimate, IntervalRead
from schemas.patient import Patient
from schemas.plan import Plan
from schemas.run import ModelRef, RunWarning
from service import simulations_figures as figures
from service.complications import complications_of
from service.errors import InvalidInput
from service.kinds import Computation, Kind
from service.scenarios import lesions_of, output_days, scan_days, scenario_of
from simulation.model import Interval
from simulation.outcome.bands import Band
from simulation.outcome.summaries import CR, NE, PD, PR, SD
from simulation.outcome.survival import kaplan_meier, median
from simulation.outcome.thresholds import SEVERE_LYMPHOPENIA_1E9_PER_L
from simulation.registry import CARDS
from simulation.tumor.cohort import Cohort, PatientOutcomes, probability, summarize
from simulation.tumor.interface import MODELS, simulate_chunks
from simulation.tumor.scenario import Scenario

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
LEVEL: Final = 0.9
THREADS: Final = 2
_DIGITS: Final = 10


def compute(request: wire.SimulationRequest) -> Computation:
    """Ask every model the same question.

    Raises
    ------
    InvalidInput
        The plan or the lesions do not fit, or a model is unknown or cannot take the scenario.
    """
    scenario = scenario_of(request, request.plan)
    times = output_days(request)
    cohorts = [cohort_of(request, scenario, model, f"/models/{index}") for index, model in enumerate(request.models)]
    complications, models_used, notices = complications_of(request.plan, request.patient, request.seed)
    result = wire.SimulationResult(
        time_days=_floats(times),
        fractions=_floats(scenario.fractions.day),
        doses=sorted({event.time_days for event in scenario.drugs.events}),
        simulations=[read_cohort(cohort, request, scenario) for cohort in cohorts],
        complications=complications,
    )
    return Computation(
        result=result,
        models=(*(reference(cohort.model_id) for cohort in cohorts), *models_used),
        warnings=(*warnings_of(request.patient, request.plan, cohorts), *notices),
    )


def cohort_of(
    request: wire.SimulationRequest | wire.ComparisonRequest,
    scenario: Scenario,
    model: str,
    pointer: str,
    irradiated: Flags | None = None,
) -> Cohort:
    """Run one model and fold its virtual patients.

    Raises
    ------
    InvalidInput
        The model is unknown or cannot take the scenario; ``pointer`` says which member asked for it.
    """
    if model not in MODELS:
        raise InvalidInput(pointer, f"no tumor model has this id; choose from {', '.join(MODELS)}")
    lesions = lesions_of(request)
    targets = np.array([lesion.target for lesion in lesions])
    if not targets.any():
        raise InvalidInput("/patient/lesions", "at least one lesion must be a target")
    try:
        parts = simulate_chunks(model, scenario, patients=request.patients, seed=request.seed, threads=THREADS)
        return summarize(parts, scenario, scan_days=scan_days(request), targets=targets, irradiated=irradiated)
    except ValueError as error:
        raise InvalidInput(pointer, str(error)) from None


def reference(model_id: str) -> ModelRef:
    """Return id and version of a model that has a card."""
    return ModelRef(id=model_id, version=CARDS[model_id].version)


def read_cohort(cohort: Cohort, request: wire.SimulationRequest, scenario: Scenario) -> wire.ModelSimulationRead:
    """Return the wire form of one model's answer."""
    shown = np.searchsorted(cohort.time_days, output_days(request))
    lesions = lesions_of(request)
    outcomes = cohort.outcomes
    return wire.ModelSimulationRead(
        model=cohort.model_id,
        ignored=list(cohort.ignored),
        notes=list(cohort.notes),
        validated_on_patients=CARDS[cohort.model_id].validated_on_patients,
        lesions=[
            wire.LesionRead(
                id=lesion.id,
                organ=lesion.organ,
                irradiated=bool(scenario.irradiated[index]),
                target=lesion.target,
                diameter_mm=read_band(cohort.lesion_diameter_mm[index], shown),
                local_control=_share(outcomes.controlled[:, index], outcomes) if cohort.viable_known else None,
            )
            for index, lesion in enumerate(lesions)
        ],
        sum_of_diameters_mm=read_band(cohort.sum_of_diameters_mm, shown),
        courses_mm=[_floats(course[shown]) for course in cohort.courses_mm],
        best_change_percentiles=_percentiles(outcomes.best_change),
        lymphocyte_relative=_optional(cohort.lymphocyte_relative, shown),
        drugs=[
            wire.DrugSeriesRead(target=target, concentration_mg_per_l=read_band(band, shown))
            for target, band in cohort.drug_mg_per_l.items()
        ],
        car_relative=_optional(cohort.car_relative, shown),
        outcomes=read_outcomes(cohort, request),
        sensitivity=[
            wire.SensitivityRead(parameter=name, rank_correlation=_rounded(value)) for name, value in cohort.sensitivity
        ],
    )


def read_outcomes(cohort: Cohort, request: wire.SimulationRequest | wire.ComparisonRequest) -> wire.OutcomesRead:
    """Return response, progression and survival of the virtual patients."""
    outcomes = cohort.outcomes
    best = outcomes.best_response
    responded = outcomes.responded
    relapse = None
    if responded.any():
        relapse = _share(outcomes.pfs_event[responded], outcomes, responded)
    curve_days = np.unique(np.append(scan_days(request), request.horizon_days))
    return wire.OutcomesRead(
        best_response=wire.ResponseRead(
            complete=_share(best == CR, outcomes),
            partial=_share(best == PR, outcomes),
            stable=_share(best == SD, outcomes),
            progressive=_share(best == PD, outcomes),
            not_evaluable=_share(best == NE, outcomes),
        ),
        objective_response=_share(responded, outcomes),
        abscopal_response=None if outcomes.abscopal_response is None else _share(outcomes.abscopal_response, outcomes),
        progression=_share(outcomes.pfs_event, outcomes),
        relapse_after_response=relapse,
        severe_lymphopenia=_lymphopenia(outcomes, request.patient),
        progression_free_survival=_curve(outcomes.pfs_days, outcomes.pfs_event, curve_days),
        overall_survival=_curve(outcomes.os_days, outcomes.os_event, curve_days) if cohort.survival_known else None,
    )


def severe_lymphopenia(outcomes: PatientOutcomes, patient: Patient) -> Flags | None:
    """Return who falls below 0.5e9/L (CTCAE grade 3 and above); None without a count or a model of it."""
    start = patient.labs.lymphocytes_1e9_per_l
    if start is None or np.isnan(outcomes.lymphocyte_nadir).any():
        return None
    return np.asarray(outcomes.lymphocyte_nadir * start < SEVERE_LYMPHOPENIA_1E9_PER_L)


def _lymphopenia(outcomes: PatientOutcomes, patient: Patient) -> Estimate | None:
    flags = severe_lymphopenia(outcomes, patient)
    return None if flags is None else _share(flags, outcomes)


def _share(flags: Flags, outcomes: PatientOutcomes, among: Flags | None = None) -> Estimate:
    sets = outcomes.posterior_set if among is None else outcomes.posterior_set[among]
    return estimate(*probability(np.asarray(flags), sets, level=LEVEL))


def estimate(value: float, interval: Interval | None) -> Estimate:
    """Return the wire form of a value and its interval."""
    if interval is None:
        return Estimate(value=_rounded(value), interval=None)
    read = IntervalRead(level=interval.level, lower=_rounded(interval.lower), upper=_rounded(interval.upper))
    return Estimate(value=_rounded(value), interval=read)


def read_band(band: Band, shown: NDArray[np.intp]) -> wire.SeriesRead:
    """Return the wire form of a band on the days that are shown."""
    return wire.SeriesRead(
        median=_floats(band.median[shown]),
        bands=[
            wire.BandRead(level=level, lower=_floats(lower[shown]), upper=_floats(upper[shown]))
            for level, lower, upper in band.bands
        ],
    )


def _optional(band: Band | None, shown: NDArray[np.intp]) -> wire.SeriesRead | None:
    return None if band is None else read_band(band, shown)


def _curve(days: Floats, events: Flags, at: Floats) -> wire.CurveRead:
    curve = kaplan_meier(days, events, level=LEVEL)
    steps = np.searchsorted(curve.time, at, side="right")
    middle, _, _ = median(curve)
    return wire.CurveRead(
        time_days=_floats(at),
        survival=_known(curve.at(at)),
        lower=_known(np.concatenate(([1.0], curve.lower))[steps]),
        upper=_known(np.concatenate(([1.0], curve.upper))[steps]),
        at_risk=[int(n) for n in curve.numbers_at_risk(at)],
        median_days=None if middle is None else _rounded(middle),
    )


def _known(values: Floats) -> list[float | None]:
    return [None if np.isnan(value) else _rounded(min(max(value, 0.0), 1.0)) for value in values]


def _percentiles(change: Floats) -> list[float]:
    known = change[~np.isnan(change)]
    return _floats(np.percentile(known, np.arange(101))) if known.size else []


def _floats(values: Sequence[float] | Floats) -> list[float]:
    data = np.asarray(values, dtype=np.float64)
    magnitude = np.floor(np.log10(np.abs(data), where=data != 0.0, out=np.zeros_like(data)))
    scale = 10.0 ** (_DIGITS - 1 - magnitude)
    rounded: list[float] = (np.round(data * scale) / scale).tolist()
    return rounded


def _rounded(value: float) -> float:
    """Ten significant digits: far below every uncertainty, and the answers stay readable."""
    return float(f"{value:.{_DIGITS}g}")


def warnings_of(patient: Patient, plan: Plan, cohorts: Sequence[Cohort]) -> list[RunWarning]:
    """Return what a reader must know: extrapolation, ignored parts, missing validation."""
    found: list[RunWarning] = []
    for cohort in cohorts:
        card = CARDS[cohort.model_id]
        if not card.validated_on_patients:
            found.append(
                RunWarning(
                    code="not-validated-on-patients",
                    message=f"{card.id} has not been validated on individual patients; see its card",
                    pointer=None,
                )
            )
        if card.cancer_types and patient.cancer_type is not None and patient.cancer_type not in card.cancer_types:
            found.append(
                RunWarning(
                    code="outside-derivation-range",
                    message=f"{card.id} was made for {', '.join(card.cancer_types)}",
                    pointer="/patient/cancer_type",
                )
            )
        if cohort.ignored:
            found.append(
                RunWarning(
                    code="plan-partly-ignored",
                    message=f"{card.id} cannot represent: {'; '.join(cohort.ignored)}",
                    pointer="/plan",
                )
            )
    return found


def series(_input: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """Return the trajectories of every model as CSV, one row per day and quantity."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("model", "quantity", "time_days", "median", "lower_50", "upper_50", "lower_90", "upper_90"))
    for simulation in result["simulations"]:
        quantities = {f"diameter_mm:{lesion['id']}": lesion["diameter_mm"] for lesion in simulation["lesions"]}
        quantities["sum_of_diameters_mm"] = simulation["sum_of_diameters_mm"]
        for drug in simulation["drugs"]:
            quantities[f"concentration_mg_per_l:{drug['target']}"] = drug["concentration_mg_per_l"]
        for name in ("lymphocyte_relative", "car_relative"):
            if simulation[name] is not None:
                quantities[name] = simulation[name]
        for name, data in quantities.items():
            inner, outer = data["bands"]
            columns = (data["median"], inner["lower"], inner["upper"], outer["lower"], outer["upper"])
            for row in zip(result["time_days"], *columns, strict=True):
                writer.writerow((simulation["model"], name, *row))
    return buffer.getvalue()


EXAMPLE: Final[Mapping[str, Any]] = {
    "patient": {
        "reference": "demo-nsclc-1",
        "age_years": 66,
        "sex": "female",
        "weight_kg": 68,
        "cancer_type": "nsclc",
        "prior_systemic_therapy": True,
        "prior_immunotherapy": "none",
        "labs": {"lymphocytes_1e9_per_l": 1.6, "neutrophils_1e9_per_l": 5.6, "albumin_g_per_l": 41},
        "biomarkers": {"pd_l1_tps_percent": 60},
        "lesions": [
            {"id": "primary", "organ": "lung", "longest_diameter_mm": 42},
            {"id": "node", "organ": "lymph_node", "longest_diameter_mm": 24},
            {"id": "liver-1", "organ": "liver", "longest_diameter_mm": 18},
        ],
    },
    "plan": {
        "radiotherapy": [
            {"id": "sbrt", "lesion_ids": ["primary"], "fractions": [{"day": day, "dose_gy": 8} for day in (0, 2, 4)]}
        ],
        "drugs": [{"agent": "pembrolizumab", "dose_mg": 200, "start_day": 7, "interval_days": 21, "dose_count": 17}],
    },
    "horizon_days": 364,
    "patients": 1000,
    "seed": 7,
}

KIND: Final = Kind(
    name="simulations",
    path="/simulations",
    summary="Simulate every lesion under the plan",
    description=(
        "Every lesion over time with 50 and 90 % bands over virtual patients like this one, RECIST response, abscopal "
        "response, progression, relapse and survival, lymphocytes and drug levels. Research models: none is validated "
        "on individual patients, and their cards list the trials that they miss."
    ),
    request=wire.SimulationRequest,
    result=wire.SimulationResult,
    compute=compute,
    examples={"8 Gy x 3 and pembrolizumab": EXAMPLE},
    blocking=True,
    figures={
        "fan": figures.fan,
        "spider": figures.spider,
        "waterfall": figures.waterfall,
        "survival": figures.survival,
    },
    series=series,
)
