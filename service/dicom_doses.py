"""Dose grids out of RTDOSE files: geometry, units, and the rules by which several files add up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from pydicom.dataset import Dataset

from service.dicom_files import DicomFile, hostile
from service.dicom_pixels import PixelShape, read_dose, read_shape
from service.dicom_tokens import number, numbers, text, token
from service.errors import InvalidInput
from simulation.radiation.grid import DoseGrid, make_grid

MAX_DOSE_GY: Final = 1000.0
MAX_LENGTH_MM: Final = 10_000.0
FRAME_POSITION_TOLERANCE_MM: Final = 0.5
MAX_GRID_VOXELS: Final = 2**26
ROUNDING: Final = 1e-6
WHOLE_TREATMENT: Final = frozenset({"PLAN", "MULTI_PLAN", "PLAN_OVERVIEW", "RECORD"})
SUMMABLE: Final = frozenset({"PLAN", "BEAM", "BRACHY", "FRACTION"})


@dataclass(frozen=True, slots=True)
class PlanningSystemDvh:
    """What the planning system itself stored about a structure."""

    volume_cm3: float | None
    mean_gy: float | None
    minimum_gy: float | None
    maximum_gy: float | None


@dataclass(frozen=True, slots=True)
class DoseHeader:
    """Everything about one RTDOSE file except its pixels."""

    file: DicomFile
    shape: PixelShape
    scaling_gy: float
    summation: str
    dose_type: str
    frame: str | None
    plan: str | None
    beams: frozenset[int]
    identity: str | None
    planning_system: Mapping[int, PlanningSystemDvh]


def read_header(file: DicomFile) -> DoseHeader:
    """Read and check one RTDOSE file, pixels left out.

    Parameters
    ----------
    file : DicomFile

    Raises
    ------
    InvalidInput
        When the dose is relative, not a dose, or has no plausible scaling or size.
    """
    with hostile(file.pointer):
        data = file.dataset
        units = text(data, "DoseUnits")
        dose_type = text(data, "DoseType") or "PHYSICAL"
        summation = text(data, "DoseSummationType") or ""
        scaling = number(data, "DoseGridScaling")
        plans = list(data.get("ReferencedRTPlanSequence") or ())
        beams = frozenset(
            int(beam.ReferencedBeamNumber)
            for plan in plans
            for group in plan.get("ReferencedFractionGroupSequence") or ()
            for beam in group.get("ReferencedBeamSequence") or ()
        )
        plan = token(plans[0], "ReferencedSOPInstanceUID") if len(plans) == 1 else None
        frame = token(data, "FrameOfReferenceUID")
        identity = token(data, "SOPInstanceUID")
        stored = _planning_system(file)
    if units != "GY":
        raise InvalidInput(file.pointer, "the dose is relative; export it in Gy (dose units GY)")
    if dose_type not in ("PHYSICAL", "EFFECTIVE"):
        raise InvalidInput(file.pointer, "the file holds no dose (dose type must be PHYSICAL or EFFECTIVE)")
    if scaling is None or not 0 < scaling <= MAX_DOSE_GY:
        raise InvalidInput(file.pointer, "the dose grid scaling is missing or not positive")
    shape = read_shape(file)
    return DoseHeader(file, shape, scaling, summation, dose_type, frame, plan, beams, identity, stored)


def weights(headers: Sequence[DoseHeader], fraction_counts: Mapping[str | None, int | None]) -> list[float]:
    """How many times each file counts in the sum.

    PLAN doses add up when their plans differ, BEAM doses when their beams differ, and a FRACTION
    dose counts as often as its plan has fractions. Doses of different kinds never add up, because one
    may contain the other.

    Parameters
    ----------
    headers : sequence of DoseHeader
    fraction_counts : mapping
        From a plan's token to its number of fractions; the key None serves doses without a plan.

    Returns
    -------
    list of float

    Raises
    ------
    InvalidInput
        When the files would count a dose twice, or a number of fractions is missing.
    """
    kinds = {header.summation for header in headers}
    if len(kinds) > 1:
        raise InvalidInput("/files", "dose files of different summation types may contain each other; upload one type")
    kind = kinds.pop()
    if kind not in WHOLE_TREATMENT | SUMMABLE:
        raise InvalidInput("/files", "the dose summation type must be PLAN, MULTI_PLAN, BEAM, BRACHY or FRACTION")
    if len(headers) > 1 and kind not in SUMMABLE:
        raise InvalidInput("/files", "several doses of this summation type cannot be added; upload one")
    identities = [header.identity for header in headers if header.identity]
    digests = [header.file.sha256 for header in headers]
    if len(set(identities)) < len(identities) or len(set(digests)) < len(digests):
        raise InvalidInput("/files", "the same dose file was uploaded twice")
    plans = [header.plan for header in headers]
    if kind == "PLAN" and len(headers) > 1 and (None not in plans) and len(set(plans)) < len(plans):
        raise InvalidInput("/files", "two plan doses belong to the same plan; upload one of them")
    if kind == "BEAM":
        beams = [(header.plan, beam) for header in headers for beam in header.beams]
        if len(set(beams)) < len(beams):
            raise InvalidInput("/files", "two beam doses contain the same beam")
    if kind == "FRACTION":
        return [_fraction_weight(header, plans, fraction_counts) for header in headers]
    return [1.0] * len(headers)


def _fraction_weight(
    header: DoseHeader, plans: Sequence[str | None], fraction_counts: Mapping[str | None, int | None]
) -> float:
    count = fraction_counts.get(header.plan) or fraction_counts.get(None)
    if count is None:
        raise InvalidInput(
            header.file.pointer, "a dose of one fraction needs its RTPLAN or fraction_count in the options"
        )
    same_plan = sum(plan == header.plan for plan in plans)
    if same_plan == count:
        return 1.0
    if same_plan == 1:
        return float(count)
    raise InvalidInput("/files", "upload one fraction dose per plan, or as many as the plan has fractions")


def sum_grids(headers: Sequence[DoseHeader], times: Sequence[float]) -> tuple[DoseGrid, ...]:
    """Decode the doses and add those that share their points.

    Parameters
    ----------
    headers : sequence of DoseHeader
    times : sequence of float
        How often each counts.

    Returns
    -------
    tuple of DoseGrid
        Their doses add up; usually one.

    Raises
    ------
    InvalidInput
        When a grid's geometry is impossible or the grids are too large together.
    """
    grids: list[DoseGrid] = []
    for header, weight in zip(headers, times, strict=True):
        grid = _grid(header, weight)
        twin = next((known for known in grids if known.same_points(grid)), None)
        if twin is None:
            grids.append(grid)
        else:
            np.add(twin.dose_gy, grid.dose_gy, out=twin.dose_gy)
        if sum(known.dose_gy.size for known in grids) > MAX_GRID_VOXELS:
            raise InvalidInput("/files", "the dose grids are too large together; export coarser ones")
    return tuple(grids)


def _grid(header: DoseHeader, weight: float) -> DoseGrid:
    file, pointer = header.file, header.file.pointer
    with hostile(pointer):
        position = numbers(file.dataset, "ImagePositionPatient")
        orientation = numbers(file.dataset, "ImageOrientationPatient")
        spacing = numbers(file.dataset, "PixelSpacing")
        offsets = numbers(file.dataset, "GridFrameOffsetVector")
        thickness = number(file.dataset, "SliceThickness")
    if (len(position), len(orientation), len(spacing)) != (3, 6, 2):
        raise InvalidInput(pointer, "image position, orientation or pixel spacing of the dose grid is missing")
    if max(map(abs, (*position, *offsets))) > MAX_LENGTH_MM or not all(1e-3 <= step <= 1000 for step in spacing):
        raise InvalidInput(pointer, "position, offsets or spacing of the dose grid are not plausible")
    if header.shape.frames == 1 and not offsets:
        offsets = [0.0]
    if len(offsets) != header.shape.frames:
        raise InvalidInput(pointer, "the grid frame offset vector does not have one entry for every frame")
    dose = read_dose(file, header.shape, header.scaling_gy * weight)
    if not float(dose.min()) >= -MAX_DOSE_GY or not float(dose.max()) <= MAX_DOSE_GY:
        raise InvalidInput(pointer, f"the dose exceeds {MAX_DOSE_GY:.0f} Gy; check dose grid scaling and units")
    np.maximum(dose, 0.0, out=dose)
    try:
        return make_grid(
            dose,
            origin_mm=position,
            row_direction=orientation[:3],
            column_direction=orientation[3:],
            row_spacing_mm=spacing[0],
            column_spacing_mm=spacing[1],
            frame_offsets_mm=_relative(offsets, position, orientation, pointer),
            single_frame_thickness_mm=thickness if thickness and 0 < thickness < 100 else float(np.mean(spacing)),
        )
    except ValueError as error:
        raise InvalidInput(pointer, f"impossible dose grid: {error}") from error


def _relative(offsets: list[float], position: list[float], orientation: list[float], pointer: str) -> list[float]:
    """Frame positions along the grid's own normal, whichever of the two notations the file uses."""
    if offsets[0] == 0:
        return offsets
    normal = np.cross(orientation[:3], orientation[3:])
    if abs(offsets[0] - position[2]) > FRAME_POSITION_TOLERANCE_MM or abs(normal[2]) < 0.999:
        raise InvalidInput(
            pointer,
            "the grid frame offsets must start at 0, or be patient z positions of transverse planes that start at the "
            "image position",
        )
    return [float((offset - offsets[0]) * normal[2]) for offset in offsets]


