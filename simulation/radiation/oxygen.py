"""Oxygen and radiosensitivity."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

OXYGEN_HALF_EFFECT_MMHG = 3.0
"""Oxygen tension at which half of the enhancement is reached.

Alper T, Howard-Flanders P. Role of oxygen in modifying the radiosensitivity of E. coli B. Nature
1956;178:978-979. doi:10.1038/178978a0. Customary value, not read in the publication.
"""
OXYGEN_MAXIMUM_ENHANCEMENT = 3.0
"""Enhancement ratio of well-oxygenated over anoxic cells; same source, same standing."""


def enhancement_ratio(oxygen_tension_mmhg: ArrayLike) -> NDArray[np.float64]:
    r"""Return the oxygen enhancement ratio against anoxia, :math:`(m p + K)/(p + K)`.

    Parameters
    ----------
    oxygen_tension_mmhg : array-like, mmHg
        Local oxygen tension, >= 0.

    Returns
    -------
    ndarray
        1 without oxygen, towards :data:`OXYGEN_MAXIMUM_ENHANCEMENT` with plenty.
    """
    tension = np.asarray(oxygen_tension_mmhg, dtype=np.float64)
    if np.any(tension < 0):
        raise ValueError("oxygen_tension_mmhg must be >= 0")
    half = OXYGEN_HALF_EFFECT_MMHG
    return (OXYGEN_MAXIMUM_ENHANCEMENT * tension + half) / (tension + half)


def dose_reduction(oxygen_tension_mmhg: float) -> float:
    """Return the factor by which cells at an oxygen tension need more dose than well-oxygenated ones.

    Alpha is divided by this factor, beta by its square.

    Parameters
    ----------
    oxygen_tension_mmhg : float, mmHg
        Local oxygen tension, >= 0.

    Returns
    -------
    float
        1 with plenty of oxygen, up to :data:`OXYGEN_MAXIMUM_ENHANCEMENT` without any.
    """
    return OXYGEN_MAXIMUM_ENHANCEMENT / float(enhancement_ratio(oxygen_tension_mmhg))
