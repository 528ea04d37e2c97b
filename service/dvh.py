"""Dose-volume histograms: one evaluation for curves sent as JSON and for uploaded dose files."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas import dvh as wire
from schemas import dvh_results as results
from schemas.run import ModelRef, RunWarning
from service import dvh_figures
from service.dvh_clinical import clinical_models
from service.dvh_examples import EXAMPLES
from service.dvh_risks import controls_of, given_model, models_for, read_complication, read_control, read_window
from service.dvh_structures import KNOWN_ORGANS, read_structure, structures_of
from service.dvh_warnings import warnings_of
from service.errors import InvalidInput
from service.kinds import Computation, Kind
from service.validation import not_validated
from simulation.radiation import rbe
from simulation.radiation.complications import ComplicationModel
from simulation.radiation.structure import Structure
from simulation.registry import CARDS

_COMPLICATION_STREAM, _CONTROL_STREAM, _CLINICAL_STREAM = 1, 2, 3
_CONTROL_CARDS = {
    "poisson": "tcp-poisson-clonogens",
    "zaider_minerbo": "tcp-zaider-minerbo",
    "log_logistic": "tcp-dose-response",
    "probit": "tcp-dose-response",
    "poisson_kallman": "tcp-dose-response",
    "poisson_exact": "tcp-dose-response",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What was found about a set of structures, and what computed it."""

    result: results.DvhResult
    models: tuple[ModelRef, ...]
    warnings: tuple[RunWarning, ...]


def _model(identifier: str) -> ModelRef:
    return ModelRef(id=identifier, version=CARDS[identifier].version)


def _dose_per_fraction_gy(structures: Sequence[Structure], options: wire.EvaluationOptions) -> float | None:
    """Prescribed dose per fraction; the highest mean dose of a target where none is given."""
    if options.prescribed_dose_gy is not None:
        return options.prescribed_dose_gy / options.fraction_count
    means = [structure.dvh.mean_gy for structure in structures if structure.target]
    return max(means) / options.fraction_count if means else None


def evaluate_structures(
    structures: Sequence[Structure],
    options: wire.EvaluationOptions,
    *,
    seed: int,
    own_models: Mapping[str, Sequence[ComplicationModel]] | None = None,
) -> Evaluation:
    """Evaluate the physical dose distributions of one course of equal fractions.

    Parameters
    ----------
    structures : sequence of Structure
        With distinct ids; photon or photon-equivalent dose.
    options : EvaluationOptions
        What is asked.
    seed : int
        For the propagation of parameter intervals.
    own_models : mapping, optional
        Complication models of the caller's own, by the id of the structure.

    Returns
    -------
    Evaluation
        Result, models and warnings, ready to become a run.
    """
    known = {structure.id for structure in structures}
    for index, constraint in enumerate(options.constraints):
        if constraint.structure_id not in known:
            raise InvalidInput(f"/constraints/{index}/structure_id", "must be the id of one of the structures")
    dose_per_fraction = _dose_per_fraction_gy(structures, options)
    models = {one.id: models_for(one, (own_models or {}).get(one.id, ())) for one in structures}
    controls = controls_of(structures, options)
    read = [
        read_structure(
            structure,
            options,
            dose_per_fraction,
            [
                read_complication(
                    structure, model, options, dose_per_fraction, (seed, _COMPLICATION_STREAM, 1000 * place + number)
                )
                for number, model in enumerate(models[structure.id])
            ],
        )
        for place, structure in enumerate(structures)
    ]
    answers, missing = clinical_models(structures, options, dose_per_fraction, (seed, _CLINICAL_STREAM))
    result = results.DvhResult(
        fraction_count=options.fraction_count,
        dose_per_fraction_gy=dose_per_fraction,
        structures=read,
        tumor_control=[
            read_control(one, options, (seed, _CONTROL_STREAM, number)) for number, one in enumerate(controls)
        ],
        clinical_models=answers,
        clinical_models_missing=missing,
        window=read_window(structures, models, controls, options),
    )
    used = _models_used(result)
    warnings = (*warnings_of(structures, options, controls, result), *not_validated(used))
    return Evaluation(result=result, models=used, warnings=warnings)


