"""RECIST 1.1 on the scans of virtual patients: which lesions are followed, and what the scans say."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulation.outcome import thresholds as limit
from simulation.outcome.summaries import CohortResponse, cohort_response
from simulation.outcome.targets import choose_targets, nodes, visible
from simulation.tumor.scenario import Scenario, Trajectories, diameter_mm

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Lesions that are summed, and those followed beside them; each of shape (n, n_lesions).

    A lesion that no scan shows at the start is neither: it is not disease that could respond.
    """

    target: Flags
    non_target: Flags


class Following:
    """Chooses the lesions to follow from their sizes on day 0.

    The organ of a virtual population says how T cells reach its lesions, not that all lie in one organ: there, only
    the largest number of targets counts.

    Parameters
    ----------
    scenario : Scenario
    allowed : ndarray of bool, shape (n_lesions,)
        Lesions that may be targets.
    counted : ndarray of bool, shape (n_lesions,), optional
        Lesions to look at; all, when left out.
    """

    def __init__(self, scenario: Scenario, allowed: Flags, counted: Flags | None = None) -> None:
        self._scenario = scenario
        self._looked_at = np.ones_like(allowed) if counted is None else counted
        self._allowed = allowed & self._looked_at
        measured = scenario.volume_spread_log == 0.0
        self._alike = self._choose(diameter_mm(scenario.volume_cm3)[None, :]) if measured else None

    def of(self, part: Trajectories) -> Followed:
        """Return the lesions of these virtual patients; the first time of ``part`` is day 0."""
        found = self._choose(part.diameter_mm[:, :, 0]) if self._alike is None else self._alike
        shape = part.diameter_mm.shape[:2]
        return Followed(
            target=np.broadcast_to(found.target, shape), non_target=np.broadcast_to(found.non_target, shape)
        )

    def _choose(self, start_mm: Floats) -> Followed:
        scenario = self._scenario
        per_organ = limit.TARGETS_PER_ORGAN if scenario.volume_spread_log == 0.0 else limit.TARGET_COUNT
        target = choose_targets(start_mm, scenario.lesion_ids, scenario.organs, self._allowed, per_organ=per_organ)
        beside = visible(start_mm, nodes(scenario.organs)) & self._looked_at & ~target
        return Followed(target=target, non_target=beside)


def judge(
    part: Trajectories,
    scenario: Scenario,
    followed: Followed,
    *,
    scan_days: Floats,
    last_day: Floats,
    confirmation_required: bool = False,
) -> CohortResponse:
    """Read the scans of every virtual patient by RECIST 1.1.

    Parameters
    ----------
    part : Trajectories
    scenario : Scenario
    followed : Followed
    scan_days : ndarray, shape (n_scans,), d
        A subset of the days of ``part`` that starts with day 0.
    last_day : ndarray, shape (n,), d
        Death or end of observation; there is no scan afterwards.
    confirmation_required : bool

    Returns
    -------
    CohortResponse
    """
    sizes = part.diameter_mm[:, :, np.searchsorted(part.time_days, scan_days)]
    return cohort_response(
        np.where(sizes < limit.DETECTION_LIMIT_MM, 0.0, sizes),
        scan_days,
        target=followed.target,
        non_target=followed.non_target,
        node=nodes(scenario.organs),
        new_lesion=part.new_lesion_day[:, None] <= scan_days,
        last_day=last_day,
        confirmation_required=confirmation_required,
    )
