"""One patient of the multi-lesion model through the readable driver, from the same arrays the kernel takes."""

import numpy as np
from numpy.typing import NDArray

from simulation.engine import reference
from simulation.engine.stops import Stops
from simulation.tumor import multi_lesion as model
from simulation.tumor.multi_lesion_kernel import (
    CAR_DOSE,
    CHI,
    DOSE_CTLA4_MG,
    DOSE_PD1_MG,
    FIELD_EXPOSURE,
    NODE_GY,
    PARAMETERS,
    VACCINE_DOSE,
)

Array = NDArray[np.float64]


def solve(parameters: Array, initial: Array, stops: Stops, output_days: Array) -> Array:
    """Integrate one patient with DOP853.

    Parameters
    ----------
    parameters : ndarray, shape (n_rows,)
        One column of the kernel's parameters.
    initial : ndarray, shape (5 + 8 n_lesions,)
    stops : Stops
    output_days : ndarray, shape (n_times,)

    Returns
    -------
    ndarray, shape (n_times, 5 + 8 n_lesions)
    """
    p = dict(zip(PARAMETERS, parameters, strict=False))
    lesions = (initial.size - len(model.SYSTEMIC)) // len(model.LESION)
    chi = parameters[CHI : CHI + lesions]

    def concentration(axis: str, column: int, time: float) -> float:
        since = time - stops.day
        given = stops.table[:, column] * (since >= 0)
        unit = p[f"{axis}_a"] * np.exp(-p[f"{axis}_alpha"] * np.maximum(since, 0.0)) + p[f"{axis}_b"] * np.exp(
            -p[f"{axis}_beta"] * np.maximum(since, 0.0)
        )
        return float(np.sum(given * unit))

    infusions = stops.day[stops.table[:, CAR_DOSE] > 0]

    def drivers(time: float) -> model.Drivers:
        c1, c4 = concentration("pd1", DOSE_PD1_MG, time), concentration("ctla4", DOSE_CTLA4_MG, time)
        lost = np.zeros(lesions)
        elapsed = 0.0
        for day, row in zip(stops.day, stops.table, strict=True):
            if day > time:
                break
            lost = lost * np.exp(-p["car_return"] * (day - elapsed))
            lost = 1 - (1 - lost) * np.exp(-p["alphaT"] * row[:lesions])
            elapsed = day
        return model.Drivers(
            pd1_occupancy=c1 / (c1 + p["KD1"]),
            ctla4_occupancy=c4 / (c4 + p["KD4"]),
            car=model.car_level(time - infusions[0], p) if infusions.size else 0.0,
            car_persistence=1 - lost * np.exp(-p["car_return"] * (time - elapsed)),
        )

    def apply_event(time: float, y: Array, row: Array) -> Array:
        y = model.irradiate(y, row[:lesions], row[FIELD_EXPOSURE], row[NODE_GY], p)
        y[0] += row[VACCINE_DOSE] * p["h_v"]
        return y

    def viable_above_extinction(y: Array) -> Array:
        lesion = y[len(model.SYSTEMIC) :].reshape(lesions, -1)
        viable = lesion[:, 0] + lesion[:, 1]
        return np.asarray(np.where(viable > 0, viable - p["V_ext"], 0.0))

    def empty(y: Array, index: int) -> Array:
        y = y.copy()
        y[len(model.SYSTEMIC) :].reshape(lesions, -1)[index, :2] = 0.0
        return y

    return reference.solve(
        lambda t, y: model.derivatives(y, drivers(t), p, chi),
        apply_event, empty, viable_above_extinction, initial, stops, output_days,
    )  # fmt: skip
