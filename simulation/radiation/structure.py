"""A structure with its dose distribution, as the evaluation works on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from simulation.radiation.dvh import Dvh

Part = Literal["whole", "left", "right", "ipsilateral", "contralateral"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """One delineated structure.

    ``organ`` is a name of the organ vocabulary, None for a target or an unknown structure. ``part`` says
    which of a pair it is; ``whole`` is the organ, or both of a pair. ``dvh`` is physical dose.
    """

    id: str
    dvh: Dvh
    organ: str | None = None
    part: Part = "whole"
    target: bool = False
    alpha_beta_gy: float | None = None


def find(structures: Sequence[Structure], organ: str, part: Part = "whole") -> Structure | None:
    """Return the structure of an organ.

    Parameters
    ----------
    structures : sequence of Structure
        Where to look.
    organ : str
        Name in the organ vocabulary.
    part : str
        Which of a pair.

    Returns
    -------
    Structure or None
        The first that fits.
    """
    for structure in structures:
        if structure.organ == organ and structure.part == part and not structure.target:
            return structure
    return None
