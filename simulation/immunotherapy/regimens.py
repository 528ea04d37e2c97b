"""Approved regimens from ``data/regimens.toml`` and their expansion to infusions."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from simulation.immunotherapy.plan import DoseEvent

MINUTES_PER_DAY: Final = 1440.0


class WeightNeeded(ValueError):
    """A dose in mg/kg was asked for without a body weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimenPart:
    """Equal doses of one agent; ``dose_count`` None goes on until the regimen's duration."""

    agent: str
    start_day: float = 0.0
    dose_mg: float | None = None
    dose_mg_per_kg: float | None = None
    max_dose_mg: float | None = None
    interval_days: float | None = None
    dose_count: int | None = None
    infusion_minutes: float | None = None

    def amount_mg(self, weight_kg: float | None) -> float:
        """Return the dose (mg) of a patient of this weight.

        Raises
        ------
        WeightNeeded
            If the dose depends on weight and none is given.
        """
        if self.dose_mg is not None:
            return self.dose_mg
        if weight_kg is None or self.dose_mg_per_kg is None:
            raise WeightNeeded("this regimen doses by body weight")
        amount = self.dose_mg_per_kg * weight_kg
        return amount if self.max_dose_mg is None else min(amount, self.max_dose_mg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Regimen:
    """One approved regimen."""

    name: str
    title: str
    indication: str
    source: str
    recorded: str
    verified: bool
    with_chemotherapy: bool
    duration_days: float
    notes: tuple[str, ...]
    parts: tuple[RegimenPart, ...]

    @property
    def agents(self) -> tuple[str, ...]:
        """Agents in alphabetical order."""
        return tuple(sorted({part.agent for part in self.parts}))

    @property
    def needs_weight(self) -> bool:
        """Whether any dose depends on body weight."""
        return any(part.dose_mg_per_kg is not None for part in self.parts)

    def expand(
        self,
        *,
        start_day: float = 0.0,
        visits: int | None = None,
        weight_kg: float | None = None,
        infusion_minutes: float | None = None,
    ) -> tuple[DoseEvent, ...]:
        """Return the infusions, sorted by time.

        Parameters
        ----------
        start_day : float, d
            Day of the first dose on the plan's axis.
        visits : int, optional
            Number of treatment days to plan, over all agents; by default the whole regimen, with
            open-ended parts up to ``duration_days``.
        weight_kg : float, optional
        infusion_minutes : float, optional
            Replaces the usual duration of every infusion.

        Raises
        ------
        WeightNeeded
            If a dose depends on weight and none is given.
        """
        events = []
        for part in self.parts:
            amount = part.amount_mg(weight_kg)
            minutes = infusion_minutes or part.infusion_minutes or INFUSION_MINUTES[part.agent]
            for day in _days(part, self.duration_days, visits):
                events.append(DoseEvent(start_day + day, part.agent, amount, minutes / MINUTES_PER_DAY))
        events.sort(key=lambda event: (event.time_days, event.agent))
        if visits is None:
            return tuple(events)
        kept = set(sorted({event.time_days for event in events})[:visits])
        return tuple(event for event in events if event.time_days in kept)


def _days(part: RegimenPart, duration_days: float, visits: int | None) -> list[float]:
    if part.interval_days is None:
        return [part.start_day]
    count = part.dose_count
    if count is None:
        count = visits if visits is not None else int((duration_days - part.start_day - 1e-9) // part.interval_days) + 1
    return [part.start_day + number * part.interval_days for number in range(count)]


def _load() -> tuple[dict[str, float], dict[str, Regimen]]:
    text = resources.files("simulation").joinpath("data/regimens.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)

    def read(row: dict[str, Any]) -> Regimen:
        parts = tuple(RegimenPart(**part) for part in row["parts"])
        return Regimen(**(row | {"parts": parts, "notes": tuple(row["notes"]), "recorded": data["recorded"]}))

    return data["infusion_minutes"], {row["name"]: read(row) for row in data["regimen"]}


INFUSION_MINUTES: Mapping[str, float]
REGIMENS: Mapping[str, Regimen]
INFUSION_MINUTES, REGIMENS = _load()
