"""CAR-T cells: expansion and persistence by the published model, reported CRS and ICANS."""

import csv
import io
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schemas.base import Estimate, IntervalRead
from schemas.cells import CellBand, CellKineticsRead, CellsRequest, CellsResult, CellToxicity, PrintedKinetics
from schemas.run import ModelRef, RunWarning
from service import figures
from service.errors import InvalidInput
from service.kinds import Computation, Kind
from simulation.immunotherapy import cart
from simulation.registry import CARDS

STEIN: Final = "cart-tisagenlecleucel-stein2019"
_SUMMARIES: Final = "cart-product-summaries"
_PERCENTS: Final = (5.0, 25.0, 50.0, 75.0, 95.0)
_LEVEL: Final = 0.95
_MOST_OUTPUTS: Final = 4000


def compute(request: CellsRequest) -> Computation:
    """Return kinetics and toxicity of one product."""
    product = cart.PRODUCTS.get(request.product)
    if product is None:
        raise InvalidInput("/product", f"choose one of {', '.join(sorted(cart.PRODUCTS))}")
    if request.horizon_days / request.output_step_days > _MOST_OUTPUTS:
        raise InvalidInput("/output_step_days", "too many output times: take a larger step or a shorter horizon")
    kinetics = _kinetics(request) if product.kinetic_model is not None else None
    result = CellsResult(
        product=product.name,
        title=product.title,
        kinetics=kinetics,
        printed_kinetics=[
            PrintedKinetics(
                setting=row.setting,
                unit=row.unit,
                maximum=row.maximum,
                maximum_day=row.maximum_day,
                area_0_28=row.area_0_28,
                source=row.source,
                verified=row.verified,
            )
            for row in product.kinetics
        ],
        toxicity=[_toxicity(row) for row in product.toxicity],
        notes=_notes(kinetics is not None),
    )
    used = ([STEIN] if kinetics is not None else []) + [_SUMMARIES]
    return Computation(
        result=result,
        models=tuple(ModelRef(id=name, version=CARDS[name].version) for name in used),
        warnings=tuple(_warnings(request, product)),
    )


def _notes(modeled: bool) -> list[str]:
    notes = ["Incidences are those of trial populations and registries; scales differ and must not be pooled."]
    if modeled:
        notes.append("Expansion has no dose term: infusing more cells does not raise the maximum.")
    return notes


def _kinetics(request: CellsRequest) -> CellKineticsRead:
    time = np.unique(np.append(np.arange(0.0, request.horizon_days, request.output_step_days), request.horizon_days))
    typical = _treated(cart.typical(), request)
    virtual = _treated(
        cart.virtual_patients(request.patient_count, request.seed, request.random_effects_read_as), request
    )
    bands = np.empty((len(_PERCENTS), time.size))
    for index, moment in enumerate(time):
        bands[:, index] = np.percentile(virtual.level([moment])[0], _PERCENTS)
    half_life = np.log(2.0)
    return CellKineticsRead(
        model=STEIN,
        unit="transgene copies per microgram of DNA, qPCR",
        time_days=time.tolist(),
        typical_copies_per_ug=typical.level(time)[:, 0].tolist(),
        bands=[
            CellBand(percent=percent, copies_per_ug=values.tolist())
            for percent, values in zip(_PERCENTS, bands, strict=True)
        ],
        maximum_copies_per_ug=_estimate(typical.maximum_copies_per_ug, virtual.maximum_copies_per_ug),
        maximum_day=_estimate(typical.tmax_days, virtual.tmax_days),
        doubling_days=_estimate(typical.doubling_days, virtual.doubling_days),
        contraction_half_life_days=_estimate(half_life / typical.alpha_per_day, half_life / virtual.alpha_per_day),
        persistence_half_life_days=_estimate(half_life / typical.beta_per_day, half_life / virtual.beta_per_day),
        area_0_28_copies_day_per_ug=_estimate(typical.area(28.0), virtual.area(28.0)),
        random_effects_read_as=request.random_effects_read_as,
    )


def _treated(kinetics: cart.CellKinetics, request: CellsRequest) -> cart.CellKinetics:
    if request.tocilizumab_day is not None:
        kinetics = kinetics.with_expansion_factor(cart.MODEL["tocilizumab_factor"], request.tocilizumab_day)
    if request.corticosteroid_day is not None:
        kinetics = kinetics.with_expansion_factor(cart.MODEL["corticosteroid_factor"], request.corticosteroid_day)
    return kinetics


def _estimate(typical: NDArray[np.float64], virtual: NDArray[np.float64]) -> Estimate:
    lower, upper = np.percentile(virtual, (5.0, 95.0)).tolist()
    return Estimate(value=float(typical[0]), interval=IntervalRead(level=0.9, lower=lower, upper=upper))


