"""Damaged and hostile files: a clear error or an answer, in bounded time and memory, never anything else."""

import random
import resource
import sys
import time
import zlib
from io import BytesIO

import numpy as np
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from schemas.dicom import DicomOptions
from schemas.dvh import EvaluationOptions
from service.dicom_request import ingest
from service.errors import InvalidInput
from tests.service.test_dicom import beam, jpeg_2000, jpeg_ls, run_lengths, stored_curve, swapped
from tests.support import synthetic_rt as rt

MUTANTS = 2400
LONGEST_SECONDS = 30.0
LARGEST_BYTES = 2**30
OPTIONS = DicomOptions(dvh_bins=100, evaluation=EvaluationOptions(fraction_count=5))
GRID = rt.Grid(spacing_mm=(4.0, 4.0), shape=(7, 6), offsets_mm=(0.0, 4.0, 8.0, 12.0), origin_mm=(-12.0, -12.0, -6.0))
WIDE = rt.Grid(spacing_mm=(1.0, 1.0), shape=(36, 34), offsets_mm=(0.0, 4.0, 8.0, 12.0), origin_mm=(-16.0, -16.0, -6.0))
DOSE = rt.linear((0.1, 0.2, 0.3))
INTERESTING = (
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
    b"\xfe\xff\x00\xe0",
    b"\xfe\xff\xdd\xe0",
    b"\xff\xff\xff\x7f",
    b"\\\\\\\\",
)


def _bases():
    contours = [rt.circle(4.0, (0, 0), z, points=12) for z in (-3.0, 0.0, 3.0)]
    dose = [
        rt.dose_file(DOSE, GRID, change=stored_curve),
        rt.dose_file(DOSE, GRID, syntax=ImplicitVRLittleEndian, change=beam(1)),
        rt.dose_file(DOSE, GRID, syntax=ExplicitVRBigEndian, change=swapped),
        rt.dose_file(DOSE, GRID, syntax=DeflatedExplicitVRLittleEndian),
        rt.dose_file(DOSE, GRID, syntax=RLELossless, encode=run_lengths),
        rt.dose_file(DOSE, GRID, syntax=JPEGLSLossless, encode=jpeg_ls, bits=16, scaling_gy=1e-3),
        rt.dose_file(DOSE, WIDE, syntax=JPEG2000Lossless, encode=jpeg_2000, bits=16, scaling_gy=1e-3),
    ]
    structures = [
        rt.structure_file([("Heart", contours)], syntax=syntax)
        for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)
    ]
    plain_dose, plain_structures = dose[0].getvalue(), structures[0].getvalue()
    cases = [(file.getvalue(), [plain_structures]) for file in dose]
    cases += [(file.getvalue(), [plain_dose]) for file in structures]
    cases.append((rt.plan_file(fractions=5).getvalue(), [plain_dose, plain_structures]))
    return cases


def _mutated(raw: bytes, chance: random.Random) -> bytes:
    data = bytearray(raw)
    start = 132 if chance.random() < 0.9 else 0
    for _ in range(chance.choice((1, 1, 1, 2, 4, 12))):
        if len(data) <= start + 8:
            break
        at = chance.randrange(start, len(data) - 4)
        kind = chance.randrange(7)
        if kind == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[at] = chance.randrange(256)
        elif kind == 2:
            data[at : at + 4] = chance.choice(INTERESTING)
        elif kind == 3:
            del data[at:]
        elif kind == 4:
            del data[at : at + chance.randrange(1, 40)]
        elif kind == 5:
            data[at:at] = data[at : at + chance.randrange(1, 200)]
        else:
            other = chance.randrange(start, len(data) - 4)
            data[at : at + 4], data[other : other + 4] = data[other : other + 4], data[at : at + 4]
    return bytes(data)


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _answers(*files: bytes) -> bool:
    began = time.process_time()
    try:
        answered = bool(ingest([BytesIO(file) for file in files], OPTIONS).structures)
    except InvalidInput:
        answered = False
    assert time.process_time() - began < LONGEST_SECONDS
    return answered


