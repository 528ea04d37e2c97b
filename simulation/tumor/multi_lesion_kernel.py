"""The equations of :mod:`simulation.tumor.multi_lesion` in the form the engine compiles.

Same text as the NumPy reference, written for one lane of the workspace; a test holds the two together.
"""

# ruff: noqa: N816  (names as in the equations)

import math
from typing import Any

from numba import njit
from numpy.typing import NDArray

from simulation.engine.lanes import BLOCK_MASK, DY, LANES, OBS, OPTIONS, B, P, S, X, Y, exp_decay, survival
from simulation.engine.lockstep import integrator
from simulation.engine.source import ENGINE_SOURCE

MAX_LESIONS = 8
LESION_MASK = 63  # as BLOCK_MASK, for one row per lesion
W = LANES

SYSTEMIC = ("dendritic", "effectors", "memory", "lymphocytes", "priming")
LESION = ("sensitive", "resistant", "dying", "effector", "exhausted", "pd_l1", "suppression", "adjuvanticity")
N_SYSTEMIC = len(SYSTEMIC)
N_LESION = len(LESION)

PARAMETERS = (
    "r", "mu", "Kmax", "kappa", "kappa_car", "rR", "kc", "kin", "dE", "kex", "half_ex", "ex_relief", "dX", "krev",
    "kL", "L0", "KL", "rhoPD", "kG", "G0", "gV", "VG", "del4", "kF", "KF", "a0", "VA", "aRT", "VRT", "kH", "Hh", "p",
    "sig4", "pM", "kC", "eps", "kM", "kA", "kN", "Vsink", "KD1", "KD4",
    "pd1_a", "pd1_b", "pd1_alpha", "pd1_beta", "ctla4_a", "ctla4_b", "ctla4_alpha", "ctla4_beta",
    "car_peak", "car_rise", "car_tmax", "car_alpha", "car_beta", "car_fb", "car_return",
    "alpha", "beta", "aL", "bL", "lamA", "d50", "dT", "trex", "alphaT", "h_v", "V_ext",
)  # fmt: skip
CHI = len(PARAMETERS)  # one more row per lesion: trafficking weight chi
PATIENT_ROWS = PARAMETERS + tuple(f"chi_{i}" for i in range(MAX_LESIONS))
(
    r_, mu_, Kmax_, kappa_, kappa_car_, rR_, kc_, kin_, dE_, kex_, half_ex_, ex_relief_, dX_, krev_,
    kL_, L0_, KL_, rhoPD_, kG_, G0_, gV_, VG_, del4_, kF_, KF_, a0_, VA_, aRT_, VRT_, kH_, Hh_, p_,
    sig4_, pM_, kC_, eps_, kM_, kA_, kN_, Vsink_, KD1_, KD4_,
    pd1_a_, pd1_b_, pd1_alpha_, pd1_beta_, ctla4_a_, ctla4_b_, ctla4_alpha_, ctla4_beta_,
    car_peak_, car_rise_, car_tmax_, car_alpha_, car_beta_, car_fb_, car_return_,
    alpha_, beta_, aL_, bL_, lamA_, d50_, dT_, trex_, alphaT_, h_v_, V_ext_,
) = (P + W * n for n in range(len(PARAMETERS)))  # fmt: skip
chi_ = P + W * CHI

# event table: Gy to each lesion, then
DOSE_PD1_MG, DOSE_CTLA4_MG, CAR_DOSE, VACCINE_DOSE, FIELD_EXPOSURE, NODE_GY = range(MAX_LESIONS, MAX_LESIONS + 6)
EVENT_COLUMNS = MAX_LESIONS + 6

# closed forms (rows X): occupancies, CAR-T level, concentrations; then CAR-T persistence per lesion
ro1_, ro4_, car_, c1_, c4_, sink_, signal_, drawn_, released_ = (X + W * n for n in range(9))
persist_ = X + W * 9
# their bases (rows B)
pd1a_, pd1b_, ctla4a_, ctla4b_, car_time_, car_scale_, drug_on_, car_on_ = (B + W * n for n in range(8))
lost_ = B + W * 8