def _models_used(result: results.DvhResult) -> tuple[ModelRef, ...]:
    used = ["dvh-metrics"]
    used += [one.model for structure in result.structures for one in structure.complications if one.source is not None]
    used += [one.model for one in result.clinical_models]
    used += [_CONTROL_CARDS[one.form] for one in result.tumor_control]
    if any(constraint.source is not None for structure in result.structures for constraint in structure.constraints):
        used.append("dose-constraints")
    if result.window is not None:
        used.append("therapeutic-window")
    return tuple(_model(identifier) for identifier in dict.fromkeys(used))


def compute(request: wire.DvhRequest) -> Computation:
    """Evaluate the structures of a request."""
    structures = structures_of(request.structures, request.fraction_count)
    own = {
        asked.id: [
            given_model(f"/structures/{index}/complication_models/{number}", asked.organ or "", model)
            for number, model in enumerate(asked.complication_models)
        ]
        for index, asked in enumerate(request.structures)
    }
    evaluation = evaluate_structures(structures, request, seed=request.seed, own_models=own)
    models, warnings = list(evaluation.models), list(evaluation.warnings)
    for index, asked in enumerate(request.structures):
        if asked.organ is not None and not asked.target and asked.organ not in KNOWN_ORGANS:
            warnings.append(
                RunWarning(
                    code="organ-not-known",
                    message=f"No table holds an organ of this name; known are {', '.join(sorted(KNOWN_ORGANS))}.",
                    pointer=f"/structures/{index}/organ",
                )
            )
        if asked.rbe is None:
            continue
        reference = _model("rbe-fixed" if asked.rbe.model == "fixed" else f"rbe-{asked.rbe.model.replace('_', '-')}")
        if reference not in models:
            models.append(reference)
        let = asked.rbe.let_kev_per_um
        if let is not None and let > rbe.MODELS[asked.rbe.model].let_max_kev_per_um:
            warnings.append(
                RunWarning(
                    code="outside-derivation-range",
                    message="The effectiveness model was fitted to lower linear energy transfer.",
                    pointer=f"/structures/{index}/rbe/let_kev_per_um",
                )
            )
    return Computation(result=evaluation.result, models=tuple(models), warnings=tuple(warnings))


def series(_input: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """Write the cumulative curves, one row for each dose of each structure."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["structure", "dose_gy", "eqd2_gy", "bed_gy", "volume_percent"])
    for structure in result["structures"]:
        curve = structure["curve"]
        columns = zip(curve["dose_gy"], curve["eqd2_gy"], curve["bed_gy"], curve["volume_percent"], strict=True)
        for row in columns:
            writer.writerow([structure["id"], *row])
    return out.getvalue()


KIND = Kind(
    name="dvh",
    path="/doses/dvh",
    summary="Metrics, constraints, tumor control and complications of dose-volume histograms",
    description=(
        "Takes cumulative or differential curves of one course of equal fractions. Every bin is converted to 2 Gy "
        "fractions with its own dose per fraction. Returns dose-volume metrics, generalized EUD, the constraints of "
        "QUANTEC or of stereotactic protocols with their margin, complication probabilities from the published "
        "parameter sets for each organ, named clinical models with the patient's factors, tumor control, and the "
        "therapeutic window over a scaled prescription. For research; population risks, not advice."
    ),
    request=wire.DvhRequest,
    result=results.DvhResult,
    compute=compute,
    examples=EXAMPLES,
    blocking=True,
    figures={"dvh": dvh_figures.draw_curves, "therapeutic_window": dvh_figures.draw_window},
    series=series,
)
