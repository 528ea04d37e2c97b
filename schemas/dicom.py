"""A DICOM-RT upload after its identifiers were dropped: dose-volume histograms in, their evaluation out."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import ComputeRequest, DoseGy, Identifier, Schema, Seed, Whole, number
from schemas.dvh import AlphaBetaGy, DvhResult, EvaluationOptions, Part, StructureRequest
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


class DicomOptions(Schema):
    """The ``options`` part of the upload."""

    seed: Seed = 0
    structures: Annotated[
        list[StructureName] | None,
        Field(min_length=1, max_length=200, description="Structures to read; left out: all of them."),
    ] = None
    assignments: Annotated[list[StructureAssignment], Field(max_length=200)] = []
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
    sha256: Sha256
    size_bytes: Annotated[int, Field(ge=0, le=2**40), Whole]


class DicomDoseFacts(Schema):
    """How the dose was stored and added up."""

    summation_type: Annotated[str, Field(pattern=r"^[A-Z_]{1,16}$", examples=["PLAN"])]
    file_count: Annotated[int, Field(ge=1, le=100), Whole]
    effective_dose: Annotated[bool, Field(description="A biological weight is already in the dose.")]
    voxel_mm: Annotated[
        list[Annotated[float, number("mm", "Column, row and mean frame spacing.", example=2.5, gt=0, le=1000)]],
        Field(min_length=3, max_length=3),
    ]
    prescribed_dose_gy: DoseGy | None = None
    modality: Modality | None = None


class PlanningSystemValues(Schema):
    """What the planning system stored about the structure in its own histogram."""

    volume_cm3: VolumeCm3 | None = None
    mean_gy: DoseRead | None = None
    minimum_gy: DoseRead | None = None
    maximum_gy: DoseRead | None = None


class StructureGeometry(Schema):
    """What the contours gave."""

    roi_number: Annotated[int | None, Whole] = None
    volume_cm3: VolumeCm3
    coverage_fraction: Annotated[
        float, number("1", "Part of the volume inside the dose grid; all doses are for it.", example=1.0, ge=0, le=1)
    ]
    mean_gy: DoseRead
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
    part_count: Annotated[int, Field(ge=0, le=100000), Whole]
    bridged_gaps: Annotated[
        int, Field(ge=0, le=100000, description="Gaps with skipped slices, filled by interpolation."), Whole
    ]
    point_count: Annotated[int, Field(ge=0, le=100_000_000, description="Sample points."), Whole]
    point_spacing_mm: Annotated[float, number("mm", "Distance of the points in a plane.", example=1.2, ge=0, le=1000)]


class DicomStructure(Schema):
    """One structure of the upload with its histogram."""

    name: StructureName
    request: StructureRequest
    geometry: StructureGeometry
    planning_system: PlanningSystemValues | None = None


class LeftOut(Schema):
    """A structure that was not evaluated."""

    name: StructureName
    reason: str


class DicomRequest(ComputeRequest):
    """What is kept of an upload: histograms and digests, no identifier and no image."""

    files: Annotated[list[DicomFileFacts], Field(min_length=1, max_length=100)]
    dose: DicomDoseFacts
    volume_model: VolumeModel
    structures: Annotated[list[DicomStructure], Field(min_length=1, max_length=250)]
    left_out: Annotated[list[LeftOut], Field(max_length=250)]
    evaluation: EvaluationOptions
    warnings: Annotated[list[RunWarning], Field(max_length=500)]


class StructureCheck(Schema):
    """Geometry of one structure, beside the planning system's own values."""

    id: Identifier
    name: str
    organ: str | None
    part: Part
    target: bool
    geometry: StructureGeometry
    planning_system: PlanningSystemValues | None = None
    volume_difference_percent: Annotated[
        float | None, number("%", "Own volume against the planning system's.", example=0.6)
    ]
    mean_difference_gy: Annotated[float | None, number("Gy", "Own mean against the planning system's.", example=0.01)]


class Conventions(Schema):
    """Rules by which contours became volumes and doses."""

    volume_model: VolumeModel
    between_planes: str
    end_caps: str
    holes: str
    outside_grid: str
    dose_between_points: str
    sampling: str
    extremes: str


class DicomResult(Schema):
    """Geometry checks, what was left out, and the evaluation of the histograms."""

    dose: DicomDoseFacts
    structures: list[StructureCheck]
    left_out: list[LeftOut]
    conventions: Conventions
    evaluation: DvhResult
