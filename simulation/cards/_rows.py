"""Coefficients of cards whose numbers stand in tables of their own form."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from simulation.immunotherapy import cart, vaccines
from simulation.immunotherapy.targets import LabelLevel
from simulation.model import Coefficient, Reference
from simulation.radiation import constraints, control, edic, tissue
from simulation.radiation.tables import read_table
from simulation.tumor.tables import document, table

POSTERIOR_LEVEL = 0.9
_UNIT_OF_END = {
    "_per_cell_hour": "1/(cell h)",
    "_per_hour": "1/h",
    "_per_cm3": "1/cm3",
    "_per_gy": "1/Gy",
    "_gy_per_day": "Gy/d",
    "_gy": "Gy",
    "_hours": "h",
    "_day": "d",
    "_cells": "cells",
}


def unit_of(name: str) -> str:
    """Return the unit at the end of a parameter's name, 1 where there is none."""
    return next((unit for end, unit in _UNIT_OF_END.items() if name.endswith(end)), "1")


def cited(name: str, value: float, unit: str, reference: Reference) -> Coefficient:
    """Return a number with the label of its reference."""
    return Coefficient(
        name=name,
        value=value,
        unit=unit,
        evidence=reference.evidence,
        source=reference.citation,
        verified=reference.verified,
    )


def multi_lesion() -> tuple[Coefficient, ...]:
    """Return the fixed parameters, and median with 90 % range of those that the calibration left."""
    rows, posterior = table("multi_lesion"), document("multi_lesion_posterior")
    found = []
    for name, draws in zip(posterior["parameters"], np.array(posterior["sets"], dtype=np.float64).T, strict=True):
        lower, median, upper = np.quantile(draws, [0.05, 0.5, 0.95])
        row = rows["calibrated"][name]
        found.append(
            Coefficient(
                name=f"{name}: {row['meaning']}",
                value=float(median),
                unit=row["unit"],
                evidence=posterior["evidence"],
                source=f"{posterior['script']}; median and central range of {draws.size} accepted parameter sets",
                lower=float(lower),
                upper=float(upper),
                level=POSTERIOR_LEVEL,
            )
        )
    fixed = {**rows["parameters"], **rows["population"]}
    found += [
        Coefficient(
            name=f"{name}: {row['meaning']}",
            value=row["value"],
            unit=row["unit"],
            evidence=row["evidence"],
            source=row["source"],
            verified=row["verified"],
        )
        for name, row in fixed.items()
        if name not in posterior["parameters"]
    ]
    return tuple(found)


def tissues() -> tuple[Coefficient, ...]:
    """Return ratio, alpha, repair and repopulation of every tissue of the table."""
    return tuple(row for preset in tissue.PRESETS.values() for row in _tissue(preset))


def _tissue(preset: tissue.Preset) -> Iterator[Coefficient]:
    one, sources = preset.tissue, preset.references
    interval, ratio = one.alpha_beta_interval, sources["alpha_beta"]
    yield Coefficient(
        name=f"{one.id}: alpha/beta",
        value=one.alpha_beta_gy[0],
        unit="Gy",
        evidence=ratio.evidence,
        source=ratio.citation,
        verified=ratio.verified,
        lower=None if interval is None else interval.lower,
        upper=None if interval is None else interval.upper,
        level=None if interval is None else interval.level,
    )
    if one.alpha_per_gy is not None:
        yield cited(f"{one.id}: alpha", one.alpha_per_gy, "1/Gy", sources["alpha"])
    for part in one.repair:
        yield cited(f"{one.id}: half-time of repair", part.half_time_hours, "h", sources["repair"])
    growth = one.repopulation
    if growth is not None:
        source = sources["repopulation"]
        yield cited(f"{one.id}: kick-off day of repopulation", growth.kick_off_day, "d", source)
        yield cited(f"{one.id}: loss to repopulation", growth.rate_gy_per_day, "Gy/d", source)


def universal_survival() -> tuple[Coefficient, ...]:
    """Return the parameters of the universal survival curve of every tissue that has one."""
    return tuple(
        cited(f"{name}: {part}", getattr(preset.tissue.universal_survival, part), "Gy", preset.references[source])
        for name, preset in tissue.PRESETS.items()
        if preset.tissue.universal_survival is not None
        for source in ("universal_survival",)
        for part in ("final_slope_dose_gy", "quasi_threshold_dose_gy", "transition_dose_gy")
    )


