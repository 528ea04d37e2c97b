"""Fractionation: phases and tissues in; BED, EQD2, survival and ways out of an interruption."""

import csv
import io
from collections.abc import Mapping, Sequence
from math import exp
from typing import Any

import numpy as np

from schemas import fractionation as wire
from schemas.base import Estimate, IntervalRead
from schemas.run import ModelRef, RunWarning
from service.errors import InvalidInput
from service.fractionation_interruption import compensation_of, warnings_of_options
from service.fractionation_tissues import NamedTissue, first_is_day_one, tissues_of
from service.kinds import Computation, Kind
from service.validation import not_validated
from simulation.model import Interval
from simulation.radiation.linear_quadratic import LQ_VALID_TO_GY
from simulation.radiation.repair import unrepaired_fraction
from simulation.radiation.schedule import Phase, Schedule, build_schedule
from simulation.radiation.tissue import effect_interval, effect_on, high_dose_effects, needs_high_dose_models
from simulation.registry import CARDS

HOURS_PER_DAY = 24.0
_MOST_UNREPAIRED = 0.1
_HIGH_DOSE_CARDS = {"lq_l": "lq-linear", "usc": "universal-survival-curve", "mlq": "modified-lq"}


def _model(identifier: str) -> ModelRef:
    return ModelRef(id=identifier, version=CARDS[identifier].version)


def _estimate(value: float, interval: Interval | None) -> Estimate:
    read = None
    if interval is not None:
        read = IntervalRead(level=interval.level, lower=interval.lower, upper=interval.upper)
    return Estimate(value=value, interval=read)


def _schedule(request: wire.FractionationRequest) -> Schedule:
    schedule = build_schedule(
        [
            Phase(
                dose_per_fraction_gy=phase.dose_per_fraction_gy,
                fraction_count=phase.fraction_count,
                fractions_per_day=phase.fractions_per_day,
                interval_hours=phase.interval_hours or 0.0,
                first_fraction_hour=phase.first_fraction_hour,
                treatment_days_per_week=phase.treatment_days_per_week,
                start_day=phase.start_day,
            )
            for phase in request.phases
        ],
        first_weekday=request.first_weekday,
    )
    slots = set(zip(schedule.day.tolist(), schedule.hour.tolist(), strict=True))
    if len(slots) < len(schedule.day):
        raise InvalidInput(
            "/phases", "two fractions fall on the same time; set start_day or first_fraction_hour of one of the phases"
        )
    treated = len(np.unique(schedule.day)) - (0 if first_is_day_one(request) else 1)
    if request.overall_time_days is not None and request.overall_time_days < treated:
        raise InvalidInput("/overall_time_days", "is shorter than the number of days on which fractions are given")
    return schedule


def _read_schedule(request: wire.FractionationRequest, schedule: Schedule) -> wire.ScheduleRead:
    time = request.overall_time_days
    if time is None:
        time = schedule.overall_time_days(first_day_is_one=first_is_day_one(request))
    phases = []
    for index in range(len(request.phases)):
        own = schedule.phase == index
        phases.append(
            wire.PhaseRead(
                first_day=float(schedule.day[own].min()),
                last_day=float(schedule.day[own].max()),
                fraction_count=int(own.sum()),
                total_dose_gy=float(schedule.dose_gy[own].sum()),
            )
        )
    return wire.ScheduleRead(
        fraction_count=len(schedule.day),
        total_dose_gy=float(schedule.dose_gy.sum()),
        overall_time_days=time,
        time_convention=request.time_convention,
        phases=phases,
    )


