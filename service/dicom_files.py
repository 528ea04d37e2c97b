"""Opens one uploaded DICOM file without trusting it.

Before pydicom parses anything, the file's outer form is checked: size, preamble, transfer syntax,
and, by a walk over all element headers, that lengths nest and that neither elements nor
sequence items are more than a radiotherapy file can need. Only the elements named in
``WANTED`` are ever read, so names, dates and record numbers do not enter the program.
"""

import hashlib
import logging
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, Final

import numpy as np
from numba import njit
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from service.errors import InvalidInput

MAX_FILE_BYTES: Final = 128 * 2**20
MAX_ELEMENTS: Final = 1_000_000
MAX_ITEMS: Final = 150_000
MAX_DEPTH: Final = 12
PREAMBLE_BYTES: Final = 128

NATIVE: Final = frozenset(
    {ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian}
)
COMPRESSED: Final = frozenset({RLELossless, JPEGLSLossless, JPEG2000Lossless})

PIXELS: Final = ("PixelData",)
WANTED: Final = (
    "SOPInstanceUID", "Modality", "FrameOfReferenceUID",
    "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "BitsAllocated", "BitsStored", "PixelRepresentation",
    "PhotometricInterpretation", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness",
    "DoseUnits", "DoseType", "DoseSummationType", "GridFrameOffsetVector", "DoseGridScaling", "DVHSequence",
    "ReferencedRTPlanSequence", "StructureSetROISequence", "ROIContourSequence", "RTROIObservationsSequence",
    "FractionGroupSequence", "DoseReferenceSequence", "BeamSequence",
)  # fmt: skip
PARSED_SEQUENCES: Final = (
    "DVHSequence", "DVHReferencedROISequence", "ReferencedRTPlanSequence", "ReferencedFractionGroupSequence",
    "ReferencedBeamSequence", "StructureSetROISequence", "ROIContourSequence", "ContourSequence",
    "RTROIObservationsSequence", "FractionGroupSequence", "DoseReferenceSequence", "BeamSequence",
)  # fmt: skip

_PARSING = threading.Lock()
_WALK_PROBLEMS: Final = {
    1: "the file ends in the middle of an element; export it again",
    2: "an element has a length that does not fit; export the file again",
    3: "an element has an unknown value representation; export the file again",
    4: f"the file has more than {MAX_ELEMENTS} elements",
    5: f"the file has more than {MAX_ITEMS} sequence items",
    6: "sequences are nested too deeply",
}

for _parser in ("pydicom", "openjpeg", "jpeg_ls"):
    logging.getLogger(_parser).setLevel(logging.CRITICAL + 1)  # their messages quote values out of the file


@dataclass(frozen=True, slots=True)
class DicomFile:
    """One file whose form is sound, with its wanted elements; pixel data stay in the stream."""

    pointer: str
    sha256: str
    size_bytes: int
    transfer_syntax: str
    dataset: Dataset
    stream: BinaryIO
    start: int

    def pixel_bytes(self) -> bytes:
        """Return the undecoded pixel data."""
        content = _content(_bounded_bytes(self.stream, self.pointer), self.start, self.transfer_syntax, self.pointer)
        with hostile(self.pointer):
            element = _parse(content, self.transfer_syntax, PIXELS).get_item(tag_for_keyword("PixelData") or 0)
            value = None if element is None else element.value
        if not isinstance(value, bytes) or not value:
            raise InvalidInput(self.pointer, "the file has no pixel data; export the dose grid, not the DVH alone")
        return value


@contextmanager
def hostile(pointer: str) -> Iterator[None]:
    """Turn whatever a parser raises on a malformed file into a clear error, and keep it quiet."""
    with _PARSING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except InvalidInput:
            raise
        except Exception as error:
            raise InvalidInput(pointer, "the file is malformed and cannot be read; export it again") from error


