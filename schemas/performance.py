"""How a model did on the runs of this site."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import IntervalRead, Probability, Schema


class Measure(Schema):
    """A figure of merit; null with the reason where it cannot or must not be shown."""

    value: float | None
    interval: IntervalRead | None
    reason: str | None


class CalibrationPointRead(Schema):
    """Patients with similar predictions."""

    n: int
    mean_predicted: Probability
    observed: Probability
    interval: IntervalRead


class LocalCalibration(Schema):
    """Predicted against observed probability."""

    in_the_large: Annotated[Measure, Field(description="Intercept with the slope held at 1; above 0: too low.")]
    intercept: Measure
    slope: Measure
    points: list[CalibrationPointRead]


class NetBenefitPoint(Schema):
    """Net benefit of acting from a threshold probability on."""

    threshold: Probability
    model: float
    everyone: float


class RecalibrationProposal(Schema):
    """Numbers for a local recalibration; nothing applies them: new log-odds = intercept + slope * log-odds."""

    method: Literal["unchanged", "intercept", "intercept_and_slope"]
    intercept: float
    slope: float
    p_value: Probability


class SurvivalCurve(Schema):
    """Kaplan-Meier estimate of patients with low or high predicted risk, at whole steps of time."""

    group: Annotated[str, Field(description="Half of the patients, by how likely the endpoint was predicted.")]
    level: Probability
    days: Annotated[list[float], Field(description="Ends before fewer patients than a small number are at risk.")]
    survival: list[Probability]
    lower: list[Probability]
    upper: list[Probability]
    at_risk: list[int]


class Discrimination(Schema):
    """What is measured in every group of patients."""

    n: Annotated[int | None, Field(description="Patients; null where the number is small.")]
    events: Annotated[int | None, Field(description="Patients with the outcome; null where the number is small.")]
    auc: Measure
    brier: Measure
    mean_predicted: Measure
    observed: Measure


class SubgroupPerformance(Discrimination):
    """Patients who share one value of a covariate."""

    covariate: str
    value: str


class WindowPerformance(Discrimination):
    """Patients of consecutive runs, to see a drift."""

    first_run_at: str
    last_run_at: str


class EndpointPerformance(Discrimination):
    """One outcome of a model against what happened."""

    endpoint: Annotated[
        str, Field(description="response, death, progression_or_death, or toxicity with its lowest grade.")
    ]
    predicted: Annotated[str, Field(description="Outcome of the prediction that is judged.")]
    unit: str
    scaled_brier: Measure
    concordance: Annotated[Measure, Field(description="C-index, where times to the event are known.")]
    calibration: LocalCalibration | None
    net_benefit: list[NetBenefitPoint]
    survival: Annotated[list[SurvivalCurve], Field(description="Where times to the event are known.")]
    recalibration: RecalibrationProposal | None
    subgroups: list[SubgroupPerformance]
    windows: list[WindowPerformance]


class ModelPerformance(Schema):
    """Discrimination and calibration of one model on this site's runs with reported outcomes."""

    model: str
    versions: list[str]
    patients: Annotated[int, Field(description="Patients with an outcome; of several runs of one patient the first.")]
    first_run_at: str | None
    last_run_at: str | None
    endpoints: list[EndpointPerformance]
    notes: list[str]
