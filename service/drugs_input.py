"""From a request to one schedule per agent: courses, regimens and event tables."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.drugs import LEAST_INTERVAL_DAYS, DrugsRequest, EventTable
from service.drugs_covariates import REFERENCE_WEIGHT_KG
from service.errors import InvalidInput
from service.regimens import drug_plan
from simulation.immunotherapy.antibodies import DEFAULTS, MODELS, AntibodyModel
from simulation.immunotherapy.events import EventRecord, InvalidRecord, expand
from simulation.immunotherapy.metrics import cycle_bounds
from simulation.immunotherapy.plan import DoseEvent, DrugPlan
from simulation.immunotherapy.population import WeightedDoses
from simulation.immunotherapy.targets import LABEL_LEVEL
from simulation.immunotherapy.timeline import Doses

_WITH_DURVALUMAB = "pk-tremelimumab-hwang2022-durvalumab"
_SINGLE_DOSE_DAYS = 84.0
_HUGE_WEIGHT_KG = 1e6
_TIME_DECIMALS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentInput:
    """The schedule of one agent; ``model`` is None where only label figures exist."""

    agent: str
    pointer: str
    model: AntibodyModel | None
    doses: Doses
    weighted: WeightedDoses | None
    observation_days: NDArray[np.float64]


def infusions(request: DrugsRequest) -> DrugPlan:
    """Return every infusion of the request, event tables included, at the patient's weight."""
    weight = _weight(request)
    events = list(drug_plan(request.drugs, weight, "/drugs").events)
    for index, table in enumerate(request.event_tables):
        doses, _ = _expand(table, index, _model(request, table.agent, ()))
        for time, amount, infusion in zip(
            doses.time_days.tolist(), doses.amount_mg[:, 0].tolist(), doses.infusion_days.tolist(), strict=True
        ):
            events.append(DoseEvent(time, table.agent, amount, infusion))
    return DrugPlan.of(events)


def dose_inputs(request: DrugsRequest, plan: DrugPlan) -> list[AgentInput]:
    """Return one schedule per agent, in alphabetical order."""
    tables = {table.agent: (index, table) for index, table in enumerate(request.event_tables)}
    by_course = drug_plan(request.drugs, _weight(request), "/drugs")
    inputs = []
    for agent in sorted({*by_course.agents, *tables}):
        model = _model(request, agent, plan.agents)
        if agent in tables:
            index, table = tables[agent]
            if agent in by_course.agents:
                raise InvalidInput(f"/event_tables/{index}/agent", "this agent also stands in drugs; give it once")
            doses, observations = _expand(table, index, model)
            if doses.time_days.size == 0:
                raise InvalidInput(f"/event_tables/{index}/records", "the table has no dose")
            inputs.append(
                AgentInput(
                    agent=agent,
                    pointer=f"/event_tables/{index}",
                    model=model,
                    doses=doses,
                    weighted=None,
                    observation_days=observations,
                )
            )
            continue
        mine = by_course.doses(agent)
        inputs.append(
            AgentInput(
                agent=agent,
                pointer="/drugs",
                model=model,
                doses=Doses.of(_instants(mine.time_days), mine.amount_mg, mine.infusion_days),
                weighted=_weighted(request, agent),
                observation_days=np.zeros(0),
            )
        )
    return inputs


def horizon_days(request: DrugsRequest, inputs: list[AgentInput]) -> float:
    """Return the asked horizon, or the end of the last cycle of any agent."""
    if request.horizon_days is not None:
        latest = request.horizon_days - LEAST_INTERVAL_DAYS
        late = [given for given in inputs if given.doses.time_days[0] > latest]
        if late:
            raise InvalidInput("/horizon_days", "an agent is first given after the horizon, or too shortly before")
        return request.horizon_days
    ends = []
    for given in inputs:
        last = float(given.doses.time_days[-1])
        ends.append(float(cycle_bounds(given.doses, last + _SINGLE_DOSE_DAYS)[-1]))
        ends.extend(given.observation_days.tolist())
    return max(ends)


def _weight(request: DrugsRequest) -> float | None:
    drawn = any(spread.covariate == "weight_kg" for spread in request.population.covariates)
    if request.patient.weight_kg is None and request.subject == "population" and drawn:
        return REFERENCE_WEIGHT_KG
    return request.patient.weight_kg


def _weighted(request: DrugsRequest, agent: str) -> WeightedDoses:
    # amounts are linear in weight up to a cap, so three weights determine them
    one, two, cap = (drug_plan(request.drugs, weight, "/drugs").doses(agent) for weight in (1.0, 2.0, _HUGE_WEIGHT_KG))
    per_kg = two.amount_mg - one.amount_mg
    return WeightedDoses(_instants(one.time_days), one.amount_mg - per_kg, per_kg, cap.amount_mg, one.infusion_days)


def _instants(days: NDArray[np.float64]) -> NDArray[np.float64]:
    # times that differ by rounding only are one time, or a cycle would have next to no length
    return np.round(days, _TIME_DECIMALS)


def _model(request: DrugsRequest, agent: str, partners: tuple[str, ...]) -> AntibodyModel | None:
    for index, choice in enumerate(request.models):
        if choice.agent == agent:
            if choice.model not in MODELS or MODELS[choice.model].agent != agent:
                raise InvalidInput(f"/models/{index}/model", "this agent has no model of this name; see GET /v1/models")
            return MODELS[choice.model]
    if agent in LABEL_LEVEL:
        return None
    if agent == "tremelimumab" and "durvalumab" in partners:
        return MODELS[_WITH_DURVALUMAB]
    return DEFAULTS[agent]


def _expand(table: EventTable, index: int, model: AntibodyModel | None) -> tuple[Doses, NDArray[np.float64]]:
    records = [
        EventRecord(
            time_days=round(record.time_days, _TIME_DECIMALS),
            evid=record.evid,
            amt_mg=record.amt_mg,
            rate_mg_per_day=record.rate_mg_per_day,
            ii_days=record.ii_days,
            addl=record.addl,
            ss=record.ss,
        )
        for record in table.records
    ]
    constant = model is not None and model.form == "constant" and "vmax" not in model.typical
    try:
        return expand(records, constant_clearance=constant)
    except InvalidRecord as wrong:
        raise InvalidInput(f"/event_tables/{index}/records/{wrong.index}/{wrong.column}", wrong.message) from None
