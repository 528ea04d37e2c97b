"""Planar contours of one structure, put in order: parallel planes, and the slabs between them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

VolumeModel = Literal["interpolated", "contour_planes"]

PLANE_TOLERANCE_MM = 0.05
PLANARITY_TOLERANCE_MM = 0.5
PARALLEL_TOLERANCE = 1e-2
BRIDGED_GAP_LIMIT = 2.5
"""A gap between planes wider than this many median gaps separates two parts of a structure."""
SKIPPED_GAP_LIMIT = 1.5
"""From this many median gaps on, a bridged gap counts as skipped slices."""


@dataclass(frozen=True, slots=True)
class Plane:
    """All contours in one plane; inside is where a ray crosses them an odd number of times.

    Attributes
    ----------
    position_mm : float, mm
        Along the stack's normal.
    edges_mm : ndarray, shape (n_edges, 4), mm
        ``(u1, v1, u2, v2)`` of every edge, sorted by the middle of its v.
    """

    position_mm: float
    edges_mm: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Slab:
    """The space between two planes, or an end cap, where both planes are the same one.

    ``at_bottom`` and ``at_top`` say whether the slab ends the structure there. ``flat`` says that the
    slab stands for one plane, in which its dose is read.
    """

    lower: Plane
    upper: Plane
    bottom_mm: float
    thickness_mm: float
    at_bottom: bool = False
    at_top: bool = False
    flat: bool = False


@dataclass(frozen=True, slots=True)
class ContourStack:
    """One structure as a stack of slabs.

    Attributes
    ----------
    basis : ndarray, shape (3, 3)
        Rows: the in-plane directions u and v, and the normal w, in patient coordinates.
    slabs : tuple of Slab
        From bottom to top.
    plane_count : int
    skipped_gaps : int
        Gaps that were bridged although they are wider than the rest.
    parts : int
        Pieces that are separate along the normal.
    """

    basis: NDArray[np.float64]
    slabs: tuple[Slab, ...]
    plane_count: int
    skipped_gaps: int
    parts: int

    @property
    def flat(self) -> bool:
        """Whether every slab stands for one plane, in which its dose is read."""
        return self.slabs[0].flat


def stack_contours(
    contours_mm: Sequence[NDArray[np.float64]],
    *,
    single_plane_thickness_mm: float,
    volume_model: VolumeModel = "interpolated",
) -> ContourStack:
    """Sort contours into parallel planes and fill the space between them.

    ``interpolated``: between neighboring planes the shape is interpolated; at both ends it goes on unchanged for
    half of the adjacent gap (half-slice end caps). ``contour_planes``: every plane stands for a slab that reaches
    half of the gap on either side, and the dose is read in the plane, not through the slab. A gap wider than
    ``BRIDGED_GAP_LIMIT`` times the median gap separates two parts, each with its own end caps of
    half a median gap.

    Parameters
    ----------
    contours_mm : sequence of ndarray, shape (n_points, 3), mm
        Closed polygons in patient coordinates; the last point need not repeat the first.
    single_plane_thickness_mm : float, mm
        Thickness of a structure that has only one plane.
    volume_model : {"interpolated", "contour_planes"}

    Returns
    -------
    ContourStack

    Raises
    ------
    ValueError
        When no contour encloses an area or the contours do not lie in parallel planes.
    """
    polygons = [_open(polygon) for polygon in contours_mm if len(polygon) >= 3]
    normals = [_area_vector(polygon) for polygon in polygons]
    sizes = [float(np.linalg.norm(normal)) for normal in normals]
    if not sizes or max(sizes) <= 0:
        raise ValueError("no contour encloses an area")
    basis = _basis(normals[int(np.argmax(sizes))])
    projected: list[tuple[float, NDArray[np.float64]]] = []
    for polygon, normal, size in zip(polygons, normals, sizes, strict=True):
        if size <= 0:
            continue
        local = polygon @ basis.T
        position = float(local[:, 2].mean())
        if np.abs(local[:, 2] - position).max() > PLANARITY_TOLERANCE_MM:
            raise ValueError("the contours do not lie in parallel planes")
        if size > 1.0 and abs(normal @ basis[2]) < (1 - PARALLEL_TOLERANCE) * size:
            raise ValueError("the contours do not lie in parallel planes")
        projected.append((position, local[:, :2]))
    planes = _group(projected)
    gaps = np.diff([plane.position_mm for plane in planes])
    median = float(np.median(gaps)) if len(gaps) else single_plane_thickness_mm
    joined = gaps <= BRIDGED_GAP_LIMIT * median
    fill = _interpolated if volume_model == "interpolated" else _plane_by_plane
    return ContourStack(
        basis=basis,
        slabs=tuple(fill(planes, gaps, joined, median)),
        plane_count=len(planes),
        skipped_gaps=int(np.sum(joined & (gaps > SKIPPED_GAP_LIMIT * median))),
        parts=1 + int(np.sum(~joined)),
    )


def _open(polygon: NDArray[np.float64]) -> NDArray[np.float64]:
    return polygon[:-1] if len(polygon) > 3 and np.array_equal(polygon[0], polygon[-1]) else polygon


def _area_vector(polygon: NDArray[np.float64]) -> NDArray[np.float64]:
    centered = polygon - polygon[0]
    following = np.roll(centered, -1, axis=0)
    cross = np.empty_like(centered)
    for axis in range(3):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        cross[:, axis] = centered[:, first] * following[:, second] - centered[:, second] * following[:, first]
    vector: NDArray[np.float64] = cross.sum(axis=0) / 2
    return vector


def _basis(normal: NDArray[np.float64]) -> NDArray[np.float64]:
    w = normal / np.linalg.norm(normal)
    main = int(np.argmax(np.abs(w)))
    w = w * np.sign(w[main])
    if w[main] > 1 - 1e-6:
        return np.roll(np.eye(3), -(main + 1), axis=0)
    u = np.eye(3)[(main + 1) % 3]
    u = u - (u @ w) * w
    u /= np.linalg.norm(u)
    return np.stack([u, np.cross(w, u), w])


def _group(projected: list[tuple[float, NDArray[np.float64]]]) -> list[Plane]:
    ordered = sorted(projected, key=lambda item: item[0])
    planes: list[Plane] = []
    start = 0
    for index in range(1, len(ordered) + 1):
        if index < len(ordered) and ordered[index][0] - ordered[start][0] <= PLANE_TOLERANCE_MM:
            continue
        members = ordered[start:index]
        edges = np.concatenate([np.hstack([points, np.roll(points, -1, axis=0)]) for _, points in members])
        edges = edges[np.argsort(edges[:, 1] + edges[:, 3], kind="stable")]
        position = sum(member[0] for member in members) / len(members)
        planes.append(Plane(position, np.ascontiguousarray(edges)))
        start = index
    return planes


def _reaches(
    index: int, gaps: NDArray[np.float64], joined: NDArray[np.bool_], median: float
) -> tuple[bool, bool, float, float]:
    """Whether a plane is joined to the one below and above, and how far it reaches down and up, mm."""
    below = bool(index > 0 and joined[index - 1])
    above = bool(index < len(gaps) and joined[index])
    down = float(gaps[index - 1] if below else gaps[index] if above else median) / 2
    up = float(gaps[index] if above else gaps[index - 1] if below else median) / 2
    return below, above, down, up


def _interpolated(
    planes: list[Plane], gaps: NDArray[np.float64], joined: NDArray[np.bool_], median: float
) -> Iterator[Slab]:
    for index, plane in enumerate(planes):
        below, above, down, up = _reaches(index, gaps, joined, median)
        if not below:
            yield Slab(plane, plane, plane.position_mm - down, down, at_bottom=True)
        if above:
            yield Slab(plane, planes[index + 1], plane.position_mm, float(gaps[index]))
        else:
            yield Slab(plane, plane, plane.position_mm, up, at_top=True)


def _plane_by_plane(
    planes: list[Plane], gaps: NDArray[np.float64], joined: NDArray[np.bool_], median: float
) -> Iterator[Slab]:
    for index, plane in enumerate(planes):
        _, _, down, up = _reaches(index, gaps, joined, median)
        yield Slab(plane, plane, plane.position_mm - down, down + up, flat=True)