def test_mutated_files():
    cases = _bases()
    assert all(_answers(raw, *rest) for raw, rest in cases)
    before = _peak_bytes()
    chance = random.Random(20)
    answered = 0
    for number in range(MUTANTS):
        raw, rest = cases[number % len(cases)]
        answered += _answers(_mutated(raw, chance), *rest)
    assert 0 < answered < MUTANTS
    assert _peak_bytes() - before < LARGEST_BYTES


def test_inflated_data_are_mutated_too():
    """Damage below the compression, so that it reaches the parser."""
    raw = rt.structure_file([("Heart", [rt.circle(4.0, (0, 0), z, points=8) for z in (0.0, 3.0)])]).getvalue()
    dose = rt.dose_file(DOSE, GRID).getvalue()
    deflated = rt.structure_file([("Heart", [])], syntax=DeflatedExplicitVRLittleEndian).getvalue()
    header = deflated[: len(deflated) - len(_body(deflated))]
    chance = random.Random(21)
    for _ in range(200):
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        mutated = _mutated(raw, chance)[len(raw) - len(_body(raw)) :]
        _answers(header + packer.compress(mutated) + packer.flush(), dose)


def _body(raw: bytes) -> bytes:
    length = int.from_bytes(raw[140:144], "little")
    return raw[144 + length :]


def _refused(*files: bytes) -> str:
    with pytest.raises(InvalidInput) as caught:
        ingest([BytesIO(file) for file in files], OPTIONS)
    return caught.value.errors[0]["message"]


@pytest.fixture(scope="module")
def structures() -> bytes:
    return rt.structure_file([("Heart", [rt.circle(4.0, (0, 0), z, points=8) for z in (0.0, 3.0)])]).getvalue()


def test_deflate_bomb(structures):
    deflated = rt.dose_file(DOSE, GRID, syntax=DeflatedExplicitVRLittleEndian).getvalue()
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(300)) + packer.flush()
    assert "inflate" in _refused(deflated[: -len(_body(deflated))] + bomb, structures)


def test_millions_of_items(structures):
    head = structures[: len(structures) - len(_body(structures))]
    sequence = b"\x06\x30\x20\x00SQ\x00\x00\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\x00\x00\x00\x00" * 400_000
    assert "items" in _refused(head + sequence + b"\xfe\xff\xdd\xe0\0\0\0\0", structures)


def test_deep_nesting(structures):
    head = structures[: len(structures) - len(_body(structures))]
    level = b"\x06\x30\x20\x00SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    assert "nested" in _refused(head + level * 5000, structures)


def test_code_stream_with_another_size(structures):
    def huge(frame):
        code = bytearray(jpeg_2000(frame))
        at = code.index(b"\xff\x4f\xff\x51")
        code[at + 8 : at + 16] = (60000).to_bytes(4, "big") * 2
        return bytes(code)

    dose = rt.dose_file(DOSE, WIDE, syntax=JPEG2000Lossless, encode=huge, bits=16, scaling_gy=1e-3).getvalue()
    assert "another size" in _refused(dose, structures)


def test_too_many_points(structures):
    dose = rt.dose_file(DOSE, GRID).getvalue()
    head = structures[: len(structures) - len(_body(structures))]
    points = b"1\\2\\3\\" * 2_100_000 + b"1\\2\\3 "
    contour = (
        b"\x06\x30\x42\x00CS\x0e\x00CLOSED_PLANAR "
        + b"\x06\x30\x50\x00UN\x00\x00"
        + len(points).to_bytes(4, "little")
        + points
    )
    roi = b"\x06\x30\x40\x00SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" + contour
    roi += b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0" + b"\x06\x30\x84\x00IS\x02\x001 "
    body = _body(structures)
    named = body[: body.index(b"\x06\x30\x39\x00SQ")]
    drawn = b"\x06\x30\x39\x00SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" + roi
    drawn += b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    assert "points" in _refused(head + named + drawn, dose)


def test_detailed_contours_stay_within_time():
    rng = np.random.default_rng(3)
    zigzag = [
        np.column_stack([np.tile([-9.0, 9.0], 8000) + rng.random(16000), np.linspace(-9, 9, 16000), np.full(16000, z)])
        for z in (-3.0, 0.0, 3.0)
    ]
    _answers(
        rt.dose_file(DOSE, GRID).getvalue(),
        rt.structure_file([("Heart", zigzag)], syntax=ImplicitVRLittleEndian).getvalue(),
    )