# observed rows
OBS_LYMPHOCYTES, OBS_C1, OBS_C4, OBS_CAR, OBS_EFFECTORS = range(5)
OBS_SYSTEMIC = 5
OBS_PER_LESION = 2  # volume on imaging, viable volume


@njit(inline="always", **OPTIONS)
def lesion_offset(i: int) -> int:
    """Return the offset of the rows of lesion i in a block."""
    return W * (N_SYSTEMIC + N_LESION * i) & BLOCK_MASK


@njit(**OPTIONS)
def rhs(ws: NDArray[Any], lesions: int) -> None:
    """Write the derivatives of all states."""
    for l in range(W):
        ws[sink_ + l] = 0.0
        ws[signal_ + l] = 0.0
    for i in range(lesions):
        o = lesion_offset(i)
        m = i * W & LESION_MASK
        for l in range(W):
            V = ws[S + o + l] + ws[S + o + W + l]
            D = ws[S + o + 2 * W + l]
            F2 = ws[S + o + 7 * W + l] * ws[S + o + 7 * W + l]
            KF2 = ws[KF_ + l] * ws[KF_ + l]
            hill = F2 * F2 / (KF2 * KF2 + F2 * F2)
            ws[drawn_ + l] = ws[chi_ + m + l] * V
            ws[released_ + l] = ws[a0_ + l] * V / (V + ws[VA_ + l]) + ws[aRT_ + l] * ws[kc_ + l] * hill * D / (
                1.0 + D / ws[VRT_ + l]
            )
        for l in range(W):  # apart from the loop above, which would not vectorize with sums in it
            ws[sink_ + l] += ws[drawn_ + l]
            ws[signal_ + l] += ws[released_ + l]
    for l in range(W):
        H = ws[S + l]
        C = ws[S + W + l]
        M = ws[S + 2 * W + l]
        A = ws[S + 3 * W + l]
        N = ws[S + 4 * W + l]
        pr = H / (ws[Hh_ + l] + H)
        ws[DY + l] = ws[signal_ + l] - ws[kH_ + l] * H
        ws[DY + W + l] = (
            A * pr * (ws[p_ + l] * N * (1.0 + ws[sig4_ + l] * ws[ro4_ + l]) + ws[pM_ + l] * M) - ws[kC_ + l] * C
        )
        ws[DY + 2 * W + l] = ws[eps_ + l] * C - ws[kM_ + l] * M
        ws[DY + 3 * W + l] = ws[kA_ + l] * (1.0 - A)
        ws[DY + 4 * W + l] = ws[kN_ + l] * (1.0 - N)
        ws[sink_ + l] = ws[kin_ + l] * C / (1.0 + ws[sink_ + l] / ws[Vsink_ + l])
    for i in range(lesions):
        o = lesion_offset(i)
        m = i * W & LESION_MASK
        for l in range(W):
            sensitive = ws[S + o + l]
            resistant = ws[S + o + W + l]
            E = ws[S + o + 3 * W + l]
            E_exhausted = ws[S + o + 4 * W + l]
            L = ws[S + o + 5 * W + l]
            G = ws[S + o + 6 * W + l]
            V = sensitive + resistant
            ro1 = ws[ro1_ + l]
            functional = E / ((1.0 + ws[rhoPD_ + l] * L * (1.0 - ro1)) * (1.0 + G))
            kimm = ws[kappa_ + l] * functional
            kcar = ws[kappa_car_ + l] * ws[car_ + l] * ws[chi_ + m + l] * ws[persist_ + m + l]
            growth = ws[r_ + l] * (1.0 - V / ws[Kmax_ + l])
            exhaustion = ws[kex_ + l] * V / (V + ws[half_ex_ + l]) * (1.0 - ws[ex_relief_ + l] * ro1)
            revival = ws[krev_ + l] * ro1
            ws[DY + o + l] = (growth - ws[mu_ + l] - kimm - kcar) * sensitive
            ws[DY + o + W + l] = growth * resistant + ws[mu_ + l] * sensitive - (1.0 - ws[rR_ + l]) * kimm * resistant
            ws[DY + o + 2 * W + l] = -ws[kc_ + l] * ws[S + o + 2 * W + l]
            ws[DY + o + 3 * W + l] = (
                ws[chi_ + m + l] * ws[sink_ + l] - (ws[dE_ + l] + exhaustion) * E + revival * E_exhausted
            )
            ws[DY + o + 4 * W + l] = exhaustion * E - (ws[dX_ + l] + revival) * E_exhausted
            ws[DY + o + 5 * W + l] = ws[kL_ + l] * (ws[L0_ + l] + (1.0 - ws[L0_ + l]) * E / (E + ws[KL_ + l]) - L)
            ws[DY + o + 6 * W + l] = ws[kG_ + l] * (
                ws[G0_ + l] * (1.0 + ws[gV_ + l] * V / (V + ws[VG_ + l])) * (1.0 - ws[del4_ + l] * ws[ro4_ + l]) - G
            )
            ws[DY + o + 7 * W + l] = -ws[kF_ + l] * ws[S + o + 7 * W + l]


