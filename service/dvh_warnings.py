"""What a reader of an evaluation must know beside its numbers."""

from collections.abc import Iterator, Sequence

from schemas import dvh as wire
from schemas import dvh_results as results
from schemas.run import RunWarning
from service.dvh_risks import TargetControl
from service.dvh_structures import alpha_beta_of
from simulation.radiation.constraints import applicable
from simulation.radiation.dvh import FLOOR_DOSE_GY
from simulation.radiation.linear_quadratic import LQ_VALID_TO_GY
from simulation.radiation.structure import Structure, find


def warnings_of(
    structures: Sequence[Structure],
    options: wire.EvaluationOptions,
    controls: Sequence[TargetControl],
    result: results.DvhResult,
) -> tuple[RunWarning, ...]:
    """Return what to say about an evaluation, large fractions first."""
    return (
        *_large_fractions(structures, options),
        *_sources(result),
        *_limits_of_pairs(structures, result),
        *_cold_doses(structures, options, controls),
    )


def _large_fractions(structures: Sequence[Structure], options: wire.EvaluationOptions) -> Iterator[RunWarning]:
    if any(one.dvh.maximum_gy > LQ_VALID_TO_GY * options.fraction_count for one in structures):
        yield RunWarning(
            code="lq-beyond-validity",
            message=f"Somewhere a fraction exceeds {LQ_VALID_TO_GY:g} Gy: linear-quadratic BED and EQD2, and what "
            "is computed from them, may be too high there.",
            pointer="/fraction_count",
        )


def _sources(result: results.DvhResult) -> Iterator[RunWarning]:
    sources = [one.source for structure in result.structures for one in structure.complications]
    sources += [constraint.source for structure in result.structures for constraint in structure.constraints]
    sources += [one.source for one in result.clinical_models] + [one.source for one in result.tumor_control]
    if any(source is not None and not source.verified for source in sources):
        yield RunWarning(
            code="unverified-parameter",
            message="Some table values were not read in the cited publication itself; see source.verified.",
            pointer=None,
        )
    standing = [one.applicability for structure in result.structures for one in structure.complications]
    standing += [one.applicability for one in result.clinical_models]
    if "outside" in standing:
        yield RunWarning(
            code="outside-derivation-range",
            message="Some models were fitted to another fractionation; see applicability.",
            pointer="/fraction_count",
        )
    if any(one.assumed for answer in result.clinical_models for one in answer.inputs):
        yield RunWarning(
            code="assumed-factor",
            message="Patient factors that were left out count as no or as the first category; see inputs.assumed.",
            pointer="/factors",
        )


def _limits_of_pairs(structures: Sequence[Structure], result: results.DvhResult) -> Iterator[RunWarning]:
    """Name the organs of which only a side was given while a limit is stated for the whole."""
    course = result.fraction_count, result.dose_per_fraction_gy
    unchecked = {
        one.organ
        for one in structures
        if one.organ is not None and not one.target and one.part != "whole" and find(structures, one.organ) is None
        if set(applicable(one.organ, *course)) - set(applicable(one.organ, *course, one.part))
    }
    if unchecked:
        names = ", ".join(sorted(organ.replace("_", " ") for organ in unchecked))
        yield RunWarning(
            code="limits-not-checked",
            message=f"Limits stated for both of a pair together are not checked on one side alone: {names}.",
            pointer=None,
        )


def _cold_doses(
    structures: Sequence[Structure], options: wire.EvaluationOptions, controls: Sequence[TargetControl]
) -> Iterator[RunWarning]:
    pointers = []
    for exponent in options.geud_exponents:
        for one in structures:
            eqd2 = one.dvh.in_eqd2(options.fraction_count, alpha_beta_of(one)[0])
            if one.dvh.is_floored(exponent) or eqd2.is_floored(exponent):
                pointers.append("/geud_exponents")
    for index, control in enumerate(controls):
        # The window scans the first control model down to its lowest prescription.
        scale = options.window.lowest_scale if options.window is not None and index == 0 else 1.0
        if control.model.is_floored(control.structure.dvh.scaled(scale), options.fraction_count):
            pointers.append(f"/tumor_control/{index}")
    for pointer in dict.fromkeys(pointers):
        yield RunWarning(
            code="cold-dose-floor",
            message=f"With an exponent of zero or below, doses below {FLOOR_DOSE_GY:g} Gy count as "
            f"{FLOOR_DOSE_GY:g} Gy.",
            pointer=pointer,
        )
