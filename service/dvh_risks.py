"""Complications, tumor control and the therapeutic window of a set of structures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from schemas import dvh as wire
from schemas import dvh_results as results
from schemas.base import Estimate, IntervalRead
from service.dvh_parameters import check_intervals, check_parameters
from service.dvh_structures import read_source
from service.errors import InvalidInput
from simulation.model import Interval, Reference
from simulation.radiation import complications, control
from simulation.radiation.complications import ComplicationModel
from simulation.radiation.constraints import CONVENTIONAL_MAXIMUM_GY
from simulation.radiation.control import ControlModel
from simulation.radiation.structure import Structure
from simulation.radiation.uncertainty import propagate
from simulation.radiation.window import therapeutic_window

Applicability = Literal["inside", "outside", "unknown"]
_SAMPLING_BINS = 200
_WINDOW_BINS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetControl:
    """A control model with its target and where its numbers come from."""

    structure: Structure
    model: ControlModel
    reference: Reference | None
    interval_note: str


def estimate(value: float, interval: Interval | None) -> Estimate:
    """Return an estimate as the answer shows it."""
    if interval is None:
        return Estimate(value=value, interval=None)
    return Estimate(
        value=value, interval=IntervalRead(level=interval.level, lower=interval.lower, upper=interval.upper)
    )


def stands_in(fractionation: str, dose_per_fraction_gy: float | None) -> tuple[Applicability, list[str]]:
    """Judge a model by the fractionation of the patients it was fitted to."""
    if fractionation == "any":
        return "unknown", []
    if dose_per_fraction_gy is None:
        return "unknown", ["the prescribed dose per fraction is not known"]
    conventional = dose_per_fraction_gy <= CONVENTIONAL_MAXIMUM_GY
    if conventional == (fractionation == "conventional"):
        return "inside", []
    return "outside", [f"fitted to patients with {fractionation} fractions"]


def stream_of(seed: int, *place: int) -> np.random.Generator:
    """Return the stream of one answer of a run."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, *place])))


def _given_note(intervals: Mapping[str, object]) -> str:
    if not intervals:
        return "No interval: none came with the parameters."
    return f"Carries the given intervals of {', '.join(sorted(intervals))}, taken as independent."


def given_model(pointer: str, organ: str, request: wire.ComplicationModelRequest) -> ComplicationModel:
    """Check a complication model of the caller's own."""
    check_parameters(pointer, request.parameters, needed=complications.PARAMETERS[request.form])
    if request.parameters.get("exponent", 1.0) <= 0:
        raise InvalidInput(f"{pointer}/parameters/exponent", "must be above zero for an organ")
    return ComplicationModel(
        id=request.id,
        organ=organ,
        endpoint=request.endpoint,
        form=request.form,
        parameters=request.parameters,
        dose="physical" if request.alpha_beta_gy is None else "eqd2",
        alpha_beta_gy=request.alpha_beta_gy or 0.0,
        alpha_beta_source="given",
        reference=None,
        interval_note=_given_note(request.intervals),
        intervals=check_intervals(pointer, request.parameters, request.intervals),
    )


def models_for(structure: Structure, given: Sequence[ComplicationModel]) -> list[ComplicationModel]:
    """Return the table's models for an organ, then those of the caller's own."""
    found: list[ComplicationModel] = []
    if structure.organ is not None and not structure.target:
        found += [
            model
            for model in complications.MODELS
            if model.organ == structure.organ and (structure.part == "whole" or not model.whole_organ)
        ]
    return [*found, *given]


def read_complication(
    structure: Structure,
    model: ComplicationModel,
    options: wire.EvaluationOptions,
    dose_per_fraction_gy: float | None,
    stream_key: tuple[int, int, int],
) -> results.ComplicationRead:
    """Compute one complication of one structure."""
    count = options.fraction_count
    coarse = structure.dvh.condensed(_SAMPLING_BINS)
    interval = propagate(
        lambda parameters: model.probability(coarse, count, parameters),
        model.parameters,
        model.intervals,
        level=options.interval_level,
        stream=stream_of(*stream_key),
    )
    standing, reasons = ("unknown", []) if model.reference is None else stands_in("conventional", dose_per_fraction_gy)
    return results.ComplicationRead(
        model=model.id,
        endpoint=model.endpoint,
        form=model.form,
        parameters=dict(model.parameters),
        dose_basis=model.dose,
        alpha_beta_gy=model.alpha_beta_gy if model.dose == "eqd2" else None,
        alpha_beta_source=model.alpha_beta_source,
        probability=estimate(model.probability(structure.dvh, count), interval),
        interval_note=model.interval_note,
        applicability=standing,
        reasons=reasons,
        source=None if model.reference is None else read_source(model.reference),
    )


def controls_of(structures: Sequence[Structure], options: wire.EvaluationOptions) -> list[TargetControl]:
    """Resolve the tumor control models of a request."""
    return [
        _control(f"/tumor_control/{index}", one, structures, options) for index, one in enumerate(options.tumor_control)
    ]


