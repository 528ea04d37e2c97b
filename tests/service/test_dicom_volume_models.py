"""Which volume model an upload asked for, and the extremes that it reports."""

from dataclasses import replace
from io import BytesIO

from schemas.dicom import DicomOptions, DicomRequest
from service import dicom
from tests.support import synthetic_rt as rt

SPHERE = replace(rt.STANDARD[2], center_mm=(1.0, 2.0, 3.0))
DOSE = rt.linear((0.1, 0.2, 0.05))


def test_the_volume_model_is_kept_and_named_and_the_surface_stands_beside():
    files = [rt.dose_file(DOSE).getvalue(), rt.structure_file([("Heart", SPHERE.contours(3.0))]).getvalue()]
    found = {}
    for model in ("interpolated", "contour_planes"):
        options = DicomOptions.model_validate({"volume_model": model, "evaluation": {"fraction_count": 5}})
        request = dicom.ingest([BytesIO(file) for file in files], options)
        answer = dicom.compute(DicomRequest.model_validate_json(request.model_dump_json())).result
        assert answer.conventions.volume_model == request.volume_model == model
        found[model] = answer.structures[0].geometry
        assert found[model].surface_minimum_gy <= found[model].minimum_gy
        assert found[model].maximum_gy <= found[model].surface_maximum_gy
    assert found["interpolated"].volume_cm3 != found["contour_planes"].volume_cm3
