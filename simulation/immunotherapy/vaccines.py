r"""Vaccines: schedules as data, the whole-cell vaccine model of Kronik 2010, and hazard ratios on a curve.

Kronik 2010 follows vaccine antigen V, dendritic cells maturing (:math:`D_m`), mature (:math:`D_c`) and regulatory
(:math:`D_r`), cytotoxic (C) and regulatory (R) T cells and tumor cells P. Time is in hours by inference.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import solve_ivp

STATES: Final = (
    "vaccine_cells",
    "maturing_dendritic_cells",
    "mature_dendritic_cells",
    "regulatory_dendritic_cells",
    "cytotoxic_t_cells",
    "regulatory_t_cells",
    "tumor_cells",
)
HOURS_PER_DAY: Final = 24.0
SAME_INSTANT_DAYS: Final = 1e-6
"""Times closer than this, a tenth of a second, count as one: the solver cannot step over a vanishing span."""
_RELATIVE, _ABSOLUTE_CELLS = 1e-9, 1e-6
_MOST_SLOPES: Final = 250_000
_MOST_CELLS: Final = 1e30


@dataclass(frozen=True, slots=True, kw_only=True)
class Vaccine:
    """One product: its schedule and what may be computed for it.

    ``cancer_types`` are those that its antigens belong to; empty where they are made for each tumor.
    """

    name: str
    title: str
    cancer_types: tuple[str, ...]
    effect: Literal["dynamics", "hazard_ratio", "none"]
    schedule_days: tuple[float, ...]
    dose: str
    source: str
    verified: bool
    notes: tuple[str, ...]
    endpoint: str | None = None
    hazard_ratio: float | None = None
    hazard_ratio_lower: float | None = None
    hazard_ratio_upper: float | None = None
    comparator: str | None = None
    comparator_days: float | None = None
    comparator_survival: float | None = None


def simulate(
    dose_days: ArrayLike,
    dose_cells: ArrayLike,
    output_days: ArrayLike,
    *,
    initial: Mapping[str, float],
    tumor_growth_per_hour: float | None = None,
    killing_per_cell_hour: float | None = None,
) -> NDArray[np.float64]:
    """Return the states of Kronik 2010, shape (n_outputs, 7), in the order of :data:`STATES`.

    Parameters
    ----------
    dose_days, dose_cells : array-like, shape (n_doses,)
        Doses add to the vaccine compartment; an output at the time of a dose shows the state before it.
    output_days : array-like, shape (n_outputs,), d
        Non-decreasing, >= 0.
    initial : mapping of str to float
        Cells at day 0, by the names of :data:`STATES`; missing ones are 0.
    tumor_growth_per_hour, killing_per_cell_hour : float, optional
        The two parameters that the paper fitted to each patient; by default the table's.

    Raises
    ------
    RuntimeError
        If the integration fails, or takes more work than any plausible course.

    References
    ----------
    Kronik N et al. PLoS ONE 2010;5:e15482. doi:10.1371/journal.pone.0015482
    """
    p = dict(MODEL)
    if tumor_growth_per_hour is not None:
        p["r_per_hour"] = tumor_growth_per_hour
    if killing_per_cell_hour is not None:
        p["ap_per_cell_hour"] = killing_per_cell_hour
    outputs = np.asarray(output_days, dtype=np.float64)
    days = np.atleast_1d(np.asarray(dose_days, dtype=np.float64))
    cells = np.broadcast_to(np.asarray(dose_cells, dtype=np.float64), days.shape)
    work = _Work(p)
    state = np.array([initial.get(name, 0.0) for name in STATES])
    result = np.empty((outputs.size, len(STATES)))
    last = float(outputs[-1]) if outputs.size else 0.0
    now, done = 0.0, 0
    for instant, added in [*_instants(days[days <= last], cells[days <= last]), (last, 0.0)]:
        reached = int(np.searchsorted(outputs, instant + SAME_INSTANT_DAYS, side="right"))
        if instant - now > SAME_INSTANT_DAYS:
            wanted = np.clip(outputs[done:reached], now, instant)
            path = work.follow(state, np.append(wanted, instant) * HOURS_PER_DAY, now * HOURS_PER_DAY)
            result[done:reached], state, now = path[:-1], path[-1].copy(), instant
        else:
            result[done:reached] = state
        done = reached
        state[0] += added
    return result


def _instants(days: NDArray[np.float64], cells: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Return the days of the doses in order with their cells, those of one instant together."""
    found: list[tuple[float, float]] = []
    for at in np.argsort(days, kind="stable").tolist():
        day, dose = float(days[at]), float(cells[at])
        if found and day - found[-1][0] <= SAME_INSTANT_DAYS:
            found[-1] = found[-1][0], found[-1][1] + dose
        else:
            found.append((day, dose))
    return found


