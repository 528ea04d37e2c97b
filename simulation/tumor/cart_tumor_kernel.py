"""Mueller-Schoell 2021: four CAR-T phenotypes and the tumor they meet, axicabtagene ciloleucel.

Naive, central memory, effector memory and effector cells (cells/uL) differentiate in this order; the first three
expand on contact with the tumor (mL), all four kill it.

References
----------
Mueller-Schoell A, Puebla-Osorio N, Michelet R, et al. Early survival prediction framework in CD19-specific CAR-T cell
immunotherapy using a quantitative systems pharmacology model. Cancers 2021;13:2782. doi:10.3390/cancers13112782
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulation.engine.lanes import DY, LANES, OBS, OPTIONS, P, S, Y
from simulation.engine.lockstep import integrator
from simulation.engine.source import ENGINE_SOURCE

Array = NDArray[np.float64]
W = LANES

STATES = ("naive", "central_memory", "effector_memory", "effector", "tumor")
FLOORS = np.array([1e-3, 1e-3, 1e-3, 1e-3, 1e-1])
PARAMETERS = (
    "expansion", "half_expansion", "k12", "k23", "k34", "death_memory", "death_effector", "renewal_naive",
    "renewal_memory", "growth", "capacity", "kill_naive", "kill_central", "kill_memory", "kill_effector", "half_kill",
    "extinction",
)  # fmt: skip
(
    expansion_, half_expansion_, k12_, k23_, k34_, death_memory_, death_effector_, renewal_naive_,
    renewal_memory_, growth_, capacity_, kill_naive_, kill_central_, kill_memory_, kill_effector_, half_kill_,
    extinction_,
) = (P + W * n for n in range(len(PARAMETERS)))  # fmt: skip
CELLS_PER_UL = 0
EVENT_COLUMNS = 1


def derivatives(y: Array, p: Mapping[str, float]) -> Array:
    """Return the derivative of the five states; the readable reference."""
    naive, central, memory, effector, tumor = y

    def expanding(cells: float) -> float:
        return float(p["expansion"] * tumor * cells / (p["half_expansion"] + cells))

    kill = (
        p["kill_naive"] * naive + p["kill_central"] * central + p["kill_memory"] * memory
        + p["kill_effector"] * effector
    )  # fmt: skip
    return np.array(
        [
            expanding(naive) + (p["renewal_naive"] - p["k12"] - p["death_memory"]) * naive,
            expanding(central) + p["k12"] * naive + (p["renewal_memory"] - p["k23"] - p["death_memory"]) * central,
            expanding(memory) + p["k23"] * central + (p["renewal_memory"] - p["k34"] - p["death_memory"]) * memory,
            p["k34"] * memory - p["death_effector"] * effector,
            p["growth"] * (1 - tumor / p["capacity"]) * tumor - kill * tumor / (p["half_kill"] + tumor),
        ]
    )


@njit(**OPTIONS)
def rhs(ws: NDArray[Any], units: int) -> None:
    """Write the derivatives; the same equations as :func:`derivatives`."""
    for l in range(W):
        naive = ws[S + l]
        central = ws[S + W + l]
        memory = ws[S + 2 * W + l]
        effector = ws[S + 3 * W + l]
        tumor = ws[S + 4 * W + l]
        half = ws[half_expansion_ + l]
        contact = ws[expansion_ + l] * tumor
        kill = (
            ws[kill_naive_ + l] * naive
            + ws[kill_central_ + l] * central
            + ws[kill_memory_ + l] * memory
            + ws[kill_effector_ + l] * effector
        )
        ws[DY + l] = (
            contact * naive / (half + naive) + (ws[renewal_naive_ + l] - ws[k12_ + l] - ws[death_memory_ + l]) * naive
        )
        ws[DY + W + l] = (
            contact * central / (half + central)
            + ws[k12_ + l] * naive
            + (ws[renewal_memory_ + l] - ws[k23_ + l] - ws[death_memory_ + l]) * central
        )
        ws[DY + 2 * W + l] = (
            contact * memory / (half + memory)
            + ws[k23_ + l] * central
            + (ws[renewal_memory_ + l] - ws[k34_ + l] - ws[death_memory_ + l]) * memory
        )
        ws[DY + 3 * W + l] = ws[k34_ + l] * memory - ws[death_effector_ + l] * effector
        ws[DY + 4 * W + l] = ws[growth_ + l] * (1.0 - tumor / ws[capacity_ + l]) * tumor - kill * tumor / (
            ws[half_kill_ + l] + tumor
        )


@njit(**OPTIONS)
def force(ws: NDArray[Any], units: int, tau: float) -> None:
    """Nothing is known in closed form."""


@njit(**OPTIONS)
def event(ws: NDArray[Any], units: int, elapsed: float, row: NDArray[Any]) -> None:
    """Infusion: the same concentration of every phenotype.

    Parameters
    ----------
    ws : ndarray, shape (WORKSPACE,)
    units : int
        Not used: the model has one tumor.
    elapsed : float
        Days since the last stop.
    row : ndarray, shape (EVENT_COLUMNS,)
    """
    for i in range(4):
        for l in range(W):
            ws[Y + i * W + l] += row[CELLS_PER_UL]


@njit(**OPTIONS)
def settle(ws: NDArray[Any], units: int) -> bool:
    """Empty tumors below the extinction volume."""
    changed = False
    for l in range(W):
        if ws[Y + 4 * W + l] < ws[extinction_ + l] and ws[Y + 4 * W + l] != 0.0:
            ws[Y + 4 * W + l] = 0.0
            changed = True
    return changed


@njit(**OPTIONS)
def observe(ws: NDArray[Any], units: int) -> None:
    """Show the five states."""
    for i in range(5):
        for l in range(W):
            ws[OBS + i * W + l] = max(ws[S + i * W + l], 0.0)


integrate = integrator(rhs, force, event, settle, observe)


@njit(cache=True, **OPTIONS)
def solve(
    parameters: NDArray[Any], initial: NDArray[Any],
    stop_days: NDArray[Any], table: NDArray[Any], output_days: NDArray[Any],
    floors: NDArray[Any], rtol: float, full: bool, out: NDArray[Any], final: NDArray[Any], status: NDArray[Any],
    source: int = ENGINE_SOURCE,
) -> None:  # fmt: skip
    """Integrate the model.

    Parameters
    ----------
    parameters : ndarray, shape (n_parameters, n)
        n must be a multiple of the lanes.
    initial : ndarray, shape (n_states, n)
    stop_days : ndarray, shape (n_stops,)
    table : ndarray, shape (n_stops, EVENT_COLUMNS)
    output_days : ndarray, shape (n_outputs,)
    floors : ndarray, shape (n_states,)
        Scale below which the error of a state is absolute.
    rtol : float
    full : bool
        Write states rather than observed quantities.
    out : ndarray, shape (n_outputs, n_rows, n)
        Filled.
    final : ndarray, shape (n_states, n)
        Filled with the states at the end.
    status : ndarray of int, shape (n / LANES, 2)
        Filled with result code and number of steps.
    source : int
        Leave it alone: it makes the compile cache follow the engine.
    """
    integrate(
        parameters, initial, 1, stop_days, table, output_days, False, floors, rtol, full, out, final, status,
    )  # fmt: skip
