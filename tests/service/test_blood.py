"""Blood-dose runs."""

import copy
import json

import numpy as np
import pytest

from schemas.blood import BloodRequest
from service.blood import KIND, compute
from service.errors import InvalidInput

EXAMPLE = KIND.examples["lung_60_in_30"]


def request(**changes):
    body = copy.deepcopy(dict(EXAMPLE)) | {"particles": 5000} | changes
    return BloodRequest.model_validate_json(json.dumps(body))


def result(**changes):
    return compute(request(**changes)).result


def refused(pointer, **changes):
    with pytest.raises(InvalidInput) as caught:
        compute(request(**changes))
    assert caught.value.errors[0]["pointer"] == pointer


def test_example():
    found = result()
    course = found.courses[0]
    assert course.course.mean_gy == pytest.approx(30 * course.per_fraction.mean_gy)
    assert course.edic.value_gy == pytest.approx(
        0.12 * 14.3 + 0.08 * 7.5 + (0.45 + 0.2975 * (30 / 45) ** 0.5) * 3.1 * 38 / 61.8
    )
    assert course.exposure_basis == "edic"
    assert len(found.fractions) == 30
    so_far = [fraction.surviving_fraction_so_far.value for fraction in found.fractions]
    assert so_far == pytest.approx(np.cumprod([fraction.surviving_fraction.value for fraction in found.fractions]))
    assert found.nadir.count_1e9_per_l.value == pytest.approx(1.6 * found.nadir.relative_count.value)
    assert found.lymphopenia[1].probability.value < found.lymphopenia[0].probability.value
    assert found.count_1e9_per_l.value[0] == pytest.approx(1.6)


def test_same_request_same_answer():
    assert compute(request(seed=3)).result == compute(request(seed=3)).result
    assert compute(request(seed=3)).result != compute(request(seed=4)).result


def test_dvh_and_mean_agree():
    plan = copy.deepcopy(EXAMPLE["plan"])
    plan["radiotherapy"][0]["organs"][0] = {
        "organ": "lung",
        "dvh": {"kind": "differential", "dose_gy": [10.0, 18.6], "volume": [50.0, 50.0], "volume_unit": "percent"},
    }
    assert result(plan=plan).courses[0].course.mean_gy == pytest.approx(result().courses[0].course.mean_gy)


def test_splitting_a_course_changes_no_mean():
    plan = copy.deepcopy(EXAMPLE["plan"])
    (course,) = plan["radiotherapy"]
    parts = []
    for number, start in enumerate((0.0, 21.0)):
        part = copy.deepcopy(course) | {"id": f"part-{number}", "start_day": start, "fraction_count": 15}
        part["organs"] = [organ | {"mean_dose_gy": organ["mean_dose_gy"] / 2} for organ in course["organs"]]
        parts.append(part)
    split = result(plan={"radiotherapy": parts}, deliveries=[])
    assert sum(one.course.mean_gy for one in split.courses) == pytest.approx(result().courses[0].course.mean_gy)
    assert [fraction.day for fraction in split.fractions] == [fraction.day for fraction in result().fractions]


def test_without_baseline_and_edic():
    plan = {
        "radiotherapy": [EXAMPLE["plan"]["radiotherapy"][0] | {"organs": [{"organ": "liver", "mean_dose_gy": 20.0}]}]
    }
    computation = compute(request(patient={}, plan=plan, deliveries=[]))
    found = computation.result
    assert (found.count_1e9_per_l, found.lymphopenia, found.nadir.count_1e9_per_l) == (None, None, None)
    assert found.courses[0].edic.value_gy is None
    assert "lung" in found.courses[0].edic.reason
    assert found.courses[0].exposure_basis == "mean_blood_dose"
    codes = {warning.code for warning in computation.warnings}
    assert {"sex-assumed", "baseline-missing", "beam-time-assumed", "calibrated-model"} <= codes
    assert "lymphocytes-from-blood-dose" in codes


def test_the_exposure_is_edric_without_the_volume_of_the_body():
    whole, unknown = compute(request(body_volume_l=61.8)), compute(request(body_volume_l=None))
    course = unknown.result.courses[0]
    assert (course.exposure_basis, course.edic.value_gy) == ("edric", None)
    assert course.edric.value_gy == pytest.approx(whole.result.courses[0].edic.value_gy)
    assert unknown.result.relative_count.value == pytest.approx(whole.result.relative_count.value, rel=1e-9)
    warned = {warning.code: warning for warning in unknown.warnings}
    assert warned["body-volume-missing"].pointer == "/plan/radiotherapy/0/organs"
    assert "body-volume-missing" not in {warning.code for warning in whole.warnings}
    assert "lymphocytes-from-blood-dose" not in warned


