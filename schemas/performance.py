"""How a model did on the runs of this site."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import IntervalRead, Probability, Schema


class Measure(Schema):
    """A figure of merit; null with the reason where it cannot or must not be shown."""

    value: float | None
    """The figure; null where it cannot or must not be shown."""
    interval: IntervalRead | None
    reason: str | None


class CalibrationPointRead(Schema):
    """Patients with similar predictions."""

    n: int
    """Patients in the group."""
    mean_predicted: Annotated[Probability, Field(description="Mean predicted probability of the group.")]
    observed: Annotated[
        Probability,
        Field(
            description="Observed proportion with the outcome; one minus Kaplan-Meier where follow-up ended before "
            "the horizon."
        ),
    ]
    interval: IntervalRead


class LocalCalibration(Schema):
    """Predicted against observed probability."""

    in_the_large: Annotated[Measure, Field(description="Intercept with the slope held at 1; above 0: too low.")]
    intercept: Measure
    """Intercept of the logistic recalibration; 0 is perfect."""
    slope: Measure
    """Slope of the logistic recalibration; 1 is perfect."""
    points: list[CalibrationPointRead]
    """Groups of similar predictions, merged until each is large enough to be shown."""


class NetBenefitPoint(Schema):
    """Net benefit of acting from a threshold probability on."""

    threshold: Annotated[Probability, Field(description="Predicted probability from which on one acts.")]
    model: float
    """Net benefit of acting on the model."""
    everyone: float
    """Net benefit of acting on everyone."""


class RecalibrationProposal(Schema):
    """Numbers for a local recalibration; nothing applies them: new log-odds = intercept + slope * log-odds."""

    method: Literal["unchanged", "intercept", "intercept_and_slope"]
    """Smallest change that the data support."""
    intercept: float
    """Added to the log-odds."""
    slope: float
    """Multiplies the log-odds."""
    p_value: Annotated[
        Probability, Field(description="P value of the richest recalibration against the unchanged model.")
    ]


class SurvivalCurve(Schema):
    """Kaplan-Meier estimate of patients with low or high predicted risk, at whole steps of time."""

    group: Annotated[str, Field(description="Half of the patients, by how likely the endpoint was predicted.")]
    level: Annotated[Probability, Field(description="Coverage of the bounds, 0 to 1.")]
    days: Annotated[list[float], Field(description="Ends before fewer patients than a small number are at risk.")]
    survival: list[Probability]
    """Kaplan-Meier estimate on each day."""
    lower: list[Probability]
    upper: list[Probability]
    at_risk: list[int]


class Discrimination(Schema):
    """What is measured in every group of patients."""

    n: Annotated[int | None, Field(description="Patients; null where the number is small.")]
    events: Annotated[int | None, Field(description="Patients with the outcome; null where the number is small.")]
    censored_before_horizon: Annotated[
        int | None,
        Field(
            description="Patients whose follow-up ended before the horizon without the outcome; counted in n. Null "
            "where the endpoint has no horizon or the numbers are small."
        ),
    ]
    auc: Measure
    """Area under the receiver operating characteristic curve; of outcomes at a horizon the cumulative/dynamic one."""
    brier: Measure
    """Brier score; 0 is perfect. Weighted by inverse probability of censoring where follow-up ended early."""
    mean_predicted: Measure
    """Mean predicted probability."""
    observed: Measure
    """Observed proportion with the outcome; one minus Kaplan-Meier where follow-up ended before the horizon."""


class SubgroupPerformance(Discrimination):
    """Patients who share one value of a covariate."""

    covariate: str
    """The covariate that defines the group."""
    value: str
    """Its value in this group."""


class WindowPerformance(Discrimination):
    """Patients of consecutive runs, to see a drift."""

    first_run_at: str | None
    """Time of the earliest run of the window, RFC 3339, UTC; null where the window is hidden."""
    last_run_at: str | None
    """Time of the latest run of the window, RFC 3339, UTC; null where the window is hidden."""


class EndpointPerformance(Discrimination):
    """One outcome of a model against what happened."""

    endpoint: Annotated[
        str, Field(description="response, death, progression_or_death, or toxicity with its lowest grade.")
    ]
    predicted: Annotated[str, Field(description="Outcome of the prediction that is judged.")]
    unit: str
    scaled_brier: Measure
    """One minus the Brier score over that of the observed proportion; 1 is perfect."""
    concordance: Annotated[
        Measure, Field(description="C-index of predictions without a horizon, where times to the event are known.")
    ]
    calibration: LocalCalibration | None
    """Calibration; null where the prediction is no probability."""
    net_benefit: list[NetBenefitPoint]
    """Decision curve."""
    survival: Annotated[list[SurvivalCurve], Field(description="Where times to the event are known.")]
    recalibration: RecalibrationProposal | None
    """Proposal for this site; null without enough patients."""
    subgroups: list[SubgroupPerformance]
    """The same figures in groups of patients."""
    windows: list[WindowPerformance]
    """The same figures over time."""


class ModelPerformance(Schema):
    """Discrimination and calibration of one model on this site's runs with reported outcomes."""

    model: str
    versions: list[str]
    """Versions of the model that the runs used."""
    patients: Annotated[
        int | None,
        Field(
            description="Patients with an outcome, of several runs of one patient the first; null where few or none."
        ),
    ]
    first_run_at: str | None
    """Time of the earliest run that counts, RFC 3339, UTC; null where the number of patients is small."""
    last_run_at: str | None
    """Time of the latest run that counts, RFC 3339, UTC; null where the number of patients is small."""
    endpoints: list[EndpointPerformance]
    """Outcomes of the model against what happened."""
    notes: list[str]
