"""Subgroups, windows of time and survival by prediction: what is shown of parts of the patients.

A part that is too small is suppressed, and so are further parts until what remains when the shown
parts are subtracted from the whole is large enough to be shown itself.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.performance import SurvivalCurve
from simulation.outcome.performance import by_group
from simulation.outcome.survival import KaplanMeier, kaplan_meier

_STEP_DAYS: Final = 30.0
_MOST_STEPS: Final = 60

Rows = NDArray[np.intp]


def rows_by_label(labels: Sequence[str]) -> dict[str, Rows]:
    """Return the row numbers of every label, labels in alphabetical order."""
    found = by_group(labels, lambda rows: rows, minimum=1)
    ordered = sorted(found.items(), key=lambda item: str(item[0]))
    return {str(label): rows for label, (_, rows) in ordered if rows is not None}


def shown_parts(parts: Sequence[Rows], enough: Callable[[Rows], bool]) -> list[bool]:
    """Say which parts may be shown, so that no small rest follows by subtraction.

    Parameters
    ----------
    parts : sequence of ndarray
        Row numbers; together they are all patients.
    enough : callable
        Whether a set of rows is large enough to be shown.
    """
    shown = [enough(rows) for rows in parts]
    while any(shown) and not all(shown):
        rest = np.concatenate([rows for rows, visible in zip(parts, shown, strict=True) if not visible])
        if enough(rest):
            break
        smallest = min((i for i, visible in enumerate(shown) if visible), key=lambda i: (parts[i].size, i))
        shown[smallest] = False
    return shown


def survival_by_prediction(
    day: NDArray[np.float64], event: NDArray[np.bool_], value: NDArray[np.float64], *, enough: Callable[[Rows], bool],
    least_at_risk: int,
) -> list[SurvivalCurve]:  # fmt: skip
    """Return the Kaplan-Meier estimates of patients below and above the median predicted risk.

    Parameters
    ----------
    day, event, value : ndarray, shape (n,)
        Time to the event or to the end of follow-up, whether it was the event, and the predicted risk (any scale).
    enough : callable
        Whether a set of rows is large enough to be shown; both halves are, or none.
    least_at_risk : int
        The curves end where fewer are at risk.
    """
    middle = float(np.median(value))
    below = value < middle if np.any(value < middle) else value <= middle
    halves = {"lower predicted risk": np.flatnonzero(below), "higher predicted risk": np.flatnonzero(~below)}
    if not all(rows.size and enough(rows) for rows in halves.values()):
        return []
    return [
        _curve(label, kaplan_meier(day[rows], event[rows]), float(day[rows].max()), least_at_risk)
        for label, rows in halves.items()
    ]


def _curve(label: str, estimate: KaplanMeier, end: float, least_at_risk: int) -> SurvivalCurve:
    step = _STEP_DAYS * max(1.0, np.ceil(end / _STEP_DAYS / _MOST_STEPS))
    days = np.arange(0.0, end + 0.5, step)
    at_risk = estimate.numbers_at_risk(days)
    days, at_risk = days[at_risk >= least_at_risk], at_risk[at_risk >= least_at_risk]
    index = np.searchsorted(estimate.time, days, side="right")

    def steps(values: NDArray[np.float64]) -> list[float]:
        found: list[float] = np.concatenate(([1.0], values))[index].tolist()
        return found

    return SurvivalCurve(
        group=label,
        level=estimate.level,
        days=days.tolist(),
        survival=steps(estimate.survival),
        lower=steps(estimate.lower),
        upper=steps(estimate.upper),
        at_risk=at_risk.tolist(),
    )