@njit(**OPTIONS)
def force(ws: NDArray[Any], lesions: int, tau: float) -> None:
    """Drug concentrations, occupancies and CAR-T level ``tau`` days after the last stop, exactly."""
    if ws[drug_on_] > 0.0:
        for l in range(W):
            c1 = ws[pd1a_ + l] * exp_decay(-ws[pd1_alpha_ + l] * tau) + ws[pd1b_ + l] * exp_decay(
                -ws[pd1_beta_ + l] * tau
            )
            c4 = ws[ctla4a_ + l] * exp_decay(-ws[ctla4_alpha_ + l] * tau) + ws[ctla4b_ + l] * exp_decay(
                -ws[ctla4_beta_ + l] * tau
            )
            ws[c1_ + l] = c1
            ws[c4_ + l] = c4
            ws[ro1_ + l] = c1 / (c1 + ws[KD1_ + l])
            ws[ro4_ + l] = c4 / (c4 + ws[KD4_ + l])
    if ws[car_on_] > 0.0:
        for l in range(W):
            t = ws[car_time_ + l] + tau
            rising = max(ws[car_tmax_ + l] - t, 0.0)
            falling = max(t - ws[car_tmax_ + l], 0.0)
            ws[car_ + l] = (
                ws[car_scale_ + l]
                * ws[car_peak_ + l]
                * exp_decay(-ws[car_rise_ + l] * rising)
                * (
                    (1.0 - ws[car_fb_ + l]) * exp_decay(-ws[car_alpha_ + l] * falling)
                    + ws[car_fb_ + l] * exp_decay(-ws[car_beta_ + l] * falling)
                )
            )
        for i in range(lesions):
            for l in range(W):
                ws[persist_ + i * W + l] = 1.0 - ws[lost_ + i * W + l] * exp_decay(-ws[car_return_ + l] * tau)


