"""Dose on a rectilinear grid in patient coordinates, and its value anywhere between the grid points."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

ORTHOGONALITY_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseGrid:
    """Physical dose at points; a point stands for the volume half a step around it.

    Attributes
    ----------
    dose_gy : ndarray of float32, shape (n_frames, n_rows, n_columns), Gy
    origin_mm : ndarray, shape (3,), mm
        Center of the first voxel (first frame, row and column).
    axes : ndarray, shape (3, 3)
        Unit vectors along increasing column, row and frame.
    row_spacing_mm, column_spacing_mm : float, mm
        Step from one row to the next, and from one column to the next.
    frame_offsets_mm : ndarray, shape (n_frames,), mm
        Increasing positions along ``axes[2]``, measured from ``origin_mm``; not necessarily regular.
    frame_reach_mm : tuple of float, mm
        How far the first frame reaches down and the last one reaches up.
    """

    dose_gy: NDArray[np.float32]
    origin_mm: NDArray[np.float64]
    axes: NDArray[np.float64]
    row_spacing_mm: float
    column_spacing_mm: float
    frame_offsets_mm: NDArray[np.float64]
    frame_reach_mm: tuple[float, float]

    @property
    def mean_spacing_mm(self) -> float:
        """Geometric mean of the voxel's sides."""
        offsets = self.frame_offsets_mm
        between = (offsets[-1] - offsets[0]) / (len(offsets) - 1) if len(offsets) > 1 else sum(self.frame_reach_mm)
        return float((self.row_spacing_mm * self.column_spacing_mm * between) ** (1 / 3))

    def same_points(self, other: "DoseGrid") -> bool:
        """Whether both grids have the same points, to a micrometer."""
        return (
            self.dose_gy.shape == other.dose_gy.shape
            and bool(np.allclose(self.origin_mm, other.origin_mm, rtol=0, atol=1e-3))
            and bool(np.allclose(self.axes, other.axes, rtol=0, atol=1e-6))
            and abs(self.row_spacing_mm - other.row_spacing_mm) < 1e-6
            and abs(self.column_spacing_mm - other.column_spacing_mm) < 1e-6
            and bool(np.allclose(self.frame_offsets_mm, other.frame_offsets_mm, rtol=0, atol=1e-3))
        )


def make_grid(
    dose_gy: NDArray[np.float32],
    *,
    origin_mm: ArrayLike,
    row_direction: ArrayLike,
    column_direction: ArrayLike,
    row_spacing_mm: float,
    column_spacing_mm: float,
    frame_offsets_mm: ArrayLike,
    single_frame_thickness_mm: float = 1.0,
) -> DoseGrid:
    """Lay a dose array out in space; frames in any order come out in increasing order.

    Parameters
    ----------
    dose_gy : ndarray of float32, shape (n_frames, n_rows, n_columns), Gy
    origin_mm : array-like, shape (3,), mm
        Center of the first voxel of the frame whose offset is 0.
    row_direction, column_direction : array-like, shape (3,)
        Direction along a row (increasing column) and along a column (increasing row).
    row_spacing_mm, column_spacing_mm : float, mm
        Step between rows and between columns, > 0.
    frame_offsets_mm : array-like, shape (n_frames,), mm
        Position of each frame along the cross product of the two directions; no two alike.
    single_frame_thickness_mm : float, mm
        Thickness of the only frame.

    Returns
    -------
    DoseGrid

    Raises
    ------
    ValueError
        When shapes disagree, the directions are not orthogonal, or two frames share a place.
    """
    along_row = np.asarray(row_direction, dtype=np.float64)
    along_column = np.asarray(column_direction, dtype=np.float64)
    lengths = np.linalg.norm(along_row), np.linalg.norm(along_column)
    if not all(abs(length - 1) < ORTHOGONALITY_TOLERANCE for length in lengths):
        raise ValueError("the row and column directions must be unit vectors")
    along_row, along_column = along_row / lengths[0], along_column / lengths[1]
    if abs(along_row @ along_column) > ORTHOGONALITY_TOLERANCE:
        raise ValueError("the row and column directions must be perpendicular")
    if not (row_spacing_mm > 0 and column_spacing_mm > 0):
        raise ValueError("the pixel spacing must be positive")
    offsets = np.asarray(frame_offsets_mm, dtype=np.float64)
    if dose_gy.ndim != 3 or offsets.shape != dose_gy.shape[:1]:
        raise ValueError("there must be one frame offset for every frame")
    order = np.argsort(offsets, kind="stable")
    steps = np.diff(offsets[order])
    if len(steps) and not steps.min() > 1e-3:
        raise ValueError("two frames lie at the same place")
    if np.any(order != np.arange(len(order))):
        dose_gy = dose_gy[order]
    half = single_frame_thickness_mm / 2
    return DoseGrid(
        dose_gy=np.ascontiguousarray(dose_gy, dtype=np.float32),
        origin_mm=np.asarray(origin_mm, dtype=np.float64),
        axes=np.stack([along_row, along_column, np.cross(along_row, along_column)]),
        row_spacing_mm=float(row_spacing_mm),
        column_spacing_mm=float(column_spacing_mm),
        frame_offsets_mm=offsets[order],
        frame_reach_mm=(float(steps[0] / 2), float(steps[-1] / 2)) if len(steps) else (half, half),
    )


