"""A DICOM-RT upload after its identifiers were dropped: dose-volume histograms in, their evaluation out."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import ComputeRequest, DoseGy, Identifier, Schema, Seed, Whole, number
from schemas.dvh import AlphaBetaGy, EvaluationOptions, Part, StructureRequest
from schemas.dvh_results import DvhResult
from schemas.patient import Organ
from schemas.plan import Modality
from schemas.run import RunWarning, Sha256

StructureName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9 _.+\-()/,#]{1,64}$",
        description="Name in the structure set, reduced to harmless characters; long runs of digits become #.",
        examples=["Lung_L"],
    ),
]
VolumeCm3 = Annotated[float, number("cm3", "Volume.", example=1480.0, ge=0, le=1e6)]
DoseRead = Annotated[float, number("Gy", "Physical absorbed dose.", example=12.4, ge=0, le=1000)]
VolumeModel = Annotated[
    Literal["interpolated", "contour_planes"],
    Field(
        description="How contours become a volume. `interpolated`: the outline is interpolated between the planes and "
        "the dose is sampled finely along all three axes. `contour_planes`: every contour stands for a slab halfway "
        "to its neighbors and the dose is read in the contour's plane alone; for comparison with programs that do so.",
        examples=["interpolated"],
    ),
]


class StructureAssignment(Schema):
    """What one structure of the upload is, where its name does not say it."""

    name: StructureName
    organ: Organ | None = None
    part: Part = "whole"
    target: bool = False
    alpha_beta_gy: AlphaBetaGy | None = None
    """Ratio alpha/beta; left out: the organ's customary value."""


class DicomOptions(Schema):
    """The ``options`` part of the upload."""

    seed: Seed = 0
    structures: Annotated[
        list[StructureName] | None,
        Field(min_length=1, max_length=200, description="Structures to read; left out: all of them."),
    ] = None
    assignments: Annotated[list[StructureAssignment], Field(max_length=200)] = []
    """What the structures are, where their names do not say it."""
    dvh_bins: Annotated[
        int,
        Field(ge=100, le=5000, description="Dose bins between a structure's own minimum and maximum.", examples=[1000]),
        Whole,
    ] = 1000
    volume_model: VolumeModel = "interpolated"
    evaluation: Annotated[
        EvaluationOptions | None,
        Field(
            description="What to evaluate; left out: the standard metrics with the number of fractions of the RTPLAN. "
            "A structure's id is its name with every character that is not a letter, digit, point, colon or dash "
            "replaced by an underscore."
        ),
    ] = None


class DicomFileFacts(Schema):
    """One uploaded file, known by its digest only."""

    modality: Literal["RTDOSE", "RTSTRUCT", "RTPLAN"]
    """DICOM modality of the file."""
    sha256: Sha256
    """SHA-256 of the file, in hexadecimal."""
    size_bytes: Annotated[int, Field(ge=0, le=2**40), Whole]
    """Size of the file."""


class DicomDoseFacts(Schema):
    """How the dose was stored and added up."""

    summation_type: Annotated[str, Field(pattern=r"^[A-Z_]{1,16}$", examples=["PLAN"])]
    """Dose Summation Type (3004,000A)."""
    file_count: Annotated[int, Field(ge=1, le=100), Whole]
    """RTDOSE files that were added up."""
    effective_dose: Annotated[bool, Field(description="A biological weight is already in the dose.")]
    voxel_mm: Annotated[
        list[Annotated[float, number("mm", "Column, row and mean frame spacing.", example=2.5, gt=0, le=1000)]],
        Field(min_length=3, max_length=3),
    ]
    """Spacing of the dose grid: column, row, frame."""
    prescribed_dose_gy: DoseGy | None = None
    """Prescribed dose of the RTPLAN; null without one."""
    modality: Modality | None = None


class PlanningSystemValues(Schema):
    """What the planning system stored about the structure in its own histogram."""

    volume_cm3: VolumeCm3 | None = None
    """Volume of the structure."""
    mean_gy: DoseRead | None = None
    """Mean dose."""
    minimum_gy: DoseRead | None = None
    """Smallest dose."""
    maximum_gy: DoseRead | None = None
    """Largest dose."""


