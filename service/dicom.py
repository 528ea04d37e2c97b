"""Dose of every structure of a DICOM-RT export; the stored run is computed from histograms alone."""

from collections.abc import Mapping
from typing import Any, Final

from schemas import dicom as wire
from schemas.run import ModelRef, RunWarning
from service import dvh, dvh_figures
from service.dicom_request import ingest
from service.dvh_structures import structures_of
from service.errors import InvalidInput
from service.kinds import Computation, Kind
from simulation.registry import CARDS

__all__ = ["KIND", "compute", "ingest"]

VOLUME_DIFFERENCE_LIMIT_PERCENT: Final = 5.0
CARD: Final = "dicom-dvh"
EVALUATION: Final = "/options/evaluation"
SHARED_CONVENTIONS: Final = {
    "holes": "Contours of one plane are combined by exclusive or; keyholes are holes.",
    "outside_grid": "Doses are for the part inside the dose grid; coverage_fraction says how large it is.",
    "dose_between_points": "Trilinear between voxel centers; ImagePositionPatient is the center of the first voxel.",
    "extremes": "minimum_gy and maximum_gy are of the points all through the volume, as the histogram is; "
    "surface_minimum_gy and surface_maximum_gy add points along all outlines and on the end caps.",
}
CONVENTIONS: Final[Mapping[str, wire.Conventions]] = {
    "interpolated": wire.Conventions(
        volume_model="interpolated",
        between_planes="The outline is interpolated between contour planes by signed distance.",
        end_caps="The first and the last outline reach on by half of the adjacent gap (half-slice end caps).",
        sampling="Points along all three axes, at least 20000 in a structure, each with the dose of its own place.",
        **SHARED_CONVENTIONS,
    ),
    "contour_planes": wire.Conventions(
        volume_model="contour_planes",
        between_planes="Every contour stands for a slab that reaches halfway to its neighbors; nothing is interpolated "
        "between planes.",
        end_caps="The first and the last slab reach on by half of the adjacent gap (half-slice end caps).",
        sampling="Points along the two axes of the planes, at least 20000 in a structure; the dose of a slab is that "
        "in its contour's plane, also in the end caps.",
        **SHARED_CONVENTIONS,
    ),
}


def compute(request: wire.DicomRequest) -> Computation:
    """Evaluate the histograms of an upload."""
    options = request.evaluation
    structures = structures_of([structure.request for structure in request.structures], options.fraction_count)
    try:
        evaluation = dvh.evaluate_structures(structures, options, seed=request.seed)
    except InvalidInput as error:
        raise InvalidInput(EVALUATION + error.errors[0]["pointer"], error.detail) from error
    checks = [_check(structure) for structure in request.structures]
    result = wire.DicomResult(
        dose=request.dose,
        structures=checks,
        left_out=request.left_out,
        conventions=CONVENTIONS[request.volume_model],
        evaluation=evaluation.result,
    )
    return Computation(
        result=result,
        models=(ModelRef(id=CARD, version=CARDS[CARD].version), *evaluation.models),
        warnings=(*request.warnings, *_differences(checks), *evaluation.warnings),
    )


def _check(structure: wire.DicomStructure) -> wire.StructureCheck:
    stored = structure.planning_system
    own = structure.geometry
    volume = None
    if stored is not None and stored.volume_cm3:
        volume = 100.0 * (own.volume_cm3 / stored.volume_cm3 - 1.0)
    mean = None if stored is None or stored.mean_gy is None else own.mean_gy - stored.mean_gy
    return wire.StructureCheck(
        id=structure.request.id,
        name=structure.name,
        organ=structure.request.organ,
        part=structure.request.part,
        target=structure.request.target,
        geometry=own,
        planning_system=stored,
        volume_difference_percent=volume,
        mean_difference_gy=mean,
    )


def _differences(checks: list[wire.StructureCheck]) -> list[RunWarning]:
    return [
        RunWarning(
            code="volume-differs",
            message=f"{check.id}: the volume differs from the planning system's by more than "
            f"{VOLUME_DIFFERENCE_LIMIT_PERCENT:.0f} percent; end caps and small structures are treated differently.",
            pointer=None,
        )
        for check in checks
        if check.volume_difference_percent is not None
        and abs(check.volume_difference_percent) > VOLUME_DIFFERENCE_LIMIT_PERCENT
    ]


def _draw_curves(given: Mapping[str, Any], result: Mapping[str, Any]) -> bytes:
    return dvh_figures.draw_curves(given, result["evaluation"])


def _draw_window(given: Mapping[str, Any], result: Mapping[str, Any]) -> bytes:
    return dvh_figures.draw_window(given, result["evaluation"])


def _series(given: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    return dvh.series(given, result["evaluation"])


_LUNG_CURVE: Final = {
    "kind": "cumulative",
    "dose_gy": [0.4, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 61.2],
    "volume": [3120.0, 1370.0, 990.0, 640.0, 410.0, 250.0, 140.0, 0.0],
    "volume_unit": "cm3",
}
_EXAMPLE: Final = {
    "files": [
        {"modality": "RTDOSE", "sha256": "a" * 64, "size_bytes": 10014610},
        {"modality": "RTSTRUCT", "sha256": "b" * 64, "size_bytes": 1940626},
    ],
    "dose": {
        "summation_type": "PLAN",
        "file_count": 1,
        "effective_dose": False,
        "voxel_mm": [2.5, 2.5, 3.0],
        "prescribed_dose_gy": 60.0,
        "modality": "photon",
    },
    "volume_model": "interpolated",
    "structures": [
        {
            "name": "Lungs",
            "request": {"id": "Lungs", "organ": "lung", "dvh": _LUNG_CURVE},
            "geometry": {
                "roi_number": 3,
                "volume_cm3": 3120.0,
                "coverage_fraction": 1.0,
                "mean_gy": 14.1,
                "minimum_gy": 0.4,
                "maximum_gy": 61.2,
                "surface_minimum_gy": 0.4,
                "surface_maximum_gy": 61.3,
                "plane_count": 92,
                "part_count": 1,
                "bridged_gaps": 0,
                "point_count": 998000,
                "point_spacing_mm": 1.46,
            },
            "planning_system": {"volume_cm3": 3098.0, "mean_gy": 14.0, "minimum_gy": 0.4, "maximum_gy": 61.0},
        }
    ],
    "left_out": [],
    "evaluation": {"fraction_count": 30, "prescribed_dose_gy": 60.0},
    "warnings": [],
}

KIND: Final = Kind(
    name="dicom",
    path="/doses/dicom",
    summary="Dose-volume histograms of an uploaded DICOM-RT plan and their evaluation",
    description=(
        "Upload one RTSTRUCT, one or several RTDOSE and optionally the RTPLAN as multipart form data. Identifiers are "
        "dropped on arrival; the run keeps one histogram for every structure and the digests of the files, and replay "
        "evaluates those. Returns the volume, coverage, mean, minimum and maximum of every structure, the extremes "
        "with its surface, beside the planning system's own values, and the same evaluation as for histograms sent as "
        "JSON. For research; not advice."
    ),
    request=wire.DicomRequest,
    result=wire.DicomResult,
    compute=compute,
    examples={"lungs": _EXAMPLE},
    blocking=True,
    posted=False,
    figures={"dvh": _draw_curves, "therapeutic_window": _draw_window},
    series=_series,
)
