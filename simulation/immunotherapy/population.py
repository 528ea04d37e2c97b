"""Virtual patients: covariates and random effects in seeded chunks, exposure, percentile bands."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from simulation.immunotherapy.antibodies import AntibodyModel
from simulation.immunotherapy.disposition import Disposition, simulate
from simulation.immunotherapy.metrics import CycleMetrics, crossing_grid, cycle_bounds, cycle_metrics, days_above
from simulation.immunotherapy.timeline import Doses

CHUNK: Final = 2048
MOST_PATIENTS: Final = 100_000
_COVARIATE_STREAM, _EFFECT_STREAM = 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class CovariateDistribution:
    """How a covariate is spread over the virtual patients.

    ``normal`` and ``lognormal`` are cut at ``low`` and ``high`` by clipping; the center of a lognormal
    is its median and its spread the standard deviation of the logarithm. ``indicator`` is 1 with
    probability ``center``.
    """

    covariate: str
    kind: Literal["normal", "lognormal", "indicator"]
    center: float
    spread: float = 0.0
    low: float = 0.0
    high: float = np.inf


Draw = Callable[[np.random.Generator, int], Mapping[str, NDArray[np.float64]]]
"""Covariates of so many virtual patients, by name."""


@dataclass(frozen=True, slots=True)
class WeightedDoses:
    """A schedule whose amounts may depend on body weight: ``flat_mg + mg_per_kg * weight``, at most ``cap_mg``.

    Every array has shape (n_doses,).
    """

    time_days: NDArray[np.float64]
    flat_mg: NDArray[np.float64]
    mg_per_kg: NDArray[np.float64]
    cap_mg: NDArray[np.float64]
    infusion_days: NDArray[np.float64]

    def for_weights(self, weight_kg: NDArray[np.float64] | None) -> Doses:
        """Return the doses of patients of these weights.

        Raises
        ------
        ValueError
            If amounts depend on weight and no weight is given.
        """
        if not np.any(self.mg_per_kg > 0):
            return Doses.of(self.time_days, self.flat_mg, self.infusion_days)
        if weight_kg is None:
            raise ValueError("a dose in mg/kg needs the weight of the patient")
        amounts = self.flat_mg[:, None] + self.mg_per_kg[:, None] * np.atleast_1d(weight_kg)[None, :]
        return Doses.of(self.time_days, np.minimum(amounts, self.cap_mg[:, None]), self.infusion_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationExposure:
    """Exposure of all virtual patients; shapes (n_outputs, n_patients) and (n_cycles, n_patients)."""

    time_days: NDArray[np.float64]
    concentration_mg_per_l: NDArray[np.float32]
    cycles: CycleMetrics
    days_above_target: NDArray[np.float64] | None


def draw_covariates(distributions: tuple[CovariateDistribution, ...]) -> Draw:
    """Return a drawing function for independent covariates."""

    def draw(generator: np.random.Generator, patients: int) -> dict[str, NDArray[np.float64]]:
        drawn: dict[str, NDArray[np.float64]] = {}
        for entry in distributions:
            if entry.kind == "indicator":
                drawn[entry.covariate] = (generator.random(patients) < entry.center).astype(np.float64)
                continue
            normal = generator.standard_normal(patients)
            values = entry.center * np.exp(entry.spread * normal) if entry.kind == "lognormal" else (
                entry.center + entry.spread * normal
            )  # fmt: skip
            drawn[entry.covariate] = np.clip(values, entry.low, entry.high)
        return drawn

    return draw


def virtual_patients(
    model: AntibodyModel, draw: Draw, known: Mapping[str, float], patients: int, seed: int
) -> Iterator[tuple[int, Disposition, NDArray[np.float64] | None]]:
    """Yield start, parameters and weights of one chunk of virtual patients after another.

    Patient number i depends on the seed and on i only: not on how many patients are asked for.

    Parameters
    ----------
    model : AntibodyModel
    draw : Draw
        Covariates that vary.
    known : mapping of str to float
        Covariates that all patients share; a drawn one takes precedence.
    patients : int
        At most 100,000.
    seed : int

    Raises
    ------
    ValueError
        If the number of patients is out of range.
    """
    if not 1 <= patients <= MOST_PATIENTS:
        raise ValueError(f"patients must be between 1 and {MOST_PATIENTS}")
    for number, start in enumerate(range(0, patients, CHUNK)):
        size = min(CHUNK, patients - start)
        covariates = {
            name: values[:size] for name, values in draw(_generator(seed, _COVARIATE_STREAM, number), CHUNK).items()
        }
        etas = model.draw(_generator(seed, _EFFECT_STREAM, number), CHUNK)[:size]
        merged: dict[str, NDArray[np.float64]] = {name: np.full(size, value) for name, value in known.items()}
        merged |= covariates
        yield start, model.individual(merged, etas), merged.get("weight_kg")


def _generator(seed: int, stream: int, chunk: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=[seed, stream], counter=[0, 0, 0, chunk]))


def simulate_population(
    model: AntibodyModel,
    doses: WeightedDoses | Doses,
    output_days: NDArray[np.float64],
    horizon_days: float,
    *,
    draw: Draw,
    known: Mapping[str, float],
    patients: int,
    seed: int,
    target_mg_per_l: float | None = None,
) -> PopulationExposure:
    """Return the exposure of virtual patients under one schedule.

    Parameters
    ----------
    model : AntibodyModel
    doses : WeightedDoses or Doses
        Event tables with resets or a steady state come as plain doses.
    output_days : ndarray, shape (n_outputs,), d
        As :func:`simulation.immunotherapy.metrics.output_grid` gives them.
    horizon_days : float, d
    draw, known, patients, seed
        As in :func:`virtual_patients`.
    target_mg_per_l : float, optional
        Adds the time above this concentration up to the horizon.
    """
    reference = doses if isinstance(doses, Doses) else doses.for_weights(np.ones(1))
    bounds = cycle_bounds(reference, horizon_days)
    cycles = (max(bounds.size - 1, 0), patients)
    concentration = np.zeros((output_days.size, patients), dtype=np.float32)
    maximum, trough, area = np.zeros(cycles), np.zeros(cycles), np.zeros(cycles)
    above = np.zeros(patients)
    crossing = np.zeros(0) if target_mg_per_l is None else crossing_grid(reference, horizon_days)
    every = np.union1d(output_days, crossing)
    asked, close = np.searchsorted(every, output_days), np.searchsorted(every, crossing)
    for start, disposition, weight in virtual_patients(model, draw, known, patients, seed):
        part = slice(start, start + disposition.size)
        given = doses if isinstance(doses, Doses) else doses.for_weights(weight)
        run = simulate(disposition, given, every, longest_step_days=model.longest_step_days)
        concentration[:, part] = run.concentration_mg_per_l[asked]
        per_cycle = cycle_metrics(run, given, horizon_days)
        maximum[:, part] = per_cycle.maximum_mg_per_l
        trough[:, part] = per_cycle.trough_mg_per_l
        area[:, part] = per_cycle.area_mg_day_per_l
        if target_mg_per_l is not None:
            above[part] = days_above(crossing, run.concentration_mg_per_l[close], target_mg_per_l)
    return PopulationExposure(
        time_days=output_days,
        concentration_mg_per_l=concentration,
        cycles=CycleMetrics(
            start_days=bounds[:-1],
            length_days=np.diff(bounds),
            maximum_mg_per_l=maximum,
            trough_mg_per_l=trough,
            area_mg_day_per_l=area,
        ),
        days_above_target=above if target_mg_per_l is not None else None,
    )


def percentiles(values: NDArray[np.floating], levels: tuple[float, ...]) -> NDArray[np.float64]:
    """Return percentiles over the last axis, shape (n_levels, ...); ``levels`` in percent."""
    result: NDArray[np.float64] = np.percentile(values, levels, axis=-1).astype(np.float64)
    return result
