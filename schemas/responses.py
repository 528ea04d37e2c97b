"""Response assessment: the scans of one patient in, RECIST 1.1 and iRECIST out."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.base import ComputeRequest, Day, Identifier, Schema, number
from schemas.patient import DiameterMm, Organ

LesionStatus = Annotated[
    Literal["measured", "too_small", "absent", "not_evaluable"],
    Field(description="too_small: present, below the measuring limit (counts 5 mm); absent: gone (0 mm)."),
]
NonTargetStatus = Annotated[
    Literal["none", "CR", "NON_CR_NON_PD", "PD", "NE"],
    Field(description="Non-target disease: none at baseline, gone, persisting, unequivocally progressing, not seen."),
]
ShortAxisMm = Annotated[float, number("mm", "Short axis of a lymph node.", example=18.0, ge=0, le=1000)]
RecistCategory = Literal["CR", "PR", "SD", "NON_CR_NON_PD", "PD", "NE"]
IrecistCategory = Literal["iCR", "iPR", "iSD", "NON_iCR_NON_iUPD", "iUPD", "iCPD", "NE"]
SumMm = Annotated[float, number("mm", "Sum of diameters.", example=74.0, ge=0)]
ChangeFraction = Annotated[float, number("1", "Relative change; -0.3 is thirty percent smaller.", example=-0.3, ge=-1)]
Rule = Annotated[str, Field(description="Code of the rule that decided.", examples=["new-lesion"])]


class TargetOnScan(Schema):
    """One target lesion on one scan; a lesion with a short axis is a lymph node.

    Without ``status`` a size above 0 is measured and a size of 0 is absent.
    """

    id: Identifier
    """The lesion; the same on every scan."""
    longest_diameter_mm: DiameterMm | None = None
    """Longest diameter; leave short_axis_mm out."""
    short_axis_mm: ShortAxisMm | None = None
    """Short axis of a lymph node; leave longest_diameter_mm out."""
    status: LesionStatus | None = None
    """How the lesion was seen; left out: from its size."""
    organ: Organ | None = None

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        sizes = [size for size in (self.longest_diameter_mm, self.short_axis_mm) if size is not None]
        if len(sizes) > 1:
            raise ValueError("give longest_diameter_mm, or short_axis_mm for a lymph node, not both")
        if self.status in (None, "measured") and not sizes:
            raise ValueError("give a size, or the status too_small, absent or not_evaluable")
        if self.status in ("too_small", "absent", "not_evaluable") and any(sizes):
            raise ValueError("a lesion with a size above 0 is measured; leave the size or the status out")
        return self


class NewLesionOnScan(Schema):
    """A lesion that baseline did not have; list it on every scan that shows it."""

    id: Identifier
    """The lesion; the same on every scan."""
    organ: Organ | None = None
    longest_diameter_mm: Annotated[
        DiameterMm | None, Field(description="Also below 10 mm where it can be measured.")
    ] = None
    short_axis_mm: Annotated[ShortAxisMm | None, Field(description="For a lymph node.")] = None
    grown: Annotated[bool, Field(description="Larger than on the scan before, of a lesion without a size.")] = False

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        if self.longest_diameter_mm is not None and self.short_axis_mm is not None:
            raise ValueError("give longest_diameter_mm, or short_axis_mm for a lymph node, not both")
        return self


class ResponseScan(Schema):
    """One imaging visit; the first one is the baseline and names the targets."""

    day: Day
    lesions: Annotated[
        list[TargetOnScan],
        Field(max_length=100, description="Targets; one that a later scan does not list was not evaluable."),
    ] = []
    non_target: NonTargetStatus = "none"
    non_target_increase: Annotated[
        bool, Field(description="Any further increase of non-target disease since the scan before (iRECIST).")
    ] = False
    new_lesions: Annotated[
        bool | list[NewLesionOnScan],
        Field(description="New lesions seen now; true alone says that there is one, without identity or size."),
    ] = False
    prompted_by_symptoms: Annotated[bool, Field(description="Done early because of new symptoms.")] = False


class ResponseRequest(ComputeRequest):
    """Scans of one patient in order of time."""

    scans: Annotated[list[ResponseScan], Field(min_length=1, max_length=200)]
    start_day: Annotated[
        Day | None,
        Field(description="Study entry; left out, day 0 or the baseline scan if that came later."),
    ] = None
    death_day: Day | None = None
    """Day of death; left out: alive."""
    response_is_primary_endpoint: Annotated[
        bool,
        Field(description="In a trial without randomization: complete and partial responses need confirmation."),
    ] = False
    confirmation_interval_days: Annotated[
        float, number("d", "Shortest interval to the confirming scan.", example=28.0, ge=0, le=365)
    ] = 28.0
    stable_disease_minimum_days: Annotated[
        float, number("d", "Shortest time from the start for stable disease as best response.", example=42.0, ge=0)
    ] = 42.0


class BaselineRead(Schema):
    """The first scan."""

    day: Day
    target_sum_mm: SumMm | None
    """Sum of the target sizes; null without targets."""
    target_count: int
    """Number of target lesions."""


class TargetRead(Schema):
    """One target on one scan; size null where it was not evaluable."""

    id: Identifier
    """The lesion, by its id in the scans."""
    status: LesionStatus
    size_mm: SumMm | None
    """Longest diameter, or short axis of a lymph node; null where not evaluable."""
    change_from_baseline: ChangeFraction | None
    """Relative change since baseline; null where not evaluable."""


class RecistVisitRead(Schema):
    """RECIST 1.1 at one visit."""

    target: Annotated[RecistCategory | None, Field(description="Null without target lesions.")]
    overall: RecistCategory
    """Overall response."""
    rule: Rule
    explanation: str


class WindowRead(Schema):
    """When the confirming scan is due."""

    earliest_day: float
    """First day on which a scan may confirm, the criteria's two days of tolerance included."""
    latest_day: float
    """Eight weeks after the last visit that was iUPD."""


