r"""Kosinsky 2018: radiotherapy and anti-PD-L1 in CT26 mice, continuous with exact pulses.

States: viable and damaged tumor (uL), undifferentiated and effector T cells (cells), PD-L1 level; the antibody in depot
and plasma (nM) is known in closed form. The public SBML file (BIOMD0000000863) codes the repair of
double-strand breaks as :math:`\tau U` where the paper's table calls :math:`\tau` a time: it over-counts
the quadratic kill about 2,500-fold. With :math:`U/\tau` a fraction is linear-quadratic with
:math:`\alpha/\beta = 10` Gy, and is applied as such. The equations have no extinction; see ``extinction_ul``.

References
----------
Kosinsky Y, Dovedi SJ, Peskov K, et al. J Immunother Cancer 2018;6:17. doi:10.1186/s40425-018-0327-9
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulation.engine.lanes import DY, LANES, OBS, OPTIONS, B, P, S, X, Y, exp_decay
from simulation.engine.lockstep import integrator
from simulation.engine.source import ENGINE_SOURCE

Array = NDArray[np.float64]
W = LANES

STATES = ("viable", "damaged", "naive", "effector", "pd_l1")
FLOORS = np.array([1e-2, 1e-2, 1e-1, 1e-1, 1e-4])
PARAMETERS = (
    "r", "volume_max", "d0", "k_ln", "s_l", "k_pro", "k_dif", "k_el", "k_apo", "e", "half_pdl", "k_pdl", "k_tcd",
    "s_r", "alpha", "alpha_beta", "mu", "ka", "k_el_mab", "kd", "extinction_ul",
)  # fmt: skip
(
    r_, volume_max_, d0_, k_ln_, s_l_, k_pro_, k_dif_, k_el_, k_apo_, e_, half_pdl_, k_pdl_, k_tcd_,
    s_r_, alpha_, alpha_beta_, mu_, ka_, k_el_mab_, kd_, extinction_ul_,
) = (P + W * n for n in range(len(PARAMETERS)))  # fmt: skip
DOSE_GY, ANTIBODY_NM = range(2)
EVENT_COLUMNS = 2
plasma_ = X
depot_base_, plasma_base_ = B, B + W
_NOTHING_UL = 1e-30


def derivatives(y: Array, antibody_nm: float, p: Mapping[str, float]) -> Array:
    """Return the derivative of the five states at a plasma concentration; the readable reference."""
    viable, damaged, n, effector, pd_l1 = y
    total = viable + damaged
    death = p["mu"] * damaged / total + p["e"] * effector + p["d0"] if total > 0 else 0.0
    antigen = death**2 / (death**2 + p["k_tcd"] ** 2) * total
    suppression = antigen / (antigen + p["s_r"])
    activation = (1 - pd_l1 / (1 + antibody_nm / p["kd"])) * (1 - suppression)
    return np.array(
        [
            p["r"] * viable * (1 - viable / p["volume_max"]) - (p["e"] * effector + p["d0"]) * viable,
            -p["mu"] * damaged,
            p["k_ln"] * antigen / (antigen + p["s_l"]) + activation * n * (p["k_pro"] - p["k_dif"]) - p["k_el"] * n,
            activation * n * p["k_dif"] - p["k_apo"] * effector,
            p["k_pdl"] * (effector / (p["half_pdl"] + effector) - pd_l1),
        ]
    )


@njit(**OPTIONS)
def rhs(ws: NDArray[Any], units: int) -> None:
    """Write the derivatives; the same equations as :func:`derivatives`."""
    for l in range(W):
        viable = ws[S + l]
        damaged = ws[S + W + l]
        n = ws[S + 2 * W + l]
        effector = ws[S + 3 * W + l]
        pd_l1 = ws[S + 4 * W + l]
        total = viable + damaged
        kill = ws[e_ + l] * effector + ws[d0_ + l]
        death = ws[mu_ + l] * damaged / max(total, _NOTHING_UL) + kill
        antigen = death * death / (death * death + ws[k_tcd_ + l] * ws[k_tcd_ + l]) * total
        suppression = antigen / (antigen + ws[s_r_ + l])
        activation = (1.0 - pd_l1 / (1.0 + ws[plasma_ + l] / ws[kd_ + l])) * (1.0 - suppression)
        ws[DY + l] = ws[r_ + l] * viable * (1.0 - viable / ws[volume_max_ + l]) - kill * viable
        ws[DY + W + l] = -ws[mu_ + l] * damaged
        ws[DY + 2 * W + l] = (
            ws[k_ln_ + l] * antigen / (antigen + ws[s_l_ + l])
            + activation * n * (ws[k_pro_ + l] - ws[k_dif_ + l])
            - ws[k_el_ + l] * n
        )
        ws[DY + 3 * W + l] = activation * n * ws[k_dif_ + l] - ws[k_apo_ + l] * effector
        ws[DY + 4 * W + l] = ws[k_pdl_ + l] * (effector / (ws[half_pdl_ + l] + effector) - pd_l1)


@njit(**OPTIONS)
def force(ws: NDArray[Any], units: int, tau: float) -> None:
    """Antibody in plasma: absorption from the depot, exactly."""
    for l in range(W):
        absorbed = ws[depot_base_ + l] * ws[ka_ + l] / (ws[ka_ + l] - ws[k_el_mab_ + l])
        slow = exp_decay(-ws[k_el_mab_ + l] * tau)
        ws[plasma_ + l] = ws[plasma_base_ + l] * slow + absorbed * (slow - exp_decay(-ws[ka_ + l] * tau))


@njit(**OPTIONS)
def event(ws: NDArray[Any], units: int, elapsed: float, row: NDArray[Any]) -> None:
    """Antibody into the depot, then the fraction as a linear-quadratic pulse.

    Parameters
    ----------
    ws : ndarray, shape (WORKSPACE,)
    units : int
        Not used: the model has one tumor.
    elapsed : float
        Days since the last stop.
    row : ndarray, shape (EVENT_COLUMNS,)
    """
    force(ws, units, elapsed)
    for l in range(W):
        ws[plasma_base_ + l] = ws[plasma_ + l]
        ws[depot_base_ + l] = ws[depot_base_ + l] * exp_decay(-ws[ka_ + l] * elapsed) + row[ANTIBODY_NM]
        dose = row[DOSE_GY]
        damage = ws[Y + l] * (1.0 - math.exp(-ws[alpha_ + l] * dose * (1.0 + dose / ws[alpha_beta_ + l])))
        ws[Y + l] -= damage
        ws[Y + W + l] += damage


@njit(**OPTIONS)
def settle(ws: NDArray[Any], units: int) -> bool:
    """Empty tumors below the extinction volume."""
    changed = False
    for l in range(W):
        if ws[Y + l] < ws[extinction_ul_ + l] and ws[Y + l] != 0.0:
            ws[Y + l] = 0.0
            changed = True
    return changed


@njit(**OPTIONS)
def observe(ws: NDArray[Any], units: int) -> None:
    """Show the five states and the antibody in plasma."""
    for i in range(5):
        for l in range(W):
            ws[OBS + i * W + l] = max(ws[S + i * W + l], 0.0)
    for l in range(W):
        ws[OBS + 5 * W + l] = ws[plasma_ + l]


integrate = integrator(rhs, force, event, settle, observe)


@njit(cache=True, **OPTIONS)
def solve(
    parameters: NDArray[Any], initial: NDArray[Any],
    stop_days: NDArray[Any], table: NDArray[Any], output_days: NDArray[Any],
    floors: NDArray[Any], rtol: float, full: bool, out: NDArray[Any], final: NDArray[Any], status: NDArray[Any],
    source: int = ENGINE_SOURCE,
) -> None:  # fmt: skip
    """Integrate the model; outputs at the time of an event are those after it.

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
        parameters, initial, 1, stop_days, table, output_days, True, floors, rtol, full, out, final, status,
    )  # fmt: skip