class _Work:
    """Integrates spans without doses; all of them together within a bounded number of slopes."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self._parameters = parameters
        self._asked = 0

    def follow(self, state: NDArray[np.float64], hours: NDArray[np.float64], begin_hours: float) -> NDArray[np.float64]:
        """Return the states at the hours, shape (n_hours, 7); the last hour ends the span."""
        if not np.isfinite(state).all():
            raise RuntimeError("the vaccine model could not be integrated: the number of cells has no bound")
        distinct, rows = np.unique(hours, return_inverse=True)
        solution = solve_ivp(
            self._slopes,
            (begin_hours, float(distinct[-1])),
            state,
            method="LSODA",
            t_eval=distinct,
            rtol=_RELATIVE,
            atol=_ABSOLUTE_CELLS,
        )
        if not solution.success:
            raise RuntimeError(f"the vaccine model could not be integrated: {solution.message}")
        return np.maximum(solution.y.T[rows], 0.0)

    def _slopes(self, hours: float, y: NDArray[np.float64]) -> list[float]:
        self._asked += 1
        if self._asked > _MOST_SLOPES:
            raise RuntimeError("the vaccine model could not be integrated: too many steps")
        if not float(np.abs(y).max()) < _MOST_CELLS:
            raise RuntimeError("the vaccine model could not be integrated: the number of cells has no bound")
        return _slopes(hours, y, self._parameters)


def _slopes(_: float, y: NDArray[np.float64], p: Mapping[str, Any]) -> list[float]:
    v, maturing, mature, regulatory, cytotoxic, regulatory_t, tumor = y.tolist()
    taken_up = p["ki_per_hour"] * v
    return [
        -taken_up * p["antigen_per_vaccine_cell"],
        taken_up - p["km_per_hour"] * maturing,
        p["maturing_fraction"] * p["km_per_hour"] * maturing - p["kcr_per_hour"] * mature,
        p["kcr_per_hour"] * mature - p["mu_d_per_hour"] * regulatory,
        p["ac_per_hour"] * mature - p["mu_c_per_hour"] * cytotoxic - p["kr_per_cell_hour"] * cytotoxic * regulatory_t,
        p["ar_per_hour"] * regulatory - p["mu_r_per_hour"] * regulatory_t,
        p["r_per_hour"] * tumor - p["ap_per_cell_hour"] * cytotoxic * tumor * p["hp_cells"] / (p["hp_cells"] + tumor),
    ]


def under_hazard_ratio(comparator_survival: ArrayLike, hazard_ratio: float) -> NDArray[np.float64]:
    """Return survival under proportional hazards, ``S ** HR``; a comparison of trials arms, not a mechanism."""
    return np.asarray(comparator_survival, dtype=np.float64) ** hazard_ratio


_LISTS: Final = ("model", "cancer_types", "schedule_days", "notes")


def _load() -> tuple[dict[str, Any], dict[str, Vaccine]]:
    text = resources.files("simulation").joinpath("data/vaccines.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    products = {}
    for row in data["vaccine"]:
        members = {key: value for key, value in row.items() if key not in _LISTS}
        products[row["name"]] = Vaccine(
            **members,
            cancer_types=tuple(row["cancer_types"]),
            schedule_days=tuple(map(float, row["schedule_days"])),
            notes=tuple(row["notes"]),
        )
    return data["kronik2010"], products


MODEL, PRODUCTS = _load()