def _control(
    pointer: str,
    request: wire.TumorControlRequest,
    structures: Sequence[Structure],
    options: wire.EvaluationOptions,
) -> TargetControl:
    structure = next((one for one in structures if one.id == request.structure_id), None)
    if structure is None:
        raise InvalidInput(f"{pointer}/structure_id", "must be the id of one of the structures")
    parameters = dict(request.parameters)
    reference, interval_note = None, _given_note(request.intervals)
    if request.preset is not None:
        preset = control.PRESETS.get(request.preset)
        if preset is None or request.form != "poisson":
            known = ", ".join(sorted(control.PRESETS))
            raise InvalidInput(f"{pointer}/preset", f"the poisson form has the presets {known}; other forms have none")
        parameters = {**preset.parameters, **parameters}
        reference = preset.reference
        interval_note = interval_note if request.intervals else preset.interval_note
    _check_control(pointer, request, parameters, structure, options)
    return TargetControl(
        structure=structure,
        model=ControlModel(
            form=request.form,
            parameters=parameters,
            intervals=check_intervals(pointer, parameters, request.intervals),
            fraction_days=tuple(request.fraction_days or ()),
        ),
        reference=reference,
        interval_note=interval_note,
    )


def _check_control(
    pointer: str,
    request: wire.TumorControlRequest,
    parameters: dict[str, float],
    structure: Structure,
    options: wire.EvaluationOptions,
) -> None:
    by_cells = request.form in ("poisson", "zaider_minerbo")
    optional = (control.CLONOGENS if by_cells else ()) + (control.OPTIONAL if request.form == "poisson" else ())
    check_parameters(pointer, parameters, needed=control.REQUIRED[request.form], optional=optional)
    if by_cells and not any(name in parameters for name in control.CLONOGENS):
        parameters["clonogens_per_cm3"] = control.CLONOGENS_PER_CM3
    if by_cells and "clonogens" not in parameters:
        if structure.dvh.volume_cm3 is None:
            raise InvalidInput(f"{pointer}/parameters", "give clonogens, or the volume of the target with its curve")
        if parameters["clonogens_per_cm3"] * structure.dvh.volume_cm3 < 1.0:
            raise InvalidInput(f"{pointer}/parameters", "this density leaves less than one clonogen in the target")
    if request.form == "zaider_minerbo":
        days = request.fraction_days
        if days is None or len(days) != options.fraction_count or days != sorted(days):
            raise InvalidInput(f"{pointer}/fraction_days", "give the day of every fraction, in order")
    elif request.fraction_days is not None:
        raise InvalidInput(f"{pointer}/fraction_days", "only the zaider_minerbo form takes the days of the fractions")


def read_control(
    found: TargetControl, options: wire.EvaluationOptions, stream_key: tuple[int, int, int]
) -> results.TumorControlRead:
    """Compute the control probability of one target."""
    model, dvh = found.model, found.structure.dvh
    coarse = dvh.condensed(_SAMPLING_BINS)
    interval = propagate(
        lambda parameters: model.probability(coarse, options.fraction_count, parameters),
        model.parameters,
        model.intervals,
        level=options.interval_level,
        stream=stream_of(*stream_key),
    )
    return results.TumorControlRead(
        structure_id=found.structure.id,
        form=model.form,
        parameters=dict(model.parameters),
        probability=estimate(model.probability(dvh, options.fraction_count), interval),
        interval_note=found.interval_note,
        source=None if found.reference is None else read_source(found.reference),
    )


def _harm(structure: Structure, model: ComplicationModel, fraction_count: int) -> Callable[[float], float]:
    coarse = structure.dvh.condensed(_WINDOW_BINS)
    return lambda scale: model.probability(coarse.scaled(scale), fraction_count)


def read_window(
    structures: Sequence[Structure],
    models: Mapping[str, Sequence[ComplicationModel]],
    controls: Sequence[TargetControl],
    options: wire.EvaluationOptions,
) -> results.WindowRead | None:
    """Scan the prescription for the first control model and the chosen complications."""
    asked = options.window
    if asked is None:
        return None
    if not controls:
        raise InvalidInput("/tumor_control", "the therapeutic window needs a tumor control model")
    chosen = [
        (structure, model)
        for structure in structures
        for model in models[structure.id]
        if (model.main if asked.complications is None else model.id in asked.complications)
    ]
    if asked.complications is not None and {model.id for _, model in chosen} != set(asked.complications):
        raise InvalidInput("/window/complications", "each must be a complication model of one of the structures")
    target, count = controls[0], options.fraction_count
    window = therapeutic_window(
        np.linspace(asked.lowest_scale, asked.highest_scale, asked.point_count),
        lambda scale: target.model.probability(target.structure.dvh.scaled(scale), count),
        [_harm(structure, model, count) for structure, model in chosen],
    )
    dose = options.prescribed_dose_gy
    return results.WindowRead(
        target_id=target.structure.id,
        scale=window.scale.tolist(),
        prescribed_dose_gy=None if dose is None else (window.scale * dose).tolist(),
        control=window.control.tolist(),
        complications=[
            results.WindowComplicationRead(
                structure_id=structure.id, model=model.id, endpoint=model.endpoint, probability=row.tolist()
            )
            for (structure, model), row in zip(chosen, window.complications, strict=True)
        ],
        complication_free_control=window.complication_free.tolist(),
        best_scale=window.best_scale,
    )
