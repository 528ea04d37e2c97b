"""Antibody exposure: infusions and a patient in; concentrations, metrics and occupancy out."""

import csv
import io
from collections.abc import Mapping
from typing import Any, Final

from schemas.drugs import DrugsRequest, DrugsResult
from schemas.run import ModelRef, RunWarning
from service.drugs_agents import exposure_of, label_level_of, target_value
from service.drugs_covariates import known_covariates, pointer
from service.drugs_figures import concentration_figure
from service.drugs_input import AgentInput, dose_inputs, horizon_days, infusions
from service.errors import InvalidInput
from service.kinds import Computation, Kind
from simulation.immunotherapy.antibodies import SMALLEST_LINEAR_FACTOR, AntibodyModel
from simulation.immunotherapy.metrics import crossing_grid
from simulation.immunotherapy.targets import LABEL_LEVEL
from simulation.registry import CARDS

_MOST_OUTPUTS: Final = 20_000
_MOST_POPULATION_VALUES: Final = 60_000_000
_MOST_CROSSING_VALUES: Final = 200_000_000
_VALUES_PER_DOSE: Final = 6
_MOST_POPULATION_AGENTS: Final = 3
_MOST_SATURABLE: Final = 2_000
_CHILD_YEARS, _CHILD_KG = 18.0, 30.0
_PD1_AGENTS: Final = {
    "pembrolizumab", "nivolumab", "cemiplimab", "dostarlimab", "atezolizumab", "durvalumab", "avelumab",
}  # fmt: skip
_NOT_BETTER: Final = (
    "A higher concentration of a PD-1 or PD-L1 antibody at or above approved doses is not a better outcome: "
    "response does not rise with dose, and the link between clearance and survival is prognostic, not causal."
)
_RESEARCH: Final = (
    "Population averages of published models; not validated on patients of this site, and no dosing advice."
)


def compute(request: DrugsRequest) -> Computation:
    """Return the exposure of every agent of the request."""
    plan = infusions(request)
    known = known_covariates(request, plan)
    inputs = dose_inputs(request, plan)
    horizon = horizon_days(request, inputs)
    _check_size(request, horizon, inputs)
    agents = []
    warnings = _age_warnings(request)
    for given in inputs:
        if given.model is None:
            agents.append(label_level_of(given))
            warnings.append(_label_level(given))
            continue
        try:
            agents.append(exposure_of(given, request, known, horizon))
        except ValueError:
            raise InvalidInput(
                "/population/covariates" if request.subject == "population" else "/covariates",
                f"a covariate makes a parameter of {given.model.id} impossible; keep to what patients have",
            ) from None
        warnings.extend(_model_warnings(given.model, request, known))
    notes = [_RESEARCH]
    if any(agent.agent in _PD1_AGENTS for agent in agents):
        notes.append(_NOT_BETTER)
    result = DrugsResult(
        subject=request.subject,
        patients=request.population.count if request.subject == "population" else 1,
        horizon_days=horizon,
        agents=agents,
        notes=notes,
    )
    models = tuple(ModelRef(id=agent.model, version=CARDS[agent.model].version) for agent in agents)
    return Computation(result=result, models=models, warnings=tuple(warnings))


def _check_size(request: DrugsRequest, horizon: float, inputs: list[AgentInput]) -> None:
    outputs = horizon / request.output_step_days
    if outputs > _MOST_OUTPUTS:
        raise InvalidInput("/output_step_days", "too many output times: take a larger step or a shorter horizon")
    if request.subject != "population":
        return
    doses = max(given.doses.time_days.size for given in inputs)
    if (outputs + _VALUES_PER_DOSE * doses) * request.population.count > _MOST_POPULATION_VALUES:
        raise InvalidInput("/output_step_days", "too many values for this population: take a larger step")
    if len(inputs) > _MOST_POPULATION_AGENTS:
        raise InvalidInput("/subject", f"a population is computed for at most {_MOST_POPULATION_AGENTS} agents at once")
    for given in inputs:
        saturates = given.model is not None and "vmax" in given.model.typical
        if saturates and request.population.count > _MOST_SATURABLE:
            raise InvalidInput("/population/count", f"models with saturable elimination take up to {_MOST_SATURABLE}")
        if given.model is None or target_value(given.agent, request) is None:
            continue
        if crossing_grid(given.doses, horizon).size * request.population.count > _MOST_CROSSING_VALUES:
            raise InvalidInput("/population/count", "too many for the time above a target over so long a horizon")


def _age_warnings(request: DrugsRequest) -> list[RunWarning]:
    patient = request.patient
    young = patient.age_years is not None and patient.age_years < _CHILD_YEARS
    if young or (patient.weight_kg is not None and patient.weight_kg < _CHILD_KG):
        message = "The models were built in adults; the answer is an extrapolation."
        at = "/patient/age_years" if young else "/patient/weight_kg"
        return [RunWarning(code="outside-derivation-range", message=message, pointer=at)]
    return []


