"""Blood dose, immune-cell dose and lymphocytes against published numbers."""

import json

import numpy as np
import pytest

from schemas.blood import BloodRequest
from scripts.calibrate_lymphocytes import DAYS_TO_COUNT, FREE, fit, model_ratio, point, published_points, request_with
from service.blood import compute
from simulation.radiation.blood import Beam, BloodDose, course_dose_gy, mean_blood_dose_gy, sample_blood_dose
from simulation.radiation.circulation import Circulation, reference_circulation
from simulation.radiation.edic import BLOOD_DOSE_REFERENCE_L, edic_gy, edric_gy
from simulation.radiation.lymphocytes import DEFAULT, blood_survival, probability_below
from simulation.radiation.tables import read_table
from tests.published.radiation_cases import identify, rows

HEDOS = [row for row in rows("blood_dose") if row["id"].startswith("HEDOS_run")]
PLANS = {
    "little lung": {"lung": 1.766, "heart": 1.177},
    "much lung": {"lung": 4.0, "heart": 2.0},
    "great vessels": {"lung": 2.4, "heart": 1.5, "aorta": 5.0, "superior_vena_cava": 5.0, "pulmonary_artery": 4.0},
}
"""Mean doses per Gy of EDIC of the organs listed; the body has what is left of EDIC."""
SEX = {"F": "female", "M": "male"}


def joined(circulation: Circulation, into: str, parts: tuple[str, ...]) -> Circulation:
    """The same circulation with several compartments in series as one."""
    names, flow, volume = list(circulation.names), circulation.flow_l_per_s.copy(), circulation.volume_l.copy()
    kept = names.index(into)
    for part in parts:
        at = names.index(part)
        flow[kept, at] = flow[at, kept] = 0.0
        flow[kept, :] += flow[at, :]
        flow[:, kept] += flow[:, at]
        volume[kept] += volume[at]
        names.pop(at)
        volume = np.delete(volume, at)
        flow = np.delete(np.delete(flow, at, axis=0), at, axis=1)
        kept = names.index(into)
    return Circulation(tuple(names), volume, flow)


def bypassed(circulation: Circulation, part: str, volume_to: str) -> Circulation:
    """The same circulation without one compartment of a single inflow and outflow; its blood goes elsewhere."""
    at = circulation.names.index(part)
    flow, volume = circulation.flow_l_per_s.copy(), circulation.volume_l.copy()
    flow[np.argmax(flow[:, at]), np.argmax(flow[at, :])] += flow[at, :].sum()
    volume[circulation.names.index(volume_to)] += volume[at]
    names = tuple(name for name in circulation.names if name != part)
    return Circulation(names, np.delete(volume, at), np.delete(np.delete(flow, at, axis=0), at, axis=1))


def circulation_of(inputs) -> Circulation:
    """The peer's male model has one compartment for all arteries and one for all great veins."""
    circulation = reference_circulation(
        SEX[inputs["sex"]],
        total_blood_volume_l=inputs["total_blood_volume_L"],
        cardiac_output_l_per_min=inputs["cardiac_output_L_per_min"],
    )
    if inputs["sex"] == "M":
        circulation = bypassed(circulation, "pulmonary_artery", "aorta")
        circulation = joined(circulation, "aorta", ("large_arteries",))
        circulation = joined(circulation, "large_veins", ("superior_vena_cava", "inferior_vena_cava"))
    return circulation.with_tumor("lung", volume_fraction=0.05, flow_fraction=0.05)


def doses_of(inputs) -> dict[str, float]:
    given = {
        organ: row["mean_dose_per_fraction_Gy"] for organ, row in inputs["organs"].items() if row["blood_volume_L"]
    }
    heart = given.pop("heart")
    return given | {"right_heart": heart, "left_heart": heart}


def sampled(row, particles=100_000) -> BloodDose:
    inputs = row["inputs"]
    return sample_blood_dose(
        circulation_of(inputs),
        doses_of(inputs),
        [Beam(*beam) for beam in inputs["beams_start_s_duration_s"]],
        rng=np.random.Generator(np.random.Philox(7)),
        particles=particles,
        dwell_shape=float(inputs["dwell_time_law"].split()[-1]),
    )


@pytest.mark.parametrize("row", HEDOS, ids=identify)
def test_blood_volumes_and_exact_mean(row):
    circulation = circulation_of(row["inputs"])
    volumes = dict(zip(circulation.names, circulation.volume_l, strict=True))
    for organ in ("lung", "tumor"):
        assert volumes[organ] == pytest.approx(row["inputs"]["organs"][organ]["blood_volume_L"], rel=1e-9)
    expected = row["expected"]["exact_mean_per_fraction_Gy"]
    assert mean_blood_dose_gy(circulation, doses_of(row["inputs"])) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("row", HEDOS, ids=identify)
