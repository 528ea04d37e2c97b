r"""Two compartments with a saturable elimination beside the linear one, integrated adaptively.

.. math:: a_1' = R - CL\,c - \frac{V_{max}\,c}{K_m + c} - Q c + \tfrac{Q}{V_p} a_2, \quad c = a_1 / V_c

Dormand-Prince pairs of order 5(4); the area under the curve is a third state. The problem is not stiff:
the fastest rate is of the order of :math:`V_{max} / (K_m V_c)`, below 1/d for the published models.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulation.immunotherapy import propagator

_RELATIVE = 1e-9
_ABSOLUTE = 1e-9
_SAFETY = 0.9
_SMALLEST, _LARGEST = 0.2, 5.0


@njit(cache=True, nogil=True)
def _slope(
    y: NDArray[np.float64], rate: float, p: NDArray[np.float64], vmax: float, km: float, out: NDArray[np.float64]
) -> None:
    c = y[0] / p[1]
    exchange = p[2] * (c - y[1] / p[3])
    out[0] = rate - p[0] * c - vmax * c / (km + c) - exchange
    out[1] = exchange
    out[2] = c


@njit(cache=True, nogil=True)
def _integrate(
    y: NDArray[np.float64], span: float, rate: float, p: NDArray[np.float64], vmax: float, km: float
) -> None:
    k1, k2, k3, k4, k5, k6, k7 = (
        np.empty(3), np.empty(3), np.empty(3), np.empty(3), np.empty(3), np.empty(3), np.empty(3),
    )  # fmt: skip
    now = 0.0
    h = min(span, 0.05)
    _slope(y, rate, p, vmax, km, k1)
    while now < span:
        h = min(h, span - now)
        _slope(y + h * (0.2 * k1), rate, p, vmax, km, k2)
        _slope(y + h * (3.0 / 40.0 * k1 + 9.0 / 40.0 * k2), rate, p, vmax, km, k3)
        _slope(y + h * (44.0 / 45.0 * k1 - 56.0 / 15.0 * k2 + 32.0 / 9.0 * k3), rate, p, vmax, km, k4)
        stage = 19372.0 / 6561.0 * k1 - 25360.0 / 2187.0 * k2 + 64448.0 / 6561.0 * k3 - 212.0 / 729.0 * k4
        _slope(y + h * stage, rate, p, vmax, km, k5)
        stage = 9017.0 / 3168.0 * k1 - 355.0 / 33.0 * k2 + 46732.0 / 5247.0 * k3 + 49.0 / 176.0 * k4
        _slope(y + h * (stage - 5103.0 / 18656.0 * k5), rate, p, vmax, km, k6)
        rise = 35.0 / 384.0 * k1 + 500.0 / 1113.0 * k3 + 125.0 / 192.0 * k4 - 2187.0 / 6784.0 * k5 + 11.0 / 84.0 * k6
        after = y + h * rise
        _slope(after, rate, p, vmax, km, k7)
        gap = 71.0 / 57600.0 * k1 - 71.0 / 16695.0 * k3 + 71.0 / 1920.0 * k4 - 17253.0 / 339200.0 * k5
        gap += 22.0 / 525.0 * k6 - 1.0 / 40.0 * k7
        worst = 0.0
        for i in range(3):
            scale = _ABSOLUTE + _RELATIVE * max(abs(y[i]), abs(after[i]))
            worst = max(worst, abs(h * gap[i]) / scale)
        if worst <= 1.0:
            last = h >= span - now
            now = span if last else now + h
            y[:] = after
            k1[:] = k7
        factor = _LARGEST if worst == 0.0 else _SAFETY * worst**-0.2
        h *= min(_LARGEST, max(_SMALLEST, factor))


@njit(cache=True, nogil=True)
def run_saturable(
    codes: NDArray[np.int64],
    indices: NDArray[np.int64],
    lengths: NDArray[np.float64],
    disposition: NDArray[np.float64],
    saturable: NDArray[np.float64],
    amounts: NDArray[np.float64],
    infusions: NDArray[np.float64],
    concentration: NDArray[np.float64],
    area: NDArray[np.float64],
) -> None:
    """Run an event stream as :func:`simulation.immunotherapy.propagator.run_linear` does.

    Parameters
    ----------
    codes, indices, lengths, disposition, amounts, infusions, concentration, area
        As in the linear kernel; the last two are filled here.
    saturable : ndarray, shape (2, n_patients)
        Rows Vmax (mg/d) and Km (mg/L).
    """
    shared = amounts.shape[1] == 1
    for patient in range(disposition.shape[1]):
        p = disposition[:, patient].copy()
        vmax, km = saturable[0, patient], saturable[1, patient]
        column = 0 if shared else patient
        y = np.zeros(3)
        rate = 0.0
        for j in range(codes.shape[0]):
            code, at = codes[j], indices[j]
            if code == propagator.STEP:
                _integrate(y, lengths[j], rate, p, vmax, km)
            elif code == propagator.OUTPUT:
                concentration[at, patient] = y[0] / p[1]
                area[at, patient] = y[2]
            elif code == propagator.INFUSION_ON:
                rate += amounts[at, column] / infusions[at]
            elif code == propagator.INFUSION_OFF:
                rate -= amounts[at, column] / infusions[at]
            elif code == propagator.INFUSIONS_OVER:
                rate = 0.0
            elif code == propagator.BOLUS:
                y[0] += amounts[at, column]
            elif code == propagator.RESET:
                y[0] = 0.0
                y[1] = 0.0