class IrecistVisitRead(Schema):
    """The immune criteria at one visit."""

    overall: IrecistCategory
    """Overall response."""
    rule: Rule
    explanation: str
    new_lesion_sum_mm: SumMm | None
    """Sum of the new target lesions; null without any."""
    unconfirmed_since_day: Day | None
    """Day of the unconfirmed progression that is open; null without one."""
    confirmation_due: WindowRead | None
    """When the confirming scan is due; null without open progression."""


class VisitRead(Schema):
    """One visit after baseline."""

    day: Day
    target_sum_mm: SumMm | None
    """Sum of the target sizes; null where a target was not evaluable."""
    nadir_mm: Annotated[SumMm | None, Field(description="Smallest sum before this visit, baseline included.")]
    change_from_baseline: ChangeFraction | None
    """Relative change of the sum since baseline."""
    change_from_nadir: ChangeFraction | None
    """Relative change of the sum since its smallest value."""
    lesions: list[TargetRead]
    """Target lesions."""
    recist: RecistVisitRead
    """RECIST 1.1."""
    irecist: IrecistVisitRead
    """iRECIST."""


class BestResponseRead(Schema):
    """Best overall response by RECIST 1.1."""

    category: RecistCategory
    """Best category."""
    day: Annotated[Day | None, Field(description="First visit that showed it.")]
    confirmed: bool
    """A later scan confirmed it."""
    rule: Rule
    explanation: str


class IrecistBestResponseRead(Schema):
    """Best overall response by iRECIST, responses not confirmed."""

    category: IrecistCategory
    """Best category."""
    day: Annotated[Day | None, Field(description="First visit that showed it.")]


class ProgressionRead(Schema):
    """Progression-free survival, counted from the start."""

    time_days: Annotated[float, number("d", "Time to the event or to censoring.", example=126.0)]
    event: bool
    """True for progression or death, false when censored."""
    cause: Literal["progression", "death", "censored"]
    """What ended the time."""
    rule: Rule
    explanation: str


class ResponseResult(Schema):
    """Both sets of criteria, visit by visit and overall."""

    start_day: Annotated[Day, Field(description="Study entry that was used.")]
    baseline: BaselineRead
    """Day and target sum of the first scan."""
    visits: list[VisitRead]
    """Visits after baseline."""
    best_change_from_baseline: Annotated[
        ChangeFraction | None, Field(description="Smallest change up to the first RECIST progression.")
    ]
    recist_best_response: BestResponseRead
    """Best response by RECIST 1.1."""
    irecist_best_response: IrecistBestResponseRead
    """Best response by iRECIST."""
    recist_progression: ProgressionRead
    """Progression-free survival by RECIST 1.1."""
    irecist_progression: ProgressionRead
    """Progression-free survival by iRECIST."""
