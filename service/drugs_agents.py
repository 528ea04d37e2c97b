"""The exposure of one agent, in the members of the answer."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.base import Estimate, IntervalRead
from schemas.drugs import (
    AgentExposure,
    Band,
    CovariateUsed,
    CycleRead,
    DoseRead,
    DrugsRequest,
    OccupancyRead,
    Parameters,
    Profile,
    SteadyStateRead,
    TargetRead,
)
from service.drugs_covariates import REFERENCE_WEIGHT_KG
from service.drugs_input import AgentInput
from simulation.immunotherapy.antibodies import AntibodyModel
from simulation.immunotherapy.disposition import Disposition, simulate
from simulation.immunotherapy.metrics import (
    CycleMetrics,
    SteadyState,
    crossing_grid,
    cycle_metrics,
    days_above,
    occupancy,
    output_grid,
    steady_state,
)
from simulation.immunotherapy.population import (
    CovariateDistribution,
    draw_covariates,
    percentiles,
    simulate_population,
    virtual_patients,
)
from simulation.immunotherapy.regimens import MINUTES_PER_DAY
from simulation.immunotherapy.targets import LABEL_LEVEL, TARGETS
from simulation.immunotherapy.timeline import Doses

BAND_PERCENTS: Final = (5.0, 25.0, 50.0, 75.0, 95.0)
_LEVEL: Final = 0.90
_SAME: Final = 1e-9
Array = NDArray[np.float64]


def exposure_of(given: AgentInput, request: DrugsRequest, known: Mapping[str, float], horizon: float) -> AgentExposure:
    """Return the exposure of an agent that has a population model."""
    model = given.model
    assert model is not None
    mine = {name: value for name, value in known.items() if name in model.covariates or name == "weight_kg"}
    typical = _subject(model, request, mine)
    grid = output_grid(given.doses, horizon, request.output_step_days)
    grid = np.unique(np.concatenate([grid, given.observation_days]))
    if request.subject == "population":
        profile, cycles, above, patients, amounts = _population(given, request, mine, horizon, grid)
    else:
        patients, amounts = typical, given.doses.amount_mg
        run = simulate(typical, given.doses, grid, longest_step_days=model.longest_step_days)
        inside = grid <= horizon
        profile = Profile(
            time_days=grid[inside].tolist(),
            concentration_mg_per_l=run.concentration_mg_per_l[inside, 0].tolist(),
            bands=[],
        )
        cycles = cycle_metrics(run, given.doses, horizon)
        target = target_value(given.agent, request)
        above = None if target is None else _days_above(model, typical, given.doses, target, horizon)
    return AgentExposure(
        agent=given.agent,  # type: ignore[arg-type]
        status="computed",
        model=model.id,
        source=_source(model),
        covariates=_covariates_used(model, request, mine),
        parameters=_parameters(typical),
        doses=_doses(given),
        profile=profile,
        cycles=[_cycle(cycles, number) for number in range(cycles.start_days.size)],
        steady_state=_steady_state(given, patients, amounts, cycles),
        target=_target(given.agent, request, above, horizon),
        occupancy=_occupancy(given.agent, cycles),
        notes=list(model.notes),
    )


def _source(model: AntibodyModel) -> str:
    where = f". doi:{model.doi}" if model.doi else ""
    return f"{model.citation}{where}" + ("" if model.verified else " (values not read in the paper itself)")


def label_level_of(given: AgentInput) -> AgentExposure:
    """Return what the label says of an agent without a population model."""
    level = LABEL_LEVEL[given.agent]
    last = _last_interval(given)
    steady = None
    if last is not None:
        dose, interval, _ = last
        average = level.average_mg_per_l(dose, interval)
        steady = SteadyStateRead(
            dose_mg=dose,
            interval_days=interval,
            maximum_mg_per_l=None,
            trough_mg_per_l=None,
            average_mg_per_l=Estimate(value=average, interval=None),
            area_mg_day_per_l=Estimate(value=average * interval, interval=None),
            accumulation_ratio=None,
        )
    half_life = f"Label half-life about {level.half_life_days:g} d, volume {level.volume_l:g} L."
    return AgentExposure(
        agent=given.agent,  # type: ignore[arg-type]
        status="label_level",
        model=level.id,
        source=level.source,
        covariates=[],
        parameters=None,
        doses=_doses(given),
        profile=None,
        cycles=[],
        steady_state=steady,
        target=None,
        occupancy=None,
        notes=[*level.notes, half_life],
    )


def _days_above(model: AntibodyModel, patient: Disposition, doses: Doses, target: float, horizon: float) -> Array:
    days = crossing_grid(doses, horizon)
    run = simulate(patient, doses, days, longest_step_days=model.longest_step_days)
    return days_above(days, run.concentration_mg_per_l, target)


def _subject(model: AntibodyModel, request: DrugsRequest, mine: Mapping[str, float]) -> Disposition:
    if request.subject == "individual":
        return next(virtual_patients(model, draw_covariates(()), mine, 1, request.seed))[1]
    return model.individual(mine)


def _population(
    given: AgentInput, request: DrugsRequest, mine: Mapping[str, float], horizon: float, grid: Array
) -> tuple[Profile, CycleMetrics, Array | None, Disposition, Array]:
    model = given.model
    assert model is not None
    wanted = {*model.covariates, "weight_kg"}
    draw = draw_covariates(
        tuple(
            CovariateDistribution(
                covariate=spread.covariate,
                kind=spread.distribution,
                center=spread.center,
                spread=spread.spread,
                low=spread.low,
                high=np.inf if spread.high is None else spread.high,
            )
            for spread in sorted(request.population.covariates, key=lambda spread: spread.covariate)
            if spread.covariate in wanted
        )
    )
    count = request.population.count
    exposure = simulate_population(
        model,
        given.doses if given.weighted is None else given.weighted,
        grid,
        horizon,
        draw=draw,
        known=mine,
        patients=count,
        seed=request.seed,
        target_mg_per_l=target_value(given.agent, request),
    )
    inside = grid <= horizon
    bands = percentiles(exposure.concentration_mg_per_l[inside], BAND_PERCENTS)
    profile = Profile(
        time_days=grid[inside].tolist(),
        concentration_mg_per_l=bands[BAND_PERCENTS.index(50.0)].tolist(),
        bands=[
            Band(percent=percent, concentration_mg_per_l=values.tolist())
            for percent, values in zip(BAND_PERCENTS, bands, strict=True)
        ],
    )
    chunks = list(virtual_patients(model, draw, mine, count, request.seed))
    amounts = [
        given.doses.amount_mg if given.weighted is None else given.weighted.for_weights(weight).amount_mg
        for _, _, weight in chunks
    ]
    dosed = amounts[0] if amounts[0].shape[1] == 1 else np.concatenate(amounts, axis=1)
    patients = _joined([chunk for _, chunk, _ in chunks])
    return profile, exposure.cycles, exposure.days_above_target, patients, dosed


def _joined(chunks: list[Disposition]) -> Disposition:
    def column(name: str) -> Array | None:
        values = [getattr(chunk, name) for chunk in chunks]
        return None if values[0] is None else np.concatenate(values)

    return Disposition.of(
        cl_l_per_day=np.concatenate([chunk.cl_l_per_day for chunk in chunks]),
        vc_l=np.concatenate([chunk.vc_l for chunk in chunks]),
        q_l_per_day=np.concatenate([chunk.q_l_per_day for chunk in chunks]),
        vp_l=np.concatenate([chunk.vp_l for chunk in chunks]),
        form=chunks[0].form,
        emax=np.concatenate([chunk.emax for chunk in chunks]),
        t50_days=np.concatenate([chunk.t50_days for chunk in chunks]),
        hill=chunks[0].hill,
        vmax_mg_per_day=column("vmax_mg_per_day"),
        km_mg_per_l=column("km_mg_per_l"),
    )


def estimate(values: Array) -> Estimate:
    """Return the only value, or the median with the central 90 % of many."""
    if values.size == 1:
        return Estimate(value=float(values[0]), interval=None)
    lower, middle, upper = percentiles(values, (5.0, 50.0, 95.0)).tolist()
    return Estimate(value=middle, interval=IntervalRead(level=_LEVEL, lower=lower, upper=upper))


def _cycle(cycles: CycleMetrics, number: int) -> CycleRead:
    return CycleRead(
        number=number + 1,
        start_day=float(cycles.start_days[number]),
        length_days=float(cycles.length_days[number]),
        maximum_mg_per_l=estimate(cycles.maximum_mg_per_l[number]),
        trough_mg_per_l=estimate(cycles.trough_mg_per_l[number]),
        average_mg_per_l=estimate(cycles.average_mg_per_l[number]),
        area_mg_day_per_l=estimate(cycles.area_mg_day_per_l[number]),
    )


def _last_interval(given: AgentInput) -> tuple[float, float, float] | None:
    """Dose, interval and infusion of the last two doses, when they are alike."""
    doses = given.doses
    if doses.time_days.size < 2:
        return None
    interval = float(doses.time_days[-1] - doses.time_days[-2])
    same = np.allclose(doses.amount_mg[-1], doses.amount_mg[-2], rtol=_SAME)
    infusion = float(doses.infusion_days[-1])
    if not same or interval <= infusion:
        return None
    return float(doses.amount_mg[-1, 0]), interval, infusion


def _steady_state(
    given: AgentInput, patients: Disposition, amounts: Array, cycles: CycleMetrics
) -> SteadyStateRead | None:
    last = _last_interval(given)
    # saturable elimination has no closed steady state: one patient is iterated, a population is not
    if last is None or cycles.start_days.size == 0 or (patients.size > 1 and not patients.linear):
        return None
    dose, interval, infusion = last
    steady: SteadyState = steady_state(patients, amounts[-1], infusion, interval)
    first = given.doses.amount_mg[0, 0] == dose and abs(cycles.length_days[0] - interval) < _SAME
    accumulation = steady.area_mg_day_per_l / cycles.area_mg_day_per_l[0] if first else None
    return SteadyStateRead(
        dose_mg=dose,
        interval_days=interval,
        maximum_mg_per_l=estimate(steady.maximum_mg_per_l),
        trough_mg_per_l=estimate(steady.trough_mg_per_l),
        average_mg_per_l=estimate(steady.average_mg_per_l),
        area_mg_day_per_l=estimate(steady.area_mg_day_per_l),
        accumulation_ratio=None if accumulation is None else estimate(accumulation),
    )


def _covariates_used(model: AntibodyModel, request: DrugsRequest, mine: Mapping[str, float]) -> list[CovariateUsed]:
    drawn = {spread.covariate for spread in request.population.covariates} if request.subject == "population" else set()
    used = []
    for name, reference in model.covariates.items():
        if name in drawn:
            used.append(CovariateUsed(name=name, value=mine.get(name, reference or 0.0), origin="drawn"))
        elif name in mine:
            used.append(CovariateUsed(name=name, value=mine[name], origin="given"))
        else:
            used.append(CovariateUsed(name=name, value=reference or 0.0, origin="reference"))
    return used


def _parameters(one: Disposition) -> Parameters:
    varies = one.form != "constant"
    return Parameters(
        cl_l_per_day=float(one.cl_l_per_day[0]),
        vc_l=float(one.vc_l[0]),
        q_l_per_day=float(one.q_l_per_day[0]),
        vp_l=float(one.vp_l[0]),
        clearance_form=one.form,
        emax=float(one.emax[0]),
        t50_days=float(one.t50_days[0]) if varies else None,
        hill=one.hill if varies else None,
        vmax_mg_per_day=None if one.vmax_mg_per_day is None else float(one.vmax_mg_per_day[0]),
        km_mg_per_l=None if one.km_mg_per_l is None else float(one.km_mg_per_l[0]),
        terminal_half_life_days=float(one.half_lives_days()[1][0]),
        late_terminal_half_life_days=float(one.at_late_clearance().half_lives_days()[1][0]),
    )


def _doses(given: AgentInput) -> list[DoseRead]:
    amounts = given.doses.amount_mg[:, 0]
    if given.weighted is not None and amounts.size == 0:
        amounts = given.weighted.for_weights(np.array([REFERENCE_WEIGHT_KG])).amount_mg[:, 0]
    return [
        DoseRead(time_days=time, amount_mg=amount, infusion_minutes=infusion * MINUTES_PER_DAY)
        for time, amount, infusion in zip(
            given.doses.time_days.tolist(), amounts.tolist(), given.doses.infusion_days.tolist(), strict=True
        )
    ]


def target_value(agent: str, request: DrugsRequest) -> float | None:
    """Return the concentration whose time above is asked: the request's, else a published one."""
    for choice in request.targets:
        if choice.agent == agent:
            return choice.concentration_mg_per_l
    target = TARGETS.get(agent)
    return target.value_mg_per_l if target is not None and target.kind == "target" else None


def _target(agent: str, request: DrugsRequest, above: Array | None, horizon: float) -> TargetRead | None:
    value = target_value(agent, request)
    if value is None or above is None:
        return None
    own = any(choice.agent == agent for choice in request.targets)
    days = estimate(above)
    return TargetRead(
        concentration_mg_per_l=value,
        what="target of the request" if own else TARGETS[agent].what,
        source="request" if own else TARGETS[agent].source,
        verified=own or TARGETS[agent].verified,
        days_above=days,
        share_above=min(1.0, days.value / horizon),
    )


def _occupancy(agent: str, cycles: CycleMetrics) -> OccupancyRead | None:
    target = TARGETS.get(agent)
    if target is None or target.kind != "half_maximal" or cycles.start_days.size == 0:
        return None
    troughs = occupancy(np.median(cycles.trough_mg_per_l, axis=1), target.value_mg_per_l, target.maximum)
    return OccupancyRead(
        half_maximal_mg_per_l=target.value_mg_per_l,
        maximum=target.maximum,
        what=target.what,
        source=target.source,
        at_first_trough=float(troughs[0]),
        at_last_trough=float(troughs[-1]),
    )
