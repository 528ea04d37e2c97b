"""Named tissues with their radiosensitivity, and what a schedule does to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulation.model import Interval, Reference
from simulation.radiation.linear_quadratic import (
    LQ_VALID_TO_GY,
    equivalent_dose_gy,
    fraction_bed_linear_quadratic_linear_gy,
    fraction_bed_modified_linear_quadratic_gy,
    fraction_bed_universal_survival_gy,
)
from simulation.radiation.repair import RepairComponent, same_day_interaction
from simulation.radiation.repopulation import Repopulation
from simulation.radiation.schedule import Schedule
from simulation.radiation.tables import read_table

Role = Literal["tumor", "early", "late"]
_INTERVAL_GRID, _ROUNDING = 129, 1e-9
TRANSITION_RATIO = 2.0
"""Customary dose per fraction over alpha/beta where LQ-L becomes straight; assumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UniversalSurvival:
    """The straight part of the universal survival curve of one tissue."""

    final_slope_dose_gy: float
    quasi_threshold_dose_gy: float
    transition_dose_gy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tissue:
    """Radiosensitivity of one tissue.

    ``alpha_beta_gy`` holds one value, or one for each phase of the schedule. ``relative_dose`` is what
    the tissue receives of the prescribed dose. ``alpha_beta_interval`` is None where none is sourced.
    """

    id: str
    role: Role
    alpha_beta_gy: tuple[float, ...]
    alpha_per_gy: float | None = None
    alpha_beta_interval: Interval | None = None
    repair: tuple[RepairComponent, ...] = ()
    repopulation: Repopulation | None = None
    transition_dose_gy: float | None = None
    universal_survival: UniversalSurvival | None = None
    relative_dose: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A tissue of the packaged table with the sources of its numbers."""

    tissue: Tissue
    label: str
    references: Mapping[str, Reference]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a schedule does to one tissue; BED and EQD2 have the proliferation loss taken off."""

    bed_gy: float
    eqd2_gy: float
    repopulation_loss_gy: float
    log_survival: float | None


def _alpha_beta_of_fractions(schedule: Schedule, ratios: tuple[float, ...]) -> NDArray[np.float64]:
    values = np.asarray(ratios, dtype=np.float64)
    return values[schedule.phase] if len(values) > 1 else np.broadcast_to(values[0], schedule.dose_gy.shape)


def _loss_gy(schedule: Schedule, tissue: Tissue, *, first_day_is_one: bool, overall_time_days: float | None) -> float:
    if tissue.repopulation is None:
        return 0.0
    time = overall_time_days
    if time is None:
        time = schedule.overall_time_days(first_day_is_one=first_day_is_one)
    return tissue.repopulation.loss_gy(time)


def _bed_and_eqd2(
    schedule: Schedule, tissue: Tissue, alpha_beta: NDArray[np.float64], loss_gy: float
) -> tuple[float, float, float]:
    dose = schedule.dose_gy * tissue.relative_dose
    weighted = dose / np.sqrt(alpha_beta)
    bed = dose + weighted**2 + same_day_interaction(schedule.day, schedule.hour, weighted, tissue.repair)
    total = float(np.sum(bed))
    eqd2 = float(np.sum(equivalent_dose_gy(bed, alpha_beta)) - equivalent_dose_gy(loss_gy, alpha_beta[-1]))
    return total - loss_gy, eqd2, total


def effect_on(
    schedule: Schedule, tissue: Tissue, *, first_day_is_one: bool = True, overall_time_days: float | None = None
) -> Effect:
    """Linear-quadratic effect of a schedule on a tissue, with repair and proliferation.

    Parameters
    ----------
    schedule : Schedule
        The fractions.
    tissue : Tissue
        Its radiosensitivity.
    first_day_is_one : bool
        The day of the first fraction is day 1 (RCR convention), otherwise day 0; the tissue's kick-off
        day must count in the same way.
    overall_time_days : float, optional, d
        Overall time where it is not the one of the schedule.

    Returns
    -------
    Effect
        BED and EQD2 in Gy; ``log_survival`` is that of the radiation alone, None without alpha.
    """
    alpha_beta = _alpha_beta_of_fractions(schedule, tissue.alpha_beta_gy)
    loss = _loss_gy(schedule, tissue, first_day_is_one=first_day_is_one, overall_time_days=overall_time_days)
    bed, eqd2, before_loss = _bed_and_eqd2(schedule, tissue, alpha_beta, loss)
    log_survival = None if tissue.alpha_per_gy is None else -tissue.alpha_per_gy * before_loss
    return Effect(bed_gy=bed, eqd2_gy=eqd2, repopulation_loss_gy=loss, log_survival=log_survival)


