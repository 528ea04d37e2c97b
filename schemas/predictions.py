"""Predictions for one patient: request and result."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import ComputeRequest, IntervalRead, Schema
from schemas.patient import Patient
from schemas.plan import Plan

ModelId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,95}$", examples=["loris-pan-cancer"])]
CovariateName = Annotated[str, Field(examples=["patient.labs.albumin_g_per_l"])]


class PredictionRequest(ComputeRequest):
    """Who the patient is, what is planned, and which predictors to ask (all, when left out)."""

    patient: Patient
    plan: Plan | None = None
    models: Annotated[list[ModelId] | None, Field(min_length=1, max_length=200)] = None
    """Predictors to ask; left out: all that are not by name only."""


class ContributionRead(Schema):
    """What one input adds to the answer, against the derivation cohort or the stated reference."""

    input: str
    """Dotted path of the input."""
    value: float
    """What it adds, in the unit."""
    unit: str


class ApplicabilityRead(Schema):
    """Whether this patient is like those the model was derived in."""

    status: Literal["inside", "outside", "unknown"]
    """Inside or outside the derivation cohort, or unknown."""
    reasons: list[str]


class PredictionRead(Schema):
    """One answer of one predictor."""

    model: ModelId
    outcome: str
    """What is predicted."""
    horizon_days: int | None
    value: float
    """The answer, in the unit."""
    unit: Annotated[
        str,
        Field(
            description="probability (0 to 1), share (0 to 1, of something else than patients: see the note), "
            "score, points, ratio, hazard_ratio, odds_ratio, relative_risk, grade, months, or a physical unit."
        ),
    ]
    interval: IntervalRead | None
    group: Annotated[str | None, Field(description="Risk group or stratum, in the model's own words.")]
    contributions: list[ContributionRead]
    """What each input adds."""
    applicability: ApplicabilityRead
    note: Annotated[str | None, Field(description="What must be read together with the value.")]
    references: list[str]


class NotApplicableRead(Schema):
    """A predictor that could not answer, and why."""

    model: ModelId
    missing: Annotated[
        list[CovariateName], Field(description="Members of the request that are needed and were not given.")
    ]
    reason: str
    """Why there is no answer."""


class PredictionsResult(Schema):
    """Every answer, and every predictor that had none."""

    predictions: list[PredictionRead]
    """Answers of the predictors that apply."""
    not_applicable: list[NotApplicableRead]
    """Predictors without an answer."""