def test_distribution_over_the_blood(row):
    expected = row["expected"]
    found = sampled(row)
    assert found.particles_gy.mean() == pytest.approx(found.mean_gy, rel=1e-12)
    assert found.sampled_mean_gy == pytest.approx(found.mean_gy, rel=0.005)
    assert found.particles_gy.std() == pytest.approx(expected["sd_per_fraction_Gy"], rel=0.05)
    assert np.mean(found.particles_gy == 0) == pytest.approx(expected["fraction_of_blood_unhit"], abs=0.01)
    for percent, dose in expected["percentiles_per_fraction_Gy"].items():
        assert np.percentile(found.particles_gy, float(percent)) == pytest.approx(dose, rel=0.05, abs=0.0025)


@pytest.mark.parametrize("row", HEDOS, ids=identify)
def test_course_of_thirty_fractions(row):
    expected = row["expected"]
    course = course_dose_gy([sampled(row).particles_gy] * 30, np.random.Generator(np.random.Philox(8)))
    assert course.mean() == pytest.approx(30 * expected["exact_mean_per_fraction_Gy"], rel=1e-6)
    assert course.std() == pytest.approx(expected["course_sd_Gy"], rel=0.05)
    for percent, dose in expected["percentiles_course_Gy"].items():
        assert np.percentile(course, float(percent)) == pytest.approx(dose, rel=0.05)


@pytest.mark.parametrize(
    ("name", "alpha", "beta"),
    [("HEDOS_SF_alpha0.40", 0.40, 0.0), ("HEDOS_SF_alpha0.7675", 0.7675, 0.0), ("HEDOS_SF_RIT_aL.2_bL.14", 0.2, 0.14)],
)
def test_survival_over_the_distribution(name, alpha, beta):
    expected = next(row for row in rows("blood_dose") if row["id"] == name)["expected"]
    found = blood_survival(sampled(HEDOS[0]).particles_gy, alpha, beta_per_gy2=beta)[0]
    assert found == pytest.approx(expected["per_fraction"], rel=0.01)
    assert found**30 == pytest.approx(expected["course_30_fractions"], rel=0.06)


def test_dose_of_ten_percent_survival():
    row = next(row for row in rows("blood_dose") if row["id"] == "own_lymph_D10_RIT")
    assert blood_survival(row["expected"], 0.2, beta_per_gy2=0.14)[0] == pytest.approx(0.1, rel=1e-6)


@pytest.mark.parametrize("row", rows("edic"), ids=identify)
def test_edic(row):
    inputs = row["inputs"]
    lung, heart = inputs["mean_lung_dose_Gy"], inputs["mean_heart_dose_Gy"]
    integral, count = inputs["integral_total_dose_Gy_L"], inputs["n_fractions"]
    found = edic_gy(mean_lung_dose_gy=lung, mean_heart_dose_gy=heart, integral_dose_gy_l=integral, fraction_count=count)
    assert found == pytest.approx(row["expected"], rel=1e-6)
    body = integral / 61.8
    same = edric_gy(mean_lung_dose_gy=lung, mean_heart_dose_gy=heart, mean_body_dose_gy=body, fraction_count=count)
    assert same == pytest.approx(found, rel=1e-12)


@pytest.mark.parametrize("one", list(published_points()), ids=lambda one: f"{one.cohort}-{one.edic_gy}")
def test_calibration_reproduces_both_relations(one):
    assert model_ratio(one, DEFAULT) == pytest.approx(one.ratio, rel=0.15)


@pytest.mark.parametrize("volume_l", [BLOOD_DOSE_REFERENCE_L, None], ids=["EDIC", "EDRIC"])
@pytest.mark.parametrize("listed", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("one", list(published_points()), ids=lambda one: f"{one.cohort}-{one.edic_gy}")
def test_the_answer_to_a_plan_reproduces_both_relations(one, listed, volume_l):
    body = request_with(one.cohort, one.edic_gy, listed)
    found = compute(BloodRequest.model_validate_json(json.dumps(body | {"body_volume_l": volume_l}))).result
    assert found.courses[0].exposure_basis == ("edric" if volume_l is None else "edic")
    assert found.courses[0].edric.value_gy == pytest.approx(one.edic_gy)
    at = found.relative_count.day.index(found.fractions[-1].day + DAYS_TO_COUNT)
    ratio = found.nadir.relative_count.value if one.cohort != "breast" else found.relative_count.value[at]
    assert ratio == pytest.approx(one.ratio, rel=0.15)


def test_shipped_parameters_are_the_calibrated_ones():
    fitted = fit()
    for name in FREE:
        assert getattr(DEFAULT, name) == pytest.approx(getattr(fitted, name), abs=0.01)


def test_dose_of_half_the_patients_with_grade_3():
    """The cohort's EDIC of 50 % grade 3 lies near its relation's own crossing; its mean baseline was not read."""
    breast = read_table("lymphocyte_relations.toml")["breast"]
    edic = breast["edic_50_percent_grade_gy"]["grade_3"]
    baseline = 0.5 / (breast["intercept"] + breast["slope_per_gy"] * edic)
    ratio = model_ratio(point("breast", edic, 0.5 / baseline), DEFAULT)
    assert probability_below(0.5, baseline, np.array([ratio])) == pytest.approx(0.5, abs=0.25)