def effect_interval(
    schedule: Schedule, tissue: Tissue, *, first_day_is_one: bool = True, overall_time_days: float | None = None
) -> tuple[Interval, Interval] | None:
    """Image of the alpha/beta interval on BED and EQD2, everything else held fixed.

    Parameters
    ----------
    schedule : Schedule
        The fractions.
    tissue : Tissue
        Its radiosensitivity.
    first_day_is_one : bool
        As in :func:`effect_on`.
    overall_time_days : float, optional, d
        As in :func:`effect_on`.

    Returns
    -------
    tuple of two Interval, or None
        BED and EQD2 in Gy; None when no interval of alpha/beta is known, when it reaches zero or
        below (BED has no upper bound then), or when alpha/beta differs between phases.
    """
    source = tissue.alpha_beta_interval
    if source is None or source.lower <= 0 or len(tissue.alpha_beta_gy) > 1:
        return None
    loss = _loss_gy(schedule, tissue, first_day_is_one=first_day_is_one, overall_time_days=overall_time_days)
    ratios = np.append(np.geomspace(source.lower, source.upper, _INTERVAL_GRID), tissue.alpha_beta_gy[0])
    dose = schedule.dose_gy * tissue.relative_dose
    quadratic = dose**2 + same_day_interaction(schedule.day, schedule.hour, dose, tissue.repair)
    beds = float(np.sum(dose)) + float(np.sum(quadratic)) / ratios - loss
    eqd2s = equivalent_dose_gy(beds, ratios)
    return (
        Interval(level=source.level, lower=float(beds.min()), upper=float(beds.max())),
        Interval(level=source.level, lower=float(eqd2s.min()), upper=float(eqd2s.max())),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HighDoseEffect:
    """The same schedule by a model made for large fractions."""

    model: Literal["lq_l", "usc", "mlq"]
    parameters: Mapping[str, float]
    bed_gy: float
    eqd2_gy: float


def needs_high_dose_models(schedule: Schedule, tissue: Tissue) -> bool:
    """Say whether a fraction is so large that the linear-quadratic form should not stand alone.

    Parameters
    ----------
    schedule : Schedule
        The fractions.
    tissue : Tissue
        Its radiosensitivity.

    Returns
    -------
    bool
        True when a fraction exceeds :data:`LQ_VALID_TO_GY`, or the dose from which a straight curve is
        known for this tissue.
    """
    known = [tissue.transition_dose_gy]
    if tissue.universal_survival is not None:
        known.append(tissue.universal_survival.transition_dose_gy)
    largest = float(schedule.dose_gy.max()) * tissue.relative_dose
    return exceeds(largest, min([LQ_VALID_TO_GY, *(dose for dose in known if dose is not None)]))


def exceeds(dose_gy: float, limit_gy: float) -> bool:
    """Say whether a dose is above a limit by more than the rounding of a solved fraction size.

    Parameters
    ----------
    dose_gy, limit_gy : float, Gy
        The dose and the limit.

    Returns
    -------
    bool
        True above the limit.
    """
    return dose_gy > limit_gy * (1.0 + _ROUNDING)


def high_dose_effects(
    schedule: Schedule, tissue: Tissue, *, first_day_is_one: bool = True, overall_time_days: float | None = None
) -> tuple[HighDoseEffect, ...]:
    """Alternatives to the linear-quadratic form for large fractions.

    Parameters
    ----------
    schedule : Schedule
        The fractions.
    tissue : Tissue
        Its radiosensitivity; without a transition dose, twice alpha/beta is used.
    first_day_is_one : bool
        As in :func:`effect_on`.
    overall_time_days : float, optional, d
        As in :func:`effect_on`.

    Returns
    -------
    tuple of HighDoseEffect
        LQ-L and modified LQ always; the universal survival curve where the tissue has its parameters
        and alpha. EQD2 compares with 2 Gy fractions under the same model.
    """
    dose = schedule.dose_gy * tissue.relative_dose
    ratio = _alpha_beta_of_fractions(schedule, tissue.alpha_beta_gy)
    loss = _loss_gy(schedule, tissue, first_day_is_one=first_day_is_one, overall_time_days=overall_time_days)
    weighted = np.minimum(dose, _transition(tissue, ratio)) / np.sqrt(ratio)
    repaired = same_day_interaction(schedule.day, schedule.hour, weighted, tissue.repair)

    def summed(
        model: Literal["lq_l", "usc", "mlq"],
        parameters: Mapping[str, float],
        bed: NDArray[np.float64],
        bed_of_two_gy: ArrayLike,
    ) -> HighDoseEffect:
        scale = 2.0 / np.asarray(bed_of_two_gy, dtype=np.float64)
        per_fraction = bed + repaired
        eqd2 = float(np.sum(per_fraction * scale)) - loss * float(np.ravel(scale)[-1])
        return HighDoseEffect(
            model=model, parameters=parameters, bed_gy=float(np.sum(per_fraction)) - loss, eqd2_gy=eqd2
        )

    two = np.full_like(dose, 2.0)
    transition = _transition(tissue, ratio)
    found = [
        summed(
            "lq_l",
            {"transition_dose_gy": float(transition[0])},
            fraction_bed_linear_quadratic_linear_gy(dose, ratio, transition),
            fraction_bed_linear_quadratic_linear_gy(two, ratio, transition),
        ),
        summed(
            "mlq",
            {"shift_per_gy": MODIFIED_LQ_SHIFT_PER_GY},
            fraction_bed_modified_linear_quadratic_gy(dose, ratio, shift_per_gy=MODIFIED_LQ_SHIFT_PER_GY),
            fraction_bed_modified_linear_quadratic_gy(two, ratio, shift_per_gy=MODIFIED_LQ_SHIFT_PER_GY),
        ),
    ]
    curve = tissue.universal_survival
    if curve is not None and tissue.alpha_per_gy is not None:
        numbers = {
            "final_slope_dose_gy": curve.final_slope_dose_gy,
            "quasi_threshold_dose_gy": curve.quasi_threshold_dose_gy,
            "transition_dose_gy": curve.transition_dose_gy,
        }
        straight = {
            "alpha_per_gy": tissue.alpha_per_gy,
            "alpha_beta_gy": tissue.alpha_beta_gy[0],
            **numbers,
        }
        found.append(
            summed(
                "usc",
                numbers,
                fraction_bed_universal_survival_gy(dose, **straight),
                fraction_bed_universal_survival_gy(two, **straight),
            )
        )
    return tuple(found)


def _transition(tissue: Tissue, ratio: NDArray[np.float64]) -> NDArray[np.float64]:
    return (
        TRANSITION_RATIO * ratio
        if tissue.transition_dose_gy is None
        else np.full_like(ratio, tissue.transition_dose_gy)
    )


def _preset(row: Mapping[str, Any], sources: Mapping[str, Any]) -> Preset:
    interval = row.get("alpha_beta_interval_gy")
    growth = row.get("repopulation")
    curve = row.get("universal_survival")
    tissue = Tissue(
        id=row["id"],
        role=row["role"],
        alpha_beta_gy=(row["alpha_beta_gy"],),
        alpha_per_gy=row.get("alpha_per_gy"),
        alpha_beta_interval=None if interval is None else Interval(level=0.95, lower=interval[0], upper=interval[1]),
        repair=tuple(RepairComponent(half_time_hours=hours) for hours in row.get("repair_half_time_hours", ())),
        repopulation=None if growth is None else Repopulation(**growth),
        universal_survival=None if curve is None else UniversalSurvival(**curve),
    )
    references = {quantity: Reference(**sources[name]) for quantity, name in row["sources"].items()}
    return Preset(tissue=tissue, label=row["label"], references=references)


_TABLE = read_table("radiation_tissues.toml")
PRESETS: Mapping[str, Preset] = {row["id"]: _preset(row, _TABLE["sources"]) for row in _TABLE["tissues"]}
MODIFIED_LQ_SHIFT_PER_GY: float = _TABLE["modified_linear_quadratic"]["shift_per_gy"]
