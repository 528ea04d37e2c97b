"""From the stored pixels of an RTDOSE file to dose values, with sizes checked before anything is decoded."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, ExplicitVRBigEndian, JPEG2000Lossless, RLELossless

from service.dicom_files import COMPRESSED, DicomFile, hostile
from service.errors import InvalidInput

MAX_VOXELS: Final = 2**25
MAX_SIDE: Final = 4096
BITS: Final = (16, 32)
RLE_HEADER_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class PixelShape:
    """How the pixels are stored, as declared."""

    frames: int
    rows: int
    columns: int
    bits: int
    signed: bool

    @property
    def frame_bytes(self) -> int:
        """Bytes of one decoded frame."""
        return self.rows * self.columns * self.bits // 8


def read_shape(file: DicomFile) -> PixelShape:
    """Return the declared shape of the dose array, refused when it is out of bounds.

    Parameters
    ----------
    file : DicomFile

    Raises
    ------
    InvalidInput
        When the file declares no plausible dose grid.
    """
    with hostile(file.pointer):
        data = file.dataset
        shape = PixelShape(
            frames=int(data.get("NumberOfFrames") or 1),
            rows=int(data.Rows),
            columns=int(data.Columns),
            bits=int(data.BitsAllocated),
            signed=bool(data.get("PixelRepresentation") or 0),
        )
        samples = int(data.get("SamplesPerPixel") or 1)
        stored = int(data.get("BitsStored") or shape.bits)
    if samples != 1 or shape.bits not in BITS or stored != shape.bits:
        raise InvalidInput(file.pointer, "the dose must be stored as one sample of 16 or 32 bits per voxel")
    if min(shape.frames, shape.rows, shape.columns) < 1 or max(shape.frames, shape.rows, shape.columns) > MAX_SIDE:
        raise InvalidInput(file.pointer, f"rows, columns and frames must be 1 to {MAX_SIDE}")
    if shape.frames * shape.rows * shape.columns > MAX_VOXELS:
        raise InvalidInput(file.pointer, f"the dose grid has more than {MAX_VOXELS} voxels; export a coarser one")
    return shape


def read_dose(file: DicomFile, shape: PixelShape, scaling_gy: float) -> NDArray[np.float32]:
    """Decode the pixels and scale them.

    Parameters
    ----------
    file : DicomFile
    shape : PixelShape
    scaling_gy : float, Gy
        Dose of one stored unit.

    Returns
    -------
    ndarray of float32, shape (n_frames, n_rows, n_columns), Gy

    Raises
    ------
    InvalidInput
        When the pixels do not fit the declared shape or cannot be decoded.
    """
    stored = file.pixel_bytes()
    order = ">" if file.transfer_syntax == ExplicitVRBigEndian else "<"
    kind = f"{order}{'i' if shape.signed else 'u'}{shape.bits // 8}"
    count = shape.frames * shape.rows * shape.columns
    if file.transfer_syntax in COMPRESSED:
        with hostile(file.pointer):
            frames = list(_decoded(file, shape, stored, np.dtype(kind)))
        if len(frames) != shape.frames:
            raise InvalidInput(file.pointer, "the number of compressed frames differs from the declared one")
        dose = np.empty((shape.frames, shape.rows, shape.columns), dtype=np.float32)
        for number, frame in enumerate(frames):
            np.multiply(frame, scaling_gy, out=dose[number], casting="unsafe")
    else:
        if not count * shape.bits // 8 <= len(stored) <= count * shape.bits // 8 + 1:
            raise InvalidInput(file.pointer, "the pixel data are shorter or longer than the declared dose grid")
        values = np.frombuffer(stored, dtype=kind, count=count)
        dose = np.multiply(values, np.float32(scaling_gy), dtype=np.float32, casting="unsafe").reshape(
            shape.frames, shape.rows, shape.columns
        )
    return dose


def _decoded(
    file: DicomFile, shape: PixelShape, stored: bytes, kind: np.dtype[np.generic]
) -> Iterator[NDArray[np.generic]]:
    for number, frame in enumerate(generate_frames(stored, number_of_frames=shape.frames)):
        if number >= shape.frames:
            raise InvalidInput(file.pointer, "the number of compressed frames differs from the declared one")
        if file.transfer_syntax == RLELossless:
            yield _unpack_rle(frame, shape, file.pointer).view(kind).reshape(shape.rows, shape.columns)
            continue
        if _coded_size(frame, file.transfer_syntax) != (shape.rows, shape.columns):
            raise InvalidInput(file.pointer, "a compressed frame has another size than the file declares")
        yield _decode_frame(frame, shape, file)


def _decode_frame(frame: bytes, shape: PixelShape, file: DicomFile) -> NDArray[np.generic]:
    decoder = get_decoder(UID(file.transfer_syntax))
    fragment = b"\xfe\xff\x00\xe0\x00\x00\x00\x00\xfe\xff\x00\xe0" + struct.pack("<I", len(frame)) + frame
    array: NDArray[np.generic] = next(
        decoder.iter_array(
            fragment,
            raw=True,
            rows=shape.rows,
            columns=shape.columns,
            number_of_frames=1,
            samples_per_pixel=1,
            bits_allocated=shape.bits,
            bits_stored=shape.bits,
            pixel_representation=int(shape.signed),
            photometric_interpretation="MONOCHROME2",
            pixel_keyword="PixelData",
        )
    )[0]
    return array


def _coded_size(frame: bytes, syntax: str) -> tuple[int, int]:
    """Rows and columns that the code stream itself declares, before a decoder allocates them."""
    if syntax == JPEG2000Lossless:
        start = frame.index(b"\xff\x4f\xff\x51")
        width, height, left, top = struct.unpack_from(">IIII", frame, start + 8)
        components = struct.unpack_from(">H", frame, start + 40)[0]
        return (height - top, width - left) if components == 1 else (0, 0)
    at: int = 2
    while frame[at : at + 2] != b"\xff\xf7":
        if frame[at] != 0xFF:
            return 0, 0
        at += 2 + struct.unpack_from(">H", frame, at + 2)[0]
    height, width, components = struct.unpack_from(">HHB", frame, at + 5)
    return (height, width) if components == 1 else (0, 0)


def _unpack_rle(frame: bytes, shape: PixelShape, pointer: str) -> NDArray[np.uint8]:
    """Undo the byte-plane run lengths of one frame into little-endian pixels."""
    planes = shape.bits // 8
    header = struct.unpack_from("<16I", frame)
    offsets = [*header[1 : 1 + planes], len(frame)]
    if (
        header[0] != planes
        or offsets[0] < RLE_HEADER_BYTES
        or any(after < before for before, after in pairwise(offsets))
    ):
        raise InvalidInput(pointer, "a run-length coded frame has a damaged header")
    packed = np.frombuffer(frame, dtype=np.uint8)
    pixels = np.empty((shape.rows * shape.columns, planes), dtype=np.uint8)
    for plane in range(planes):
        if not _unpack_bits(packed[offsets[plane] : offsets[plane + 1]], pixels[:, planes - 1 - plane]):
            raise InvalidInput(pointer, "a run-length coded frame is shorter than declared")
    return pixels.reshape(-1)


@njit(cache=True, nogil=True)
def _unpack_bits(packed, out):  # type: ignore[no-untyped-def]
    """PackBits; False when the runs do not fill ``out``. Never writes beyond it."""
    size, wanted = packed.shape[0], out.shape[0]
    at = filled = 0
    while filled < wanted and at < size:
        code = int(packed[at])
        at += 1
        if code == 128:
            continue
        if code < 128:
            count = min(code + 1, size - at, wanted - filled)
            for k in range(count):
                out[filled + k] = packed[at + k]
            at += code + 1
        else:
            if at >= size:
                break
            count = min(257 - code, wanted - filled)
            for k in range(count):
                out[filled + k] = packed[at]
            at += 1
        filled += count
    return filled == wanted