def _read_tissue(request: wire.FractionationRequest, schedule: Schedule, named: NamedTissue) -> wire.TissueRead:
    tissue = named.tissue
    day_one, time = first_is_day_one(request), request.overall_time_days
    effect = effect_on(schedule, tissue, first_day_is_one=day_one, overall_time_days=time)
    intervals = effect_interval(schedule, tissue, first_day_is_one=day_one, overall_time_days=time)
    bed_interval, eqd2_interval = intervals or (None, None)
    alternatives: Sequence[wire.HighDoseRead] = ()
    if needs_high_dose_models(schedule, tissue):
        alternatives = [
            wire.HighDoseRead(
                model=found.model, parameters=dict(found.parameters), bed_gy=found.bed_gy, eqd2_gy=found.eqd2_gy
            )
            for found in high_dose_effects(schedule, tissue, first_day_is_one=day_one, overall_time_days=time)
        ]
    return wire.TissueRead(
        id=tissue.id,
        label=named.label,
        role=tissue.role,
        dose_gy=float(schedule.dose_gy.sum()) * tissue.relative_dose,
        bed_gy=_estimate(effect.bed_gy, bed_interval),
        eqd2_gy=_estimate(effect.eqd2_gy, eqd2_interval),
        repopulation_loss_gy=effect.repopulation_loss_gy,
        log_survival=effect.log_survival,
        surviving_fraction=None if effect.log_survival is None else exp(effect.log_survival),
        high_dose_models=list(alternatives),
        parameters=list(named.parameters),
    )


def _warnings(
    request: wire.FractionationRequest,
    schedule: Schedule,
    named: Sequence[NamedTissue],
    read: Sequence[wire.TissueRead],
) -> list[RunWarning]:
    found = []
    highest = max(one.tissue.relative_dose for one in named)
    for index, phase in enumerate(request.phases):
        if phase.dose_per_fraction_gy * highest > LQ_VALID_TO_GY:
            found.append(
                RunWarning(
                    code="lq-beyond-validity",
                    message=f"Above {LQ_VALID_TO_GY:g} Gy per fraction the linear-quadratic BED may be too high; "
                    "compare it with high_dose_models.",
                    pointer=f"/phases/{index}/dose_per_fraction_gy",
                )
            )
        asked_start = phase.start_day
        if asked_start is not None and float(schedule.day[schedule.phase == index].min()) != asked_start:
            found.append(
                RunWarning(
                    code="start-moved",
                    message="This day is no treatment day of the weekly pattern; the phase starts on the next one.",
                    pointer=f"/phases/{index}/start_day",
                )
            )
    for index, one in enumerate(named):
        interval = one.tissue.alpha_beta_interval
        if interval is not None and interval.lower <= 0:
            found.append(
                RunWarning(
                    code="interval-unbounded",
                    message="The published interval of alpha/beta reaches zero, so BED has no finite upper bound.",
                    pointer=f"/tissues/{index}",
                )
            )
        if any(not parameter.verified and parameter.evidence != "given" for parameter in one.parameters):
            found.append(
                RunWarning(
                    code="unverified-parameter",
                    message="Some preset values were not read in the cited publication itself; see parameters.",
                    pointer=f"/tissues/{index}/preset",
                )
            )
    return [*found, *_doubts(schedule, named, read)]


def _doubts(schedule: Schedule, named: Sequence[NamedTissue], read: Sequence[wire.TissueRead]) -> list[RunWarning]:
    """Warn where a result or an assumption of the model is impossible."""
    found = []
    hours = schedule.day * HOURS_PER_DAY + schedule.hour
    order = np.argsort(hours, kind="stable")
    overnight = np.diff(hours[order])[np.diff(np.floor(schedule.day[order])) > 0]
    for index, (one, tissue) in enumerate(zip(named, read, strict=True)):
        if tissue.bed_gy.value < 0:
            found.append(
                RunWarning(
                    code="negative-bed",
                    message="Repopulation takes away more than the whole dose gives: the formula does not hold over "
                    "this overall time, and the value means no effect at all.",
                    pointer=f"/tissues/{index}",
                )
            )
        if overnight.size and unrepaired_fraction(overnight.min(), one.tissue.repair) > _MOST_UNREPAIRED:
            found.append(
                RunWarning(
                    code="repair-not-complete-overnight",
                    message=f"More than {_MOST_UNREPAIRED:.0%} of the damage is still there at the next day's first "
                    "fraction, but repair counts as complete overnight: the effect is understated.",
                    pointer=f"/tissues/{index}/repair",
                )
            )
    return found


