"""Ways out of an interruption: the case as the numerics want it, and the options as the answer shows them."""

from collections.abc import Sequence

from schemas import fractionation as wire
from schemas.run import RunWarning
from service.errors import InvalidInput
from service.fractionation_tissues import NamedTissue, first_is_day_one
from simulation.radiation.compensation import Interruption, Option, compensate
from simulation.radiation.linear_quadratic import LQ_VALID_TO_GY
from simulation.radiation.schedule import Schedule
from simulation.radiation.tissue import Tissue, effect_on, exceeds, high_dose_effects, needs_high_dose_models


def _interruption(request: wire.FractionationRequest, schedule: Schedule) -> Interruption:
    asked = request.interruption
    assert asked is not None
    if request.overall_time_days is not None:
        raise InvalidInput("/overall_time_days", "leave it out with an interruption: time follows from the schedule")
    for index, phase in enumerate(request.phases):
        if phase.fractions_per_day > 1:
            raise InvalidInput(
                f"/phases/{index}/fractions_per_day", "an interruption is compensated for one fraction a day only"
            )
    if asked.delivered_fraction_count >= len(schedule.day):
        raise InvalidInput("/interruption/delivered_fraction_count", "must be smaller than the planned number")
    if len(set(schedule.phase[asked.delivered_fraction_count :].tolist())) > 1:
        raise InvalidInput(
            "/interruption/delivered_fraction_count", "the fractions that are left must all belong to the last phase"
        )
    return Interruption(
        planned=schedule,
        delivered_count=asked.delivered_fraction_count,
        days_lost=asked.days_lost,
        treatment_days_per_week=request.phases[int(schedule.phase[-1])].treatment_days_per_week,
        week_start_day=(request.phases[0].start_day or 0.0) - (request.first_weekday - 1),
        second_fraction_after_hours=asked.second_fraction_after_hours,
        first_day_is_one=first_is_day_one(request),
    )


def compensation_of(
    request: wire.FractionationRequest, schedule: Schedule, named: Sequence[NamedTissue]
) -> wire.CompensationRead | None:
    """Return the ways to finish; None without an interruption."""
    asked = request.interruption
    if asked is None:
        return None
    case = _interruption(request, schedule)
    ordered = sorted(named, key=lambda one: one.tissue.id != asked.tumor_id)
    if ordered[0].tissue.id != asked.tumor_id or ordered[0].tissue.role != "tumor":
        raise InvalidInput("/interruption/tumor_id", "must be the id of a tissue with the role tumor")
    if not any(one.tissue.role == "late" for one in ordered[1:]):
        raise InvalidInput("/tissues", "add a late tissue: a compensation is never shown without its late effect")
    tissues = [one.tissue for one in ordered]
    planned = {
        tissue.id: effect_on(schedule, tissue, first_day_is_one=case.first_day_is_one).bed_gy for tissue in tissues
    }
    options, refused = compensate(case, tissues)

    def read(option: Option) -> wire.OptionRead:
        effects = dict(zip(planned, option.effects, strict=True))
        return wire.OptionRead(
            strategy=option.strategy,
            fraction_count=option.remaining_count,
            dose_per_fraction_gy=option.dose_per_fraction_gy,
            days_with_two_fractions=option.days_with_two_fractions,
            last_day=float(option.schedule.day[-1]),
            overall_time_days=option.schedule.overall_time_days(first_day_is_one=case.first_day_is_one),
            keeps_tumor_bed=effects[asked.tumor_id].bed_gy >= planned[asked.tumor_id] - 1e-6,
            pareto_optimal=option.pareto_optimal,
            tissues=[
                wire.OptionTissueRead(
                    id=tissue.id,
                    role=tissue.role,
                    bed_gy=effects[tissue.id].bed_gy,
                    eqd2_gy=effects[tissue.id].eqd2_gy,
                    bed_difference_gy=effects[tissue.id].bed_gy - planned[tissue.id],
                    high_dose_models=_high_dose(case, option, tissue),
                )
                for tissue in tissues
            ],
        )

    return wire.CompensationRead(
        missed_fraction_count=case.missed_count,
        options=[read(option) for option in options],
        not_possible=[wire.NotPossibleRead(strategy=one.strategy, reason=one.reason) for one in refused],
    )


def _high_dose(case: Interruption, option: Option, tissue: Tissue) -> list[wire.OptionHighDoseRead]:
    if not needs_high_dose_models(option.schedule, tissue):
        return []
    found, planned = (
        high_dose_effects(schedule, tissue, first_day_is_one=case.first_day_is_one)
        for schedule in (option.schedule, case.planned)
    )
    return [
        wire.OptionHighDoseRead(
            model=one.model,
            parameters=dict(one.parameters),
            bed_gy=one.bed_gy,
            eqd2_gy=one.eqd2_gy,
            bed_difference_gy=one.bed_gy - plan.bed_gy,
        )
        for one, plan in zip(found, planned, strict=True)
    ]


def warnings_of_options(options: Sequence[wire.OptionRead], named: Sequence[NamedTissue]) -> list[RunWarning]:
    """Warn where the fractions of an option are larger than the linear-quadratic form is good for."""
    highest = max(one.tissue.relative_dose for one in named)
    if not any(exceeds(option.dose_per_fraction_gy * highest, LQ_VALID_TO_GY) for option in options):
        return []
    return [
        RunWarning(
            code="lq-beyond-validity",
            message=f"Some options have more than {LQ_VALID_TO_GY:g} Gy per fraction, where the linear-quadratic BED "
            "that their size comes from may be too high; compare it with the high_dose_models of the option.",
            pointer="/interruption",
        )
    ]
