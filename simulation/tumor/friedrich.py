r"""Friedrich, Scholz and Durante 2022: an irradiated and a distant tumor in mice, explicit Euler with delays.

Follows the group's public application, which develops the model of the paper. Killing does not depend on tumor
size, so a tumor vanishes in finite time. Damage to the lymph nodes never recovers. The published
step of 0.1 d is not converged: the moribund mass of few large fractions is several-fold too large at that step.
Use :data:`CONVERGED_STEP_DAYS` to see by how much; the answers are then no longer the published ones.

The death-delay kernel is

.. math:: f(t) = (1-(k_1 t)^{k_3})(1-e^{-k_2 t}) / I, \quad 0 \le t < 1/k_1,

normalized with the exact lower incomplete gamma function. (The application subtracts an upper incomplete gamma of equal
size and repairs the result with a factor of 1.2536; that factor is not needed here.)

References
----------
Friedrich T, Scholz M, Durante M. Int J Radiat Oncol Biol Phys 2022;113:872-884. doi:10.1016/j.ijrobp.2022.03.030
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import gamma, gammainc

from simulation.engine.lanes import OPTIONS

Array = NDArray[np.float64]

PUBLISHED_STEP_DAYS = 0.1
CONVERGED_STEP_DAYS = 0.01
STATES = (
    "irradiated", "moribund", "distant", "signal", "lymphocytes", "moribund_lymphocytes", "distant_lymphocytes",
    "production", "growth_integral",
)  # fmt: skip
PRIMING = (0.5, 0.2, 20.0)
SLOWEST_LYSIS_DAYS = 7.0
LYSIS_K2, LYSIS_K3 = 0.2, 2.8
_SAME_TIME = 1e-9  # a time on the grid is on the grid in spite of rounding


def death_delay(k1: float, k2: float, k3: float, time_days: Array) -> tuple[Array, Array]:
    """Return the density of lysis and the fraction not yet lysed.

    Parameters
    ----------
    k1, k2, k3 : float
        Rates (1/d) and exponent of the kernel.
    time_days : ndarray
        Time since the fraction.

    Returns
    -------
    tuple of ndarray
        f (1/d) and F, of the shape of ``time_days``.
    """

    def integral(t: Array) -> Array:
        lower = gammainc(1 + k3, k2 * t) * gamma(1 + k3)
        tail = (k1 / k2) ** k3 * lower / k2
        return np.asarray(t - k1**k3 * t ** (1 + k3) / (1 + k3) - (1 - np.exp(-k2 * t)) / k2 + tail)

    inside = time_days < 1 / k1
    t = np.where(inside, time_days, 1 / k1)
    whole = integral(np.array(1 / k1))
    density = np.where(inside, (1 - (k1 * t) ** k3) * (1 - np.exp(-k2 * t)) / whole, 0.0)
    return np.asarray(density), np.asarray(np.where(inside, 1 - integral(t) / whole, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """Radiotherapy of one tumor and immunotherapy windows, in mouse days.

    Attributes
    ----------
    fraction_days, dose_gy : sequence of float
        One entry per fraction; a fraction acts in the step that contains its day.
    tumor_survival : float, optional
        Survival of one fraction; from the linear-quadratic parameters if not given.
    pd1_windows, ctla4_windows : sequence of (start, stop)
        Blockade holds for start < t <= stop.
    carbon : bool
        Carbon ions lyse fastest at every dose.
    """

    fraction_days: Sequence[float] = ()
    dose_gy: Sequence[float] = ()
    tumor_survival: float | None = None
    pd1_windows: Sequence[tuple[float, float]] = ()
    ctla4_windows: Sequence[tuple[float, float]] = ()
    carbon: bool = False


def simulate(
    p: Mapping[str, float], treatment: Treatment, end_day: float, step_days: float = PUBLISHED_STEP_DAYS
) -> tuple[Array, Array]:
    """Run the model.

    Parameters
    ----------
    p : mapping of parameter name to value
        As in ``data/friedrich.toml``.
    treatment : Treatment
    end_day : float
        The grid holds the steps before this day.
    step_days : float

    Returns
    -------
    time_days : ndarray, shape (n_steps,)
    states : ndarray, shape (n_steps, 9)
        Columns in the order of STATES; the row of a fraction's day is the state before the fraction.
    """
    steps = round(end_day / step_days)
    time = step_days * np.arange(steps, dtype=np.float64)
    dose = np.asarray(treatment.dose_gy, dtype=np.float64)
    index = np.floor(np.asarray(treatment.fraction_days, dtype=np.float64) / step_days + _SAME_TIME).astype(np.int64)
    if treatment.tumor_survival is None:
        survive_tumor = np.exp(-p["alpha_tumor"] * dose - p["beta_tumor"] * dose**2)
    else:
        survive_tumor = np.full(dose.size, treatment.tumor_survival)
    lymph = [
        np.maximum(np.exp(-p["alpha_lymphocyte"] * d - p["beta_lymphocyte"] * d**2), p["lymphocyte_survival_floor"])
        for d in (dose, p["node_dose_fraction"] * dose)
    ]
    priming, _ = death_delay(*PRIMING, time)
    different, kind = np.unique(dose, return_inverse=True)
    until_lysed = time[: math.ceil(SLOWEST_LYSIS_DAYS / step_days) + 1]
    lysis = np.zeros((different.size, until_lysed.size))
    waiting = np.zeros_like(lysis)
    for n, d in enumerate(different):
        k1 = 0.5 if treatment.carbon else min(max(0.04 * d, 1 / SLOWEST_LYSIS_DAYS), 0.5)
        lysis[n], waiting[n] = death_delay(k1, LYSIS_K2, LYSIS_K3, until_lysed)
    node_survival = np.ones(steps)
    for n in range(dose.size):
        node_survival[max(index[n], 0) :] *= lymph[1][n]
    c1 = np.where(_mask(time, treatment.pd1_windows), p["c1_high"], p["c1_base"])
    c4 = np.where(_mask(time, treatment.ctla4_windows), p["c4_high"], p["c4_base"])
    states = np.zeros((steps, len(STATES)))
    start = p["tumor_start"]
    m1, m2 = (p[f"a{i}"] / (start / 1e6) ** p[f"b{i}"] for i in (1, 2))
    states[0, [0, 2]] = start
    states[0, 3] = p["rho"] * (2 * start) ** 2 / ((p["lam"] + m1) * start + (p["lam"] + m2) * start)
    states[0, [4, 6]] = p["lymphocytes_start"]
    numbers = np.array([p[name] for name in _NUMBERS])
    _euler(
        states, step_days, numbers, index, kind, survive_tumor, lymph[0], priming, lysis, waiting, node_survival, c1, c4
    )
    return time, states


_NUMBERS = ("a1", "b1", "a2", "b2", "q", "c1_base", "rho", "lam", "psi", "mu_l", "g", "k_rad_l")


def _mask(time: Array, windows: Sequence[tuple[float, float]]) -> NDArray[np.bool_]:
    on = np.zeros(time.size, dtype=np.bool_)
    for start, stop in windows:
        on |= (time > start + _SAME_TIME) & (time <= stop + _SAME_TIME)
    return on


@njit(cache=True, **OPTIONS)
def _growth_rate(a: float, b: float, cells: float) -> float:
    return a / (cells / 1e6) ** b if cells > 0 else 1e-12


@njit(cache=True, **OPTIONS)
def _euler(
    states: NDArray[Any], h: float, numbers: NDArray[Any], index: NDArray[Any], kind: NDArray[Any],
    survive_tumor: NDArray[Any],
    survive_lymphocytes: NDArray[Any], priming: NDArray[Any], lysis: NDArray[Any], waiting: NDArray[Any],
    node_survival: NDArray[Any], c1: NDArray[Any], c4: NDArray[Any],
) -> None:  # fmt: skip
    a1, b1, a2, b2, q, c1_base, rho, lam, psi, mu_l, g, k_rad_l = numbers
    support = 0
    while support < priming.size and (support == 0 or priming[support] > 0.0):
        support += 1
    for i in range(1, states.shape[0]):
        b = i - 1
        e = i - 2
        T, M, T2, A, L, K, G, _, U = states[b]
        kill = c1[e] if e >= 0 else c1_base
        production = 0.0
        for k in range(min(e + 1, support)):
            production += h * priming[k] * c4[e - k] * node_survival[e - k] * states[e - k, 3]
        m1 = _growth_rate(a1, b1, T + M)
        m2 = _growth_rate(a2, b2, T2)
        doomed = 0.0
        lost_lymphocytes = 0.0
        hits = 0
        moribund = 0.0
        released = 0.0
        dying_lymphocytes = 0.0
        for n in range(index.size):
            j = index[n]
            if j == b:
                doomed += (1.0 - survive_tumor[n]) * T
                lost_lymphocytes += (1.0 - survive_lymphocytes[n]) * L
                hits += 1
            if 0 <= j <= e and lysis.shape[1] > e - j:
                f = lysis[kind[n], e - j]
                F = waiting[kind[n], e - j]
                if f == 0.0 and F == 0.0:  # all lysed
                    continue
                cohort = (1.0 - survive_tumor[n]) * states[j, 0] * math.exp(U - states[j, 8])
                moribund += cohort * (m1 * F - f)
                released += cohort * f
                dying_lymphocytes += (
                    (1.0 - survive_lymphocytes[n]) * states[j, 4] * math.exp(mu_l * h * (e - j)) * (mu_l * F - f)
                )
        states[i, 0] = max(T + h * (m1 * T - kill * (L + K)) - doomed, 0.0)
        states[i, 1] = max(M + doomed + h * moribund, 0.0)
        states[i, 2] = max(T2 + h * (m2 * T2 - kill * q * G), 0.0)
        states[i, 3] = max(A + h * (-lam * A + rho * (T + T2) + psi * released), 0.0)
        states[i, 4] = max(L + h * (mu_l * L + g * production - kill * L) - lost_lymphocytes, 0.0)
        states[i, 5] = max(K + lost_lymphocytes + h * dying_lymphocytes - h * kill * K, 0.0)
        states[i, 6] = max(G + h * (mu_l * G + (1.0 - g) * production) - hits * k_rad_l * G, 0.0)
        states[i, 7] = production
        states[i, 8] = U + h * m1
