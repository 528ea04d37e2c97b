r"""Exact propagation of the two-compartment model between events.

Amounts :math:`a_1, a_2` (mg) with infusion rate :math:`R` (mg/d) obey

.. math:: a_1' = R - (k_{10} + k_{12}) a_1 + k_{21} a_2, \quad a_2' = k_{12} a_1 - k_{21} a_2,

with :math:`k_{10} = CL/V_c`, :math:`k_{12} = Q/V_c`, :math:`k_{21} = Q/V_p`. For constant clearance the
step is exact at any length. When clearance drifts, each step uses the fourth-order Magnus expansion
with two Gauss points, which stays of the same two-exponential form; the area under the concentration
curve comes out of the same step by mass balance.

Not to be confused with a step that freezes clearance at its start or middle (first and second order).
"""

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

LANES: Final = 8
CONSTANT: Final = 0
EXPONENTIAL: Final = 1
LINEAR: Final = 2

# what an operation of the event stream does; see simulation.immunotherapy.timeline
STEP: Final = 0
INFUSION_ON: Final = 1
INFUSION_OFF: Final = 2
INFUSIONS_OVER: Final = 3
BOLUS: Final = 4
OUTPUT: Final = 5
RESET: Final = 6
STEADY_STATE: Final = 7

# rows of the workspace of one block of lanes, as offsets into a flat array: constant offsets let LLVM vectorize
_A1, _A2, _AUC, _RATE, _CL, _K, _K12, _K21, _EMAX, _T50H = range(0, 10 * LANES, LANES)
_WORKSPACE: Final = 10 * LANES
_GAUSS: Final = math.sqrt(3.0) / 12.0
_LARGEST_EXPONENT: Final = 45.0


@njit(cache=True, error_model="numpy")
def advance(
    a1: float, a2: float, dt: float, rate_in: float, cl: float, vc: float, q: float, vp: float
) -> tuple[float, float]:
    """Advance the amounts by ``dt`` days at constant clearance and infusion rate; exact.

    Parameters
    ----------
    a1, a2 : float, mg
        Amounts in the central and the peripheral compartment.
    dt : float, d
        Length of the step, >= 0.
    rate_in : float, mg/d
        Infusion rate into the central compartment.
    cl, q : float, L/d
        Elimination clearance (> 0) and intercompartmental clearance (> 0).
    vc, vp : float, L
        Central and peripheral volume (> 0).

    Returns
    -------
    tuple of float, mg
        Amounts after the step.
    """
    k10 = cl / vc
    k12 = q / vc
    k21 = q / vp
    total = k10 + k12 + k21
    fast = 0.5 * (total + math.sqrt(total * total - 4.0 * k10 * k21))
    slow = k10 * k21 / fast
    decay_fast = math.exp(-fast * dt)
    decay_slow = math.exp(-slow * dt)
    width = fast - slow
    in_fast = rate_in * -math.expm1(-fast * dt) / fast
    in_slow = rate_in * -math.expm1(-slow * dt) / slow
    spread = (decay_slow - decay_fast) / width
    next1 = ((fast - k21) * (a1 * decay_fast + in_fast) + (k21 - slow) * (a1 * decay_slow + in_slow)) / width
    next1 += k21 * a2 * spread
    next2 = k12 * (a1 * spread + (in_slow - in_fast) / width)
    next2 += a2 * ((fast - k10 - k12) * decay_fast + (k10 + k12 - slow) * decay_slow) / width
    return next1, next2


@njit(cache=True, error_model="numpy")
def steady_state(
    amount: float, infusion: float, interval: float, cl: float, vc: float, q: float, vp: float
) -> tuple[float, float]:
    """Return the amounts (mg) just before a dose after infinitely many equal ones.

    Parameters
    ----------
    amount : float, mg
    infusion, interval : float, d
        Duration of one infusion (0 is a bolus) and time between doses; infusion <= interval.
    cl, vc, q, vp : float
        As in :func:`advance`; clearance must be constant.
    """
    if infusion > 0.0:
        b1, b2 = advance(0.0, 0.0, infusion, amount / infusion, cl, vc, q, vp)
    else:
        b1, b2 = amount, 0.0
    b1, b2 = advance(b1, b2, interval - infusion, 0.0, cl, vc, q, vp)
    m11, m21 = advance(1.0, 0.0, interval, 0.0, cl, vc, q, vp)
    m12, m22 = advance(0.0, 1.0, interval, 0.0, cl, vc, q, vp)
    determinant = (1.0 - m11) * (1.0 - m22) - m12 * m21
    return ((1.0 - m22) * b1 + m12 * b2) / determinant, (m21 * b1 + (1.0 - m11) * b2) / determinant


