"""Sample points that fill one slab between two contour planes.

A slab is covered by columns along the normal on a square lattice whose rows are shifted against
each other, so that no direction of the dose gradient meets rows of points. A column that is
inside both planes runs through the slab; one that is inside a single plane ends where the signed
distances to the two outlines, interpolated linearly, cancel. Where the planes hardly overlap, because a thin
structure runs obliquely, the columns lean with the shape; a piece that has no counterpart ends halfway. The
columns' lengths are exact; each carries a few points at its own shifted places.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulation.radiation.contours import Slab

GOLDEN = (math.sqrt(5) - 1) / 2
SILVER = math.sqrt(2) - 1
AREA_ROWS = 16
LEANING_OVERLAP = 0.75
"""Below this overlap two planes are first laid over each other and the columns lean."""
SHARED_PIECE = 0.25
"""A piece of a plane that shares less than this with a piece of the other plane ends halfway, as at an end cap."""


def crossings_of(edges_mm: NDArray[np.float64], rows: float) -> float:
    """Estimate how often an outline crosses evenly spaced rows.

    Parameters
    ----------
    edges_mm : ndarray, shape (n_edges, 4), mm
    rows : float
        Number of rows over the outline's extent.

    Returns
    -------
    float
    """
    height = float(np.ptp(edges_mm[:, [1, 3]]))
    return float(np.abs(edges_mm[:, 3] - edges_mm[:, 1]).sum()) / height * rows if height > 0 else 0.0


def enclosed_area_mm2(edges_mm: NDArray[np.float64]) -> float:
    """Estimate the area inside an outline, however it crosses itself, from a few rows.

    Parameters
    ----------
    edges_mm : ndarray, shape (n_edges, 4), mm

    Returns
    -------
    float, mm2
    """
    low, high = float(edges_mm[:, 1].min()), float(edges_mm[:, 1].max())
    step = (high - low) / AREA_ROWS
    if step <= 0:
        return 0.0
    _, crossings = _crossings(edges_mm, low + step / 2, step, AREA_ROWS)
    return float((crossings[1::2] - crossings[0::2]).sum() * step)


def fill_slab(
    slab: Slab, *, step_mm: float, layers: int, phase: int, distance_budget: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Return the points of one slab in the stack's own coordinates.

    Parameters
    ----------
    slab : Slab
    step_mm : float, mm
        Side of a lattice cell.
    layers : int
        Points in a column that runs through the whole slab; a flat slab has its points in its plane.
    phase : int
        Number of the slab; it decides the shifts.
    distance_budget : int
        Edges that may be visited in search of the nearest one; beyond it a column ends halfway.

    Returns
    -------
    points_mm : ndarray, shape (n, 3), mm
        ``(u, v, w)``.
    weights_mm3 : ndarray, shape (n,), mm3
        The volume each point stands for.
    spent : int
        Edges visited.
    """
    shift = phase * GOLDEN % 1.0
    lower, upper, lean = slab.lower.edges_mm, slab.upper.edges_mm, np.zeros(2)
    overlay = _overlay(lower, upper, step_mm, phase)
    if overlay.overlap < LEANING_OVERLAP:
        center = [
            (plane.edges_mm[:, :2] + plane.edges_mm[:, 2:]).mean(axis=0) / 2 for plane in (slab.lower, slab.upper)
        ]
        moved = upper - np.tile(center[1] - center[0], 2)
        leaning = _overlay(lower, moved, step_mm, phase)
        if leaning.overlap > overlay.overlap:
            upper, lean, overlay = moved, center[1] - center[0], leaning
    spans, spent = _columns(
        lower, upper, *overlay.rows_a, *overlay.rows_b, overlay.shared_a, overlay.shared_b,
        overlay.u_origin, overlay.v_start, step_mm, overlay.columns, shift, distance_budget,
    )  # fmt: skip
    points, weights = _points(spans, slab.bottom_mm, slab.thickness_mm, lean, step_mm, layers, shift)
    if slab.flat:
        points[:, 2] = slab.lower.position_mm
    return points, weights, int(spent)


@dataclass(frozen=True, slots=True)
class _Overlay:
    """Two planes cut into chords by the same rows, and how much each piece shares with the other plane."""

    rows_a: tuple[NDArray[np.int64], NDArray[np.float64]]
    rows_b: tuple[NDArray[np.int64], NDArray[np.float64]]
    shared_a: NDArray[np.float64]
    shared_b: NDArray[np.float64]
    overlap: float
    u_origin: float
    v_start: float
    columns: int


