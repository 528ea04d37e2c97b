from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.model import Interval
from simulation.radiation import clinical, complications, constraints, control, ntcp, oxygen, rbe, tcp
from simulation.radiation.dvh import Dvh, from_samples
from simulation.radiation.metrics import NotReadable, metric
from simulation.radiation.structure import Structure
from simulation.radiation.uncertainty import SAMPLES, propagate, sample_parameters
from simulation.radiation.window import complication_free_control, therapeutic_window
from tests.simulation.radiation.strategies import distributions

FORMS = list(complications.CURVES)


def _stream() -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([1])))


@given(distributions, st.sampled_from(complications.MODELS))
def test_complications_are_probabilities_that_grow_with_dose(dvh: Dvh, model: complications.ComplicationModel) -> None:
    low, high = model.probability(dvh, 30), model.probability(dvh.scaled(1.3), 30)
    assert 0.0 <= low <= high + 1e-12 <= 1.0 + 1e-12


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_one_half_at_its_d50(form: complications.Form) -> None:
    values = {"td50_gy": 50.0, "d50_gy": 50.0, "m": 0.2, "n": 0.5, "gamma50": 2.0, "gamma": 2.0}
    values |= {"exponent": 4.0, "seriality": 0.3}
    parameters = {name: values[name] for name in complications.PARAMETERS[form]}
    uniform = from_samples([50.0], [1.0])
    assert complications.CURVES[form](uniform, parameters) == pytest.approx(0.5)


def test_the_two_logistic_curves_differ() -> None:
    in_dose = float(ntcp.logistic(0.0, d50_gy=50.0, gamma50=1.0))
    in_log_dose = float(ntcp.log_logistic(0.0, td50_gy=50.0, gamma50=1.0))
    assert in_dose == pytest.approx(1.0 / (1.0 + np.exp(4.0)))
    assert in_log_dose == 0.0


@given(st.floats(min_value=0.002, max_value=5.0), distributions)
def test_relative_seriality_stays_a_probability(seriality: float, dvh: Dvh) -> None:
    found = ntcp.relative_seriality(dvh, d50_gy=40.0, gamma=1.2, seriality=seriality, form="kallman_1992")
    assert 0.0 <= found <= 1.0


@given(distributions, st.floats(min_value=0.0, max_value=0.1))
def test_control_grows_with_dose(dvh: Dvh, spread: float) -> None:
    def ask(one: Dvh) -> float:
        return tcp.poisson_clonogens(
            one, 1e7, alpha_per_gy=0.3, alpha_beta_gy=10.0, fraction_count=30, alpha_sd_per_gy=spread
        )

    assert 0.0 <= ask(dvh) <= ask(dvh.scaled(1.2)) + 1e-12 <= 1.0 + 1e-9


def test_hypoxia_lowers_control_and_plenty_of_oxygen_does_not() -> None:
    uniform = from_samples([66.0], [1.0], volume_cm3=1.0)

    def ask(tension: float) -> float:
        parameters = {"alpha_per_gy": 0.3, "alpha_beta_gy": 10.0, "clonogens": 1e7, "hypoxic_share": 0.2}
        parameters["hypoxic_oxygen_tension_mmhg"] = tension
        return control.ControlModel(form="poisson", parameters=parameters).probability(uniform, 33)

    assert ask(0.5) < ask(5.0) < ask(1e9)
    assert ask(1e9) == pytest.approx(
        tcp.poisson_clonogens(uniform, 1e7, alpha_per_gy=0.3, alpha_beta_gy=10.0, fraction_count=33)
    )
    assert float(oxygen.enhancement_ratio(0.0)) == 1.0
    assert oxygen.dose_reduction(3.0) == pytest.approx(1.5)


@given(st.floats(min_value=0.05, max_value=0.4), st.floats(min_value=0.0, max_value=0.3))
def test_birth_death_control_matches_the_probability_generating_recursion(survival: float, death: float) -> None:
    """Between fractions, the exact extinction probability of a linear birth-death process; at a fraction, thinning."""
    birth, days, end = 0.2, [0.0, 1.0, 2.0, 5.0], 9.0
    extinct = 0.0
    for start, stop in zip(reversed(days), reversed([*days[1:], end]), strict=True):
        gap = stop - start
        if abs(birth - death) < 1e-9:
            return
        growth = np.exp((birth - death) * gap)
        extinct = 1.0 - (1.0 - extinct) * (birth - death) * growth / (
            birth - death + birth * (1.0 - extinct) * (growth - 1.0)
        )
        extinct = 1.0 - survival * (1.0 - extinct)
    found = tcp.zaider_minerbo(
        50.0,
        log_survival_per_fraction=np.log(survival),
        fraction_days=days,
        end_day=end,
        birth_per_day=birth,
        death_per_day=death,
    )
    assert found == pytest.approx(extinct**50.0, rel=1e-6)


def test_birth_death_control_survives_huge_numbers() -> None:
    found = tcp.zaider_minerbo(
        1e9,
        log_survival_per_fraction=-0.85,
        fraction_days=[float(day) for day in range(35)],
        end_day=60.0,
        birth_per_day=0.1,
        death_per_day=0.02,
    )
    assert 0.0 < found < 1.0


