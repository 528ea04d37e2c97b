"""Radiotherapy DICOM files with a dose known in closed form, written on the fly."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

ROOT = "1.2.826.0.1.3680043.10.1"
FRAME = f"{ROOT}.1"
PLAN = f"{ROOT}.2"
CIRCLE_POINTS = 180
CLASS = {
    "RTDOSE": "1.2.840.10008.5.1.4.1.1.481.2",
    "RTSTRUCT": "1.2.840.10008.5.1.4.1.1.481.3",
    "RTPLAN": "1.2.840.10008.5.1.4.1.1.481.5",
}
Points = NDArray[np.float64]
Field = Callable[[Points], NDArray[np.float64]]


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Points of a dose file; ``offsets_mm`` in the order of the frames."""

    spacing_mm: tuple[float, float] = (2.5, 2.5)
    shape: tuple[int, int] = (33, 33)
    offsets_mm: tuple[float, ...] = tuple(2.5 * k for k in range(33))
    origin_mm: tuple[float, float, float] = (-40.0, -40.0, -40.0)
    row_direction: tuple[float, float, float] = (1.0, 0.0, 0.0)
    column_direction: tuple[float, float, float] = (0.0, 1.0, 0.0)
    absolute: bool = False

    def points_mm(self) -> Points:
        rows, columns = self.shape
        along, down = np.array(self.row_direction), np.array(self.column_direction)
        normal = np.cross(along, down)
        k, r, c = np.meshgrid(np.array(self.offsets_mm), np.arange(rows), np.arange(columns), indexing="ij")
        return (
            np.array(self.origin_mm)
            + k[..., None] * normal
            + r[..., None] * self.spacing_mm[0] * down
            + c[..., None] * self.spacing_mm[1] * along
        )


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A solid of revolution about z, cut into circles; ``inner`` makes it a ring."""

    name: str
    radius_mm: float
    sphere: bool = False
    inner_mm: float = 0.0
    center_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    contours_mm: list[Points] = field(default_factory=list, compare=False)

    def radius_at(self, height_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.sphere:
            return np.sqrt(np.maximum(self.radius_mm**2 - height_mm**2, 0.0))
        return np.where(np.abs(height_mm) <= self.radius_mm + 1e-9, self.radius_mm, 0.0)

    def planes(self, spacing_mm: float) -> NDArray[np.float64]:
        heights = np.arange(-35.0, 35.0 + 1e-9, spacing_mm)
        return heights[self.radius_at(heights) > 0]

    def contours(self, spacing_mm: float) -> list[Points]:
        found = []
        for height in self.planes(spacing_mm):
            for radius in (float(self.radius_at(np.array(height))), self.inner_mm):
                if radius > 0:
                    found.append(circle(radius, self.center_mm, self.center_mm[2] + float(height)))
        return found


def circle(radius_mm: float, center_mm: Sequence[float], height_mm: float, points: int = CIRCLE_POINTS) -> Points:
    angle = 2 * np.pi * np.arange(points) / points
    return np.column_stack(
        [
            center_mm[0] + radius_mm * np.cos(angle),
            center_mm[1] + radius_mm * np.sin(angle),
            np.full(points, height_mm),
        ]
    )


STANDARD = (
    Shape(name="cyl24", radius_mm=24.0),
    Shape(name="sph24", radius_mm=24.0, sphere=True),
    Shape(name="sph6", radius_mm=6.0, sphere=True),
    Shape(name="sph3", radius_mm=3.0, sphere=True),
    Shape(name="ring24", radius_mm=24.0, inner_mm=12.0),
)


def linear(gradient_gy_per_mm: Sequence[float], at_zero_gy: float = 20.0) -> Field:
    return lambda points: at_zero_gy + points @ np.array(gradient_gy_per_mm)


def _file(modality: str, uid: str, syntax: str) -> Dataset:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID = CLASS[modality]
    data.file_meta.MediaStorageSOPInstanceUID = uid
    data.file_meta.TransferSyntaxUID = syntax
    data.SOPClassUID = CLASS[modality]
    data.SOPInstanceUID = uid
    data.Modality = modality
    data.PatientName = "SECRET^NAME"
    data.PatientID = "SECRET-4711"
    data.PatientBirthDate = "19500101"
    data.StudyInstanceUID = f"{ROOT}.8"
    return data


def _written(data: Dataset) -> BytesIO:
    out = BytesIO()
    dcmwrite(out, data, enforce_file_format=True)
    out.seek(0)
    return out


def dose_file(
    dose_gy: Field,
    grid: Grid | None = None,
    *,
    bits: int = 32,
    scaling_gy: float = 1e-5,
    syntax: str = ExplicitVRLittleEndian,
    encode: Callable[[NDArray[np.generic]], bytes] | None = None,
    uid: str = f"{ROOT}.10",
    change: Callable[[Dataset], None] | None = None,
) -> BytesIO:
    grid = grid or Grid()
    data = _file("RTDOSE", uid, syntax)
    stored = np.rint(dose_gy(grid.points_mm()) / scaling_gy).astype(f"<u{bits // 8}")
    data.FrameOfReferenceUID = FRAME
    data.ImagePositionPatient = list(grid.origin_mm)
    data.ImageOrientationPatient = [*grid.row_direction, *grid.column_direction]
    data.PixelSpacing = list(grid.spacing_mm)
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.NumberOfFrames = len(grid.offsets_mm)
    data.Rows, data.Columns = grid.shape
    data.BitsAllocated = data.BitsStored = bits
    data.HighBit = bits - 1
    data.PixelRepresentation = 0
    data.DoseUnits = "GY"
    data.DoseType = "PHYSICAL"
    data.DoseSummationType = "PLAN"
    start = grid.origin_mm[2] if grid.absolute else 0.0
    upward = np.sign(np.cross(grid.row_direction, grid.column_direction)[2]) if grid.absolute else 1.0
    data.GridFrameOffsetVector = [start + upward * (offset - grid.offsets_mm[0]) for offset in grid.offsets_mm]
    if not grid.absolute:
        data.GridFrameOffsetVector = list(grid.offsets_mm)
    data.DoseGridScaling = scaling_gy
    data.ReferencedRTPlanSequence = DicomSequence([_reference(PLAN)])
    if encode is None:
        data.PixelData = stored.tobytes()
    else:
        data.PixelData = encapsulate([encode(frame) for frame in stored])
        data["PixelData"].is_undefined_length = True
    data["PixelData"].VR = "OW"
    if change is not None:
        change(data)
    return _written(data)


def _reference(uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = CLASS["RTPLAN"]
    item.ReferencedSOPInstanceUID = uid
    return item


def structure_file(
    structures: Sequence[tuple[str, Sequence[Points]]],
    *,
    syntax: str = ExplicitVRLittleEndian,
    change: Callable[[Dataset], None] | None = None,
) -> BytesIO:
    data = _file("RTSTRUCT", f"{ROOT}.20", syntax)
    described, drawn = [], []
    for number, (name, contours) in enumerate(structures, start=1):
        item = Dataset()
        item.ROINumber = number
        item.ROIName = name
        item.ReferencedFrameOfReferenceUID = FRAME
        described.append(item)
        roi = Dataset()
        roi.ReferencedROINumber = number
        roi.ContourSequence = DicomSequence([_contour(points) for points in contours])
        drawn.append(roi)
    data.StructureSetROISequence = DicomSequence(described)
    data.ROIContourSequence = DicomSequence(drawn)
    if change is not None:
        change(data)
    return _written(data)


def _contour(points: Points) -> Dataset:
    item = Dataset()
    item.ContourGeometricType = "CLOSED_PLANAR"
    item.NumberOfContourPoints = len(points)
    item.ContourData = [f"{value:.6f}".rstrip("0")[:16] for value in points.ravel()]
    return item


def plan_file(
    *,
    fractions: int = 30,
    prescription_gy: float = 60.0,
    uid: str = PLAN,
    change: Callable[[Dataset], None] | None = None,
) -> BytesIO:
    data = _file("RTPLAN", uid, ImplicitVRLittleEndian)
    group = Dataset()
    group.NumberOfFractionsPlanned = fractions
    data.FractionGroupSequence = DicomSequence([group])
    reference = Dataset()
    reference.TargetPrescriptionDose = prescription_gy
    data.DoseReferenceSequence = DicomSequence([reference])
    beam = Dataset()
    beam.BeamNumber = 1
    beam.RadiationType = "PHOTON"
    beam.TreatmentDeliveryType = "TREATMENT"
    data.BeamSequence = DicomSequence([beam])
    if change is not None:
        change(data)
    return _written(data)


@dataclass(frozen=True)
class Truth:
    """Closed-form volume and dose distribution of stacked circles in a linear dose."""

    volume_cm3: float
    mean_gy: float
    _dose: NDArray[np.float64]
    _below: NDArray[np.float64]

    def dose_at_percent(self, percent: float) -> float:
        return float(np.interp(1 - percent / 100, self._below, self._dose))


def truth(shape: Shape, gradient: Sequence[float], *, spacing_mm: float | None, at_zero_gy: float = 20.0) -> Truth:
    """Of the ideal solid (``spacing_mm`` None), or of its contours, each standing for one slab."""
    if spacing_mm is None:
        heights = (np.arange(1000) + 0.5) / 1000 * 2 * shape.radius_mm - shape.radius_mm
        radii, thickness = shape.radius_at(heights), np.full(1000, 2 * shape.radius_mm / 1000)
    else:
        planes, parts = shape.planes(spacing_mm), 30
        inside = ((np.arange(parts) + 0.5) / parts - 0.5) * spacing_mm
        heights = (planes[:, None] + inside).ravel()
        radii = np.repeat(shape.radius_at(planes), parts)
        thickness = np.full(len(heights), spacing_mm / parts)
    across = float(np.hypot(gradient[0], gradient[1]))
    base = at_zero_gy + float(np.dot(gradient, shape.center_mm)) + gradient[2] * heights
    reach = across * shape.radius_mm + 1e-6
    dose = np.linspace(base.min() - reach, base.max() + reach, 1001)
    below = np.zeros(len(dose))
    volume = 0.0
    solids = [(radii, 1.0)] + ([(np.full_like(radii, shape.inner_mm), -1.0)] if shape.inner_mm else [])
    for radius, sign in solids:
        weight = sign * np.pi * radius**2 * thickness
        volume += float(weight.sum())
        for z, r, w in zip(base, radius, weight, strict=True):
            below += w * _circle_below(dose - z, across * r)
    mean = float(base @ (np.pi * (radii**2 - shape.inner_mm**2) * thickness)) / volume
    return Truth(volume / 1000, mean, dose, below / volume)


def _circle_below(offset_gy: NDArray[np.float64], reach_gy: float) -> NDArray[np.float64]:
    if reach_gy < 1e-9:
        return (offset_gy >= 0).astype(np.float64)
    u = np.clip(offset_gy / reach_gy, -1.0, 1.0)
    return 1 - (np.arccos(u) - u * np.sqrt(1 - u * u)) / np.pi


__all__ = [
    "FRAME", "PLAN", "ROOT", "STANDARD", "DeflatedExplicitVRLittleEndian", "Grid", "Shape", "Truth", "circle",
    "dose_file", "linear", "plan_file", "structure_file", "truth",
]  # fmt: skip
