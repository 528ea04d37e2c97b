"""Blood dose: exact mean, sampling, circulation in balance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.radiation.blood import Beam, course_dose_gy, mean_blood_dose_gy, sample_blood_dose
from simulation.radiation.circulation import EXPOSED_BY, blood_volume_l, reference_circulation
from simulation.radiation.edic import edic_gy


def stream(seed=1):
    return np.random.Generator(np.random.Philox(seed))


@pytest.mark.parametrize("sex", ["female", "male"])
def test_what_flows_in_flows_out(sex):
    circulation = reference_circulation(sex).with_tumor("liver", volume_fraction=0.1, flow_fraction=0.02)
    assert circulation.flow_l_per_s.sum(axis=0) == pytest.approx(circulation.flow_l_per_s.sum(axis=1))
    assert circulation.total_volume_l == pytest.approx({"female": 3.9, "male": 5.3}[sex])
    assert all(part in circulation.names for parts in EXPOSED_BY.values() for part in parts)


def test_scaling_keeps_transit_times():
    small, large = reference_circulation("male"), reference_circulation("male", total_blood_volume_l=7.0)
    assert large.mean_dwell_s == pytest.approx(small.mean_dwell_s)


@settings(max_examples=15, deadline=None)
@given(
    shape=st.floats(1, 4),
    seconds=st.floats(1, 120),
    doses=st.dictionaries(st.sampled_from(["lung", "liver", "aorta", "spleen"]), st.floats(0.05, 3), min_size=1),
)
def test_sampled_mean_is_the_exact_one_whatever_law_and_time(shape, seconds, doses):
    circulation = reference_circulation("female")
    found = sample_blood_dose(circulation, doses, [Beam(0, seconds)], rng=stream(), particles=20_000, dwell_shape=shape)
    error = found.particles_gy.std() / np.sqrt(20_000)
    assert found.mean_gy == mean_blood_dose_gy(circulation, doses)
    assert abs(found.sampled_mean_gy - found.mean_gy) < 5 * error + 1e-9


def test_uniform_dose_is_uniform():
    circulation = reference_circulation("male")
    found = sample_blood_dose(
        circulation, dict.fromkeys(circulation.names, 2.0), [Beam(0, 5), Beam(20, 5)], rng=stream(), particles=2000
    )
    assert found.particles_gy == pytest.approx(np.full(2000, 2.0))


def test_longer_beams_spread_the_dose():
    circulation = reference_circulation("male")
    spreads = [
        sample_blood_dose(circulation, {"lung": 1.0}, [Beam(0, s)], rng=stream(), particles=20_000).particles_gy.std()
        for s in (2.0, 30.0, 300.0)
    ]
    assert spreads[0] > spreads[1] > spreads[2]


def test_gap_between_beams_gives_no_dose():
    circulation = reference_circulation("male")
    beams = [Beam(100, 10), Beam(1000, 10)]
    once = sample_blood_dose(circulation, {"lung": 1.0}, [Beam(0, 10)], rng=stream(), particles=50_000)
    twice = sample_blood_dose(circulation, {"lung": 1.0}, beams, rng=stream(), particles=50_000)
    assert twice.particles_gy.std() == pytest.approx(once.particles_gy.std() / np.sqrt(2), rel=0.03)


def test_same_stream_same_answer():
    circulation = reference_circulation("male")
    first, second = (
        sample_blood_dose(circulation, {"lung": 1.0}, [Beam(0, 10)], rng=stream(5), particles=1000) for _ in range(2)
    )
    assert np.array_equal(first.particles_gy, second.particles_gy)


def test_no_dose():
    circulation = reference_circulation("male")
    found = sample_blood_dose(circulation, {}, [Beam(0, 10)], rng=stream(), particles=1000)
    assert (found.mean_gy, found.particles_gy.max()) == (0.0, 0.0)


def test_course_keeps_the_mean():
    fraction = np.array([0.0, 0.0, 1.0, 3.0])
    assert course_dose_gy([fraction] * 10, stream()).mean() == pytest.approx(10.0)


@pytest.mark.parametrize("beams", [[], [Beam(0, 0)], [Beam(0, 10), Beam(5, 10)], [Beam(20, 10), Beam(0, 10)]], ids=repr)
def test_impossible_beams(beams):
    with pytest.raises(ValueError, match="beam"):
        sample_blood_dose(reference_circulation("male"), {"lung": 1.0}, beams, rng=stream(), particles=10)


def test_unknown_compartment():
    with pytest.raises(ValueError, match="compartment"):
        mean_blood_dose_gy(reference_circulation("male"), {"elbow": 1.0})


@pytest.mark.parametrize("volume", [0.0, 1.0])
def test_tumor_takes_a_part(volume):
    with pytest.raises(ValueError, match="fraction"):
        reference_circulation("male").with_tumor("lung", volume_fraction=volume, flow_fraction=0.1)


def test_blood_volume():
    assert blood_volume_l("female") == 3.9
    assert blood_volume_l("male", weight_kg=73.0) == pytest.approx(5.3)
    assert blood_volume_l("male", weight_kg=70.0, height_cm=175.0) == pytest.approx(4.823, abs=0.01)


def test_edic_refuses_nonsense():
    with pytest.raises(ValueError, match="fraction"):
        edic_gy(mean_lung_dose_gy=1, mean_heart_dose_gy=1, integral_dose_gy_l=1, fraction_count=0)