def _planning_system(file: DicomFile) -> dict[int, PlanningSystemDvh]:
    found: dict[int, PlanningSystemDvh] = {}
    for item in file.dataset.get("DVHSequence") or ():
        structures = list(item.get("DVHReferencedROISequence") or ())
        if len(structures) != 1 or text(structures[0], "DVHROIContributionType") == "EXCLUDED":
            continue
        found[int(structures[0].ReferencedROINumber)] = _stored_curve(item)
    return found


def _stored_curve(item: Dataset) -> PlanningSystemDvh:
    """Read the curve itself: some systems write its mean and maximum in percent."""
    element = item.get_item(_DVH_DATA)
    raw = element.value if element is not None and isinstance(element.value, bytes) else b""
    values = np.fromstring(raw.replace(b"\\", b" ").replace(b"\0", b" "), sep=" ") if raw.strip() else np.empty(0)
    scaling = number(item, "DVHDoseScaling") or 1.0
    widths, volumes = values[0::2] * scaling, np.maximum(values[1::2], 0.0)
    plausible = np.all((values > -ROUNDING) & (values < MAX_LENGTH_MM**2)) and len(values) >= 4 and len(values) % 2 == 0
    if not plausible or not volumes.any() or scaling <= 0:
        return PlanningSystemDvh(None, None, None, None)
    if text(item, "DVHType") == "DIFFERENTIAL":
        inside = volumes
    else:
        inside = np.maximum(volumes - np.append(volumes[1:], 0.0), 0.0)
    doses = np.cumsum(widths) - widths / 2
    used = np.flatnonzero(inside > ROUNDING * inside.sum())
    in_gray = text(item, "DoseUnits") == "GY"
    return PlanningSystemDvh(
        volume_cm3=float(inside.sum()) if text(item, "DVHVolumeUnits") == "CM3" else None,
        mean_gy=float(doses @ inside / inside.sum()) if in_gray else None,
        minimum_gy=float(doses[used[0]] - widths[used[0]] / 2) if in_gray else None,
        maximum_gy=float(doses[used[-1]] + widths[used[-1]] / 2) if in_gray else None,
    )


_DVH_DATA: Final = 0x30040058
