"""Which lesions RECIST 1.1 follows as targets, chosen from their sizes at baseline.

References
----------
Eisenhauer EA et al. Eur J Cancer 2009;45:228-247. doi:10.1016/j.ejca.2008.10.026
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulation.outcome import thresholds as limit

Flags = NDArray[np.bool_]

NODE: str = "lymph_node"
_SAME_SIZE_DECIMALS = 6
"""Diameters that agree to this decimal of a millimeter are equal, so that the ids decide."""


def nodes(organs: Sequence[str]) -> Flags:
    """Return which lesions are lymph nodes, shape (n_lesions,); they count as one organ."""
    return np.array([organ.startswith(NODE) for organ in organs], dtype=np.bool_)


def visible(diameter_mm: ArrayLike, node: ArrayLike) -> Flags:
    """Return which lesions a scan shows as disease.

    Parameters
    ----------
    diameter_mm : array-like, shape (..., n_lesions), mm
        Short axis of a lymph node.
    node : array-like of bool, shape (n_lesions,)

    Returns
    -------
    ndarray of bool, shape (..., n_lesions)
        From the detection limit on; a lymph node, from the size on at which it is not normal.
    """
    least = np.where(np.asarray(node), limit.NORMAL_NODE_MM, limit.DETECTION_LIMIT_MM)
    return np.asarray(np.asarray(diameter_mm) >= least)


def choose_targets(
    baseline_mm: ArrayLike,
    ids: Sequence[str],
    organs: Sequence[str],
    allowed: ArrayLike,
    *,
    per_organ: int = limit.TARGETS_PER_ORGAN,
) -> Flags:
    """Choose the largest visible lesions: at most five, at most two in one organ; of equal ones the first by id.

    A lesion that is smaller than measurable can be chosen, so that every patient with visible disease is followed.

    Parameters
    ----------
    baseline_mm : array-like, shape (n, n_lesions), mm
    ids, organs : sequence of str
        One per lesion; the order does not matter.
    allowed : array-like of bool, shape (n_lesions,)
        Lesions that may be targets.
    per_organ : int
        Most targets of one organ.

    Returns
    -------
    ndarray of bool, shape (n, n_lesions)
    """
    sizes = np.round(np.asarray(baseline_mm, dtype=np.float64), _SAME_SIZE_DECIMALS)
    node = nodes(organs)
    eligible = visible(sizes, node) & np.asarray(allowed, dtype=np.bool_)
    names = [NODE if is_node else organ for organ, is_node in zip(organs, node, strict=True)]
    distinct, organ_code = np.unique(names, return_inverse=True)
    by_id = np.array(sorted(range(len(ids)), key=lambda lesion: ids[lesion]), dtype=np.intp)
    order = by_id[np.argsort(-sizes[:, by_id], axis=1, kind="stable")]
    rows = np.arange(sizes.shape[0])
    in_organ = np.zeros((rows.size, distinct.size), dtype=np.int64)
    total = np.zeros(rows.size, dtype=np.int64)
    chosen = np.zeros_like(eligible)
    for lesion in order.T:
        organ = organ_code[lesion]
        taken = eligible[rows, lesion] & (total < limit.TARGET_COUNT) & (in_organ[rows, organ] < per_organ)
        chosen[rows, lesion] = taken
        in_organ[rows, organ] += taken
        total += taken
    return chosen