def open_file(stream: BinaryIO, pointer: str) -> DicomFile:
    """Check one upload and read its wanted elements, pixel data left out.

    Parameters
    ----------
    stream : binary file
        Seekable; read from its start.
    pointer : str
        How an error names this file.

    Returns
    -------
    DicomFile

    Raises
    ------
    InvalidInput
        When the file is too large, not DICOM, compressed in an unsupported way, or malformed.
    """
    raw = _bounded_bytes(stream, pointer)
    if len(raw) < PREAMBLE_BYTES + 4 or raw[PREAMBLE_BYTES : PREAMBLE_BYTES + 4] != b"DICM":
        raise InvalidInput(pointer, "this is not a DICOM file (no DICM mark after the preamble)")
    with hostile(pointer):
        body = BytesIO(raw)
        body.seek(PREAMBLE_BYTES + 4)
        meta = read_dataset(body, is_implicit_VR=False, is_little_endian=True, stop_when=_after_header)
        syntax = str(meta.get("TransferSyntaxUID", "")).strip()
        start = body.tell()
    if syntax not in NATIVE | COMPRESSED:
        raise InvalidInput(
            pointer,
            "unsupported transfer syntax; export uncompressed, deflated, RLE, JPEG-LS lossless or JPEG 2000 lossless",
        )
    content = _content(raw, start, syntax, pointer)
    _check_form(content, syntax, pointer)
    with hostile(pointer):
        dataset = _parse(content, syntax, WANTED)
    return DicomFile(pointer, hashlib.sha256(raw).hexdigest(), len(raw), syntax, dataset, stream, start)


def _content(raw: bytes, start: int, syntax: str, pointer: str) -> bytes:
    """Return the data set after the header."""
    return _inflate(raw[start:], pointer) if syntax == DeflatedExplicitVRLittleEndian else raw[start:]


def _bounded_bytes(stream: BinaryIO, pointer: str) -> bytes:
    stream.seek(0)
    raw = stream.read(MAX_FILE_BYTES + 1)
    if len(raw) > MAX_FILE_BYTES:
        raise InvalidInput(pointer, f"the file is larger than {MAX_FILE_BYTES // 2**20} MiB")
    return raw


def _after_header(tag: BaseTag, _representation: str | None, _length: int) -> bool:
    return tag.group != 2


def _inflate(packed: bytes, pointer: str) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = inflater.decompress(packed, MAX_FILE_BYTES)
    except zlib.error as error:
        raise InvalidInput(pointer, "the deflated data are damaged; export the file again") from error
    if inflater.unconsumed_tail or not inflater.eof:
        raise InvalidInput(pointer, "the deflated data are truncated or inflate to more than is allowed")
    return content


def _parse(content: bytes, syntax: str, keywords: tuple[str, ...]) -> Dataset:
    return read_dataset(
        BytesIO(content),
        is_implicit_VR=syntax == ImplicitVRLittleEndian,
        is_little_endian=syntax != ExplicitVRBigEndian,
        specific_tags=[BaseTag(tag_for_keyword(keyword) or 0) for keyword in keywords],
    )


def _check_form(content: bytes, syntax: str, pointer: str) -> None:
    problem = _walk(
        np.frombuffer(content, dtype=np.uint8),
        syntax != ImplicitVRLittleEndian,
        syntax != ExplicitVRBigEndian,
        _SEQUENCE_TAGS,
        _SHORT,
        _LONG,
        np.array([MAX_ELEMENTS, MAX_ITEMS, MAX_DEPTH]),
    )
    if problem:
        raise InvalidInput(pointer, _WALK_PROBLEMS[problem])