@njit(inline="always", error_model="numpy")
def _taylor(y: float) -> float:
    """Exponential of a number between -0.75 and 0.75."""
    series = 1.0 / 6227020800.0
    series = series * y + 1.0 / 479001600.0
    series = series * y + 1.0 / 39916800.0
    series = series * y + 1.0 / 3628800.0
    series = series * y + 1.0 / 362880.0
    series = series * y + 1.0 / 40320.0
    series = series * y + 1.0 / 5040.0
    series = series * y + 1.0 / 720.0
    series = series * y + 1.0 / 120.0
    series = series * y + 1.0 / 24.0
    series = series * y + 1.0 / 6.0
    series = series * y + 0.5
    series = series * y + 1.0
    return series * y + 1.0


@njit(inline="always", error_model="numpy")
def _decay(x: float) -> float:
    """exp(-x) for x >= 0 in plain arithmetic, so that the loop over lanes vectorizes."""
    y = _taylor(-min(x, _LARGEST_EXPONENT) * 0.015625)
    y *= y
    y *= y
    y *= y
    y *= y
    y *= y
    return y * y


@njit(inline="always", error_model="numpy")
def _growth(x: float) -> float:
    """exp(x) for moderate x of either sign, as :func:`_decay`."""
    y = _taylor(max(min(x, 11.0), -11.0) * 0.0625)
    y *= y
    y *= y
    y *= y
    return y * y


@njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")
def _step(ws: NDArray[np.float64], form: int, h: float, x1: float, x2: float) -> None:
    """Advance all lanes by h days; x1 and x2 are the clearance ages at the Gauss points to the Hill power."""
    for lane in range(LANES):
        first = ws[_CL + lane]
        last = first
        if form == EXPONENTIAL:
            first = ws[_CL + lane] * _growth(ws[_EMAX + lane] * (x1 / (ws[_T50H + lane] + x1)))
            last = ws[_CL + lane] * _growth(ws[_EMAX + lane] * (x2 / (ws[_T50H + lane] + x2)))
        elif form == LINEAR:
            first = ws[_CL + lane] * (1.0 + ws[_EMAX + lane] * (x1 / (ws[_T50H + lane] + x1)))
            last = ws[_CL + lane] * (1.0 + ws[_EMAX + lane] * (x2 / (ws[_T50H + lane] + x2)))
        k = ws[_K + lane]
        k12 = ws[_K12 + lane]
        k21 = ws[_K21 + lane]
        twist = _GAUSS * h * (last - first) * k
        k10 = 0.5 * (first + last) * k
        into = ws[_RATE + lane] * (1.0 - twist)
        m12 = k21 * (1.0 - twist)
        m21 = k12 * (1.0 + twist)
        determinant = k10 * k21 + k12 * k21 * twist * twist
        total = k10 + k12 + k21
        fast = 0.5 * (total + math.sqrt(total * total - 4.0 * determinant))
        slow = determinant / fast
        decay_fast = _decay(fast * h)
        decay_slow = _decay(slow * h)
        width = 1.0 / (fast - slow)
        spread = (decay_slow - decay_fast) * width
        over = 1.0 / determinant
        rest1 = into * k21 * over
        rest2 = into * m21 * over
        d1 = ws[_A1 + lane] - rest1
        d2 = ws[_A2 + lane] - rest2
        next1 = rest1 + ((fast - k21) * decay_fast + (k21 - slow) * decay_slow) * width * d1 + m12 * spread * d2
        next2 = rest2 + m21 * spread * d1
        next2 += ((fast - k10 - k12) * decay_fast + (k10 + k12 - slow) * decay_slow) * width * d2
        lost = into * h - (next1 - ws[_A1 + lane]) - (1.0 - twist) * (next2 - ws[_A2 + lane])
        ws[_AUC + lane] += k * (1.0 + twist) * k21 * over * lost
        ws[_A1 + lane] = next1
        ws[_A2 + lane] = next2


