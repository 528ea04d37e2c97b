"""Forecast of tumor size: the first scans of a patient in, the size on later days out."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import ComputeRequest, Day, Identifier, IntervalRead, Probability, Schema, number
from schemas.patient import Scan

SizeMm = Annotated[float, number("mm", "Size; 2 stands for no longer measurable.", example=31.5, ge=0)]


class ForecastRequest(ComputeRequest):
    """Scans so far, and the days for which a forecast is wanted."""

    scans: Annotated[list[Scan], Field(min_length=1, max_length=200)]
    forecast_days: Annotated[
        list[Day],
        Field(
            min_length=1,
            max_length=50,
            description="Increasing, at least 0.01 d after the last scan.",
            examples=[[126, 168]],
        ),
    ]
    quantity: Annotated[
        Literal["lesion_diameter", "sum_of_diameters"],
        Field(description="What the numbers are. Fitted to single lesions; sums are answered with a warning."),
    ] = "lesion_diameter"


class ForecastPoint(Schema):
    """Predictive distribution on one day."""

    day: Day
    days_ahead: float
    """Days since the last scan."""
    median_mm: Annotated[SizeMm, Field(description="Median size; 2 stands for no longer measurable.")]
    intervals_mm: Annotated[list[IntervalRead], Field(description="Levels 0.5 and 0.9.")]
    probability_unchanged: Annotated[Probability, Field(description="The reader notes the last value again.")]
    probability_not_measurable: Annotated[Probability, Field(description="2 mm or less, or gone.")]
    probability_target_progression: Annotated[
        Probability, Field(description="At least 20 % and 5 mm above the smallest size so far.")
    ]


class SumPoint(Schema):
    """The sum of all lesions on one day, as if they all moved together: the widest the lesions allow."""

    day: Day
    days_ahead: float
    """Days since the last scan."""
    median_mm: Annotated[SizeMm, Field(description="Median sum of the lesion sizes.")]
    intervals_mm: list[IntervalRead]
    """Levels 0.5 and 0.9."""
    probability_target_progression: Annotated[
        Probability, Field(description="At least 20 % and 5 mm above the smallest sum so far.")
    ]


class LesionForecast(Schema):
    """One lesion."""

    id: Identifier
    """The lesion, by its id in the scans."""
    scan_count: int
    """Scans that measured it."""
    last_day: Annotated[Day, Field(description="Day of the last scan that measured it.")]
    last_mm: Annotated[SizeMm, Field(description="What last observation carried forward would say.")]
    nadir_mm: Annotated[SizeMm, Field(description="Smallest size so far.")]
    points: list[ForecastPoint]
    """Forecast, day by day."""


class SumForecast(Schema):
    """The sum of lesions that were all measured on the last scan."""

    last_mm: Annotated[SizeMm, Field(description="Sum on the last scan.")]
    nadir_mm: Annotated[SizeMm, Field(description="Smallest sum of the scans that measured every lesion.")]
    points: list[SumPoint]
    """Forecast, day by day."""


class ValidationRead(Schema):
    """How the model did on left-out patients with as many scans as the best-observed lesion here."""

    scan_count: Annotated[int, Field(description="Scans that were given; 4 stands for four or more.")]
    horizon: Literal["next", "second", "last"]
    """Which later scan was forecast."""
    n: int
    """Number of forecasts that were compared."""
    mean_absolute_error_mm: float
    """Mean absolute error of the median."""
    last_value_mean_absolute_error_mm: Annotated[
        float, Field(description="Of last observation carried forward on the same patients.")
    ]
    skill: Annotated[float, Field(description="One minus the ratio of the two errors; below 0 the model is worse.")]
    skill_interval: IntervalRead
    """95 % interval of the skill."""
    coverage_of_90_percent_interval: Annotated[
        Probability, Field(description="Share of the measured sizes inside the 90 % interval.")
    ]


class ForecastResult(Schema):
    """Every lesion, their sum, and how far the model can be trusted."""

    lesions: list[LesionForecast]
    """Forecasts, lesion by lesion."""
    sum_of_lesions: Annotated[
        SumForecast | None, Field(description="Null with one lesion, or where the last scan left one out.")
    ]
    validation: list[ValidationRead]
    """Errors on patients that the fit had not seen."""
