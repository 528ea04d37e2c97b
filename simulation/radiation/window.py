"""The therapeutic window: control, complications and complication-free control against prescription."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Probability = Callable[[float], float]
"""From a factor on every dose to a probability."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """Probabilities at every scaling of the prescription.

    Attributes
    ----------
    scale : ndarray, shape (n,)
        Factor on every dose, fraction number unchanged.
    control : ndarray, shape (n,)
        Tumor control probability.
    complications : ndarray, shape (m, n)
        Probability of each complication.
    complication_free : ndarray, shape (n,)
        Control without any of these complications, all taken as independent.
    """

    scale: NDArray[np.float64]
    control: NDArray[np.float64]
    complications: NDArray[np.float64]
    complication_free: NDArray[np.float64]

    @property
    def best_scale(self) -> float:
        """Scaling at which complication-free control is highest on this grid."""
        return float(self.scale[int(np.argmax(self.complication_free))])


def complication_free_control(control: NDArray[np.float64], complications: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Return control without complication for independent events, :math:`TCP \prod_j (1 - NTCP_j)`.

    Parameters
    ----------
    control : ndarray, shape (n,)
        Tumor control probability.
    complications : ndarray, shape (m, n)
        Probability of each complication.

    Returns
    -------
    ndarray, shape (n,)
        Probability.
    """
    return np.asarray(control * np.prod(1.0 - complications, axis=0), dtype=np.float64)


def therapeutic_window(
    scale: NDArray[np.float64], control: Probability, complications: Sequence[Probability]
) -> Window:
    """Scan the prescription.

    Parameters
    ----------
    scale : ndarray, shape (n,)
        Increasing factors on every dose.
    control : callable
        Tumor control probability at a factor.
    complications : sequence of callable
        Each complication's probability at a factor.

    Returns
    -------
    Window
        Everything on the grid.
    """
    tcp = np.clip([control(float(one)) for one in scale], 0.0, 1.0)
    ntcp = np.clip([[harm(float(one)) for one in scale] for harm in complications], 0.0, 1.0)
    ntcp = ntcp.reshape(len(complications), len(scale))
    return Window(scale=scale, control=tcp, complications=ntcp, complication_free=complication_free_control(tcp, ntcp))