@njit(cache=True, nogil=True, error_model="numpy")
def _load(ws: NDArray[np.float64], disposition: NDArray[np.float64], start: int, hill: float) -> None:
    """Fill the workspace with the patients from ``start``; spare lanes repeat the last patient."""
    for lane in range(LANES):
        p = min(start + lane, disposition.shape[1] - 1)
        for row in (_A1, _A2, _AUC, _RATE):
            ws[row + lane] = 0.0
        ws[_CL + lane] = disposition[0, p]
        ws[_K + lane] = 1.0 / disposition[1, p]
        ws[_K12 + lane] = disposition[2, p] / disposition[1, p]
        ws[_K21 + lane] = disposition[2, p] / disposition[3, p]
        ws[_EMAX + lane] = disposition[4, p]
        ws[_T50H + lane] = disposition[5, p] ** hill


@njit(cache=True, nogil=True, error_model="numpy")
def _happen(ws: NDArray[np.float64], lane: int, code: int, amount: float, infusion: float, interval: float) -> None:
    """Apply an operation that takes no time to one lane."""
    if code == INFUSION_ON:
        ws[_RATE + lane] += amount / infusion
    elif code == INFUSION_OFF:
        ws[_RATE + lane] -= amount / infusion
    elif code == INFUSIONS_OVER:
        ws[_RATE + lane] = 0.0
    elif code == BOLUS:
        ws[_A1 + lane] += amount
    elif code == RESET:
        ws[_A1 + lane] = 0.0
        ws[_A2 + lane] = 0.0
    elif code == STEADY_STATE:
        vc = 1.0 / ws[_K + lane]
        q = ws[_K12 + lane] * vc
        b1, b2 = steady_state(amount, infusion, interval, ws[_CL + lane], vc, q, q / ws[_K21 + lane])
        ws[_A1 + lane] = b1
        ws[_A2 + lane] = b2


@njit(cache=True, nogil=True, error_model="numpy")
def run_linear(
    codes: NDArray[np.int64],
    indices: NDArray[np.int64],
    lengths: NDArray[np.float64],
    ages: NDArray[np.float64],
    form: int,
    hill: float,
    disposition: NDArray[np.float64],
    amounts: NDArray[np.float64],
    infusions: NDArray[np.float64],
    intervals: NDArray[np.float64],
    concentration: NDArray[np.float64],
    area: NDArray[np.float64],
) -> None:
    """Run an event stream for many patients and fill ``concentration`` and ``area``.

    Parameters
    ----------
    codes, indices : ndarray of int64, shape (n_operations,)
        Operation and the dose or output that it concerns.
    lengths : ndarray, shape (n_operations,), d
        Length of a step.
    ages : ndarray, shape (n_operations, 2), d
        Days since the first dose at the two Gauss points of a step.
    form : int
        ``CONSTANT``, ``EXPONENTIAL`` or ``LINEAR`` clearance.
    hill : float
    disposition : ndarray, shape (6, n_patients)
        Rows CL (L/d), Vc (L), Q (L/d), Vp (L), Emax (1), T50 (d).
    amounts : ndarray, shape (n_doses, n_patients) or (n_doses, 1), mg
    infusions, intervals : ndarray, shape (n_doses,), d
    concentration : ndarray, shape (n_outputs, n_patients), mg/L
        Filled here.
    area : ndarray, shape (n_outputs, n_patients), mg*d/L
        Area under the concentration curve since the start; filled here.
    """
    patients = disposition.shape[1]
    powers = np.where(ages > 0.0, ages, 0.0) ** hill
    ws = np.empty(_WORKSPACE)
    column = np.zeros(LANES, np.int64)
    for start in range(0, patients, LANES):
        _load(ws, disposition, start, hill)
        if amounts.shape[1] > 1:
            for lane in range(LANES):
                column[lane] = min(start + lane, patients - 1)
        for j in range(codes.shape[0]):
            if codes[j] == STEP:
                _step(ws, form, lengths[j], powers[j, 0], powers[j, 1])
            elif codes[j] == OUTPUT:
                for lane in range(min(LANES, patients - start)):
                    concentration[indices[j], start + lane] = ws[_A1 + lane] * ws[_K + lane]
                    area[indices[j], start + lane] = ws[_AUC + lane]
            else:
                at = indices[j]
                for lane in range(LANES):
                    _happen(ws, lane, codes[j], amounts[at, column[lane]], infusions[at], intervals[at])