@given(
    st.floats(min_value=0.05, max_value=30.0),
    st.floats(min_value=0.5, max_value=15.0),
    st.sampled_from(sorted(rbe.MODELS)),
)
def test_effectiveness_lies_between_its_limits(dose: float, ratio: float, name: str) -> None:
    high, low = rbe.MODELS[name].limits(2.5, ratio)
    found = float(rbe.effectiveness(dose, ratio, high, low))
    assert min(high, low) - 1e-9 <= found <= max(high, low) + 1e-9
    weighted = rbe.weighted_dose_gy(30 * dose, 30, ratio, high, low)
    photon_bed = weighted * (1.0 + weighted / (30 * ratio))
    assert float(photon_bed) == pytest.approx(float(rbe.ion_bed_gy(30 * dose, 30, ratio, high, low)))


def test_samples_reproduce_the_interval() -> None:
    interval = Interval(level=0.95, lower=20.0, upper=45.0)
    drawn = [one["x"] for one in sample_parameters({"x": 30.0, "y": 1.0}, {"x": interval}, stream=_stream())]
    assert len(drawn) == SAMPLES
    assert np.quantile(drawn, [0.025, 0.5, 0.975]) == pytest.approx([20.0, 30.0, 45.0], rel=0.01)
    crossing = Interval(level=0.9, lower=-1.0, upper=2.0)
    drawn = [one["x"] for one in sample_parameters({"x": 0.0}, {"x": crossing}, stream=_stream())]
    assert np.quantile(drawn, [0.05, 0.95]) == pytest.approx([-1.0, 2.0], abs=0.05)


def test_no_interval_in_no_interval_out() -> None:
    assert propagate(lambda one: one["x"], {"x": 1.0}, {}, level=0.9, stream=_stream()) is None


def test_window_multiplies_independent_events() -> None:
    found = complication_free_control(np.array([0.8]), np.array([[0.5], [0.25]]))
    assert found == pytest.approx([0.3])
    window = therapeutic_window(np.linspace(0.5, 1.5, 11), lambda scale: scale / 2.0, [lambda scale: scale / 2.0])
    assert window.complication_free == pytest.approx(window.scale / 2.0 * (1.0 - window.scale / 2.0))
    assert window.best_scale == pytest.approx(1.0)


def test_window_without_complications_is_control() -> None:
    window = therapeutic_window(np.array([1.0, 1.1]), lambda scale: 0.5, [])
    assert window.complication_free == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("name", ["D101%", "V20", "D2", "", "meanish", "V20Gy_%"])
def test_names_that_are_no_metric_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        metric(name)


def test_absolute_metrics_say_why_they_cannot_be_read() -> None:
    with pytest.raises(NotReadable, match="not known"):
        metric("D0.03cc").read(from_samples([1.0], [1.0]))
    with pytest.raises(NotReadable, match="smaller"):
        metric("D2cc").read(from_samples([1.0], [1.0], volume_cm3=1.0))
    assert metric("V1Gy_cc").read(from_samples([1.0], [1.0], volume_cm3=7.0)) == 7.0


def test_constraints_follow_the_fractionation() -> None:
    assert {one.protocol for one in constraints.applicable("lung", 30, 2.0)} == {"quantec"}
    assert {one.protocol for one in constraints.applicable("lung", 3, 18.0)} == {"tg101", "hytec"}
    assert constraints.applicable("lung", 4, 12.0)[0].protocol == "hytec"
    assert constraints.applicable("spinal_cord", 7, 5.0) == ()
    assert {one.protocol for one in constraints.applicable("lung", 30, None)} == {"quantec"}


def test_a_spared_volume_is_the_volume_below_the_dose() -> None:
    spared = next(one for one in constraints.CONSTRAINTS if one.spared and one.organ == "liver")
    liver = from_samples([5.0, 40.0], [900.0, 600.0], volume_cm3=1500.0)
    value = spared.value(liver)
    assert value == pytest.approx(900.0)
    assert spared.margin(value) == pytest.approx(200.0)


def test_a_model_says_which_structure_it_lacks() -> None:
    model = next(one for one in clinical.MODELS if one.id == "huang-pneumonitis")
    lung = Structure(id="lungs", organ="lung", dvh=from_samples([10.0], [1.0]))
    with pytest.raises(clinical.MissingStructure, match="heart"):
        model.evaluate([lung], 30, {})
    model = next(one for one in clinical.MODELS if one.id == "jackson-esophagitis")
    esophagus = Structure(id="e", organ="esophagus", dvh=from_samples([10.0], [1.0]))
    with pytest.raises(clinical.MissingStructure, match="volume"):
        model.evaluate([esophagus], 5, {})
    small = replace(esophagus, dvh=from_samples([10.0], [1.0], volume_cm3=1.0))
    with pytest.raises(clinical.MissingStructure, match="smaller"):
        model.evaluate([small], 5, {})


def test_every_set_has_a_source_and_one_main_set_for_an_organ() -> None:
    organs = [model.organ for model in complications.MODELS if model.main]
    assert len(organs) == len(set(organs))
    assert all(model.reference is not None and model.reference.citation for model in complications.MODELS)
    ids = [model.id for model in (*complications.MODELS, *clinical.MODELS)]
    assert len(ids) == len(set(ids))
