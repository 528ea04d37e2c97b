"""Structures out of an RTSTRUCT file: outlines in millimeters, a cleaned name, the organ it stands for."""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from service.dicom_files import DicomFile, hostile
from service.dicom_tokens import text, token
from service.errors import InvalidInput

MAX_STRUCTURES: Final = 200
MAX_CONTOURS: Final = 100_000
MAX_POINTS: Final = 2_000_000
MAX_COORDINATE_MM: Final = 10_000.0
MAX_NAME_CHARACTERS: Final = 64
CLOSED: Final = frozenset({"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"})
_CONTOUR_DATA: Final = 0x30060050


@dataclass(frozen=True, slots=True)
class Roi:
    """One structure; ``frame`` is a token of its frame of reference, None where the file names none."""

    number: int
    name: str
    interpreted_type: str | None
    frame: str | None
    contours_mm: tuple[NDArray[np.float64], ...]
    left_out_contours: int


def clean_name(name: str) -> str:
    """Reduce a structure's name to harmless characters; long runs of digits could be a record number.

    Parameters
    ----------
    name : str
        As written in the file.

    Returns
    -------
    str
        At most 64 characters; "unnamed" when nothing is left.
    """
    kept = re.sub(r"[^A-Za-z0-9 _.+\-()/,]", "", name.split("\\")[0])
    kept = re.sub(r"\d{5,}", "#", re.sub(r"\s+", " ", kept)).strip()
    return kept[:MAX_NAME_CHARACTERS].strip() or "unnamed"


def read_structures(file: DicomFile) -> tuple[Roi, ...]:
    """Return every structure of an RTSTRUCT file, in the order of its numbers.

    Parameters
    ----------
    file : DicomFile

    Raises
    ------
    InvalidInput
        When there are too many structures, contours or points, or a coordinate is not plausible.
    """
    with hostile(file.pointer):
        described = {int(item.ROINumber): item for item in file.dataset.get("StructureSetROISequence") or ()}
        drawn = {int(item.ReferencedROINumber): item for item in file.dataset.get("ROIContourSequence") or ()}
        types = {
            int(item.ReferencedROINumber): text(item, "RTROIInterpretedType")
            for item in file.dataset.get("RTROIObservationsSequence") or ()
        }
        if not described:
            raise InvalidInput(file.pointer, "the structure set has no structures")
        if len(described) > MAX_STRUCTURES:
            raise InvalidInput(file.pointer, f"the structure set has more than {MAX_STRUCTURES} structures")
        budget = _Budget(file.pointer)
        fallback = token(file.dataset, "FrameOfReferenceUID")
        return tuple(
            _roi(number, item, drawn.get(number), types.get(number), fallback, budget)
            for number, item in sorted(described.items())
        )


class _Budget:
    """Counts contours and points over all structures."""

    def __init__(self, pointer: str) -> None:
        self.pointer = pointer
        self.contours = 0
        self.points = 0

    def take(self, points: int) -> None:
        self.contours += 1
        self.points += points
        if self.contours > MAX_CONTOURS or self.points > MAX_POINTS:
            raise InvalidInput(
                self.pointer, f"the structure set has more than {MAX_CONTOURS} contours or {MAX_POINTS} points"
            )


def _roi(
    number: int, item: Dataset, drawn: Dataset | None, interpreted: str | None, fallback: str | None, budget: _Budget
) -> Roi:
    contours: list[NDArray[np.float64]] = []
    left_out = 0
    for contour in (None if drawn is None else drawn.get("ContourSequence")) or ():
        if text(contour, "ContourGeometricType") not in CLOSED:
            left_out += 1
            continue
        points = _points(contour, budget)
        if len(points) >= 3:
            contours.append(points)
        else:
            left_out += 1
    return Roi(
        number=number,
        name=clean_name(text(item, "ROIName") or ""),
        interpreted_type=interpreted if interpreted and re.fullmatch(r"[A-Z_]{2,16}", interpreted) else None,
        frame=token(item, "ReferencedFrameOfReferenceUID") or fallback,
        contours_mm=tuple(contours),
        left_out_contours=left_out,
    )


def _points(contour: Dataset, budget: _Budget) -> NDArray[np.float64]:
    element = contour.get_item(_CONTOUR_DATA)
    raw = b"" if element is None or not isinstance(element.value, bytes) else element.value
    budget.take(raw.count(b"\\") // 3 + 1)
    numbers = np.fromstring(raw.replace(b"\\", b" ").replace(b"\0", b" "), sep=" ") if raw.strip() else np.empty(0)
    if len(numbers) % 3 or not np.all(np.abs(numbers) <= MAX_COORDINATE_MM):
        raise InvalidInput(budget.pointer, "a contour has incomplete points or coordinates that are not plausible")
    return numbers.reshape(-1, 3)