def compute(request: wire.FractionationRequest) -> Computation:
    """Compute the effect of a course on every tissue and the ways out of an interruption."""
    schedule = _schedule(request)
    named = tissues_of(request)
    read = [_read_tissue(request, schedule, one) for one in named]
    compensation = compensation_of(request, schedule, named)
    options = [] if compensation is None else compensation.options
    used = ["lq-fractionation"]
    large = [found.model for tissue in read for found in tissue.high_dose_models]
    large += [found.model for option in options for tissue in option.tissues for found in tissue.high_dose_models]
    used += sorted({_HIGH_DOSE_CARDS[model] for model in large})
    if compensation is not None:
        used.append("gap-compensation")
    models = tuple(_model(identifier) for identifier in used)
    return Computation(
        result=wire.FractionationResult(
            schedule=_read_schedule(request, schedule), tissues=read, compensation=compensation
        ),
        models=models,
        warnings=(
            *_warnings(request, schedule, named, read),
            *warnings_of_options(options, named),
            *not_validated(models),
        ),
    )


def series(_input: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """One row for each tissue."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["tissue", "role", "dose_gy", "bed_gy", "eqd2_gy", "repopulation_loss_gy", "log_survival"])
    for tissue in result["tissues"]:
        writer.writerow(
            [
                tissue["id"],
                tissue["role"],
                tissue["dose_gy"],
                tissue["bed_gy"]["value"],
                tissue["eqd2_gy"]["value"],
                tissue["repopulation_loss_gy"],
                "" if tissue["log_survival"] is None else tissue["log_survival"],
            ]
        )
    return out.getvalue()


_EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "lung_60_in_30": {
        "phases": [{"dose_per_fraction_gy": 2.0, "fraction_count": 30}],
        "tissues": [
            {"id": "tumor", "preset": "nsclc"},
            {"id": "lung", "preset": "lung", "relative_dose": 0.25},
            {"id": "cord", "preset": "spinal_cord", "relative_dose": 0.7},
        ],
    },
    "stereotactic_54_in_3": {
        "phases": [{"dose_per_fraction_gy": 18.0, "fraction_count": 3, "treatment_days_per_week": 3}],
        "tissues": [{"id": "tumor", "preset": "nsclc_park"}, {"id": "chest_wall", "preset": "late_generic"}],
    },
    "interrupted_70_in_35": {
        "phases": [{"dose_per_fraction_gy": 2.0, "fraction_count": 35}],
        "tissues": [
            {
                "id": "tumor",
                "role": "tumor",
                "alpha_beta_gy": 10.0,
                "repopulation": {"kick_off_day": 28.0, "rate_gy_per_day": 0.9},
            },
            {"id": "late", "role": "late", "alpha_beta_gy": 3.0, "repair": [{"half_time_hours": 4.0}]},
        ],
        "interruption": {"tumor_id": "tumor", "delivered_fraction_count": 20, "days_lost": 7.0},
    },
}

KIND = Kind(
    name="fractionation",
    path="/doses/fractionation",
    summary="BED, EQD2 and survival of a course; ways out of an interruption",
    description=(
        "Lays phases out on a weekly pattern and computes the biologically effective dose, the equivalent dose in "
        "2 Gy fractions and the surviving fraction for a tumor and any number of normal tissues, with incomplete "
        "repair within a day and repopulation. Above 10 Gy a fraction, or above a transition dose that is known for "
        "the tissue, models for large fractions stand beside the linear-quadratic one. After an interruption the ways "
        "to finish are listed with their price in every tissue. "
        "For research; not a recommendation."
    ),
    request=wire.FractionationRequest,
    result=wire.FractionationResult,
    compute=compute,
    examples=_EXAMPLES,
    series=series,
)
