"""What a reader must know of the lesions that RECIST follows: those too small, and those beyond the largest."""

from typing import Final

import numpy as np

from schemas.run import RunWarning
from schemas.simulations import ComparisonRequest, SimulationRequest
from service.scenarios import lesion_volumes, lesions_of
from simulation.outcome import thresholds as limit
from simulation.outcome.targets import choose_targets, nodes, visible
from simulation.tumor.scenario import diameter_mm

_RULE: Final = "RECIST 1.1 sums at most five targets, two in one organ (lymph nodes are one organ)"
_UNSEEN: Final = (
    f"a scan shows no disease here (below {limit.DETECTION_LIMIT_MM:g} mm, or a lymph node below "
    f"{limit.NORMAL_NODE_MM:g} mm short axis): the lesion is simulated, but takes no part in response and progression"
)
_SMALL: Final = (
    f"a target is measurable from {limit.TARGET_LONGEST_DIAMETER_MM:g} mm longest diameter, a lymph node from "
    f"{limit.TARGET_NODE_MM:g} mm short axis; this one is summed all the same"
)


def target_warnings(request: SimulationRequest | ComparisonRequest) -> tuple[RunWarning, ...]:
    """Return a warning for every lesion that RECIST does not follow as it was given.

    Parameters
    ----------
    request : SimulationRequest or ComparisonRequest

    Returns
    -------
    tuple of RunWarning
        One in all for a virtual population, whose targets differ from patient to patient.
    """
    population = request.population
    if population is not None:
        if population.lesion_count <= limit.TARGET_COUNT:
            return ()
        message = "RECIST 1.1 sums the five largest lesions of each virtual patient; the others are non-target disease"
        return (_warning("more-targets-than-recist-allows", message, "/population/lesion_count"),)
    lesions = lesions_of(request)
    volumes = lesion_volumes(request)
    sizes = diameter_mm(np.array([volume for _, volume in volumes]))
    organs = [lesion.organ for lesion in lesions]
    node = nodes(organs)
    asked = np.array([lesion.target for lesion in lesions])
    (chosen,) = choose_targets(sizes[None, :], [lesion.id for lesion in lesions], organs, asked)
    seen = visible(sizes, node)
    small = chosen & (sizes < np.where(node, limit.TARGET_NODE_MM, limit.TARGET_LONGEST_DIAMETER_MM))
    found = []
    for index, (size_at, _) in enumerate(volumes):
        if not seen[index]:
            found.append(_warning("lesion-not-visible-at-baseline", _UNSEEN, size_at))
        elif small[index]:
            found.append(_warning("target-not-measurable-at-baseline", _SMALL, size_at))
        elif asked[index] and not chosen[index]:
            message = f"{_RULE}: larger lesions are targets, this one is non-target disease"
            found.append(_warning("more-targets-than-recist-allows", message, f"/patient/lesions/{index}/target"))
    return tuple(found)


def _warning(code: str, message: str, pointer: str) -> RunWarning:
    return RunWarning(code=code, message=message, pointer=pointer)
