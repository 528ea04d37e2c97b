"""DICOM-RT uploads: what is read, what is refused, and that nothing personal is kept."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from schemas.dicom import DicomOptions, DicomRequest, StructureAssignment
from schemas.dvh import EvaluationOptions
from service import dicom
from service.dicom_structures import clean_name
from service.errors import InvalidInput
from simulation.radiation.structure_names import organ_of
from tests.support import synthetic_rt as rt

SPHERE = replace(rt.STANDARD[2], center_mm=(1.0, 2.0, 3.0))
DOSE = rt.linear((0.1, 0.2, 0.05))
FIVE = DicomOptions(evaluation=EvaluationOptions(fraction_count=5))


def structure_set(*names, **options):
    return rt.structure_file([(name, SPHERE.contours(1.0)) for name in names or ("Heart",)], **options)


def changed(**members):
    def change(data):
        for name, value in members.items():
            if value is None:
                delattr(data, name)
            else:
                setattr(data, name, value)

    return change


def mean_of(files, options=FIVE):
    return dicom.ingest(files, options).structures[0].geometry.mean_gy


def refused(files, pointer, message, options=FIVE):
    with pytest.raises(InvalidInput) as caught:
        dicom.ingest(files, options)
    assert caught.value.errors[0]["pointer"] == pointer
    assert message in caught.value.errors[0]["message"]


def test_upload_to_result_and_back():
    request = dicom.ingest([rt.dose_file(DOSE), structure_set("Heart", "PTV 60"), rt.plan_file()], DicomOptions())
    assert request.evaluation.fraction_count == 30
    assert request.dose.prescribed_dose_gy == 60.0
    assert request.dose.modality == "photon"
    assert [(s.request.id, s.request.organ, s.request.target) for s in request.structures] == [
        ("Heart", "heart", False),
        ("PTV_60", None, True),
    ]
    assert request.structures[0].geometry.mean_gy == pytest.approx(20 + 0.1 + 0.4 + 0.15, abs=0.01)
    answer = dicom.compute(request)
    stored = DicomRequest.model_validate_json(request.model_dump_json())
    assert dicom.compute(stored).result == answer.result
    metrics = {metric.name: metric.value for metric in answer.result.evaluation.structures[0].physical}
    assert metrics["mean"] == pytest.approx(request.structures[0].geometry.mean_gy, abs=2e-3)
    assert answer.models[0].id == "dicom-dvh"


def test_nothing_personal_is_kept():
    request = dicom.ingest([rt.dose_file(DOSE), structure_set("Heart 123456789 x"), rt.plan_file()], DicomOptions())
    kept = request.model_dump_json() + dicom.compute(request).result.model_dump_json()
    for secret in ("SECRET", "19500101", rt.ROOT, "123456789"):
        assert secret not in kept


@pytest.mark.parametrize(
    ("name", "clean"),
    [("Lung_L", "Lung_L"), ("Heart 1234567", "Heart #"), ("<b>x</b>", "bx/b"), ("", "unnamed"), ("a" * 90, "a" * 64)],
)
def test_clean_names(name, clean):
    assert clean_name(name) == clean


@pytest.mark.parametrize(
    ("name", "organ", "side"),
    [
        ("Lt Lung", "lung", "left"),
        ("Lung_R", "lung", "right"),
        ("Lungs-GTV", "lung", None),
        ("Rückenmark", "spinal_cord", None),
        ("Parotis re", "parotid", "right"),
        ("Oesophagus", "esophagus", None),
        ("Bowel_Small", "small_intestine", None),
        ("zHeart_opt", None, None),
        ("something else", None, None),
        ("", None, None),
    ],
)
def test_organs_by_name(name, organ, side):
    assert (organ_of(name).organ, organ_of(name).side) == (organ, side)


def test_both_lungs_are_put_together():
    left = replace(rt.STANDARD[2], center_mm=(-15.0, 0.0, 0.0))
    right = replace(rt.STANDARD[2], center_mm=(15.0, 0.0, 0.0))
    files = [
        rt.dose_file(rt.linear((0.3, 0, 0))),
        rt.structure_file([("Lung_L", left.contours(1.0)), ("Lung_R", right.contours(1.0))]),
    ]
    request = dicom.ingest(files, FIVE)
    both = request.structures[-1]
    assert (both.request.id, both.request.organ, both.request.part) == ("lung-both", "lung", "whole")
    assert both.geometry.mean_gy == pytest.approx(20.0, abs=0.01)
    assert both.request.dvh.volume[0] == pytest.approx(2 * request.structures[0].geometry.volume_cm3, rel=0.01)
    evaluated = dicom.compute(request).result.evaluation.structures[-1]
    assert {m.name: m.value for m in evaluated.physical}["mean"] == pytest.approx(20.0, abs=0.02)


def test_options_choose_and_assign():
    options = DicomOptions(
        structures=["PTV"],
        assignments=[StructureAssignment(name="PTV", organ="liver")],
        evaluation=EvaluationOptions(fraction_count=3),
    )
    request = dicom.ingest([rt.dose_file(DOSE), structure_set("Heart", "PTV")], options)
    assert [(s.request.id, s.request.organ, s.request.target) for s in request.structures] == [("PTV", "liver", False)]
    for wrong, pointer in (
        (DicomOptions(structures=["Nope"], evaluation=options.evaluation), "/options/structures"),
        (
            DicomOptions(assignments=[StructureAssignment(name="Nope")], evaluation=options.evaluation),
            "/options/assignments",
        ),
    ):
        refused([rt.dose_file(DOSE), structure_set()], pointer, "upload", wrong)


def test_fraction_count_is_needed():
    refused(
        [rt.dose_file(DOSE), structure_set()],
        "/options/evaluation/fraction_count",
        "number of fractions",
        DicomOptions(),
    )


def jpeg_ls(frame):
    import jpeg_ls

    return bytes(jpeg_ls.encode_array(np.ascontiguousarray(frame)))


def jpeg_2000(frame):
    import openjpeg

    return bytes(openjpeg.encode(np.ascontiguousarray(frame)))


def run_lengths(frame):
    planes = [frame.astype("<u4").view(np.uint8).reshape(-1, 4)[:, k].tobytes() for k in (3, 2, 1, 0)]
    packed = []
    for plane in planes:
        parts = []
        for at in range(0, len(plane), 128):
            piece = plane[at : at + 128]
            same = len(set(piece)) == 1 and len(piece) > 1
            parts.append(bytes([257 - len(piece), piece[0]]) if same else bytes([len(piece) - 1]) + piece)
        joined = b"".join(parts)
        packed.append(joined + b"\0" * (len(joined) % 2))
    offsets = np.cumsum([64, *[len(part) for part in packed[:-1]]])
    header = np.zeros(16, "<u4")
    header[0], header[1:5] = 4, offsets
    return header.tobytes() + b"".join(packed)


@pytest.mark.parametrize(
    ("syntax", "bits", "encode"),
    [
        (ImplicitVRLittleEndian, 32, None),
        (DeflatedExplicitVRLittleEndian, 32, None),
        (RLELossless, 32, run_lengths),
        (JPEGLSLossless, 16, jpeg_ls),
        (JPEG2000Lossless, 16, jpeg_2000),
    ],
)
def test_transfer_syntaxes(syntax, bits, encode):
    scaling = 1e-5 if bits == 32 else 60 / 65535
    plain = mean_of([rt.dose_file(DOSE, bits=bits, scaling_gy=scaling), structure_set()])
    coded = rt.dose_file(DOSE, bits=bits, scaling_gy=scaling, syntax=syntax, encode=encode)
    other = ImplicitVRLittleEndian if syntax == RLELossless else DeflatedExplicitVRLittleEndian
    assert mean_of([coded, structure_set(syntax=other)]) == plain


def test_lossy_and_unknown_syntaxes_are_refused():
    raw = (
        rt.dose_file(DOSE).getvalue().replace(b"1.2.840.10008.1.2.1\0", JPEGBaseline8Bit.encode()[:20].ljust(20, b"\0"))
    )
    refused([BytesIO(raw), structure_set()], "/files/0", "transfer syntax")


def swapped(data):
    data.PixelData = np.frombuffer(data.PixelData, "<u4").astype(">u4").tobytes()


def test_big_endian():
    big = rt.dose_file(DOSE, syntax=ExplicitVRBigEndian, change=swapped)
    assert mean_of([big, structure_set()]) == mean_of([rt.dose_file(DOSE), structure_set()])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed(DoseUnits="RELATIVE"), "relative"),
        (changed(DoseType="ERROR"), "no dose"),
        (changed(DoseGridScaling=0.0), "scaling"),
        (changed(DoseGridScaling=None), "scaling"),
        (changed(Rows=60000, Columns=60000), "rows, columns"),
        (changed(Rows=4000, Columns=4000), "voxels"),
        (changed(Rows=34), "pixel data"),
        (changed(PixelData=None), "pixel data"),
        (changed(BitsAllocated=8, BitsStored=8), "16 or 32"),
        (changed(SamplesPerPixel=3), "one sample"),
        (changed(PixelSpacing=[0.0, 2.5]), "spacing"),
        (changed(PixelSpacing=None), "missing"),
        (changed(ImageOrientationPatient=[1, 0, 0, 1, 0, 0]), "perpendicular"),
        (changed(GridFrameOffsetVector=[0.0, 2.5]), "one entry"),
        (changed(GridFrameOffsetVector=[0.0] * 33), "same place"),
        (changed(GridFrameOffsetVector=[7.0 + k for k in range(33)]), "start at 0"),
        (changed(DoseGridScaling=0.001), "exceeds"),
        (changed(Modality="CT"), "RTDOSE"),
        (changed(DoseSummationType="CONTROL_POINT"), "summation"),
    ],
)
def test_unusable_dose(change, message):
    with pytest.raises(InvalidInput) as caught:
        dicom.ingest([rt.dose_file(DOSE, change=change), structure_set()], FIVE)
    assert message in caught.value.errors[0]["message"]


def test_frame_of_reference_must_match():
    refused(
        [rt.dose_file(DOSE, change=changed(FrameOfReferenceUID="1.2.3")), structure_set()],
        "/files/1",
        "frames of reference",
    )
    nameless = dicom.ingest([rt.dose_file(DOSE, change=changed(FrameOfReferenceUID=None)), structure_set()], FIVE)
    assert "frame-of-reference-unknown" in {warning.code for warning in nameless.warnings}


@pytest.mark.parametrize(
    ("files", "pointer", "message"),
    [
        ([], "/files", "upload"),
        ([BytesIO(b"")], "/files/0", "not a DICOM"),
        ([BytesIO(b"x" * 500)], "/files/0", "not a DICOM"),
        ([rt.dose_file(DOSE)], "/rtstruct", "RTSTRUCT"),
        ([rt.structure_file([("a", SPHERE.contours(1.0))])], "/rtdose", "RTDOSE"),
        ([BytesIO(rt.dose_file(DOSE).getvalue()[:3000])], "/files/0", "ends in the middle"),
        ([rt.dose_file(DOSE) for _ in range(65)], "/files", "at most"),
    ],
)
def test_incomplete_uploads(files, pointer, message):
    refused(files, pointer, message)


def beam(number):
    def change(data):
        group, referenced = Dataset(), Dataset()
        referenced.ReferencedBeamNumber = number
        group.ReferencedBeamSequence = DicomSequence([referenced])
        data.ReferencedRTPlanSequence[0].ReferencedFractionGroupSequence = DicomSequence([group])
        data.DoseSummationType = "BEAM"

    return change


def test_doses_add_up():
    half = rt.linear((0.05, 0.1, 0.025), 10.0)
    first = rt.dose_file(half, change=beam(1), uid=f"{rt.ROOT}.11")
    second = rt.dose_file(half, change=beam(2), uid=f"{rt.ROOT}.12")
    whole = mean_of([rt.dose_file(DOSE), structure_set()])
    assert mean_of([first, second, structure_set()]) == pytest.approx(whole, abs=1e-4)
    other_grid = rt.Grid(spacing_mm=(5.0, 5.0), shape=(17, 17))
    coarse = rt.dose_file(half, other_grid, change=beam(2), uid=f"{rt.ROOT}.12")
    assert mean_of([first, coarse, structure_set()]) == pytest.approx(whole, abs=1e-4)


def test_missing_beams_are_noted():
    def two_beams(data):
        more = Dataset()
        more.BeamNumber = 2
        data.BeamSequence.append(more)

    request = dicom.ingest(
        [rt.dose_file(DOSE, change=beam(1)), structure_set(), rt.plan_file(change=two_beams)], DicomOptions()
    )
    assert "beams-missing" in {warning.code for warning in request.warnings}


def test_fraction_dose_counts_as_often_as_there_are_fractions():
    once = rt.dose_file(
        rt.linear((0.01, 0.02, 0.005), 2.0), scaling_gy=1e-6, change=changed(DoseSummationType="FRACTION")
    )
    ten = DicomOptions(evaluation=EvaluationOptions(fraction_count=10))
    whole = mean_of([rt.dose_file(DOSE), structure_set()])
    assert mean_of([once, structure_set()], ten) == pytest.approx(whole, abs=1e-3)
    assert mean_of([once, structure_set(), rt.plan_file(fractions=10)], DicomOptions()) == pytest.approx(
        whole, abs=1e-3
    )


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ({}, {}, "twice"),
        ({"uid": f"{rt.ROOT}.11"}, {"uid": f"{rt.ROOT}.12"}, "same plan"),
        ({"change": beam(1)}, {"uid": f"{rt.ROOT}.12", "change": beam(1)}, "same beam"),
        ({}, {"uid": f"{rt.ROOT}.12", "change": beam(1)}, "different summation types"),
        (
            {"change": changed(DoseSummationType="MULTI_PLAN")},
            {"uid": f"{rt.ROOT}.12", "change": changed(DoseSummationType="MULTI_PLAN")},
            "cannot be added",
        ),
    ],
)
def test_doses_that_must_not_be_added(first, second, message):
    refused([rt.dose_file(DOSE, **first), rt.dose_file(DOSE, **second), structure_set()], "/files", message)


def test_a_plan_that_does_not_belong():
    refused([rt.dose_file(DOSE), structure_set(), rt.plan_file(uid="1.2.3")], "/files/2", "no dose file refers")


def test_evaluation_errors_point_into_the_options():
    constraint = {"structure_id": "Nope", "metric": "mean", "limit": 1.0}
    options = DicomOptions.model_validate({"evaluation": {"fraction_count": 5, "constraints": [constraint]}})
    request = dicom.ingest([rt.dose_file(DOSE), structure_set()], options)
    with pytest.raises(InvalidInput) as caught:
        dicom.compute(request)
    assert caught.value.errors[0]["pointer"] == "/options/evaluation/constraints/0/structure_id"


def test_effective_dose_is_noted():
    request = dicom.ingest([rt.dose_file(DOSE, change=changed(DoseType="EFFECTIVE")), structure_set()], FIVE)
    assert request.dose.effective_dose
    assert "effective-dose" in {warning.code for warning in request.warnings}


def stored_curve(data):
    item, referenced = Dataset(), Dataset()
    referenced.ReferencedROINumber = 1
    referenced.DVHROIContributionType = "INCLUDED"
    item.DVHReferencedROISequence = DicomSequence([referenced])
    item.DVHType, item.DoseUnits, item.DVHVolumeUnits = "CUMULATIVE", "GY", "CM3"
    item.DVHDoseScaling = 1.0
    item.DVHData = [20.0, 0.9, 1.0, 0.9, 1.0, 0.0]
    data.DVHSequence = DicomSequence([item])


def test_planning_system_is_the_cross_check():
    request = dicom.ingest([rt.dose_file(DOSE, change=stored_curve), structure_set()], FIVE)
    stored = request.structures[0].planning_system
    assert (stored.volume_cm3, stored.mean_gy) == (pytest.approx(0.9), pytest.approx(20.5))
    check = dicom.compute(request).result.structures[0]
    assert check.volume_difference_percent == pytest.approx(0.0, abs=1.0)
    assert check.mean_difference_gy == pytest.approx(0.15, abs=0.02)


def test_structures_that_cannot_be_evaluated_are_named():
    far = replace(SPHERE, center_mm=(500.0, 0.0, 0.0))
    files = [
        rt.dose_file(DOSE),
        rt.structure_file([("Heart", SPHERE.contours(1.0)), ("far", far.contours(1.0)), ("empty", [])]),
    ]
    request = dicom.ingest(files, FIVE)
    assert {left.name: left.reason for left in request.left_out} == {
        "far": "it lies outside the dose grid",
        "empty": "it has no closed planar contour",
    }
    refused([rt.dose_file(DOSE), rt.structure_file([("far", far.contours(1.0))])], "/rtstruct", "no structure")


def test_partial_coverage_is_told():
    edge = replace(rt.STANDARD[1], center_mm=(30.0, 0.0, 0.0))
    request = dicom.ingest([rt.dose_file(DOSE), rt.structure_file([("Heart", edge.contours(3.0))])], FIVE)
    assert 0.5 < request.structures[0].geometry.coverage_fraction < 0.9
    assert "partial-coverage" in {warning.code for warning in request.warnings}


@pytest.mark.parametrize("text", ["nan", "1e9", "x", "inf", "1\\2"])
def test_unusable_contours(text):
    raw = structure_set().getvalue()
    first = f"{SPHERE.contours(1.0)[0][0, 0]:.6f}".rstrip("0").encode()
    assert first in raw
    refused([rt.dose_file(DOSE), BytesIO(raw.replace(first, text.encode().ljust(len(first)), 1))], "/files/1", "")


def test_open_contours_and_points_are_left_out():
    def change(file):
        file.ROIContourSequence[0].ContourSequence[0].ContourGeometricType = "POINT"

    request = dicom.ingest([rt.dose_file(DOSE), structure_set(change=change)], FIVE)
    assert "contours-left-out" in {warning.code for warning in request.warnings}


def test_figures_and_series():
    request = dicom.ingest([rt.dose_file(DOSE), structure_set(), rt.plan_file()], DicomOptions())
    given, result = request.model_dump(), dicom.compute(request).result.model_dump()
    assert dicom.KIND.figures["dvh"](given, result).startswith(b"<?xml")
    assert dicom.KIND.figures["therapeutic_window"](given, result).startswith(b"<?xml")
    assert dicom.KIND.series(given, result).startswith("structure,dose_gy")