def _overlay(lower: NDArray[np.float64], upper: NDArray[np.float64], step_mm: float, phase: int) -> _Overlay:
    corners = np.concatenate([lower[:, :2], upper[:, :2]])
    low, high = corners.min(axis=0), corners.max(axis=0)
    columns, rows = (max(1, math.ceil(extent / step_mm)) for extent in high - low)
    v_start = float(low[1]) + (phase * SILVER % 1.0) * step_mm
    rows_a = _crossings(lower, v_start, step_mm, rows)
    rows_b = rows_a if lower is upper else _crossings(upper, v_start, step_mm, rows)
    if lower is upper:
        whole = np.ones(len(rows_a[1]) // 2)
        return _Overlay(rows_a, rows_a, whole, whole, 1.0, float(low[0]), v_start, columns)
    shared_a, shared_b, overlap = _match(*rows_a, *rows_b)
    return _Overlay(rows_a, rows_b, shared_a, shared_b, overlap, float(low[0]), v_start, columns)


@njit(cache=True, nogil=True)
def _crossings(edges, v_start, step, rows):  # type: ignore[no-untyped-def]
    starts = np.zeros(rows + 1, dtype=np.int64)
    count = edges.shape[0]
    first = np.empty(count, dtype=np.int64)
    last = np.empty(count, dtype=np.int64)
    for e in range(count):
        low, high = min(edges[e, 1], edges[e, 3]), max(edges[e, 1], edges[e, 3])
        first[e] = min(max(math.ceil((low - v_start) / step), 0), rows)
        last[e] = min(max(math.ceil((high - v_start) / step), 0), rows)
        for r in range(first[e], last[e]):
            starts[r + 1] += 1
    for r in range(rows):
        starts[r + 1] += starts[r]
    filled = starts[:-1].copy()
    crossings = np.empty(starts[rows], dtype=np.float64)
    for e in range(count):
        if last[e] == first[e]:
            continue
        slope = (edges[e, 2] - edges[e, 0]) / (edges[e, 3] - edges[e, 1])
        for r in range(first[e], last[e]):
            crossings[filled[r]] = edges[e, 0] + (v_start + r * step - edges[e, 1]) * slope
            filled[r] += 1
    for r in range(rows):
        if starts[r + 1] - starts[r] > 1:
            crossings[starts[r] : starts[r + 1]].sort()
    return starts, crossings


@njit(cache=True, nogil=True)
def _root(parent, k):  # type: ignore[no-untyped-def]
    while parent[k] != k:
        parent[k] = parent[parent[k]]
        k = parent[k]
    return k


@njit(cache=True, nogil=True)
def _pieces(starts, crossings):  # type: ignore[no-untyped-def]
    """Label every chord with the connected piece that it belongs to."""
    parent = np.arange(crossings.shape[0] // 2)
    for r in range(1, starts.shape[0] - 1):
        k, m = starts[r], starts[r - 1]
        while k < starts[r + 1] and m < starts[r]:
            if crossings[k] < crossings[m + 1] and crossings[m] < crossings[k + 1]:
                parent[_root(parent, k // 2)] = _root(parent, m // 2)
            if crossings[k + 1] < crossings[m + 1]:
                k += 2
            else:
                m += 2
    for chord in range(parent.shape[0]):
        parent[chord] = _root(parent, chord)
    return parent


@njit(cache=True, nogil=True)
def _lengths(crossings, piece):  # type: ignore[no-untyped-def]
    lengths = np.zeros(piece.shape[0], dtype=np.float64)
    for chord in range(piece.shape[0]):
        lengths[piece[chord]] += crossings[2 * chord + 1] - crossings[2 * chord]
    return lengths


@njit(cache=True, nogil=True)
def _match(starts_a, crossings_a, starts_b, crossings_b):  # type: ignore[no-untyped-def]
    """For every chord, how much its piece and pieces of the other plane share; and the planes' overlap.

    The share is taken of the smaller of the two pieces: 1 when one lies within the other.
    """
    piece_a, piece_b = _pieces(starts_a, crossings_a), _pieces(starts_b, crossings_b)
    lengths_a, lengths_b = _lengths(crossings_a, piece_a), _lengths(crossings_b, piece_b)
    covered_a, covered_b = np.zeros_like(lengths_a), np.zeros_like(lengths_b)
    shared_a, shared_b = np.zeros_like(lengths_a), np.zeros_like(lengths_b)
    common = 0.0
    for turn in range(2):
        for r in range(starts_a.shape[0] - 1):
            k, m = starts_a[r], starts_b[r]
            while k < starts_a[r + 1] and m < starts_b[r + 1]:
                low = max(crossings_a[k], crossings_b[m])
                high = min(crossings_a[k + 1], crossings_b[m + 1])
                if high > low:
                    a, b = piece_a[k // 2], piece_b[m // 2]
                    if turn == 0:
                        covered_a[a] += high - low
                        covered_b[b] += high - low
                        common += high - low
                    else:
                        share = max(covered_a[a] / lengths_a[a], covered_b[b] / lengths_b[b])
                        shared_a[a] = max(shared_a[a], share)
                        shared_b[b] = max(shared_b[b], share)
                if crossings_a[k + 1] < crossings_b[m + 1]:
                    k += 2
                else:
                    m += 2
    smaller = min(lengths_a.sum(), lengths_b.sum())
    return shared_a[piece_a], shared_b[piece_b], common / smaller if smaller > 0.0 else 1.0


@njit(cache=True, nogil=True)
def _mark(flags, crossings, begin, end, u_start, step):  # type: ignore[no-untyped-def]
    """Write 1 + the chord's number into the cells whose points lie on it, 0 elsewhere."""
    flags[:] = 0
    columns = flags.shape[0]
    for k in range(begin, end, 2):
        low = min(max(math.ceil((crossings[k] - u_start) / step), 0), columns)
        high = min(max(math.ceil((crossings[k + 1] - u_start) / step), 0), columns)
        for c in range(low, high):
            flags[c] = 1 + k // 2


@njit(cache=True, nogil=True)
def _nearest(edges, reach, u, v):  # type: ignore[no-untyped-def]
    """Distance to the nearest edge, and how many edges were looked at."""
    count = edges.shape[0]
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if edges[middle, 1] + edges[middle, 3] < 2 * v:
            low = middle + 1
        else:
            high = middle
    up, down = low, low - 1
    best = np.inf
    visited = 0
    while up < count or down >= 0:
        for side in range(2):
            k = up if side == 0 else down
            if k < 0 or k >= count:
                continue
            away = abs(0.5 * (edges[k, 1] + edges[k, 3]) - v) - reach
            if away > 0 and away * away >= best:
                if side == 0:
                    up = count
                else:
                    down = -1
                continue
            visited += 1
            du, dv = edges[k, 2] - edges[k, 0], edges[k, 3] - edges[k, 1]
            length2 = du * du + dv * dv
            t = 0.0
            if length2 > 0:
                t = min(max(((u - edges[k, 0]) * du + (v - edges[k, 1]) * dv) / length2, 0.0), 1.0)
            pu, pv = edges[k, 0] + t * du - u, edges[k, 1] + t * dv - v
            best = min(best, pu * pu + pv * pv)
            if side == 0:
                up += 1
            else:
                down -= 1
    return math.sqrt(best), visited


@njit(cache=True, nogil=True)
def _reach(edges):  # type: ignore[no-untyped-def]
    reach = 0.0
    for e in range(edges.shape[0]):
        reach = max(reach, 0.5 * abs(edges[e, 1] - edges[e, 3]))
    return reach


@njit(cache=True, nogil=True)
def _columns(  # type: ignore[no-untyped-def]
    edges_a, edges_b, starts_a, crossings_a, starts_b, crossings_b, shared_a, shared_b,
    u_origin, v_start, step, columns, shift, budget,
):  # fmt: skip
    rows = starts_a.shape[0] - 1
    in_a = np.zeros(columns, dtype=np.int64)
    in_b = np.zeros(columns, dtype=np.int64)
    reach_a, reach_b = _reach(edges_a), _reach(edges_b)
    spans = np.empty((1024, 4), dtype=np.float64)
    found = 0
    spent = 0
    for r in range(rows):
        if starts_a[r + 1] == starts_a[r] and starts_b[r + 1] == starts_b[r]:
            continue
        u_start = u_origin + (shift + r * GOLDEN) % 1.0 * step
        v = v_start + r * step
        _mark(in_a, crossings_a, starts_a[r], starts_a[r + 1], u_start, step)
        _mark(in_b, crossings_b, starts_b[r], starts_b[r + 1], u_start, step)
        if found + columns > spans.shape[0]:
            larger = np.empty((2 * spans.shape[0] + columns, 4), dtype=np.float64)
            larger[:found] = spans[:found]
            spans = larger
        for c in range(columns):
            if not (in_a[c] or in_b[c]):
                continue
            u = u_start + c * step
            low, high = 0.0, 1.0
            if in_a[c] == 0 or in_b[c] == 0:
                turn = 0.5
                shared = shared_a[in_a[c] - 1] if in_a[c] else shared_b[in_b[c] - 1]
                if shared >= SHARED_PIECE and spent < budget:
                    to_a, seen_a = _nearest(edges_a, reach_a, u, v)
                    to_b, seen_b = _nearest(edges_b, reach_b, u, v)
                    spent += seen_a + seen_b
                    if to_a + to_b > 0:
                        turn = to_a / (to_a + to_b)
                if in_a[c]:
                    high = turn
                else:
                    low = turn
            spans[found, 0], spans[found, 1], spans[found, 2], spans[found, 3] = u, v, low, high
            found += 1
    return spans[:found], spent


@njit(cache=True, nogil=True)
def _points(spans, bottom, thickness, lean, step, layers, shift):  # type: ignore[no-untyped-def]
    total = 0
    for s in range(spans.shape[0]):
        total += max(1, math.ceil((spans[s, 3] - spans[s, 2]) * layers - 1e-9))
    points = np.empty((total, 3), dtype=np.float64)
    weights = np.empty(total, dtype=np.float64)
    n = 0
    for s in range(spans.shape[0]):
        length = spans[s, 3] - spans[s, 2]
        count = max(1, math.ceil(length * layers - 1e-9))
        offset = (shift + s * GOLDEN) % 1.0
        weight = step * step * thickness * length / count
        for k in range(count):
            height = spans[s, 2] + length * (k + offset) / count
            points[n, 0] = spans[s, 0] + height * lean[0]
            points[n, 1] = spans[s, 1] + height * lean[1]
            points[n, 2] = bottom + height * thickness
            weights[n] = weight
            n += 1
    return points, weights