def _toxicity(row: cart.ToxicityRate) -> CellToxicity:
    bounds = row.interval
    return CellToxicity(
        event=row.event,
        grades=row.grades,
        setting=row.setting,
        probability=row.percent / 100.0,
        interval=None if bounds is None else IntervalRead(level=_LEVEL, lower=bounds[0], upper=bounds[1]),
        scale=row.scale,
        source=row.source,
        verified=row.verified,
    )


def _warnings(request: CellsRequest, product: cart.CellProduct) -> list[RunWarning]:
    warnings = [
        RunWarning(
            code="unverified-values",
            message="Grading scales, and rows marked verified false, were recorded from memory: re-check before use.",
            pointer="/product",
        )
    ]
    if product.kinetic_model is None:
        message = "No kinetic model of this product was found; only printed summaries are given."
        return [*warnings, RunWarning(code="summary-only", message=message, pointer="/product")]
    warnings.append(
        RunWarning(
            code="random-effects-ambiguous",
            message="Whether the printed random effects are standard deviations or variances is unresolved; they were "
            f"read as {request.random_effects_read_as.replace('_', ' ')}, and the bands depend on it.",
            pointer="/random_effects_read_as",
        )
    )
    if request.dose_cells is not None:
        message = "The model has no dose term; the dose does not change the answer."
        warnings.append(RunWarning(code="dose-without-effect", message=message, pointer="/dose_cells"))
    if request.tocilizumab_day is not None or request.corticosteroid_day is not None:
        message = "Point estimates of the effect on expansion; the authors concluded that there was none."
        at = "/tocilizumab_day" if request.tocilizumab_day is not None else "/corticosteroid_day"
        warnings.append(RunWarning(code="effect-not-shown", message=message, pointer=at))
    return warnings


def kinetics_figure(_: Mapping[str, Any], result: Mapping[str, Any]) -> bytes:
    """Draw expansion and persistence on a logarithmic axis."""
    fig, ax = figures.new_figure()
    kinetics = result["kinetics"]
    description = f"{result['title']}: no kinetic model is published; see the printed summaries."
    if kinetics is None:
        ax.set_axis_off()
        ax.text(0.5, 0.5, "No kinetic model is published for this product.", ha="center")
    else:
        look, time = figures.style(0), kinetics["time_days"]
        bands = {band["percent"]: band["copies_per_ug"] for band in kinetics["bands"]}
        figures.band(ax, time, bands[5.0], bands[95.0], color=look.color, level=0.9)
        figures.band(ax, time, bands[25.0], bands[75.0], color=look.color, level=0.5)
        ax.plot(time, kinetics["typical_copies_per_ug"], color=look.color, label="typical patient")
        ax.set_yscale("log")
        figures.power_ticks(ax.yaxis)
        ax.set_xlabel("days after infusion")
        ax.set_ylabel("transgene copies per µg DNA")
        ax.legend(loc="upper right")
        description = (
            f"{result['title']}: the typical maximum is {kinetics['maximum_copies_per_ug']['value']:.3g} copies per "
            f"microgram on day {kinetics['maximum_day']['value']:.3g}."
        )
    return figures.to_svg(fig, title="CAR-T cells in blood over time", description=description)


def series(_: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """Return the kinetics as CSV, one row per time."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["time_days", "typical_copies_per_ug", *(f"percentile_{p:g}_copies_per_ug" for p in _PERCENTS)])
    kinetics = result["kinetics"]
    if kinetics is not None:
        bands = [band["copies_per_ug"] for band in kinetics["bands"]]
        rows = zip(kinetics["time_days"], kinetics["typical_copies_per_ug"], *bands, strict=True)
        writer.writerows(rows)
    return out.getvalue()


KIND = Kind(
    name="cells",
    path="/doses/cells",
    summary="CAR-T expansion and persistence, reported CRS and ICANS",
    description=(
        "Expansion, maximum, contraction and persistence of the transgene with percentiles of virtual patients where a "
        "kinetic model is published (tisagenlecleucel), the printed summaries elsewhere, and the incidence of cytokine "
        "release syndrome and neurologic toxicity per product with its grading scale."
    ),
    request=CellsRequest,
    result=CellsResult,
    compute=compute,
    examples={
        "tisagenlecleucel": {"product": "tisagenlecleucel", "horizon_days": 180.0, "output_step_days": 7.0, "seed": 7},
        "axicabtagene ciloleucel": {"product": "axicabtagene-ciloleucel"},
    },
    blocking=True,
    figures={"kinetics": kinetics_figure},
    series=series,
)
