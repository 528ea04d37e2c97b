"""From the wire to structures of the numerics, and the part of the answer that each one has for itself."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from schemas import dvh as wire
from schemas import dvh_results as results
from schemas.plan import Dvh as DvhWire
from service.errors import InvalidInput
from simulation.model import Reference
from simulation.radiation import clinical, complications, rbe
from simulation.radiation.constraints import CONSTRAINTS, Constraint, applicable
from simulation.radiation.dvh import Dvh, from_cumulative, from_samples
from simulation.radiation.linear_quadratic import bed_gy, eqd2_gy
from simulation.radiation.metrics import Metric, NotReadable, metric
from simulation.radiation.structure import Structure

TARGET_ALPHA_BETA_GY = 10.0
ORGAN_ALPHA_BETA_GY = 3.0
ORGAN_METRICS = ("mean", "max", "D0.03cc", "V5Gy", "V20Gy")
TARGET_METRICS = ("mean", "max", "min", "D98%", "D95%", "D50%", "D2%")
KNOWN_ORGANS = frozenset(
    [constraint.organ for constraint in CONSTRAINTS]
    + [model.organ for model in complications.MODELS]
    + [term.organ for model in clinical.MODELS for term in model.terms]
)
_EVEN_DOSES, _EVEN_SHARES = 61, 41
_PERCENT_TOLERANCE = 0.5
_VOLUME_TOLERANCE = 0.01
_CUSTOMARY: Mapping[str, float] = {
    model.organ: model.alpha_beta_gy for model in sorted(complications.MODELS, key=lambda model: model.main)
}


def distribution(given: DvhWire, pointer: str) -> Dvh:
    """Return the distribution of a curve that passed the schema.

    Parameters
    ----------
    given : schemas.plan.Dvh
    pointer : str
        Where the curve stands in the request.

    Returns
    -------
    Dvh

    Raises
    ------
    InvalidInput
        When the curve's volumes contradict themselves.
    """
    _check_volume(pointer, given)
    volume = given.total_volume_cm3
    if given.volume_unit == "cm3":
        volume = given.volume[0] if given.kind == "cumulative" else sum(given.volume)
    if given.kind == "cumulative":
        return from_cumulative(given.dose_gy, given.volume, volume_cm3=volume)
    return from_samples(given.dose_gy, given.volume, volume_cm3=volume)


def structures_of(requests: Sequence[wire.StructureRequest], fraction_count: int) -> list[Structure]:
    """Resolve the structures of a request, with ion doses made photon-equivalent."""
    return [_structure(f"/structures/{index}", one, fraction_count) for index, one in enumerate(requests)]


def _structure(pointer: str, request: wire.StructureRequest, fraction_count: int) -> Structure:
    structure = Structure(
        id=request.id,
        dvh=distribution(request.dvh, f"{pointer}/dvh"),
        organ=request.organ,
        part=request.part,
        target=request.target,
        alpha_beta_gy=request.alpha_beta_gy,
    )
    if request.rbe is None:
        return structure
    ratio, _ = alpha_beta_of(structure)
    weighted = structure.dvh.scaled(rbe.FIXED_PROTON_RBE)
    if request.rbe.model != "fixed":
        assert request.rbe.let_kev_per_um is not None
        model = rbe.MODELS[request.rbe.model]
        if request.rbe.let_kev_per_um > model.let_limit_kev_per_um:
            raise InvalidInput(
                f"{pointer}/rbe/let_kev_per_um", f"this model goes up to {model.let_limit_kev_per_um:g} keV/um"
            )
        high, low = model.limits(request.rbe.let_kev_per_um, ratio)
        weighted = structure.dvh.mapped(lambda dose: rbe.weighted_dose_gy(dose, fraction_count, ratio, high, low))
    return Structure(
        id=structure.id,
        dvh=weighted,
        organ=structure.organ,
        part=structure.part,
        target=structure.target,
        alpha_beta_gy=structure.alpha_beta_gy,
    )


def _check_volume(pointer: str, given: DvhWire) -> None:
    """Refuse a curve whose volumes contradict themselves."""
    cumulative = given.kind == "cumulative"
    if cumulative and given.volume[0] <= 0:
        raise InvalidInput(f"{pointer}/volume", "a cumulative curve starts at the whole volume, above zero")
    whole = given.volume[0] if cumulative else sum(given.volume)
    if given.volume_unit == "percent":
        if abs(whole - 100.0) > _PERCENT_TOLERANCE:
            means = "starts at" if cumulative else "sums to"
            raise InvalidInput(f"{pointer}/volume", f"a relative {given.kind} curve {means} 100 percent")
    elif given.total_volume_cm3 is not None and abs(whole / given.total_volume_cm3 - 1.0) > _VOLUME_TOLERANCE:
        raise InvalidInput(f"{pointer}/total_volume_cm3", "differs from the volume of the curve; leave it out")


def alpha_beta_of(structure: Structure) -> tuple[float, Literal["given", "published", "assumed"]]:
    """Return the alpha/beta that EQD2 of a structure is computed with, and its standing."""
    if structure.alpha_beta_gy is not None:
        return structure.alpha_beta_gy, "given"
    if structure.target or structure.organ is None:
        return (TARGET_ALPHA_BETA_GY if structure.target else ORGAN_ALPHA_BETA_GY), "assumed"
    return _CUSTOMARY.get(structure.organ, ORGAN_ALPHA_BETA_GY), "assumed"


def read_source(reference: Reference) -> results.SourceRead:
    """Return a reference as the answer shows it."""
    return results.SourceRead(
        citation=reference.citation,
        doi=reference.doi,
        url=reference.url,
        evidence=reference.evidence,
        verified=reference.verified,
    )


def _read_metric(wanted: Metric, dvh: Dvh) -> results.MetricRead:
    try:
        return results.MetricRead(name=wanted.name, value=wanted.read(dvh), unit=wanted.unit, reason=None)
    except NotReadable as reason:
        return results.MetricRead(name=wanted.name, value=None, unit=wanted.unit, reason=str(reason))


def read_structure(
    structure: Structure,
    options: wire.EvaluationOptions,
    dose_per_fraction_gy: float | None,
    complications_read: Sequence[results.ComplicationRead],
) -> results.StructureRead:
    """Return metrics, curve and constraints of one structure, with the complications found elsewhere."""
    ratio, standing = alpha_beta_of(structure)
    eqd2 = structure.dvh.in_eqd2(options.fraction_count, ratio)
    names = dict.fromkeys([*(TARGET_METRICS if structure.target else ORGAN_METRICS), *options.metrics])
    wanted = [metric(name) for name in names]
    return results.StructureRead(
        id=structure.id,
        organ=structure.organ,
        part=structure.part,
        target=structure.target,
        volume_cm3=structure.dvh.volume_cm3,
        alpha_beta_gy=ratio,
        alpha_beta_source=standing,
        physical=[_read_metric(one, structure.dvh) for one in wanted],
        eqd2=[_read_metric(one, eqd2) for one in wanted],
        geud=[
            results.GeudRead(
                exponent=exponent,
                physical_gy=structure.dvh.generalized_eud_gy(exponent),
                eqd2_gy=eqd2.generalized_eud_gy(exponent),
            )
            for exponent in options.geud_exponents
        ],
        curve=_curve(structure.dvh, options.fraction_count, ratio),
        constraints=_constraints(structure, options, dose_per_fraction_gy),
        complications=list(complications_read),
    )


def _curve(dvh: Dvh, fraction_count: int, ratio: float) -> results.CurveRead:
    steps = [dvh.dose_at_share(float(share)) for share in np.linspace(0.0, 1.0, _EVEN_SHARES)]
    dose = np.unique(np.append(np.linspace(0.0, dvh.maximum_gy, _EVEN_DOSES), steps))
    return results.CurveRead(
        dose_gy=dose.tolist(),
        eqd2_gy=eqd2_gy(dose, fraction_count, ratio).tolist(),
        bed_gy=bed_gy(dose, fraction_count, ratio).tolist(),
        volume_percent=[100.0 * dvh.share_at_dose(float(one)) for one in dose],
    )


def _constraints(
    structure: Structure, options: wire.EvaluationOptions, dose_per_fraction_gy: float | None
) -> list[results.ConstraintRead]:
    found: list[Constraint] = []
    if structure.organ is not None and not structure.target:
        found += applicable(structure.organ, options.fraction_count, dose_per_fraction_gy, structure.part)
    found += [
        Constraint(protocol="given", organ=structure.organ or "", metric=metric(own.metric), limit=own.limit)
        for own in options.constraints
        if own.structure_id == structure.id
    ]
    return [_read_constraint(constraint, structure.dvh) for constraint in found]


def _read_constraint(constraint: Constraint, dvh: Dvh) -> results.ConstraintRead:
    value: float | None = None
    reason: str | None = None
    try:
        value = constraint.value(dvh)
    except NotReadable as not_readable:
        reason = str(not_readable)
    margin = None if value is None else constraint.margin(value)
    return results.ConstraintRead(
        protocol=constraint.protocol,
        metric=constraint.metric.name,
        kind="spared_at_least" if constraint.spared else "at_most",
        limit=constraint.limit,
        unit=constraint.metric.unit,
        risk=constraint.risk,
        value=value,
        passed=None if margin is None else margin >= 0,
        margin=margin,
        reason=reason,
        source=None if constraint.reference is None else read_source(constraint.reference),
    )
