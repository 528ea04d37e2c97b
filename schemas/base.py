"""The base of every wire model and the scalar types that carry units."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from schemas.vocabulary import describe


class Schema(BaseModel):
    """Strict and frozen: no unknown members, no NaN, no numbers as strings."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        json_schema_extra=describe,
    )


def _whole(value: object) -> object:
    """JSON has one number type: 100.0 is the integer 100."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = BeforeValidator(_whole)
"""Put after ``Field`` in an annotated integer, or its bounds vanish from the OpenAPI."""


def number(unit: str, description: str, *, example: float, **bounds: Any) -> Any:
    """Field of a measured quantity: unit, bounds, description and example in one place."""
    return Field(
        description=f"{description} Unit: {unit}." if unit else description,
        examples=[example],
        json_schema_extra={"unit": unit},
        **bounds,
    )


DoseGy = Annotated[float, number("Gy", "Physical absorbed dose.", example=2.0, ge=0, le=200)]
DosePerFractionGy = Annotated[float, number("Gy", "Dose of one fraction.", example=2.0, gt=0, le=40)]
LAST_DAY: Final = 3650.0
Day = Annotated[
    float,
    number(
        "d", "Day on the plan's time axis; day 0 is the start of treatment.", example=0.0, ge=-LAST_DAY, le=LAST_DAY
    ),
]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,64}$", examples=["lesion-1"])]
Seed = Annotated[
    int,
    Field(ge=0, le=2**53 - 1, description="Same input, same seed: the same answer.", examples=[7]),
    Whole,
]
Level = Annotated[float, number("", "Coverage of the interval, 0 to 1.", example=0.95, gt=0, lt=1)]
Probability = Annotated[float, number("", "Probability, 0 to 1.", example=0.42, ge=0, le=1)]


class IntervalRead(Schema):
    """Two-sided interval around an estimate."""

    level: Level
    lower: float
    upper: float


class Estimate(Schema):
    """A value with its interval; the interval is null where none is published or computable."""

    value: float
    """Point estimate."""
    interval: IntervalRead | None


class ComputeRequest(Schema):
    """What every request that computes a run may carry."""

    seed: Seed = 0
