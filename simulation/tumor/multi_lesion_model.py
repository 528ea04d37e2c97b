"""Runs the multi-lesion model: plan to event table, settled start, kernel, new lesions and survival."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulation.engine.lanes import LANES
from simulation.engine.stops import Stops, merge
from simulation.outcome.thresholds import TOO_SMALL_MM
from simulation.tumor import multi_lesion_kernel as kernel
from simulation.tumor.multi_lesion_kernel import MAX_LESIONS, N_LESION, N_SYSTEMIC, PARAMETERS
from simulation.tumor.scenario import Scenario, Trajectories, diameter_mm
from simulation.tumor.survival_link import death_day_along
from simulation.tumor.tables import values
from simulation.tumor.virtual_patients import CTLA4_AGENTS, PD1_AGENTS, Posterior, VirtualPatients, draw

Array = NDArray[np.float64]

MODEL_ID = "multi-lesion"
RELATIVE_TOLERANCE = 1e-6
FLOORS_SYSTEMIC = (1e-2, 1e-3, 1e-2, 1e-3, 1e-3)
FLOORS_LESION = (2e-2, 2e-2, 2e-2, 1e-2, 1e-2, 1e-3, 1e-3, 1e-3)  # cm3 (a 3 mm lesion), then relative units
INTERNAL_STEP_DAYS = 7.0
REPORTED = ("posterior_set", "r", "phi", "L0", "chi_mean", "aRT", "pM", "sig4", "del4", "h0", "h1", "volume_cm3")
SMALLEST_EFFECTOR_DENSITY = 1e-9


class SolverFailure(RuntimeError):
    """The step size fell below its limit; try other covariates or a shorter horizon."""


@dataclass(frozen=True, slots=True)
class Run:
    """What the kernel gave for a group of patients; arrays end in the axis of patients.

    ``states`` is filled instead of the observed quantities when all states were asked for.
    """

    observed: Array
    final: Array
    steps: int


def floors(lesions: int) -> Array:
    """Return the scale below which the error of each state is absolute."""
    return np.array(FLOORS_SYSTEMIC + FLOORS_LESION * lesions)


def error_scale(states: Array) -> Array:
    """Return what an error of each state is measured against: the floor and the state itself.

    Exhausted cells are measured against all T cells of their lesion: in a lesion on the verge of extinction they hang
    on the instant at which the threshold is crossed.
    Sensitive tumor cells are measured against the whole viable lesion, of which a resistant clone may be nearly all.

    Parameters
    ----------
    states : ndarray, shape (n_times, 5 + 8 n_lesions, n)

    Returns
    -------
    ndarray, of the same shape
    """
    lesions = (states.shape[1] - N_SYSTEMIC) // N_LESION
    scale = floors(lesions)[None, :, None] + np.abs(states)
    for i in range(lesions):
        sensitive, resistant, effector, exhausted = (
            N_SYSTEMIC + N_LESION * i + kernel.LESION.index(name)
            for name in ("sensitive", "resistant", "effector", "exhausted")
        )
        scale[:, exhausted] += np.abs(states[:, effector])
        scale[:, sensitive] += np.abs(states[:, resistant])
    return np.asarray(scale)


def integrate(
    parameters: Array, initial: Array, stops: Stops, output_days: Array,
    *, rtol: float = RELATIVE_TOLERANCE, all_states: bool = False,
) -> Run:  # fmt: skip
    """Run the kernel.

    Parameters
    ----------
    parameters : ndarray, shape (n_rows, n)
        Rows of ``PATIENT_ROWS``; n must be a multiple of eight.
    initial : ndarray, shape (5 + 8 n_lesions, n)
    stops : Stops
    output_days : ndarray, shape (n_times,)
    rtol : float
    all_states : bool
        Return states rather than observed quantities.

    Returns
    -------
    Run

    Raises
    ------
    SolverFailure
        If a step size becomes too small.
    """
    states, n = initial.shape
    lesions = (states - N_SYSTEMIC) // N_LESION
    rows = states if all_states else kernel.OBS_SYSTEMIC + kernel.OBS_PER_LESION * lesions
    observed = np.empty((output_days.size, rows, n))
    final = np.empty_like(initial)
    status = np.zeros((n // LANES, 2), dtype=np.int64)
    kernel.solve(
        parameters, initial, lesions, stops.day, stops.table, output_days,
        floors(lesions), rtol, all_states, observed, final, status,
    )  # fmt: skip
    if status[:, 0].any():
        raise SolverFailure("the step size of the multi-lesion model became too small; try a shorter horizon")
    return Run(observed, final, int(status[:, 1].sum()))


def settled_start(patients: VirtualPatients) -> tuple[Array, Array]:
    """Return parameters with ``kappa`` set, and the state at the start.

    The immune state settles for 120 days at fixed volumes; then ``kappa`` is chosen so that the kill of the
    whole burden, weighted by volume, is the fraction ``phi`` of its growth, but nowhere more than the growth of a
    lesion at its size: no lesion shrinks before something is done.
    """
    volume = patients.volume_cm3
    lesions, n = volume.shape
    row = PARAMETERS.index
    parameters = patients.parameters
    resistant = patients.resistant_fraction
    initial = np.zeros((N_SYSTEMIC + N_LESION * lesions, n))
    initial[3:5] = 1.0
    lesion = initial[N_SYSTEMIC:].reshape(lesions, N_LESION, n)
    lesion[:, 0] = volume * (1.0 - resistant)
    lesion[:, 1] = volume * resistant
    lesion[:, 5] = parameters[row("L0")]
    lesion[:, 6] = parameters[row("G0")]
    still = parameters.copy()
    still[[row("r"), row("mu"), row("kappa")]] = 0.0
    settle_days = values("multi_lesion", "population")["settle_days"]
    start = integrate(still, initial, merge([], settle_days, kernel.EVENT_COLUMNS), np.zeros(0)).final

    lesion = start[N_SYSTEMIC:].reshape(lesions, N_LESION, n)
    lesion[:, 0] = volume * (1.0 - resistant)
    lesion[:, 1] = volume * resistant
    functional = lesion[:, 3] / (1.0 + parameters[row("rhoPD")] * lesion[:, 5]) / (1.0 + lesion[:, 6])
    mean = np.sum(functional * volume, axis=0) / volume.sum(axis=0)
    parameters = parameters.copy()
    growth = parameters[row("r")] * (1.0 - volume / parameters[row("Kmax")])
    balanced = np.min(growth / np.maximum(functional, SMALLEST_EFFECTOR_DENSITY), axis=0)
    wanted = patients.phi * parameters[row("r")] / np.maximum(mean, SMALLEST_EFFECTOR_DENSITY)
    parameters[row("kappa")] = np.minimum(wanted, balanced)
    return parameters, start


def prepare(scenario: Scenario, seed: int) -> Callable[[int, int], Trajectories]:
    """Return the function that runs one chunk of virtual patients."""
    return prepare_with(Posterior.shipped(), scenario, seed)


def prepare_with(posterior: Posterior, scenario: Scenario, seed: int) -> Callable[[int, int], Trajectories]:
    """As :func:`prepare`, for another sample of parameter sets."""
    if len(scenario.lesion_ids) > MAX_LESIONS:
        raise ValueError(f"the multi-lesion model takes at most {MAX_LESIONS} lesions")
    order = sorted(range(len(scenario.lesion_ids)), key=lambda i: scenario.lesion_ids[i])
    ordered = _reordered(scenario, order)
    pd1, ctla4, ignored = _agents(ordered)
    weekly = INTERNAL_STEP_DAYS * np.arange(np.ceil(scenario.horizon_days / INTERNAL_STEP_DAYS) + 1.0)
    stops = event_table(ordered, float(weekly[-1]))
    days = np.union1d(weekly, scenario.output_days)
    on_week = np.searchsorted(days, weekly)
    on_output = np.searchsorted(days, scenario.output_days)
    back = np.argsort(order)
    notes = _notes(scenario)

    def run(chunk: int, size: int) -> Trajectories:
        patients = draw(ordered, posterior, seed, chunk, pd1=pd1, ctla4=ctla4)
        padded = -(-size // LANES) * LANES
        patients = _first(patients, padded)
        parameters, start = settled_start(patients)
        observed = integrate(parameters, start, stops, days).observed
        volume = observed[:, kernel.OBS_SYSTEMIC :: 2]
        viable = observed[:, kernel.OBS_SYSTEMIC + 1 :: 2]
        week_sum = diameter_mm(volume[on_week]).sum(axis=1).T
        known = scenario.covariates
        death = death_day_along(
            week_sum, weekly / 7.0, patients.survival_normal, smallest_mm=TOO_SMALL_MM * len(ordered.lesion_ids),
            albumin_g_per_l=known.albumin_g_per_l,
            neutrophil_lymphocyte_ratio=known.neutrophil_lymphocyte_ratio,
        )  # fmt: skip
        shown = observed[on_output]
        report = _report(patients, parameters)
        return Trajectories(
            model_id=MODEL_ID,
            lesion_ids=scenario.lesion_ids,
            time_days=scenario.output_days,
            diameter_mm=np.ascontiguousarray(diameter_mm(volume[on_output][:, back]).transpose(2, 1, 0)[:size]),
            viable_cm3=np.ascontiguousarray(viable[on_output][:, back].transpose(2, 1, 0)[:size]),
            lymphocyte_relative=shown[:, kernel.OBS_LYMPHOCYTES].T[:size].copy(),
            drug_mg_per_l={
                "pd1": shown[:, kernel.OBS_C1].T[:size].copy(),
                "ctla4": shown[:, kernel.OBS_C4].T[:size].copy(),
            },
            car_relative=shown[:, kernel.OBS_CAR].T[:size].copy(),
            new_lesion_day=_new_lesion_day(patients, viable[on_week].sum(axis=1), weekly)[:size],
            dropout_day=patients.dropout_day[:size],
            death_day=death[:size],
            parameters=report[:size],
            parameter_names=REPORTED,
            ignored=ignored,
            notes=notes,
        )

    return run


def _new_lesion_day(patients: VirtualPatients, viable: Array, weekly: Array) -> Array:
    r"""Day on which the cumulative hazard reaches the patient's threshold; infinite after the last week.

    The hazard is :math:`h_0 + h_1 \max(0, d\ln V/dt)\, V^{2/3}`; while V grows,
    its integral is exactly :math:`1.5\,\Delta V^{2/3}`.
    """
    surface = np.maximum(viable, 0.0) ** (2.0 / 3.0)
    rise = np.maximum(np.diff(surface, axis=0), 0.0)
    hazard = patients.hazard_constant * INTERNAL_STEP_DAYS + patients.hazard_growth * 1.5 * rise
    total = np.vstack([np.zeros(viable.shape[1]), np.cumsum(hazard, axis=0)])
    reached = total >= patients.new_lesion_threshold
    week = reached.argmax(axis=0)
    rows = np.arange(viable.shape[1])
    before = np.maximum(week - 1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        part = (patients.new_lesion_threshold - total[before, rows]) / (total[week, rows] - total[before, rows])
    day = weekly[before] + np.clip(np.nan_to_num(part), 0.0, 1.0) * INTERNAL_STEP_DAYS
    return np.where(reached.any(axis=0), day, np.inf)


def _first(patients: VirtualPatients, n: int) -> VirtualPatients:
    return VirtualPatients(
        parameters=np.ascontiguousarray(patients.parameters[:, :n]),
        volume_cm3=np.ascontiguousarray(patients.volume_cm3[:, :n]),
        resistant_fraction=patients.resistant_fraction[:n],
        phi=patients.phi[:n],
        hazard_constant=patients.hazard_constant[:n],
        hazard_growth=patients.hazard_growth[:n],
        new_lesion_threshold=patients.new_lesion_threshold[:n],
        dropout_day=patients.dropout_day[:n],
        survival_normal=patients.survival_normal[:n],
        posterior_set=patients.posterior_set[:n],
    )


def _report(patients: VirtualPatients, parameters: Array) -> Array:
    lesions = patients.volume_cm3.shape[0]
    named = {name: parameters[i] for i, name in enumerate(PARAMETERS)}
    named |= {
        "posterior_set": patients.posterior_set.astype(np.float64),
        "phi": patients.phi,
        "chi_mean": parameters[kernel.CHI : kernel.CHI + lesions].mean(axis=0),
        "h0": patients.hazard_constant,
        "h1": patients.hazard_growth,
        "volume_cm3": patients.volume_cm3.sum(axis=0),
    }
    return np.stack([named[name] for name in REPORTED], axis=1)


def _reordered(scenario: Scenario, order: list[int]) -> Scenario:
    """Return the scenario with lesions in the order of their ids, which own the random draws."""
    return replace(
        scenario,
        lesion_ids=tuple(scenario.lesion_ids[i] for i in order),
        organs=tuple(scenario.organs[i] for i in order),
        volume_cm3=scenario.volume_cm3[order],
        fractions=replace(scenario.fractions, dose_gy=scenario.fractions.dose_gy[:, order]),
    )


def _agents(scenario: Scenario) -> tuple[str | None, str | None, tuple[str, ...]]:
    ignored: list[str] = []
    chosen: list[str | None] = []
    for agents, target in ((PD1_AGENTS, "PD-(L)1"), (CTLA4_AGENTS, "CTLA-4")):
        present = [agent for agent in agents if agent in scenario.drugs.agents]
        chosen.append(present[0] if present else None)
        if len(present) > 1:
            ignored.append(f"kinetics of {', '.join(present[1:])}: all {target} doses follow {present[0]}")
    ignored += [
        f"{agent}: no effect is modeled"
        for agent in scenario.drugs.agents
        if agent not in PD1_AGENTS and agent not in CTLA4_AGENTS
    ]
    if scenario.drugs.events:
        ignored.append("duration of infusions: doses enter at once")
    if scenario.cells:
        ignored.append("number of infused cells: expansion follows the typical product")
        if len(scenario.cells) > 1:
            ignored.append("cell infusions after the first")
    return chosen[0], chosen[1], tuple(ignored)


def event_table(scenario: Scenario, end_day: float) -> Stops:
    """Return the plan as the kernel's event table."""

    def row(**columns: float) -> Array:
        made = np.zeros(kernel.EVENT_COLUMNS)
        for name, value in columns.items():
            made[getattr(kernel, name)] = value
        return made

    events = []
    for dose in scenario.drugs.events:
        if dose.agent in PD1_AGENTS:
            events.append((dose.time_days, row(DOSE_PD1_MG=dose.amount_mg)))
        elif dose.agent in CTLA4_AGENTS:
            events.append((dose.time_days, row(DOSE_CTLA4_MG=dose.amount_mg)))
    infusions = sorted(cell.day for cell in scenario.cells)[:1]
    events += [(day, row(CAR_DOSE=1.0)) for day in infusions]
    events += [(day, row(VACCINE_DOSE=1.0)) for day in scenario.vaccine_days]
    plan = scenario.fractions
    for i, day in enumerate(plan.day):
        organs_alone = scenario.lymphocytes is not None and plan.field_exposure[i] > 0
        if np.any(plan.dose_gy[i] > 0) or plan.node_dose_gy[i] > 0 or organs_alone:
            fraction = row(FIELD_EXPOSURE=plan.field_exposure[i], NODE_GY=plan.node_dose_gy[i])
            fraction[: plan.dose_gy.shape[1]] = plan.dose_gy[i]
            events.append((float(day), fraction))
    peaks = [day + values("multi_lesion", "parameters")["car_tmax"] for day in infusions]
    return merge(events, end_day, kernel.EVENT_COLUMNS, [day for day in peaks if day < end_day])


def _notes(scenario: Scenario) -> tuple[str, ...]:
    notes = ["Calibrated to trial response rates; not validated on individual patients."]
    if scenario.covariates.cancer_type not in ("nsclc", "melanoma"):
        notes.append("Calibrated for non-small-cell lung cancer and melanoma; other tumors use the lung cancer set.")
    if scenario.vaccine_days:
        notes.append("The vaccine term is speculative: no trial of vaccine and radiotherapy supports its size.")
    if scenario.cells:
        notes.append("CAR-T killing of solid tumors has no quantitative source; its rate is an assumption.")
    return tuple(notes)
