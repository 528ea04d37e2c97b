"""Dose-volume histogram of a contoured structure by sampling the dose all through it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulation.radiation.contours import ContourStack
from simulation.radiation.grid import DoseGrid, dose_at
from simulation.radiation.voxelize import AREA_ROWS, crossings_of, enclosed_area_mm2, fill_slab

MM3_PER_CM3 = 1000.0
MIN_POINTS = 20_000
POINTS_WANTED = (100_000, 1_000_000)
"""Fewest and most points aimed at; between them one for every eighth of a dose voxel."""
MAX_LATTICE_CELLS = 50_000_000
MAX_CROSSINGS = 2_000_000
"""Places where outlines may cross the lattice's rows, all planes together."""
MAX_SURFACE_POINTS = 400_000
DISTANCE_BUDGET = 20_000_000


class TooComplex(ValueError):
    """The contours would need more memory or time than is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureDose:
    """What a structure receives.

    Attributes
    ----------
    volume_cm3 : float, cm3
        Of the whole structure.
    coverage_fraction : float
        Part of the volume that the dose grid reaches; all dose figures are for this part.
    mean_gy, minimum_gy, maximum_gy : float, Gy
        Of the points all through the volume. NaN where nothing is covered.
    surface_minimum_gy, surface_maximum_gy : float, Gy
        The same with points along all outlines and on the end caps; at least as wide.
    edges_gy : ndarray, shape (n_bins + 1,), Gy
        From minimum to maximum.
    volumes_cm3 : ndarray, shape (n_bins,), cm3
        Differential histogram of the covered part.
    point_count : int
    step_mm : float, mm
        Distance between neighboring points in the contours' plane.
    interpolation_complete : bool
        False when contours were so complex that some columns between planes end halfway.
    """

    volume_cm3: float
    coverage_fraction: float
    mean_gy: float
    minimum_gy: float
    maximum_gy: float
    surface_minimum_gy: float
    surface_maximum_gy: float
    edges_gy: NDArray[np.float64]
    volumes_cm3: NDArray[np.float64]
    point_count: int
    step_mm: float
    interpolation_complete: bool


def structure_dose(stack: ContourStack, grids: Sequence[DoseGrid], *, bins: int = 1000) -> StructureDose:
    """Sample the dose through a structure and on its surface.

    Parameters
    ----------
    stack : ContourStack
    grids : sequence of DoseGrid
        Doses that add up; at least one.
    bins : int
        Equal bins between the structure's own minimum and maximum dose.

    Returns
    -------
    StructureDose

    Raises
    ------
    TooComplex
        When the contours would need more memory or time than is allowed.
    """
    step_mm = _first_step(stack, min(grid.mean_spacing_mm for grid in grids))
    points, weights, complete = _fill(stack, step_mm)
    for _ in range(4):
        if len(points) >= MIN_POINTS or len(points) == 0:
            break
        step_mm *= min(0.9, (len(points) / (1.2 * MIN_POINTS)) ** (1 / (2 if stack.flat else 3)))
        points, weights, complete = _fill(stack, step_mm)
    dose = dose_at(grids, points, basis=stack.basis)
    surface = dose_at(grids, _surface(stack, step_mm), basis=stack.basis)
    volume_mm3 = float(weights.sum())
    missing_mm3, dose_sum, low, high = _moments(dose, weights)
    covered_mm3 = volume_mm3 - missing_mm3 if math.isfinite(low) else 0.0
    surface = surface[np.isfinite(surface)]
    if covered_mm3 <= 0 or volume_mm3 <= 0:
        edges, volumes, low, high, mean = np.zeros(2), np.zeros(1), math.nan, math.nan, math.nan
        surface = np.array([math.nan])
    else:
        surface = np.append(surface, [low, high])
        mean = min(max(dose_sum / covered_mm3, low), high)
        edges = np.linspace(low, high, bins + 1)
        volumes = _histogram(dose, weights, low, high, bins) / MM3_PER_CM3
    return StructureDose(
        volume_cm3=volume_mm3 / MM3_PER_CM3,
        coverage_fraction=covered_mm3 / volume_mm3 if volume_mm3 > 0 else 0.0,
        mean_gy=mean,
        minimum_gy=low,
        maximum_gy=high,
        surface_minimum_gy=float(surface.min()),
        surface_maximum_gy=float(surface.max()),
        edges_gy=edges,
        volumes_cm3=volumes,
        point_count=len(points),
        step_mm=step_mm,
        interpolation_complete=complete,
    )


def _first_step(stack: ContourStack, grid_spacing_mm: float) -> float:
    planes = {id(plane): plane for slab in stack.slabs for plane in (slab.lower, slab.upper)}
    if sum(crossings_of(plane.edges_mm, AREA_ROWS) for plane in planes.values()) > MAX_CROSSINGS:
        raise TooComplex("its contours are too intricate")
    area = {key: enclosed_area_mm2(plane.edges_mm) for key, plane in planes.items()}
    volume = sum(slab.thickness_mm * (area[id(slab.lower)] + area[id(slab.upper)]) / 2 for slab in stack.slabs)
    if volume <= 0:
        raise TooComplex("its contours enclose no volume")
    wanted = min(max(volume / (grid_spacing_mm / 2) ** 3, POINTS_WANTED[0]), POINTS_WANTED[1])
    step = (volume / wanted) ** (1 / 3)
    mean_thickness = sum(slab.thickness_mm for slab in stack.slabs) / len(stack.slabs)
    in_plane = math.sqrt(volume / wanted / mean_thickness)
    return float(in_plane if stack.flat else max(step, in_plane))


def _fill(stack: ContourStack, step_mm: float) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
    _refuse_excess(stack, step_mm)
    points: list[NDArray[np.float64]] = []
    weights: list[NDArray[np.float64]] = []
    budget = DISTANCE_BUDGET
    for number, slab in enumerate(stack.slabs):
        found, weight, spent = fill_slab(
            slab,
            step_mm=step_mm,
            layers=1 if slab.flat else max(1, round(slab.thickness_mm / step_mm)),
            phase=number,
            distance_budget=budget,
        )
        points.append(found)
        weights.append(weight)
        budget -= spent
    return np.concatenate(points), np.concatenate(weights), budget > 0


def _refuse_excess(stack: ContourStack, step_mm: float) -> None:
    cells = crossings = 0.0
    for slab in stack.slabs:
        edges = np.concatenate([slab.lower.edges_mm, slab.upper.edges_mm])
        extent = edges[:, :2].max(axis=0) - edges[:, :2].min(axis=0)
        cells += float(np.prod(extent / step_mm + 1))
        crossings += crossings_of(edges, float(extent[1]) / step_mm)
    if not cells <= MAX_LATTICE_CELLS:
        raise TooComplex("its contours span too large an area for their volume")
    if not crossings <= MAX_CROSSINGS:
        raise TooComplex("its contours are too intricate")


def _surface(stack: ContourStack, step_mm: float) -> NDArray[np.float64]:
    """Points along all outlines, in their planes and on the end caps."""
    outlines = [(slab.lower, slab.lower.position_mm) for slab in stack.slabs if not slab.at_bottom]
    outlines += [(slab.lower, slab.bottom_mm) for slab in stack.slabs if slab.at_bottom]
    outlines += [(slab.upper, slab.bottom_mm + slab.thickness_mm) for slab in stack.slabs if slab.at_top]
    length = sum(float(np.hypot(*(plane.edges_mm[:, 2:] - plane.edges_mm[:, :2]).T).sum()) for plane, _ in outlines)
    spacing = max(step_mm, length / MAX_SURFACE_POINTS)
    found = []
    for plane, position in outlines:
        start, along = plane.edges_mm[:, :2], plane.edges_mm[:, 2:] - plane.edges_mm[:, :2]
        counts = np.maximum(1, np.ceil(np.hypot(along[:, 0], along[:, 1]) / spacing)).astype(np.int64)
        edge = np.repeat(np.arange(len(counts)), counts)
        place = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts)
        outline = start[edge] + along[edge] * (place / counts[edge])[:, None]
        found.append(np.column_stack([outline, np.full(len(outline), position)]))
    return np.concatenate(found)


@njit(cache=True, nogil=True)
def _moments(dose, weights):  # type: ignore[no-untyped-def]
    missing, total = 0.0, 0.0
    low, high = np.inf, -np.inf
    for p in range(dose.shape[0]):
        if np.isnan(dose[p]):
            missing += weights[p]
            continue
        total += weights[p] * dose[p]
        low = min(low, dose[p])
        high = max(high, dose[p])
    return missing, total, low, high


@njit(cache=True, nogil=True)
def _histogram(dose, weights, low, high, bins):  # type: ignore[no-untyped-def]
    volumes = np.zeros(bins, dtype=np.float64)
    scale = bins / (high - low) if high > low else 0.0
    for p in range(dose.shape[0]):
        if not np.isnan(dose[p]):
            volumes[min(int((dose[p] - low) * scale), bins - 1)] += weights[p]
    return volumes