class StructureGeometry(Schema):
    """What the contours gave."""

    roi_number: Annotated[int | None, Whole] = None
    """ROI Number (3006,0022) in the structure set."""
    volume_cm3: VolumeCm3
    coverage_fraction: Annotated[
        float, number("1", "Part of the volume inside the dose grid; all doses are for it.", example=1.0, ge=0, le=1)
    ]
    mean_gy: Annotated[DoseRead, Field(description="Mean dose of the volume inside the dose grid.")]
    minimum_gy: Annotated[
        float, number("Gy", "Smallest dose of the points all through the volume.", example=0.4, ge=0, le=1000)
    ]
    maximum_gy: Annotated[
        float, number("Gy", "Largest dose of the points all through the volume.", example=61.2, ge=0, le=1000)
    ]
    surface_minimum_gy: Annotated[
        float,
        number("Gy", "Smallest dose with the surface: outlines and end caps included.", example=0.4, ge=0, le=1000),
    ]
    surface_maximum_gy: Annotated[
        float,
        number("Gy", "Largest dose with the surface: outlines and end caps included.", example=61.3, ge=0, le=1000),
    ]
    plane_count: Annotated[int, Field(ge=0, le=100000), Whole]
    """Planes with contours."""
    part_count: Annotated[int, Field(ge=0, le=100000), Whole]
    """Separate parts of the structure."""
    bridged_gaps: Annotated[
        int, Field(ge=0, le=100000, description="Gaps with skipped slices, filled by interpolation."), Whole
    ]
    point_count: Annotated[int, Field(ge=0, le=100_000_000, description="Sample points."), Whole]
    point_spacing_mm: Annotated[float, number("mm", "Distance of the points in a plane.", example=1.2, ge=0, le=1000)]


class DicomStructure(Schema):
    """One structure of the upload with its histogram."""

    name: StructureName
    request: StructureRequest
    """The structure as the evaluation takes it."""
    geometry: StructureGeometry
    """Volume and doses from the contours."""
    planning_system: PlanningSystemValues | None = None
    """Values of the planning system; null where it stored none."""


class LeftOut(Schema):
    """A structure that was not evaluated."""

    name: StructureName
    reason: str
    """Why the structure was not evaluated."""


class DicomRequest(ComputeRequest):
    """What is kept of an upload: histograms and digests, no identifier and no image."""

    files: Annotated[list[DicomFileFacts], Field(min_length=1, max_length=100)]
    """The uploaded files, by digest."""
    dose: DicomDoseFacts
    """Facts about the dose grid and its files."""
    volume_model: VolumeModel
    structures: Annotated[list[DicomStructure], Field(min_length=1, max_length=250)]
    left_out: Annotated[list[LeftOut], Field(max_length=250)]
    """Structures that were not evaluated."""
    evaluation: EvaluationOptions
    """What to evaluate."""
    warnings: Annotated[list[RunWarning], Field(max_length=500)]


class StructureCheck(Schema):
    """Geometry of one structure, beside the planning system's own values."""

    id: Identifier
    """Id of the structure in the evaluation."""
    name: str
    """Name in the structure set, reduced to harmless characters."""
    organ: str | None
    part: Part
    target: bool
    geometry: StructureGeometry
    """Volume and doses from the contours."""
    planning_system: PlanningSystemValues | None = None
    """Values of the planning system; null where it stored none."""
    volume_difference_percent: Annotated[
        float | None, number("%", "Own volume against the planning system's.", example=0.6)
    ]
    mean_difference_gy: Annotated[float | None, number("Gy", "Own mean against the planning system's.", example=0.01)]


class Conventions(Schema):
    """Rules by which contours became volumes and doses."""

    volume_model: VolumeModel
    between_planes: str
    """What the outline does between two planes."""
    end_caps: str
    """Where the structure ends beyond the last planes."""
    holes: str
    """How contours inside contours count."""
    outside_grid: str
    """What counts outside the dose grid."""
    dose_between_points: str
    """How the dose between grid points is read."""
    sampling: str
    """How densely the volume is sampled."""
    extremes: str
    """What the smallest and largest dose mean."""


class DicomResult(Schema):
    """Geometry checks, what was left out, and the evaluation of the histograms."""

    dose: DicomDoseFacts
    """Facts about the dose grid and its files."""
    structures: list[StructureCheck]
    left_out: list[LeftOut]
    """Structures that were not evaluated."""
    conventions: Conventions
    """Rules from contours to doses."""
    evaluation: DvhResult
    """Evaluation of the histograms."""