def dose_at(
    grids: Sequence[DoseGrid], points_mm: NDArray[np.float64], *, basis: NDArray[np.float64] | None = None
) -> NDArray[np.float32]:
    """Trilinear dose at points, summed over grids; NaN where one of the grids does not reach.

    Between the outermost grid points and half a step beyond them the nearest value holds.

    Parameters
    ----------
    grids : sequence of DoseGrid
        At least one.
    points_mm : ndarray, shape (n, 3), mm
        Coordinates along the rows of ``basis``.
    basis : ndarray, shape (3, 3), optional
        Unit vectors in patient coordinates; default: the patient's own axes.

    Returns
    -------
    ndarray of float32, shape (n,), Gy
    """
    total = np.zeros(len(points_mm), dtype=np.float32)
    for grid in grids:
        to_index = grid.axes / np.array([[grid.column_spacing_mm], [grid.row_spacing_mm], [1.0]])
        shift = to_index @ grid.origin_mm
        if basis is not None:
            to_index = to_index @ basis.T
        _add_trilinear(grid.dose_gy, to_index, shift, grid.frame_offsets_mm, grid.frame_reach_mm, points_mm, total)
    return total


@njit(cache=True, nogil=True)
def _add_trilinear(dose, to_index, shift, offsets, reach, points, total):  # type: ignore[no-untyped-def]
    frames, rows, columns = dose.shape
    low, high = offsets[0] - reach[0], offsets[-1] + reach[1]
    rate = (frames - 1) / (offsets[-1] - offsets[0]) if frames > 1 else 0.0
    for p in range(points.shape[0]):
        x, y, z = points[p, 0], points[p, 1], points[p, 2]
        c = to_index[0, 0] * x + to_index[0, 1] * y + to_index[0, 2] * z - shift[0]
        r = to_index[1, 0] * x + to_index[1, 1] * y + to_index[1, 2] * z - shift[1]
        s = to_index[2, 0] * x + to_index[2, 1] * y + to_index[2, 2] * z - shift[2]
        if not (-0.5 <= c <= columns - 0.5 and -0.5 <= r <= rows - 0.5 and low <= s <= high):
            total[p] = np.nan
            continue
        c = min(max(c, 0.0), columns - 1.0)
        r = min(max(r, 0.0), rows - 1.0)
        s = min(max(s, offsets[0]), offsets[-1])
        c0, r0, k0 = int(c), int(r), int((s - offsets[0]) * rate)
        k0 = min(k0, frames - 1)
        while k0 > 0 and offsets[k0] > s:
            k0 -= 1
        while k0 < frames - 1 and offsets[k0 + 1] <= s:
            k0 += 1
        c1, r1, k1 = min(c0 + 1, columns - 1), min(r0 + 1, rows - 1), min(k0 + 1, frames - 1)
        fc, fr = c - c0, r - r0
        fk = (s - offsets[k0]) / (offsets[k1] - offsets[k0]) if k1 > k0 else 0.0
        lower = (dose[k0, r0, c0] * (1 - fc) + dose[k0, r0, c1] * fc) * (1 - fr) + (
            dose[k0, r1, c0] * (1 - fc) + dose[k0, r1, c1] * fc
        ) * fr
        upper = (dose[k1, r0, c0] * (1 - fc) + dose[k1, r0, c1] * fc) * (1 - fr) + (
            dose[k1, r1, c0] * (1 - fc) + dose[k1, r1, c1] * fc
        ) * fr
        total[p] += lower * (1 - fk) + upper * fk
