"""The regimen library, as ``GET /v1/regimens`` answers it."""

from typing import Annotated

from pydantic import Field

from schemas.base import Schema
from schemas.plan import Agent, Name


class RegimenPartRead(Schema):
    """Equal doses of one agent; a null ``dose_count`` is open-ended."""

    agent: Agent
    dose_mg: float | None
    """Flat dose; null for a weight-based one."""
    dose_mg_per_kg: float | None
    """Weight-based dose; null for a flat one."""
    max_dose_mg: Annotated[float | None, Field(description="Cap of a weight-based dose. Unit: mg.")]
    start_day: Annotated[float, Field(description="Day of the first dose, from the regimen's start. Unit: d.")]
    interval_days: float | None
    dose_count: int | None
    """Number of doses; null is open-ended."""
    infusion_minutes: float


class RegimenRead(Schema):
    """One approved regimen."""

    name: Name
    """Name to give as regimen in a plan."""
    title: str
    agents: list[Agent]
    """Antibodies of the regimen."""
    indication: str
    """What the regimen is approved for."""
    with_chemotherapy: bool
    """Chemotherapy belongs to the regimen; its drugs are not listed."""
    duration_days: Annotated[
        float, Field(description="Where open-ended parts stop when a plan gives no dose_count. Unit: d.")
    ]
    parts: list[RegimenPartRead]
    """Doses, agent by agent."""
    source: str
    recorded: Annotated[str, Field(description="Date of the entry.", examples=["2026-11-24"])]
    verified: Annotated[bool, Field(description="False while the entry has not been read in its source.")]
    notes: list[str]


class RegimenList(Schema):
    """All regimens, by name."""

    regimens: list[RegimenRead]
    """The regimens."""