def _representations(names: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([ord(name[0]) * 256 + ord(name[1]) for name in names.split()], dtype=np.int64)


_SHORT: Final = _representations("AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US")
_LONG: Final = _representations("OB OD OF OL OV OW SV UC UN UR UT UV")
_SEQUENCE_TAGS: Final = np.array(sorted(tag_for_keyword(keyword) or 0 for keyword in PARSED_SEQUENCES), dtype=np.int64)
_UNDEFINED: Final = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_SQ: Final = ord("S") * 256 + ord("Q")
_UN: Final = ord("U") * 256 + ord("N")
_DATASET, _ITEMS, _FRAGMENTS = 0, 1, 2


@njit(cache=True, nogil=True)
def _u16(buffer, at, little):  # type: ignore[no-untyped-def]
    if little:
        return np.int64(buffer[at]) | np.int64(buffer[at + 1]) << 8
    return np.int64(buffer[at]) << 8 | np.int64(buffer[at + 1])


@njit(cache=True, nogil=True)
def _u32(buffer, at, little):  # type: ignore[no-untyped-def]
    if little:
        return _u16(buffer, at, True) | _u16(buffer, at + 2, True) << 16
    return _u16(buffer, at, False) << 16 | _u16(buffer, at + 2, False)


@njit(cache=True, nogil=True)
def _contains(values, value):  # type: ignore[no-untyped-def]
    for k in range(values.shape[0]):  # noqa: SIM110 - any() over a generator does not compile
        if values[k] == value:
            return True
    return False


@njit(cache=True, nogil=True)
def _walk(buffer, explicit_top, little, sequence_tags, short, long, limits):  # type: ignore[no-untyped-def]  # noqa: C901
    """Return the number of the first problem in the nesting of elements, 0 when there is none."""
    size = buffer.shape[0]
    end = np.empty(limits[2] + 2, dtype=np.int64)
    kind = np.empty(limits[2] + 2, dtype=np.int64)
    explicit = np.empty(limits[2] + 2, dtype=np.bool_)
    depth = 0
    end[0], kind[0], explicit[0] = size, _DATASET, explicit_top
    elements = items = 0
    at = 0
    while True:
        if end[depth] >= 0 and at >= end[depth]:
            if at > end[depth]:
                return 2
            if depth == 0:
                return 0
            depth -= 1
            continue
        limit = size
        for level in range(depth, -1, -1):
            if end[level] >= 0:
                limit = end[level]
                break
        if at + 8 > limit:
            return 1
        tag = _u16(buffer, at, little) << 16 | _u16(buffer, at + 2, little)
        elements += 1
        if elements > limits[0]:
            return 4
        if kind[depth] != _DATASET:
            length = _u32(buffer, at + 4, little)
            at += 8
            if tag == _SEQUENCE_END and end[depth] < 0:
                depth -= 1
                continue
            if tag != _ITEM:
                return 2
            items += 1
            if items > limits[1]:
                return 5
            if kind[depth] == _FRAGMENTS:
                if length > limit - at:
                    return 1
                at += length
                continue
            if length != _UNDEFINED and length > limit - at:
                return 1
            if depth + 1 > limits[2]:
                return 6
            depth += 1
            end[depth] = -1 if length == _UNDEFINED else at + length
            kind[depth], explicit[depth] = _DATASET, explicit[depth - 1]
            continue
        if tag == _ITEM_END and depth > 0 and end[depth] < 0:
            at += 8
            depth -= 1
            continue
        if tag >> 16 == 0xFFFE:
            return 2
        representation = np.int64(0)
        if explicit[depth]:
            representation = np.int64(buffer[at + 4]) * 256 + np.int64(buffer[at + 5])
            if representation == _SQ or _contains(long, representation):
                if at + 12 > limit:
                    return 1
                length = _u32(buffer, at + 8, little)
                at += 12
            elif _contains(short, representation):
                length = _u16(buffer, at + 6, little)
                at += 8
            else:
                return 3
        else:
            if 65 <= buffer[at + 4] <= 90 and 65 <= buffer[at + 5] <= 90 and elements == 1:
                return 3
            length = _u32(buffer, at + 4, little)
            at += 8
        nested = representation == _SQ or (not explicit[depth] and _contains(sequence_tags, tag))
        if length == _UNDEFINED:
            if depth + 1 > limits[2]:
                return 6
            depth += 1
            end[depth] = -1
            kind[depth] = _FRAGMENTS if tag == 0x7FE00010 else _ITEMS
            explicit[depth] = explicit[depth - 1] and representation != _UN
        elif length > limit - at:
            return 1
        elif nested and length > 0:
            if depth + 1 > limits[2]:
                return 6
            depth += 1
            end[depth], kind[depth], explicit[depth] = at + length, _ITEMS, explicit[depth - 1]
        else:
            at += length