@njit(**OPTIONS)
def event(ws: NDArray[Any], lesions: int, elapsed: float, row: NDArray[Any]) -> None:
    """Bring the closed forms forward, then give doses, cells, vaccine and fractions.

    Parameters
    ----------
    ws : ndarray, shape (WORKSPACE,)
    lesions : int
        Number of lesions.
    elapsed : float
        Days since the last stop.
    row : ndarray, shape (EVENT_COLUMNS,)
    """
    for l in range(W):
        ws[pd1a_ + l] = ws[pd1a_ + l] * exp_decay(-ws[pd1_alpha_ + l] * elapsed) + row[DOSE_PD1_MG] * ws[pd1_a_ + l]
        ws[pd1b_ + l] = ws[pd1b_ + l] * exp_decay(-ws[pd1_beta_ + l] * elapsed) + row[DOSE_PD1_MG] * ws[pd1_b_ + l]
        ws[ctla4a_ + l] = (
            ws[ctla4a_ + l] * exp_decay(-ws[ctla4_alpha_ + l] * elapsed) + row[DOSE_CTLA4_MG] * ws[ctla4_a_ + l]
        )
        ws[ctla4b_ + l] = (
            ws[ctla4b_ + l] * exp_decay(-ws[ctla4_beta_ + l] * elapsed) + row[DOSE_CTLA4_MG] * ws[ctla4_b_ + l]
        )
        ws[car_time_ + l] += elapsed
        if row[CAR_DOSE] > 0.0 and ws[car_on_ + l] == 0.0:
            ws[car_time_ + l] = 0.0
            ws[car_scale_ + l] = row[CAR_DOSE]
            ws[car_on_ + l] = 1.0
        if row[DOSE_PD1_MG] > 0.0 or row[DOSE_CTLA4_MG] > 0.0:
            ws[drug_on_ + l] = 1.0
        ws[Y + l] += row[VACCINE_DOSE] * ws[h_v_ + l]
        ws[Y + 3 * W + l] *= 1.0 - ws[lamA_ + l] * row[FIELD_EXPOSURE]
        if row[NODE_GY] > 0.0:
            ws[Y + 4 * W + l] *= max(
                survival(row[NODE_GY], ws[aL_ + l], 0.0) * math.exp(-ws[bL_ + l] * row[NODE_GY] ** 2), 0.01
            )
    for i in range(lesions):
        o = Y + W * (N_SYSTEMIC + N_LESION * i)
        dose = row[i]
        for l in range(W):
            ws[lost_ + i * W + l] *= exp_decay(-ws[car_return_ + l] * elapsed)
            if dose > 0.0:
                surviving = survival(dose, ws[alpha_ + l], ws[beta_ + l])
                t_cells = max(math.exp(-ws[aL_ + l] * dose - ws[bL_ + l] * dose * dose), 0.01)
                d2 = dose * dose
                d8 = d2 * d2 * d2 * d2
                trex1 = ws[trex_ + l] * d8 / (ws[dT_ + l] ** 8 + d8)
                ws[o + 2 * W + l] += (1.0 - surviving) * (ws[o + l] + ws[o + W + l])
                ws[o + l] *= surviving
                ws[o + W + l] *= surviving
                ws[o + 3 * W + l] *= t_cells
                ws[o + 4 * W + l] *= t_cells
                ws[o + 7 * W + l] += d2 / (ws[d50_ + l] * ws[d50_ + l] + d2) * (1.0 - trex1)
                ws[lost_ + i * W + l] = 1.0 - (1.0 - ws[lost_ + i * W + l]) * math.exp(-ws[alphaT_ + l] * dose)


@njit(**OPTIONS)
def settle(ws: NDArray[Any], lesions: int) -> bool:
    """Extinction: fewer viable cells than ``V_ext`` are none."""
    changed = False
    for i in range(lesions):
        o = Y + W * (N_SYSTEMIC + N_LESION * i)
        for l in range(W):
            V = ws[o + l] + ws[o + W + l]
            if ws[V_ext_ + l] > V and V != 0.0:
                ws[o + l] = 0.0
                ws[o + W + l] = 0.0
                changed = True
    return changed


@njit(**OPTIONS)
def observe(ws: NDArray[Any], lesions: int) -> None:
    """Lymphocytes, concentrations, CAR-T, circulating effectors; per lesion imaging and viable volume."""
    for l in range(W):
        ws[OBS + l] = ws[S + 3 * W + l]
        ws[OBS + W + l] = ws[c1_ + l]
        ws[OBS + 2 * W + l] = ws[c4_ + l]
        ws[OBS + 3 * W + l] = ws[car_ + l]
        ws[OBS + 4 * W + l] = ws[S + W + l]
    for i in range(lesions):
        o = S + W * (N_SYSTEMIC + N_LESION * i)
        for l in range(W):
            viable = max(ws[o + l] + ws[o + W + l], 0.0)
            ws[OBS + W * (OBS_SYSTEMIC + 2 * i) + l] = viable + max(ws[o + 2 * W + l], 0.0)
            ws[OBS + W * (OBS_SYSTEMIC + 2 * i + 1) + l] = viable


integrate = integrator(rhs, force, event, settle, observe)


@njit(cache=True, **OPTIONS)
def solve(
    parameters: NDArray[Any], initial: NDArray[Any], lesions: int,
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
    lesions : int
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
        parameters, initial, lesions, stop_days, table, output_days, False, floors, rtol, full, out, final, status,
    )  # fmt: skip
