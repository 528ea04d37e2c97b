"""Vaccines: schedules, the whole-cell research model, and a hazard ratio on the comparator's curve."""

import csv
import io
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from schemas.base import IntervalRead
from schemas.run import ModelRef, RunWarning
from schemas.vaccines import (
    CurveUnderVaccine,
    HazardRatioRead,
    VaccineDynamicsRead,
    VaccinesRequest,
    VaccinesResult,
)
from service import figures
from service.errors import InvalidInput
from service.kinds import Computation, Kind
from simulation.immunotherapy.vaccines import PRODUCTS, STATES, Vaccine, simulate, under_hazard_ratio
from simulation.registry import CARDS

_DYNAMICS: Final = "vaccine-kronik2010"
_HAZARD_RATIO: Final = "vaccine-hazard-ratio"
_LEVEL: Final = 0.95


def compute(request: VaccinesRequest) -> Computation:
    """Return the schedule of a vaccine and what may be computed for it."""
    vaccine = PRODUCTS.get(request.product)
    if vaccine is None:
        raise InvalidInput("/product", f"choose one of {', '.join(sorted(PRODUCTS))}")
    days = tuple(request.days) if request.days is not None else vaccine.schedule_days
    if vaccine.effect == "dynamics" and not days:
        raise InvalidInput("/days", "this product has no fixed schedule: give the days of the doses")
    dynamics = _dynamics(request, days) if vaccine.effect == "dynamics" else None
    ratio = _hazard_ratio(request, vaccine) if vaccine.effect == "hazard_ratio" else None
    result = VaccinesResult(
        product=vaccine.name,
        title=vaccine.title,
        effect=vaccine.effect,
        dose=vaccine.dose,
        dose_days=list(days),
        source=vaccine.source,
        verified=vaccine.verified,
        dynamics=dynamics,
        hazard_ratio=ratio,
        notes=list(vaccine.notes),
    )
    used = [part.model for part in (dynamics, ratio) if part is not None]
    return Computation(
        result=result,
        models=tuple(ModelRef(id=name, version=CARDS[name].version) for name in used),
        warnings=tuple(_warnings(vaccine)),
    )


def _dynamics(request: VaccinesRequest, days: tuple[float, ...]) -> VaccineDynamicsRead:
    given = request.dynamics
    time = np.unique(np.append(np.arange(0.0, request.horizon_days, request.output_step_days), request.horizon_days))
    initial = {
        "cytotoxic_t_cells": given.cytotoxic_t_cells,
        "regulatory_t_cells": given.regulatory_t_cells,
        "tumor_cells": given.tumor_cells,
    }
    personal = {
        "tumor_growth_per_hour": given.tumor_growth_per_hour,
        "killing_per_cell_hour": given.killing_per_cell_hour,
    }
    try:
        states = simulate(days, given.dose_cells, time, initial=initial, **personal)
        without = simulate([], [], time, initial=initial, **personal)
    except RuntimeError:
        raise InvalidInput(
            "/dynamics", "the model cannot be followed this far; take smaller rates and numbers, or a shorter horizon"
        ) from None
    return VaccineDynamicsRead.model_validate(
        {
            "model": _DYNAMICS,
            "time_days": time.tolist(),
            **{name: states[:, index].tolist() for index, name in enumerate(STATES)},
            "tumor_cells_without_vaccine": without[:, STATES.index("tumor_cells")].tolist(),
        }
    )


def _hazard_ratio(request: VaccinesRequest, vaccine: Vaccine) -> HazardRatioRead:
    ratio, lower, upper = vaccine.hazard_ratio, vaccine.hazard_ratio_lower, vaccine.hazard_ratio_upper
    assert ratio is not None
    assert lower is not None
    assert upper is not None
    if request.comparator_curve:
        points = [(point.day, point.survival) for point in request.comparator_curve]
    else:
        points = [(float(vaccine.comparator_days or 0.0), float(vaccine.comparator_survival or 1.0))]
    return HazardRatioRead(
        model=_HAZARD_RATIO,
        endpoint=vaccine.endpoint or "",
        comparator=vaccine.comparator or "",
        hazard_ratio=ratio,
        interval=IntervalRead(level=_LEVEL, lower=lower, upper=upper),
        curve=[
            CurveUnderVaccine(
                day=day,
                comparator_survival=survival,
                survival=float(under_hazard_ratio(survival, ratio)),
                interval=IntervalRead(
                    level=_LEVEL,
                    lower=float(under_hazard_ratio(survival, upper)),
                    upper=float(under_hazard_ratio(survival, lower)),
                ),
            )
            for day, survival in points
        ],
    )


