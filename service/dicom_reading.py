"""From uploaded files to structures and dose in memory, without any identifier."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from schemas.run import RunWarning
from service.dicom_doses import DoseHeader, PlanningSystemDvh, read_header, sum_grids, weights
from service.dicom_files import DicomFile, open_file
from service.dicom_plans import PlanFacts, read_plan
from service.dicom_structures import Roi, read_structures
from service.errors import InvalidInput
from simulation.radiation.grid import DoseGrid

MAX_FILES: Final = 64
MAX_TOTAL_BYTES: Final = 512 * 2**20
READ_MODALITIES: Final = frozenset({"RTDOSE", "RTSTRUCT", "RTPLAN"})


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is kept of a file."""

    modality: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A parsed upload: geometry and numbers only."""

    files: tuple[FileFacts, ...]
    structures: tuple[Roi, ...]
    grids: tuple[DoseGrid, ...]
    summation_type: str
    effective_dose: bool
    planning_system: Mapping[int, PlanningSystemDvh]
    fraction_count: int | None
    prescription_gy: float | None
    modality: str | None
    warnings: tuple[RunWarning, ...]


def read_upload(files: Sequence[BinaryIO], *, fraction_count: int | None = None) -> Upload:
    """Read RTDOSE, RTSTRUCT and RTPLAN files that belong together.

    Parameters
    ----------
    files : sequence of binary file
        One RTSTRUCT, one or several RTDOSE, any number of RTPLAN, in any order; seekable.
    fraction_count : int, optional
        Number of fractions, when no plan says it.

    Returns
    -------
    Upload

    Raises
    ------
    InvalidInput
        When a file is not usable or the files do not belong together.
    """
    if not files:
        raise InvalidInput("/files", "upload one RTSTRUCT and at least one RTDOSE file")
    if len(files) > MAX_FILES:
        raise InvalidInput("/files", f"upload at most {MAX_FILES} files")
    opened = _open_all(files)
    structure_sets = [file for kind, file in opened if kind == "RTSTRUCT"]
    dose_files = [file for kind, file in opened if kind == "RTDOSE"]
    if len(structure_sets) != 1:
        raise InvalidInput("/rtstruct", "upload exactly one RTSTRUCT file")
    if not dose_files:
        raise InvalidInput("/rtdose", "upload at least one RTDOSE file")
    plans = [read_plan(file) for kind, file in opened if kind == "RTPLAN"]
    headers = [read_header(file) for file in dose_files]
    structures = read_structures(structure_sets[0])
    notes = _check_frames(headers, structures, structure_sets[0].pointer)
    notes += _check_plans(headers, plans)
    counts: dict[str | None, int | None] = {plan.identity: plan.fraction_count for plan in plans}
    counts[None] = fraction_count
    grids = sum_grids(headers, weights(headers, counts))
    effective = {header.dose_type for header in headers} == {"EFFECTIVE"}
    if not effective and any(header.dose_type == "EFFECTIVE" for header in headers):
        raise InvalidInput("/rtdose", "physical and effective doses cannot be added; upload one type")
    if effective:
        notes.append(
            _note(
                "effective-dose",
                "The dose is marked EFFECTIVE: a biological weight is already in it; do not apply one again.",
                "/dose/effective_dose",
            )
        )
    prescriptions = [plan.prescription_gy for plan in plans]
    modalities = {plan.modality for plan in plans}
    return Upload(
        files=tuple(FileFacts(kind, file.sha256, file.size_bytes) for kind, file in opened),
        structures=structures,
        grids=grids,
        summation_type=headers[0].summation,
        effective_dose=effective,
        planning_system=headers[0].planning_system if len(headers) == 1 else {},
        fraction_count=_total_fractions(headers, plans, fraction_count),
        prescription_gy=prescriptions[0] if len(prescriptions) == 1 else None,
        modality=modalities.pop() if len(modalities) == 1 else None,
        warnings=tuple(notes),
    )


def _note(code: str, message: str, pointer: str | None = None) -> RunWarning:
    return RunWarning(code=code, message=message, pointer=pointer)


def _open_all(files: Sequence[BinaryIO]) -> list[tuple[str, DicomFile]]:
    opened: list[tuple[str, DicomFile]] = []
    total = 0
    for number, stream in enumerate(files):
        file = open_file(stream, f"/files/{number}")
        total += file.size_bytes
        if total > MAX_TOTAL_BYTES:
            raise InvalidInput("/files", f"the files are larger than {MAX_TOTAL_BYTES // 2**20} MiB together")
        kind = str(file.dataset.get("Modality", "")).strip()
        if kind not in READ_MODALITIES:
            raise InvalidInput(file.pointer, "only RTDOSE, RTSTRUCT and RTPLAN files are read; leave images out")
        opened.append((kind, file))
    return opened


def _check_frames(headers: Sequence[DoseHeader], structures: Sequence[Roi], pointer: str) -> list[RunWarning]:
    frames = {header.frame for header in headers if header.frame}
    if len(frames) > 1:
        raise InvalidInput("/rtdose", "the dose files have different frames of reference and cannot be added")
    drawn = {roi.frame for roi in structures if roi.contours_mm and roi.frame}
    if frames and drawn - frames:
        raise InvalidInput(
            pointer, "structures and dose have different frames of reference; export both from the same plan"
        )
    if not frames or any(roi.frame is None for roi in structures if roi.contours_mm):
        return [
            _note(
                "frame-of-reference-unknown",
                "A file names no frame of reference; that dose and structures match could not be checked.",
            )
        ]
    return []


def _check_plans(headers: Sequence[DoseHeader], plans: Sequence[PlanFacts]) -> list[RunWarning]:
    notes: list[RunWarning] = []
    referred = {header.plan for header in headers}
    for plan in plans:
        if None not in referred and plan.identity not in referred:
            raise InvalidInput(plan.pointer, "no dose file refers to this RTPLAN; upload the plan that was exported")
    if plans and None in referred:
        notes.append(_note("plan-unconfirmed", "A dose file names no plan; that it belongs to the RTPLAN is assumed."))
    if headers[0].summation == "BEAM":
        present = frozenset().union(*(header.beams for header in headers))
        if any(plan.beams - present for plan in plans):
            notes.append(
                _note("beams-missing", "The plan has beams of which no dose was uploaded; the sum is partial.")
            )
        elif not plans:
            notes.append(_note("beams-unconfirmed", "Without the RTPLAN it is not known whether all beams are there."))
    return notes


def _total_fractions(headers: Sequence[DoseHeader], plans: Sequence[PlanFacts], given: int | None) -> int | None:
    if given is not None:
        return given
    same_plan = len({header.plan for header in headers}) == 1
    return plans[0].fraction_count if len(plans) == 1 and same_plan else None
