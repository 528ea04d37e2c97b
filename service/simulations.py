"""Every lesion of a patient under a plan, by one or several tumor models, in the same terms."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schemas import simulations as wire
from schemas.run import ModelRef, RunWarning
from service import simulations_figures as figures
from service.complications import complications_of
from service.errors import InvalidInput
from service.kinds import Computation, Kind
from service.scenarios import lesions_of, output_days, scan_days, scenario_of
from service.simulations_outcomes import Shares, floats, read_outcomes, rounded
from service.simulations_ranges import check_ranges
from simulation.outcome.bands import Band
from simulation.registry import CARDS
from simulation.tumor.cohort import Cohort, summarize
from simulation.tumor.interface import simulate_chunks
from simulation.tumor.scenario import Scenario

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
THREADS: Final = 2


def compute(request: wire.SimulationRequest) -> Computation:
    """Ask every model the same question.

    Raises
    ------
    InvalidInput
        The plan or the lesions do not fit, or a model is unknown or cannot take the scenario.
    """
    extrapolated = check_ranges(
        request, request.plan, [(name, f"/models/{i}") for i, name in enumerate(request.models)]
    )
    scenario, noticed = scenario_of(request, request.plan)
    times = output_days(request)
    cohorts = [cohort_of(request, scenario, model, f"/models/{index}") for index, model in enumerate(request.models)]
    found = complications_of(request.plan, request.patient, request.seed)
    result = wire.SimulationResult(
        time_days=floats(times),
        fractions=floats(scenario.fractions.day),
        doses=sorted({event.time_days for event in scenario.drugs.events if event.time_days <= request.horizon_days}),
        simulations=[read_cohort(cohort, request, scenario) for cohort in cohorts],
        complications=list(found.rows),
    )
    return Computation(
        result=result,
        models=(*(reference(cohort.model_id) for cohort in cohorts), *found.models),
        warnings=(*warnings_of(cohorts), *extrapolated, *noticed, *found.warnings),
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
        The model cannot take the scenario; ``pointer`` says which member asked for it.
    """
    lesions = lesions_of(request)
    targets = np.array([lesion.target for lesion in lesions])
    if not targets.any():
        raise InvalidInput("/patient/lesions", "at least one lesion must be a target")
    try:
        parts = simulate_chunks(model, scenario, patients=request.patients, seed=request.seed, threads=THREADS)
        return summarize(
            parts, scenario, scan_days=scan_days(request), targets=targets, irradiated=irradiated, seed=request.seed
        )
    except ValueError as error:
        raise InvalidInput(pointer, str(error)) from None


def reference(model_id: str) -> ModelRef:
    """Return id and version of a model that has a card."""
    return ModelRef(id=model_id, version=CARDS[model_id].version)


def read_cohort(cohort: Cohort, request: wire.SimulationRequest, scenario: Scenario) -> wire.ModelSimulationRead:
    """Return the wire form of one model's answer."""
    shown = np.searchsorted(cohort.time_days, output_days(request))
    lesions = lesions_of(request)
    share = Shares(cohort)
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
                target=bool(cohort.targets[index]),
                diameter_mm=read_band(cohort.lesion_diameter_mm[index], shown),
                local_control=share.of(cohort.outcomes.controlled[:, index]) if cohort.viable_known else None,
            )
            for index, lesion in enumerate(lesions)
        ],
        sum_of_diameters_mm=read_band(cohort.sum_of_diameters_mm, shown),
        courses_mm=[floats(course[shown]) for course in cohort.courses_mm],
        best_change_percentiles=_percentiles(cohort.outcomes.best_change),
        lymphocyte_relative=_optional(cohort.lymphocyte_relative, shown),
        drugs=[
            wire.DrugSeriesRead(target=target, concentration_mg_per_l=read_band(band, shown))
            for target, band in cohort.drug_mg_per_l.items()
        ],
        car_relative=_optional(cohort.car_relative, shown),
        outcomes=read_outcomes(cohort, request),
        sensitivity=[
            wire.SensitivityRead(parameter=name, rank_correlation=rounded(value)) for name, value in cohort.sensitivity
        ],
    )


def read_band(band: Band, shown: NDArray[np.intp]) -> wire.SeriesRead:
    """Return the wire form of a band on the days that are shown."""
    return wire.SeriesRead(
        median=floats(band.median[shown]),
        bands=[
            wire.BandRead(level=level, lower=floats(lower[shown]), upper=floats(upper[shown]))
            for level, lower, upper in band.bands
        ],
    )


def _optional(band: Band | None, shown: NDArray[np.intp]) -> wire.SeriesRead | None:
    return None if band is None else read_band(band, shown)


def _percentiles(change: Floats) -> list[float]:
    known = change[~np.isnan(change)]
    return floats(np.percentile(known, np.arange(101))) if known.size else []


def warnings_of(cohorts: Sequence[Cohort], pointer: str = "/plan") -> list[RunWarning]:
    """Return what a reader must know of the models: ignored parts, missing validation."""
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
        if cohort.ignored:
            found.append(
                RunWarning(
                    code="plan-partly-ignored",
                    message=f"{card.id} cannot represent: {'; '.join(cohort.ignored)}",
                    pointer=pointer,
                )
            )
    return found


def series(_input: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """Return the trajectories of every model as CSV, one row per day and quantity; probabilities stand under median."""
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
        by_time = simulation["outcomes"]["by_time"]
        for name in figures.INCIDENCES:
            curve = by_time[name]
            if curve is None:
                continue
            unknown = [None] * len(by_time["time_days"])
            for day, value, lower, upper in zip(
                by_time["time_days"],
                curve["probability"],
                curve["lower"] or unknown,
                curve["upper"] or unknown,
                strict=True,
            ):
                writer.writerow((simulation["model"], f"probability:{name}", day, value, None, None, lower, upper))
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
        "response, progression and relapse by time, survival, lymphocytes and drug levels. Research models: none is "
        "validated on individual patients, and their cards list the trials that they miss."
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
        "incidence": figures.incidence,
        "survival": figures.survival,
    },
    series=series,
)
