"""What happened to the patient of a run."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.base import Schema, Whole, number
from schemas.run import RunId

OutcomeKind = Literal["response", "progression", "death", "toxicity", "follow_up"]
Response = Literal["CR", "PR", "SD", "PD", "NE"]
OutcomeId = Annotated[str, Field(pattern=r"^[0-9A-HJKMNP-TV-Z]{26}$", examples=["01JD0000000000000000000001"])]
ToxicityName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$", examples=["pneumonitis"])]
Grade = Annotated[int, Field(ge=0, le=5, description="CTCAE grade; 0 says that it did not occur.", examples=[2]), Whole]
OutcomeDay = Annotated[
    float,
    number(
        "d",
        "Day on the time axis of the run's plan; day 0 is the start of treatment, and nothing before it is an outcome.",
        example=63.0,
        ge=0,
        le=3650,
    ),
]


class OutcomeRequest(Schema):
    """One thing that happened, on the time axis of the run's plan; it is appended and never changed.

    ``follow_up`` says that the patient was seen alive and without the events that were not
    reported. A correction names the outcome that it replaces.
    """

    kind: OutcomeKind
    """What sort of event is reported."""
    day: OutcomeDay
    response: Annotated[Response | None, Field(description="For kind response.")] = None
    toxicity: Annotated[ToxicityName | None, Field(description="For kind toxicity.")] = None
    grade: Annotated[Grade | None, Field(description="For kind toxicity.")] = None
    corrects_id: Annotated[OutcomeId | None, Field(description="The outcome that this one replaces.")] = None

    @model_validator(mode="after")
    def _members_of_the_kind(self) -> Self:
        if (self.kind == "response") != (self.response is not None):
            raise ValueError("give response for kind response, and for no other")
        toxic = self.toxicity is not None, self.grade is not None
        if toxic != (self.kind == "toxicity",) * 2:
            raise ValueError("give toxicity and grade for kind toxicity, and for no other")
        return self


class OutcomeRead(Schema):
    """One stored outcome."""

    id: OutcomeId
    """ULID of the outcome."""
    run_id: RunId
    recorded_at: Annotated[str, Field(description="RFC 3339, UTC.")]
    kind: OutcomeKind
    """What sort of event was reported."""
    day: float
    response: Response | None
    """RECIST category; null unless kind is response."""
    toxicity: str | None
    """Name of the adverse event; null unless kind is toxicity."""
    grade: int | None
    """CTCAE grade; null unless kind is toxicity."""
    corrects_id: OutcomeId | None
    corrected: Annotated[bool, Field(description="A later outcome replaces this one.")]


class OutcomeList(Schema):
    """Everything reported about a run, in the order of reporting."""

    outcomes: list[OutcomeRead]
    """The outcomes."""
