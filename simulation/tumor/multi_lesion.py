"""The multi-lesion model: every lesion of one patient, irradiated or not, and the immunity they share.

Per lesion: sensitive and resistant viable volume, dying volume (which is imaged and releases antigen),
effector and exhausted T-cell density, PD-L1 level, suppression and, after irradiation, adjuvanticity.
Shared: mature dendritic cells, circulating effectors, memory, the relative lymphocyte count and the priming
capacity of the draining nodes. Time in days, volume in cm3, dose in Gy, concentration in mg/L; densities
are relative. The dying volume and the antigen-releasing mass follow one equation and are one state.

This file is the readable reference; :mod:`simulation.tumor.multi_lesion_kernel` holds the same equations
in the form the engine compiles, and a test compares the two.

References
----------
The synthesis and its algebra are this project's. It borrows dying-cell release and lymphocyte dose (Friedrich 2022,
doi:10.1016/j.ijrobp.2022.03.030), adaptive PD-L1 and antigen gating (Kosinsky 2018, doi:10.1186/s40425-018-0327-9),
competition of lesions for T cells (Poleszczuk 2016, doi:10.1158/0008-5472.CAN-15-1423) and the fall of
immunogenicity at large single doses (Vanpouille-Box 2017, doi:10.1038/ncomms15618).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SYSTEMIC = ("dendritic", "effectors", "memory", "lymphocytes", "priming")
LESION = ("sensitive", "resistant", "dying", "effector", "exhausted", "pd_l1", "suppression", "adjuvanticity")
HILL_EXPONENT = 4
T_CELL_SURVIVAL_FLOOR = 0.01


@dataclass(frozen=True, slots=True)
class Drivers:
    """What acts on the patient at one instant.

    Attributes
    ----------
    pd1_occupancy, ctla4_occupancy : float
        Blocked fraction, 0 to 1.
    car : float
        CAR-T level relative to the typical peak.
    car_persistence : ndarray, shape (n_lesions,)
        Fraction of CAR-T cells that radiation has left in each lesion.
    """

    pd1_occupancy: float
    ctla4_occupancy: float
    car: float
    car_persistence: Array


def derivatives(y: Array, drivers: Drivers, p: Mapping[str, float], chi: Array) -> Array:
    """Return the time derivative of the state of one patient.

    Parameters
    ----------
    y : ndarray, shape (5 + 8 n_lesions,)
        The systemic states, then the states of lesion after lesion, in the order of SYSTEMIC and LESION.
    drivers : Drivers
    p : mapping of parameter name to value
    chi : ndarray, shape (n_lesions,)
        Trafficking weight of each lesion.

    Returns
    -------
    ndarray, shape (5 + 8 n_lesions,), per day
    """
    H, C, M, A, N = y[:5]
    S, R, D, E, X, L, G, F = y[5:].reshape(-1, len(LESION)).T
    V = S + R
    ro1, ro4 = drivers.pd1_occupancy, drivers.ctla4_occupancy

    hill = F**HILL_EXPONENT / (p["KF"] ** HILL_EXPONENT + F**HILL_EXPONENT)
    release = p["aRT"] * p["kc"] * hill * D / (1 + D / p["VRT"])
    presentation = H / (p["Hh"] + H)
    priming = p["p"] * N * (1 + p["sig4"] * ro4) + p["pM"] * M
    infiltration = p["kin"] * chi * C / (1 + np.sum(chi * V) / p["Vsink"])

    growth = p["r"] * (1 - V / p["Kmax"])
    functional = E / (1 + p["rhoPD"] * L * (1 - ro1)) / (1 + G)
    immune_kill = p["kappa"] * functional
    car_kill = p["kappa_car"] * drivers.car * chi * drivers.car_persistence
    exhaustion = p["kex"] * V / (V + p["half_ex"]) * (1 - p["ex_relief"] * ro1)
    revival = p["krev"] * ro1

    systemic = (
        np.sum(p["a0"] * V / (V + p["VA"]) + release) - p["kH"] * H,
        A * presentation * priming - p["kC"] * C,
        p["eps"] * C - p["kM"] * M,
        p["kA"] * (1 - A),
        p["kN"] * (1 - N),
    )
    lesions = (
        (growth - p["mu"] - immune_kill - car_kill) * S,
        growth * R + p["mu"] * S - (1 - p["rR"]) * immune_kill * R,
        -p["kc"] * D,
        infiltration - (p["dE"] + exhaustion) * E + revival * X,
        exhaustion * E - (p["dX"] + revival) * X,
        p["kL"] * (p["L0"] + (1 - p["L0"]) * E / (E + p["KL"]) - L),
        p["kG"] * (p["G0"] * (1 + p["gV"] * V / (V + p["VG"])) * (1 - p["del4"] * ro4) - G),
        -p["kF"] * F,
    )
    return np.concatenate([np.array(systemic), np.array(lesions).T.ravel()])


def tumor_cell_survival(dose_gy: float, alpha: float, beta: float) -> float:
    """Return the surviving fraction: linear-quadratic, linear above ``2 alpha/beta`` with the slope there."""
    bend = 2 * alpha / beta
    within = min(dose_gy, bend)
    return float(np.exp(-alpha * within - beta * within**2 - (alpha + 2 * beta * bend) * (dose_gy - within)))


def adjuvanticity(dose_gy: float, p: Mapping[str, float]) -> float:
    """Return what one fraction adds: a rise with dose, then the fall by TREX1."""
    trex1 = p["trex"] * dose_gy**8 / (p["dT"] ** 8 + dose_gy**8)
    return dose_gy**2 / (p["d50"] ** 2 + dose_gy**2) * (1 - trex1)


def irradiate(y: Array, dose_gy: Array, field_exposure: float, node_dose_gy: float, p: Mapping[str, float]) -> Array:
    """Return the state just after one fraction.

    Parameters
    ----------
    y : ndarray, shape (5 + 8 n_lesions,)
    dose_gy : ndarray, shape (n_lesions,), Gy
    field_exposure : float
        Exposure of the blood relative to a conventional thoracic field.
    node_dose_gy : float, Gy
        Dose to the draining lymph nodes.
    p : mapping of parameter name to value

    Returns
    -------
    ndarray, shape (5 + 8 n_lesions,)
    """
    y = y.copy()
    y[3] *= 1 - p["lamA"] * field_exposure
    y[4] *= _t_cell_survival(node_dose_gy, p)
    lesions = y[5:].reshape(-1, len(LESION))
    for lesion, dose in zip(lesions, dose_gy, strict=True):
        if dose > 0:
            surviving = tumor_cell_survival(dose, p["alpha"], p["beta"])
            lesion[2] += (1 - surviving) * (lesion[0] + lesion[1])
            lesion[:2] *= surviving
            lesion[3:5] *= _t_cell_survival(dose, p)
            lesion[7] += adjuvanticity(dose, p)
    return y


def _t_cell_survival(dose_gy: float, p: Mapping[str, float]) -> float:
    return max(float(np.exp(-p["aL"] * dose_gy - p["bL"] * dose_gy**2)), T_CELL_SURVIVAL_FLOOR)


def extinguish(y: Array, p: Mapping[str, float]) -> Array:
    """Return the state with every lesion of fewer viable cells than ``V_ext`` emptied of them."""
    y = y.copy()
    lesions = y[5:].reshape(-1, len(LESION))
    lesions[lesions[:, 0] + lesions[:, 1] < p["V_ext"], :2] = 0.0
    return y


def car_level(days_since_infusion: float, p: Mapping[str, float]) -> float:
    """Return the CAR-T level: exponential rise to the peak, then two-phase fall (Stein 2019)."""
    if days_since_infusion < 0:
        return 0.0
    before = max(p["car_tmax"] - days_since_infusion, 0.0)
    after = max(days_since_infusion - p["car_tmax"], 0.0)
    fall = (1 - p["car_fb"]) * np.exp(-p["car_alpha"] * after) + p["car_fb"] * np.exp(-p["car_beta"] * after)
    return float(p["car_peak"] * np.exp(-p["car_rise"] * before) * fall)
