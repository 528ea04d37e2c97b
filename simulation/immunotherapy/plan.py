"""The drug part of a plan: what is infused, when, and for how long."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class DoseEvent:
    """One infusion of one agent.

    Attributes
    ----------
    time_days : float
        Start of the infusion on the plan's time axis; day 0 is the start of treatment.
    agent : str
        Wire name of the agent, for instance ``"nivolumab"``.
    amount_mg : float
        Dose; must be > 0.
    infusion_days : float
        Duration; 0 is a bolus.
    """

    time_days: float
    agent: str
    amount_mg: float
    infusion_days: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.time_days):
            raise ValueError("time_days must be finite")
        if not (math.isfinite(self.amount_mg) and self.amount_mg > 0):
            raise ValueError("amount_mg must be finite and > 0")
        if not (math.isfinite(self.infusion_days) and self.infusion_days >= 0):
            raise ValueError("infusion_days must be finite and >= 0")


@dataclass(frozen=True, slots=True)
class DoseArrays:
    """The doses of one agent as arrays of shape (n_doses,), sorted by time."""

    time_days: NDArray[np.float64]
    amount_mg: NDArray[np.float64]
    infusion_days: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DrugPlan:
    """All infusions of a plan, sorted by time and then by agent.

    Build it with :meth:`of`, which sorts; two plans with the same infusions are equal.
    """

    events: tuple[DoseEvent, ...] = ()

    def __post_init__(self) -> None:
        if any(_key(later) < _key(earlier) for earlier, later in zip(self.events, self.events[1:], strict=False)):
            raise ValueError("events must be sorted by time and agent; use DrugPlan.of")

    @classmethod
    def of(cls, events: Iterable[DoseEvent]) -> "DrugPlan":
        """Return the plan with these infusions, in any order."""
        return cls(tuple(sorted(events, key=_key)))

    @property
    def agents(self) -> tuple[str, ...]:
        """Names of the agents, in alphabetical order."""
        return tuple(sorted({event.agent for event in self.events}))

    def doses(self, agent: str) -> DoseArrays:
        """Return the doses of one agent; the arrays are empty when the plan has none."""
        mine = [event for event in self.events if event.agent == agent]
        return DoseArrays(
            np.array([event.time_days for event in mine], dtype=np.float64),
            np.array([event.amount_mg for event in mine], dtype=np.float64),
            np.array([event.infusion_days for event in mine], dtype=np.float64),
        )

    def first_dose_day(self, agent: str) -> float | None:
        """Return the day of the agent's first infusion, from which its clearance ages."""
        return next((event.time_days for event in self.events if event.agent == agent), None)


def _key(event: DoseEvent) -> tuple[float, str, float, float]:
    return event.time_days, event.agent, event.amount_mg, event.infusion_days
