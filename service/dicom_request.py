"""From an upload to the document that is stored: one histogram for every structure, no identifier."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import BinaryIO, Final

import numpy as np

from schemas import dicom as wire
from schemas.dvh import EvaluationOptions, Part, StructureRequest
from schemas.plan import Dvh
from schemas.run import RunWarning
from service.dicom_reading import Upload, read_upload
from service.dicom_structures import Roi
from service.errors import InvalidInput
from simulation.radiation.contours import stack_contours
from simulation.radiation.sampling import StructureDose, structure_dose
from simulation.radiation.structure_names import organ_of

TARGET_TYPES: Final = frozenset({"PTV", "CTV", "GTV"})
LARGEST_DOSE_GY: Final = 200.0
SIGNIFICANT_DIGITS: Final = 9


def ingest(files: Sequence[BinaryIO], options: wire.DicomOptions) -> wire.DicomRequest:
    """Read uploaded DICOM-RT files and reduce them to histograms.

    Parameters
    ----------
    files : sequence of binary file
        One RTSTRUCT, one or several RTDOSE, optional RTPLAN, in any order; seekable. Errors name them
        ``/files/0``, ``/files/1``, in this order.
    options : DicomOptions

    Returns
    -------
    DicomRequest
        The input of the run; nothing else of the upload is kept.

    Raises
    ------
    InvalidInput
        When a file is not usable, files do not belong together, or no structure can be evaluated.
    """
    given = options.evaluation.fraction_count if options.evaluation else None
    upload = read_upload(files, fraction_count=given)
    evaluation = options.evaluation or _standard_evaluation(upload)
    structures, left_out, warnings = _sample_all(upload, options)
    structures += _pairs(structures)
    if not structures:
        raise InvalidInput("/rtstruct", "no structure could be evaluated: " + (left_out[0].reason if left_out else ""))
    grid = upload.grids[0]
    frames = len(grid.frame_offsets_mm)
    extent = float(grid.frame_offsets_mm[-1] - grid.frame_offsets_mm[0])
    return wire.DicomRequest(
        seed=options.seed,
        files=[
            wire.DicomFileFacts.model_validate(
                {"modality": file.modality, "sha256": file.sha256, "size_bytes": file.size_bytes}
            )
            for file in upload.files
        ],
        dose=wire.DicomDoseFacts.model_validate(
            {
                "summation_type": upload.summation_type,
                "file_count": sum(file.modality == "RTDOSE" for file in upload.files),
                "effective_dose": upload.effective_dose,
                "voxel_mm": [
                    grid.column_spacing_mm,
                    grid.row_spacing_mm,
                    extent / (frames - 1) if frames > 1 else sum(grid.frame_reach_mm),
                ],
                "prescribed_dose_gy": upload.prescription_gy,
                "modality": upload.modality,
            }
        ),
        volume_model=options.volume_model,
        structures=structures,
        left_out=left_out,
        evaluation=evaluation,
        warnings=[*upload.warnings, *warnings],
    )


def _standard_evaluation(upload: Upload) -> EvaluationOptions:
    if upload.fraction_count is None:
        raise InvalidInput(
            "/options/evaluation/fraction_count", "the number of fractions is not known; give it, or upload the RTPLAN"
        )
    return EvaluationOptions(fraction_count=upload.fraction_count, prescribed_dose_gy=upload.prescription_gy)


def _sample_all(
    upload: Upload, options: wire.DicomOptions
) -> tuple[list[wire.DicomStructure], list[wire.LeftOut], list[RunWarning]]:
    wanted = None if options.structures is None else set(options.structures)
    missing = (wanted or set()) - {roi.name for roi in upload.structures}
    if missing:
        raise InvalidInput("/options/structures", "must be names of structures in the upload")
    assigned = {assignment.name: assignment for assignment in options.assignments}
    if set(assigned) - {roi.name for roi in upload.structures}:
        raise InvalidInput("/options/assignments", "must name structures in the upload")
    spacing = _slice_spacing_mm(upload.structures)
    structures: list[wire.DicomStructure] = []
    left_out: list[wire.LeftOut] = []
    warnings: list[RunWarning] = []
    for roi in upload.structures:
        if wanted is not None and roi.name not in wanted:
            continue
        try:
            found, geometry = _sample(roi, upload, spacing, options)
        except ValueError as error:
            left_out.append(wire.LeftOut(name=roi.name, reason=str(error)))
            continue
        identifier = _identifier(roi.name, [structure.request.id for structure in structures])
        structures.append(
            wire.DicomStructure(
                name=roi.name,
                request=_request(identifier, roi, found, assigned.get(roi.name)),
                geometry=geometry,
                planning_system=_stored(roi.number, upload),
            )
        )
        warnings += _notes(identifier, roi, found, geometry)
    return structures, left_out, warnings


def _slice_spacing_mm(structures: Sequence[Roi]) -> float:
    """Median distance of the planes in which anything is drawn; a lone plane is that thick."""
    gaps: list[float] = []
    for roi in structures:
        heights = np.unique(np.round([contour[0, 2] for contour in roi.contours_mm], 2))
        gaps += [float(gap) for gap in np.diff(heights) if gap > 0]
    return float(np.median(gaps)) if gaps else 1.0


def _sample(
    roi: Roi, upload: Upload, spacing_mm: float, options: wire.DicomOptions
) -> tuple[StructureDose, wire.StructureGeometry]:
    if not roi.contours_mm:
        raise ValueError("it has no closed planar contour")
    stack = stack_contours(roi.contours_mm, single_plane_thickness_mm=spacing_mm, volume_model=options.volume_model)
    found = structure_dose(stack, upload.grids, bins=options.dvh_bins)
    if found.coverage_fraction <= 0:
        raise ValueError("it lies outside the dose grid")
    if found.surface_maximum_gy > LARGEST_DOSE_GY:
        raise ValueError(f"it receives more than {LARGEST_DOSE_GY:.0f} Gy")
    return found, wire.StructureGeometry(
        roi_number=roi.number,
        volume_cm3=_rounded(found.volume_cm3),
        coverage_fraction=_rounded(found.coverage_fraction),
        mean_gy=_rounded(found.mean_gy),
        minimum_gy=_rounded(found.minimum_gy),
        maximum_gy=_rounded(found.maximum_gy),
        surface_minimum_gy=_rounded(found.surface_minimum_gy),
        surface_maximum_gy=_rounded(found.surface_maximum_gy),
        plane_count=stack.plane_count,
        part_count=stack.parts,
        bridged_gaps=stack.skipped_gaps,
        point_count=found.point_count,
        point_spacing_mm=_rounded(found.step_mm),
    )


def _rounded(value: float) -> float:
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")


def _identifier(name: str, taken: Sequence[str]) -> str:
    plain = re.sub(r"[^A-Za-z0-9.:-]", "_", name)[:58]
    candidates = (plain if number == 1 else f"{plain}-{number}" for number in range(1, len(taken) + 2))
    return next(candidate for candidate in candidates if candidate not in taken)


def _request(
    identifier: str, roi: Roi, found: StructureDose, assigned: wire.StructureAssignment | None
) -> StructureRequest:
    named = organ_of(roi.name)
    organ = None if named.margin else named.organ
    part: Part = "whole"
    if named.side is not None:
        part = "left" if named.side == "left" else "right"
    target = named.target or (roi.interpreted_type in TARGET_TYPES and named.organ is None)
    alpha_beta_gy = None
    if assigned is not None:
        organ, part, target = assigned.organ, assigned.part, assigned.target
        alpha_beta_gy = assigned.alpha_beta_gy
    return StructureRequest(
        id=identifier,
        organ=None if target else organ,
        part=part,
        target=target,
        dvh=_curve(found),
        alpha_beta_gy=alpha_beta_gy,
    )


def _curve(found: StructureDose) -> Dvh:
    """Cumulative curve of the covered part, from its minimum to its maximum dose."""
    above = np.append(np.cumsum(found.volumes_cm3[::-1])[::-1], 0.0)
    curve: dict[float, float] = {}
    for dose, volume in zip(found.edges_gy, above, strict=True):
        curve.setdefault(_rounded(float(dose)), _rounded(float(volume)))
    if len(curve) > 1 and next(reversed(curve.values())) > 0:
        curve[next(reversed(curve))] = 0.0
    return Dvh(kind="cumulative", dose_gy=list(curve), volume=list(curve.values()), volume_unit="cm3")


def _stored(number: int, upload: Upload) -> wire.PlanningSystemValues | None:
    stored = upload.planning_system.get(number)
    if stored is None:
        return None

    def bounded(value: float | None, limit: float) -> float | None:
        return value if value is not None and math.isfinite(value) and 0 <= value <= limit else None

    return wire.PlanningSystemValues(
        volume_cm3=bounded(stored.volume_cm3, 1e6),
        mean_gy=bounded(stored.mean_gy, 1000),
        minimum_gy=bounded(stored.minimum_gy, 1000),
        maximum_gy=bounded(stored.maximum_gy, 1000),
    )


def _notes(identifier: str, roi: Roi, found: StructureDose, geometry: wire.StructureGeometry) -> list[RunWarning]:
    said: list[tuple[str, str]] = []
    if geometry.coverage_fraction < 0.9999:
        said.append(("partial-coverage", "A part of the structure lies outside the dose grid; its dose is not known."))
    if geometry.bridged_gaps:
        said.append(("skipped-slices", "Contours skip slices; the space between them is filled."))
    if geometry.part_count > 1:
        said.append(("separate-parts", "The structure has separate parts along its axis, each with its own end caps."))
    if roi.left_out_contours:
        said.append(
            ("contours-left-out", "Open, point or incomplete contours do not enclose volume and were left out.")
        )
    if not found.interpolation_complete:
        said.append(
            ("coarse-interpolation", "The contours are so detailed that some were joined halfway between planes.")
        )
    return [RunWarning(code=code, message=f"{identifier}: {message}", pointer=None) for code, message in said]


def _pairs(structures: Sequence[wire.DicomStructure]) -> list[wire.DicomStructure]:
    """Both sides of a paired organ together, where only the sides are drawn."""
    sides: dict[str, dict[str, wire.DicomStructure]] = {}
    whole = {structure.request.organ for structure in structures if structure.request.part == "whole"}
    for structure in structures:
        organ, part = structure.request.organ, structure.request.part
        if organ is not None and part in ("left", "right") and organ not in whole:
            sides.setdefault(organ, {}).setdefault(part, structure)
    taken = {structure.request.id for structure in structures}
    return [_together(organ, pair) for organ, pair in sides.items() if len(pair) == 2 and f"{organ}-both" not in taken]


def _together(organ: str, pair: Mapping[str, wire.DicomStructure]) -> wire.DicomStructure:
    left, right = pair["left"], pair["right"]
    doses = np.union1d(left.request.dvh.dose_gy, right.request.dvh.dose_gy)
    volumes = sum(np.interp(doses, side.request.dvh.dose_gy, side.request.dvh.volume) for side in (left, right))
    curve = Dvh(
        kind="cumulative",
        dose_gy=[float(dose) for dose in doses],
        volume=[_rounded(float(volume)) for volume in np.atleast_1d(volumes)],
        volume_unit="cm3",
    )
    first, second = left.geometry, right.geometry
    volume = first.volume_cm3 + second.volume_cm3
    covered = [side.volume_cm3 * side.coverage_fraction for side in (first, second)]
    return wire.DicomStructure(
        name=f"{organ} both sides",
        request=StructureRequest(id=f"{organ}-both", organ=organ, dvh=curve),
        geometry=wire.StructureGeometry(
            roi_number=None,
            volume_cm3=_rounded(volume),
            coverage_fraction=_rounded(min(1.0, sum(covered) / volume)),
            mean_gy=_rounded((covered[0] * first.mean_gy + covered[1] * second.mean_gy) / sum(covered)),
            minimum_gy=min(first.minimum_gy, second.minimum_gy),
            maximum_gy=max(first.maximum_gy, second.maximum_gy),
            surface_minimum_gy=min(first.surface_minimum_gy, second.surface_minimum_gy),
            surface_maximum_gy=max(first.surface_maximum_gy, second.surface_maximum_gy),
            plane_count=first.plane_count + second.plane_count,
            part_count=first.part_count + second.part_count,
            bridged_gaps=first.bridged_gaps + second.bridged_gaps,
            point_count=first.point_count + second.point_count,
            point_spacing_mm=max(first.point_spacing_mm, second.point_spacing_mm),
        ),
        planning_system=None,
    )