def test_an_exposure_above_the_calibration_is_said():
    plan = copy.deepcopy(EXAMPLE["plan"])
    plan["radiotherapy"][0]["organs"][-1]["mean_dose_gy"] = 12.0
    codes = {warning.code for warning in compute(request(plan=plan, body_volume_l=61.8)).warnings}
    assert "outside-derivation-range" in codes
    assert "outside-derivation-range" not in {warning.code for warning in compute(request()).warnings}


def test_a_measured_count_below_a_grade_has_reached_it():
    organs = [{"organ": "lung", "mean_dose_gy": 0.0}]
    plan = {"radiotherapy": [EXAMPLE["plan"]["radiotherapy"][0] | {"organs": organs}]}

    def grades(baseline):
        patient = copy.deepcopy(EXAMPLE["patient"]) | {"labs": {"lymphocytes_1e9_per_l": baseline}}
        return result(patient=patient, plan=plan).lymphopenia

    below, above = grades(0.49), grades(0.51)
    assert below[0].probability.value == 1.0
    assert "before treatment" in below[0].interval_note
    assert below[1].probability.value < 1e-6
    assert below[1].interval_note == above[0].interval_note
    assert 0.0 < above[0].probability.value < 0.5


def test_tumor_blood():
    plan = copy.deepcopy(EXAMPLE["plan"])
    plan["radiotherapy"][0]["organs"].append({"organ": "tumor", "mean_dose_gy": 60.0})
    refused("/plan/radiotherapy/0/organs", plan=plan)
    tumor = {"host": "lung", "volume_fraction": 0.05, "flow_fraction": 0.05}
    assert result(plan=plan, tumor=tumor).courses[0].compartments["tumor"] == 60.0
    refused("/tumor/host", plan=plan, tumor=tumor | {"host": "heart"})


def test_what_is_refused():
    refused("/plan/radiotherapy", plan={})
    refused("/deliveries", deliveries=[{"course_id": "other", "beams": [{"duration_seconds": 10.0}]}])
    patient = copy.deepcopy(EXAMPLE["patient"]) | {"labs": {"lymphocytes_1e9_per_l": 0.0}}
    refused("/patient/labs/lymphocytes_1e9_per_l", patient=patient)
    organs = [{"organ": "parotid", "mean_dose_gy": 20.0}]
    refused(
        "/plan/radiotherapy/0/organs",
        plan={"radiotherapy": [EXAMPLE["plan"]["radiotherapy"][0] | {"organs": organs}]},
    )


def test_a_histogram_that_does_not_sum_up_is_refused():
    dvh = {"kind": "differential", "dose_gy": [10.0, 20.0], "volume": [50.0, 20.0], "volume_unit": "percent"}
    organs = [{"organ": "heart", "mean_dose_gy": 5.0}, {"organ": "lung", "dvh": dvh}]
    refused(
        "/plan/radiotherapy/0/organs/1/dvh/volume",
        plan={"radiotherapy": [EXAMPLE["plan"]["radiotherapy"][0] | {"organs": organs}]},
    )


def test_the_figure_names_its_mean_lines():
    found = result()
    mean = found.courses[0].course.mean_gy
    picture = KIND.figures["blood_dose"](EXAMPLE, found.model_dump()).decode()
    assert f"thorax: mean {mean:.3g} Gy" in picture.split("</desc>", 1)[1]


def test_beams_in_disorder():
    beams = [{"start_seconds": 10.0, "duration_seconds": 10.0}, {"start_seconds": 5.0, "duration_seconds": 10.0}]
    with pytest.raises(ValueError, match="order of time"):
        request(deliveries=[{"course_id": "thorax", "beams": beams}])


def test_a_beam_of_no_time():
    with pytest.raises(ValueError, match="duration_seconds"):
        request(deliveries=[{"course_id": "thorax", "beams": [{"duration_seconds": 5e-324}]}])
    shortest = [{"course_id": "thorax", "beams": [{"duration_seconds": 1e-6}]}]
    assert result(deliveries=shortest).courses[0].course.mean_gy == pytest.approx(result().courses[0].course.mean_gy)


@pytest.mark.parametrize("patient", [{}, EXAMPLE["patient"]], ids=["relative", "absolute"])
def test_figures_and_series(patient):
    found = result(patient=patient).model_dump()
    for draw in KIND.figures.values():
        assert draw(EXAMPLE, found).startswith(b"<?xml")
    lines = KIND.series(EXAMPLE, found).splitlines()
    assert lines[0] == ("day,count_1e9_per_l,lower,upper" if patient else "day,relative_count,lower,upper")
    assert len(lines) == 1 + len(found["relative_count"]["day"])