def blood_compartments() -> tuple[Coefficient, ...]:
    """Return volume and flow of every compartment of the reference adults."""
    data = read_table("blood_compartments.toml")
    hedos, icrp = (Reference(**data["sources"][name]) for name in ("hedos", "icrp89"))
    found = [
        cited(f"{sex}: {name}", value, unit, icrp)
        for sex, row in data["reference"].items()
        for name, value in row.items()
        for unit in ("kg" if name.endswith("_kg") else "L/min" if name.endswith("_per_min") else "L",)
    ]
    for part, row in data["central"].items():
        found += [cited(f"{part}, {sex}: blood volume", row[sex], "%", hedos) for sex in data["reference"]]
    for organ, row in data["organs"].items():
        for sex in data["reference"]:
            volume, flow = row[sex]
            found.append(cited(f"{organ}, {sex}: blood volume", volume, "%", icrp))
            found.append(cited(f"{organ}, {sex}: share of the cardiac output", flow, "%", icrp))
    return tuple(found)


def immune_cells(reference: Reference) -> tuple[Coefficient, ...]:
    """Return the weights of the effective dose to immune cells."""
    return (
        *(cited(name, value, "1", reference) for name, value in edic.WEIGHTS.items()),
        cited("body size that the integral dose is spread to", edic.BLOOD_DOSE_REFERENCE_L, "L", reference),
    )


def limits() -> tuple[Coefficient, ...]:
    """Return every dose constraint."""
    scopes = {"whole_organ": "", "each_side": ", each of a pair", "one_side": ", one of a pair"}
    found = []
    for one in constraints.CONSTRAINTS:
        assert one.reference is not None
        fractions = "" if one.fraction_count is None else f" in {one.fraction_count} fractions"
        spared = ", volume to be spared" if one.spared else ""
        name = f"{one.protocol}, {one.organ}: {one.metric.name}{scopes[one.scope]}{spared}{fractions}"
        found.append(cited(name if one.risk is None else f"{name} ({one.risk})", one.limit, one.metric.unit,
                           one.reference))  # fmt: skip
    return tuple(found)


def control_presets() -> tuple[Coefficient, ...]:
    """Return the presets of the Poisson control model."""
    return tuple(
        cited(f"{name}: {part}", value, unit_of(part), preset.reference)
        for name, preset in control.PRESETS.items()
        for part, value in preset.parameters.items()
    )


def label(level: LabelLevel) -> tuple[Coefficient, ...]:
    """Return the label-level figures of an antibody."""
    return tuple(
        Coefficient(
            name=name, value=value, unit=unit, evidence="published", source=level.source, verified=level.verified
        )
        for name, value, unit in (
            ("linear clearance", level.linear_clearance_l_per_day, "L/d"),
            ("saturable share of clearance", level.saturable_share_of_clearance, "1"),
            ("volume of distribution", level.volume_l, "L"),
            ("half-life", level.half_life_days, "d"),
        )
    )


def cell_products() -> tuple[Coefficient, ...]:
    """Return the printed toxicity of every CAR-T product."""
    return tuple(
        Coefficient(
            name=f"{product.name}: {row.event}, grade {row.grades} ({row.scale}), {row.setting}",
            value=row.percent,
            unit="%",
            evidence="published",
            source=row.source,
            verified=row.verified,
        )
        for product in cart.PRODUCTS.values()
        for row in product.toxicity
    )


def whole_cell_vaccine() -> tuple[Coefficient, ...]:
    """Return the rates of the whole-cell vaccine model."""
    model: Mapping[str, Any] = vaccines.MODEL
    return tuple(
        Coefficient(
            name=name,
            value=value,
            unit=unit_of(name),
            evidence=model["evidence"],
            source=model["citation"],
            verified=model["verified"],
        )
        for name, value in model.items()
        if isinstance(value, float)
    )


def vaccine_hazard_ratios() -> tuple[Coefficient, ...]:
    """Return the hazard ratio of every vaccine that has one."""
    return tuple(
        Coefficient(
            name=f"{vaccine.name}: hazard ratio, {vaccine.endpoint}",
            value=vaccine.hazard_ratio,
            unit="hazard_ratio",
            evidence="published",
            source=vaccine.source,
            verified=vaccine.verified,
            lower=vaccine.hazard_ratio_lower,
            upper=vaccine.hazard_ratio_upper,
            level=0.95,
        )
        for vaccine in vaccines.PRODUCTS.values()
        if vaccine.hazard_ratio is not None
    )


def thresholds(*names: str) -> tuple[Coefficient, ...]:
    """Return some thresholds of the response criteria."""
    rows = table("endpoints")
    return tuple(
        Coefficient(
            name=f"{name}: {row['meaning']}",
            value=row["value"],
            unit=row["unit"],
            evidence=row["evidence"],
            source=row["source"],
            verified=row["verified"],
        )
        for name in names
        for row in (rows[name],)
    )
