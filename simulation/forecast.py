"""Size of a lesion on the next scans, from the scans so far.

All parameters were fitted by ``scripts/fit_forecast.py``; they and their cross-validation are
in ``simulation/data/forecast_parameters.json``.
"""

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from simulation.forecast_mixture import (
    FLOOR_MM,
    REPEAT_TERMS,
    SCALE_TERMS,
    VANISH_TERMS,
    Mixture,
    Model,
    Predictive,
    mix,
    observe,
)
from simulation.forecast_process import Process
from simulation.outcome import thresholds


def forecast(day: ArrayLike, diameter_mm: ArrayLike, asked_day: ArrayLike, model: Model | None = None) -> Predictive:
    """Predict the size of one lesion on later days.

    Parameters
    ----------
    day : array-like, shape (n,), d
        Days of the scans, increasing, at least one.
    diameter_mm : array-like, shape (n,), mm
        Longest diameters; 0 for a lesion that is gone.
    asked_day : array-like, shape (m,), d
        Days after the last scan.
    model : Model, optional
        The fitted one unless given.

    Returns
    -------
    Predictive
        Arrays of shape (m,).

    Raises
    ------
    ValueError
        Days or diameters that make no sense.
    """
    days = np.asarray(day, dtype=np.float64)
    sizes = np.maximum(np.asarray(diameter_mm, dtype=np.float64), FLOOR_MM)
    asked = np.asarray(asked_day, dtype=np.float64)
    if days.ndim != 1 or days.shape != sizes.shape or days.size == 0 or asked.ndim != 1:
        raise ValueError("day and diameter_mm must be 1-D and of one length, asked_day 1-D")
    if not all(np.all(np.isfinite(values)) for values in (days, sizes, asked)):
        raise ValueError("days and diameters must be finite")
    if np.any(np.diff(days) <= 0.0) or np.any(asked <= days[-1]):
        raise ValueError("days must increase and the asked days come after the last scan")
    chosen = model or MODEL
    return mix(chosen.mixture, observe(chosen.process, chosen.exponent, days, sizes, asked), chosen.exponent)


def progression_threshold_mm(nadir_mm: float) -> float:
    """Smallest size that is 20 % and 5 mm above the nadir, mm."""
    return (
        max(nadir_mm * (1.0 + thresholds.RELATIVE_INCREASE), nadir_mm + thresholds.ABSOLUTE_INCREASE_MM)
        - thresholds.ROUNDING_MM
    )


def read_model(parameters: Mapping[str, Any]) -> Model:
    """Build the model from the member ``parameters`` of the parameter file."""
    mixture = parameters["mixture"]
    return Model(
        exponent=parameters["box_cox_exponent"],
        process=Process(**parameters["process"]),
        mixture=Mixture(
            repeat=np.array([mixture["repeat"][name] for name in REPEAT_TERMS]),
            vanish=np.array([mixture["vanish"][name] for name in VANISH_TERMS]),
            scale=np.array([mixture["scale"][name] for name in SCALE_TERMS]),
            log_freedom=mixture["log_freedom"],
        ),
    )


FITTED: Final[Mapping[str, Any]] = json.loads(
    resources.files("simulation").joinpath("data/forecast_parameters.json").read_text(encoding="utf-8")
)
MODEL: Final = read_model(FITTED["parameters"])


def validation_rows(scan_count: int) -> tuple[Mapping[str, Any], ...]:
    """Return the cross-validation of the shipped model after this many scans (1 to 4), one row a horizon."""
    return tuple(
        row
        for row in FITTED["validation"]["by_patient"]
        if row["scans"] == scan_count and row["study"] is None and "coverage_50" in row
    )