def _label_level(given: AgentInput) -> RunWarning:
    return RunWarning(code="label-level-only", message=" ".join(LABEL_LEVEL[given.agent].notes), pointer=given.pointer)


def _model_warnings(model: AntibodyModel, request: DrugsRequest, known: Mapping[str, float]) -> list[RunWarning]:
    drawn = {spread.covariate for spread in request.population.covariates} if request.subject == "population" else set()
    missing: dict[str, list[str]] = {}
    for name in model.covariates:
        if name not in known and name not in drawn:
            missing.setdefault(pointer(name), []).append(name)
    warnings = [
        RunWarning(
            code="covariate-at-reference",
            message=f"{model.agent}: {', '.join(names)} not given; the model's reference is used.",
            pointer=at,
        )
        for at, names in missing.items()
    ]
    warnings += [
        RunWarning(
            code="outside-usual-range",
            message=f"{model.agent}: {name} lies outside {low:g} to {high:g}, what trials of adults usually enroll "
            "(assumed limits); the answer is an extrapolation.",
            pointer=pointer(name),
        )
        for name, (low, high) in model.outside_usual_range(known).items()
    ]
    warnings += [
        RunWarning(
            code="covariate-term-held",
            message=f"{model.agent}: the linear term of {name} would bring clearance to zero or below and was held at "
            f"{SMALLEST_LINEAR_FACTOR:.0%}; these concentrations are not meaningful.",
            pointer=pointer(name),
        )
        for name in model.held_at_floor(known)
    ]
    if model.agent == "avelumab":
        warnings.append(RunWarning(code="model-misses-label", message=model.notes[0], pointer=None))
    if request.subject != "typical" and not model.random_effects:
        message = f"{model.agent}: {model.id} publishes no inter-individual variability that could be used."
        warnings.append(RunWarning(code="no-variability", message=message, pointer="/subject"))
    return warnings


def series(_: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """Return the concentrations as CSV, one row per agent and time."""
    percents = sorted(
        {band["percent"] for agent in result["agents"] for band in (agent["profile"] or {}).get("bands", [])}
    )
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["agent", "time_days", "concentration_mg_per_l", *(f"percentile_{p:g}_mg_per_l" for p in percents)])
    for agent in result["agents"]:
        profile = agent["profile"]
        if profile is None:
            continue
        bands = [band["concentration_mg_per_l"] for band in profile["bands"]]
        for row in zip(profile["time_days"], profile["concentration_mg_per_l"], *bands, strict=True):
            writer.writerow([agent["agent"], *row])
    return out.getvalue()


KIND = Kind(
    name="drugs",
    path="/doses/drugs",
    summary="Antibody concentration, exposure metrics and target engagement",
    description=(
        "Published two-compartment population models with time-varying clearance, covariates and random effects. "
        "Infusions come as in a plan (agent or approved regimen) or as a NONMEM-style event table. The answer holds "
        "the concentration over time, metrics of every cycle and at steady state, time above a target and occupancy, "
        "for one patient or as percentiles of a virtual population. Missing covariates stay at the model's reference, "
        "with a warning."
    ),
    request=DrugsRequest,
    result=DrugsResult,
    compute=compute,
    examples={
        "flat dose": {
            "patient": {"weight_kg": 76.0, "sex": "female", "ecog": 1, "labs": {"albumin_g_per_l": 38.0}},
            "drugs": [{"agent": "nivolumab", "dose_mg": 480.0, "interval_days": 28.0, "dose_count": 6}],
            "output_step_days": 7.0,
        },
        "regimen, virtual population": {
            "patient": {"weight_kg": 70.0},
            "drugs": [{"regimen": "tremelimumab-300-durvalumab-1500-q4w", "dose_count": 4}],
            "subject": "population",
            "population": {
                "count": 500,
                "covariates": [
                    {"covariate": "weight_kg", "distribution": "lognormal", "center": 70.0, "spread": 0.2, "low": 35.0}
                ],
            },
            "output_step_days": 7.0,
            "seed": 7,
        },
        "event table": {
            "patient": {"weight_kg": 80.0},
            "event_tables": [
                {
                    "agent": "ipilimumab",
                    "records": [
                        {"time_days": 0.0, "amt_mg": 240.0, "rate_mg_per_day": 3840.0, "ii_days": 21.0, "addl": 3},
                        {"time_days": 100.0, "evid": 0},
                    ],
                }
            ],
            "output_step_days": 7.0,
        },
    },
    blocking=True,
    figures={"concentration": concentration_figure},
    series=series,
)
