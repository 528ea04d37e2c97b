"""Mueller-Schoell 2021 for a patient's plan: CAR-T cells against the whole tumor burden."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simulation.engine.lanes import LANES
from simulation.engine.stops import Stops, merge
from simulation.engine.streams import CHUNK, stream
from simulation.tumor import cart_tumor_kernel as kernel
from simulation.tumor.scenario import Scenario, Trajectories, diameter_mm
from simulation.tumor.tables import values

Array = NDArray[np.float64]

MODEL_ID = "mueller-schoell-2021"
RELATIVE_TOLERANCE = 1e-5
SMALLEST_PEAK_CELLS_PER_UL = 1e-12


def integrate(
    parameters: Array, tumor_ml: Array, stops: Stops, output_days: Array, *, rtol: float = RELATIVE_TOLERANCE
) -> Array:
    """Run patients from day 0 on, without CAR-T cells until they are infused.

    Parameters
    ----------
    parameters : ndarray, shape (n_parameters, n)
        Rows in the order of ``kernel.PARAMETERS``; n must be a multiple of eight.
    tumor_ml : ndarray, shape (n,)
    stops : Stops
        Column: cells/uL of each phenotype.
    output_days : ndarray, shape (n_times,)
    rtol : float

    Returns
    -------
    ndarray, shape (n_times, 5, n)
    """
    n = tumor_ml.size
    initial = np.zeros((len(kernel.STATES), n))
    initial[4] = tumor_ml
    observed = np.empty((output_days.size, len(kernel.STATES), n))
    status = np.zeros((n // LANES, 2), dtype=np.int64)
    kernel.solve(
        parameters, initial, stops.day, stops.table, output_days, kernel.FLOORS, rtol, True,
        observed, np.empty_like(initial), status,
    )  # fmt: skip
    if status[:, 0].any():
        raise RuntimeError("the step size of the CAR-T model became too small; try a shorter horizon")
    return observed


def typical(n: int) -> Array:
    """Return the parameters of n typical patients of the reference class, shape (n_parameters, n)."""
    fixed = values("cart_tumor", "parameters")
    return np.repeat(np.array([[fixed[name]] for name in kernel.PARAMETERS]), n, axis=1)


def prepare(scenario: Scenario, seed: int) -> Callable[[int, int], Trajectories]:
    """Return the function that runs one chunk of patients."""
    spread = values("cart_tumor", "population")
    stops = merge(
        [(cell.day, np.array([spread["start_cells"]])) for cell in scenario.cells],
        scenario.horizon_days + 1.0,
        kernel.EVENT_COLUMNS,
    )
    ignored = [
        "number of infused cells: every infusion starts from 0.1 cells/uL of each phenotype",
        "differences between lesions: all follow the total volume",
        "prior transplant and CD4/CD8 ratio: taken as none and 1",
        "lymphocyte count, new lesions and survival",
    ]
    parts = (
        (scenario.fractions.day.size, "radiotherapy"),
        (len(scenario.drugs.events), "checkpoint antibodies"),
        (len(scenario.vaccine_days), "vaccine"),
    )
    ignored += [name for count, name in parts if count]
    notes = ("Derived in 19 patients with large B-cell lymphoma; solid tumors lie outside its population.",)
    share = scenario.volume_cm3
    whole_days = np.arange(np.ceil(scenario.horizon_days) + 1.0)
    course = integrate(typical(LANES), np.full(LANES, share.sum()), stops, whole_days)
    typical_peak = max(float(course[:, :4, 0].sum(axis=1).max()), SMALLEST_PEAK_CELLS_PER_UL)

    def run(chunk: int, size: int) -> Trajectories:
        padded = -(-size // LANES) * LANES
        generator = stream(seed, chunk, 0)
        normal = generator.standard_normal((2, CHUNK))[:, :padded]
        low = generator.random(CHUNK)[:padded] < spread["low_class"]
        parameters = typical(padded)
        expansion, kill = (kernel.PARAMETERS.index(name) for name in ("expansion", "kill_central"))
        individual = parameters[expansion] * np.exp(np.sqrt(np.log1p(spread["cv_expansion"] ** 2)) * normal[0])
        parameters[expansion] = np.where(low, spread["expansion_low"], individual)
        parameters[kill] *= np.exp(np.sqrt(np.log1p(spread["cv_kill_central"] ** 2)) * normal[1])
        states = integrate(parameters, np.full(padded, share.sum()), stops, scenario.output_days)
        volume = (states[:, 4] / share.sum()).T[:size, None, :] * share[None, :, None]
        cells = states[:, :4].sum(axis=1).T[:size]
        never = np.full(size, np.inf)
        return Trajectories(
            model_id=MODEL_ID,
            lesion_ids=scenario.lesion_ids,
            time_days=scenario.output_days,
            diameter_mm=diameter_mm(volume),
            viable_cm3=volume,
            lymphocyte_relative=np.full(cells.shape, np.nan),
            drug_mg_per_l={},
            car_relative=np.maximum(cells, 0.0) / typical_peak,
            new_lesion_day=never,
            dropout_day=never,
            death_day=never,
            parameters=parameters[[expansion, kill]].T[:size],
            parameter_names=("expansion", "kill_central"),
            ignored=tuple(ignored),
            notes=notes,
        )

    return run