def _warnings(vaccine: Vaccine) -> list[RunWarning]:
    warnings = []
    if vaccine.effect == "dynamics":
        message = (
            "A research model with one published parameter set and an inferred time unit (hours); tumor growth and "
            "killing were fitted to each patient in the paper. Not a forecast for a patient."
        )
        warnings.append(RunWarning(code="research-model", message=message, pointer="/product"))
    elif vaccine.effect == "hazard_ratio":
        message = (
            "A hazard ratio on the comparator's curve: no mechanism, proportional hazards assumed, and its interval "
            "contains no effect."
        )
        warnings.append(RunWarning(code="hazard-ratio-only", message=message, pointer="/product"))
    else:
        message = "Only the schedule is given: no model of this product's effect is offered."
        warnings.append(RunWarning(code="schedule-only", message=message, pointer="/product"))
    if not vaccine.verified:
        message = "The schedule was recorded from memory: re-check it before use."
        warnings.append(RunWarning(code="unverified-values", message=message, pointer="/product"))
    return warnings


def effect_figure(_: Mapping[str, Any], result: Mapping[str, Any]) -> bytes:
    """Draw T cells and tumor of the research model, or the curve under the hazard ratio."""
    fig, ax = figures.new_figure()
    description = f"{result['title']}: schedule only."
    if result["dynamics"] is not None:
        dynamics = result["dynamics"]
        names = ("cytotoxic_t_cells", "regulatory_t_cells", "tumor_cells", "tumor_cells_without_vaccine")
        for index, name in enumerate(names):
            look = figures.style(index)
            label = name.replace("_", " ")
            ax.plot(dynamics["time_days"], dynamics[name], color=look.color, linestyle=look.dash, label=label)
        ax.set_yscale("symlog", linthresh=1.0)
        figures.power_ticks(ax.yaxis)
        ax.set_ylabel("cells")
        description = f"{result['title']}: T cells and tumor cells of a research model over time."
    elif result["hazard_ratio"] is not None:
        curve = result["hazard_ratio"]["curve"]
        days = [point["day"] for point in curve]
        labels = {"comparator_survival": result["hazard_ratio"]["comparator"], "survival": "with the vaccine"}
        for index, (name, label) in enumerate(labels.items()):
            look = figures.style(index)
            values = [point[name] for point in curve]
            ax.plot(days, values, color=look.color, linestyle=look.dash, marker=look.marker, label=label)
        bounds = [[point["interval"][side] for point in curve] for side in ("lower", "upper")]
        figures.band(ax, days, *bounds, color=figures.style(1).color, level=_LEVEL)
        ax.set_ylim(0.0, 1.0)
        ax.set_ylabel(result["hazard_ratio"]["endpoint"])
        description = f"{result['title']}: the comparator's curve under the published hazard ratio."
    else:
        ax.plot(result["dose_days"], [0.0] * len(result["dose_days"]), linestyle="none", marker="^", label="dose")
        ax.set_yticks([])
    ax.set_xlabel("days")
    fig.legend(loc="outside upper center", ncols=2)
    return figures.to_svg(fig, title=result["title"], description=description)


def series(_: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """Return the states of the research model, or the curve, as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if result["dynamics"] is not None:
        names = ("time_days", *STATES, "tumor_cells_without_vaccine")
        writer.writerow(names)
        writer.writerows(zip(*(result["dynamics"][name] for name in names), strict=True))
    elif result["hazard_ratio"] is not None:
        writer.writerow(["day", "comparator_survival", "survival", "lower", "upper"])
        for point in result["hazard_ratio"]["curve"]:
            interval = point["interval"]
            row = [point["day"], point["comparator_survival"], point["survival"]]
            writer.writerow([*row, interval["lower"], interval["upper"]])
    else:
        writer.writerow(["dose_day"])
        writer.writerows([day] for day in result["dose_days"])
    return out.getvalue()


KIND = Kind(
    name="vaccines",
    path="/doses/vaccines",
    summary="Vaccine schedules, the whole-cell research model, a hazard ratio on a curve",
    description=(
        "The schedule of a vaccine and what is published of its effect: the dynamics of a whole-cell prostate cancer "
        "vaccine (a research model, labelled as such), the hazard ratio of mRNA-4157 on the comparator's curve, or the "
        "schedule alone."
    ),
    request=VaccinesRequest,
    result=VaccinesResult,
    compute=compute,
    examples={
        "whole-cell vaccine": {
            "product": "whole-cell-prostate-kronik2010",
            "days": [0.0, 14.0, 28.0, 56.0],
            "horizon_days": 112.0,
        },
        "mRNA-4157": {
            "product": "mrna-4157",
            "comparator_curve": [{"day": 365.0, "survival": 0.72}, {"day": 548.0, "survival": 0.62}],
        },
    },
    blocking=True,
    figures={"effect": effect_figure},
    series=series,
)
