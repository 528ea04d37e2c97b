"""The exact propagator: linearity, superposition, mass balance, splitting, and an independent integrator."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from simulation.immunotherapy.disposition import ClearanceForm, Disposition, simulate
from simulation.immunotherapy.propagator import advance
from simulation.immunotherapy.propagator import steady_state as steady_amounts
from simulation.immunotherapy.timeline import Doses

CL = st.floats(0.05, 1.5)
VOLUME = st.floats(0.5, 10.0)
Q = st.floats(0.05, 3.0)
AMOUNT = st.floats(0.0, 3000.0)
SPAN = st.floats(0.0, 100.0)


@given(a1=AMOUNT, a2=AMOUNT, dt=SPAN, rate=st.floats(0.0, 1e4), cl=CL, vc=VOLUME, q=Q, vp=VOLUME)
@settings(max_examples=60, deadline=None)
def test_advance_is_the_matrix_exponential(
    a1: float, a2: float, dt: float, rate: float, cl: float, vc: float, q: float, vp: float
) -> None:
    system = np.array([[-(cl + q) / vc, q / vp, rate], [q / vc, -q / vp, 0.0], [0.0, 0.0, 0.0]])
    expected = expm(system * dt) @ np.array([a1, a2, 1.0])
    found = advance(a1, a2, dt, rate, cl, vc, q, vp)
    assert found == pytest.approx(tuple(expected[:2]), rel=1e-9, abs=1e-9 * (1.0 + a1 + a2 + rate * dt))


@given(a1=AMOUNT, a2=AMOUNT, first=SPAN, second=SPAN, rate=st.floats(0.0, 1e4), cl=CL, vc=VOLUME, q=Q, vp=VOLUME)
@settings(max_examples=60, deadline=None)
def test_two_steps_are_one(
    a1: float, a2: float, first: float, second: float, rate: float, cl: float, vc: float, q: float, vp: float
) -> None:
    at_once = advance(a1, a2, first + second, rate, cl, vc, q, vp)
    middle = advance(a1, a2, first, rate, cl, vc, q, vp)
    assert advance(*middle, second, rate, cl, vc, q, vp) == pytest.approx(at_once, rel=1e-9, abs=1e-9)


@given(
    amount=st.floats(1.0, 2000.0),
    infusion=st.one_of(st.just(0.0), st.floats(0.01, 1.0)),
    tau=st.floats(2.0, 60.0),
    cl=CL,
    vc=VOLUME,
    q=Q,
    vp=VOLUME,
)
@settings(max_examples=60, deadline=None)
def test_steady_state_repeats_itself(
    amount: float, infusion: float, tau: float, cl: float, vc: float, q: float, vp: float
) -> None:
    before = steady_amounts(amount, infusion, tau, cl, vc, q, vp)
    during = (
        advance(*before, infusion, amount / infusion, cl, vc, q, vp)
        if infusion > 0
        else (before[0] + amount, before[1])
    )
    assert advance(*during, tau - infusion, 0.0, cl, vc, q, vp) == pytest.approx(before, rel=1e-8, abs=1e-9)


def drifting(form: ClearanceForm, emax: float, t50: float, hill: float, **other: ArrayLike) -> Disposition:
    base: dict[str, ArrayLike] = {"cl_l_per_day": 0.26, "vc_l": 3.3, "q_l_per_day": 0.8, "vp_l": 2.0}
    return Disposition.of(form=form, emax=emax, t50_days=t50, hill=hill, **(base | other))  # type: ignore[arg-type]


def integrated(
    one: Disposition, doses: Doses, at: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Concentration and area by an adaptive method of order 8, restarted at every event."""
    stops = np.unique(np.concatenate([[0.0], doses.time_days, doses.time_days + doses.infusion_days, at]))
    state, found = np.zeros(3), {0.0: np.zeros(3)}
    cl, vc, q, vp = (float(x[0]) for x in (one.cl_l_per_day, one.vc_l, one.q_l_per_day, one.vp_l))
    rates = doses.amount_mg[:, 0] / doses.infusion_days
    for begin, end in itertools.pairwise(stops):
        middle = 0.5 * (begin + end)
        rate = rates[(doses.time_days <= middle) & (middle < doses.time_days + doses.infusion_days)].sum()

        def slope(t: float, y: NDArray[np.float64], rate: float = rate) -> list[float]:
            share = t**one.hill / (float(one.t50_days[0]) ** one.hill + t**one.hill)
            emax = float(one.emax[0])
            now = cl * {"exp": np.exp(emax * share), "lin": 1.0 + emax * share, "constant": 1.0}[one.form]
            c = y[0] / vc
            return [rate - now * c - q * (c - y[1] / vp), q * (c - y[1] / vp), c]

        state = solve_ivp(slope, (begin, end), state, method="DOP853", rtol=1e-10, atol=1e-12).y[:, -1]
        found[float(end)] = state
    states = np.array([found[float(t)] for t in at])
    return states[:, 0] / vc, states[:, 2]


@pytest.mark.parametrize(
    "one",
    [
        drifting("exp", -0.24, 91.67, 2.77),
        drifting("exp", 0.151, 95.1, 14.5),
        drifting("lin", -0.08533, 99.24, 2.086, cl_l_per_day=0.6456, vp_l=0.7278),
        drifting("exp", -0.498, 61.3, 1.0),
        drifting("exp", -1.2, 8.7, 2.79),
        drifting("constant", 0.0, 1.0, 1.0, vp_l=0.05),
    ],
    ids=["nivolumab", "tremelimumab", "avelumab", "durvalumab", "steep", "fast"],
)
@pytest.mark.parametrize("step", [1.0, 7.0])
def test_drifting_clearance_against_an_adaptive_integrator(one: Disposition, step: float) -> None:
    doses = Doses.of(21.0 * np.arange(6), 200.0, 0.5 / 24.0)
    at = np.arange(step, 126.0, step)
    concentration, area = integrated(one, doses, at)
    run = simulate(one, doses, at)
    assert run.concentration_mg_per_l[:, 0] == pytest.approx(concentration, rel=1e-6)
    assert run.area_mg_day_per_l[:, 0] == pytest.approx(area, rel=2e-6)


PATIENT = st.builds(
    drifting,
    st.sampled_from(["constant", "exp", "lin"]),
    st.floats(-0.6, 0.4),
    st.floats(10.0, 150.0),
    st.floats(1.0, 6.0),
    cl_l_per_day=CL,
    vc_l=VOLUME,
    q_l_per_day=Q,
    vp_l=VOLUME,
)
INFUSION = st.one_of(st.just(0.0), st.floats(1.0 / 48.0, 2.0))
COURSE = st.lists(
    st.tuples(st.integers(0, 160).map(lambda half_days: 0.5 * half_days), st.floats(1.0, 1500.0), INFUSION),
    min_size=1,
    max_size=6,
).map(lambda rows: sorted([(0.0, 1.0, 0.0), *rows]))
AT = np.arange(0.0, 100.5, 2.5)


def course(rows: list[tuple[float, float, float]]) -> Doses:
    table = np.array(rows)
    return Doses.of(table[:, 0], table[:, 1], table[:, 2])


@given(one=PATIENT, rows=COURSE, factor=st.floats(0.1, 20.0))
@settings(max_examples=30, deadline=None)
def test_concentration_is_proportional_to_dose(
    one: Disposition, rows: list[tuple[float, float, float]], factor: float
) -> None:
    scaled = [(time, amount * factor, infusion) for time, amount, infusion in rows]
    single = simulate(one, course(rows), AT)
    double = simulate(one, course(scaled), AT)
    assert double.concentration_mg_per_l == pytest.approx(factor * single.concentration_mg_per_l, rel=1e-9, abs=1e-9)
    assert double.area_mg_day_per_l == pytest.approx(factor * single.area_mg_day_per_l, rel=1e-9, abs=1e-9)


@given(one=PATIENT, rows=COURSE)
@settings(max_examples=30, deadline=None)
def test_courses_add_up(one: Disposition, rows: list[tuple[float, float, float]]) -> None:
    # a tiny first dose keeps the age of clearance of both halves
    start = (0.0, 1e-6, 0.0)
    half = len(rows) // 2
    parts = [simulate(one, course([start, *part]), AT) for part in (rows[:half], rows[half:])]
    whole = simulate(one, course([start, start, *rows]), AT)
    total = parts[0].concentration_mg_per_l + parts[1].concentration_mg_per_l
    assert whole.concentration_mg_per_l == pytest.approx(total, rel=1e-5, abs=1e-6)


@given(one=PATIENT, rows=COURSE)
@settings(max_examples=30, deadline=None)
def test_splitting_infusions_changes_nothing(one: Disposition, rows: list[tuple[float, float, float]]) -> None:
    split = []
    for time, amount, infusion in rows:
        half = 0.5 * infusion
        split += [(time, 0.5 * amount, half), (time + half, 0.5 * amount, half)]
    whole = simulate(one, course(rows), AT)
    parts = simulate(one, course(sorted(split)), AT)
    assert parts.concentration_mg_per_l == pytest.approx(whole.concentration_mg_per_l, rel=1e-5, abs=1e-6)


@given(cl=CL, vc=VOLUME, q=Q, vp=VOLUME, rows=COURSE)
@settings(max_examples=30, deadline=None)
def test_what_went_in_is_inside_or_cleared(
    cl: float, vc: float, q: float, vp: float, rows: list[tuple[float, float, float]]
) -> None:
    one = Disposition.of(cl_l_per_day=cl, vc_l=vc, q_l_per_day=q, vp_l=vp)
    doses = course(rows)
    run = simulate(one, doses, np.array([200.0, 20000.0]))
    given_mg = doses.amount_mg.sum()
    cleared = cl * run.area_mg_day_per_l[:, 0]
    assert np.all(cleared <= given_mg * (1 + 1e-9))
    assert cleared[1] + run.concentration_mg_per_l[1, 0] * vc == pytest.approx(given_mg, rel=1e-4)


@given(cl=CL, vc=VOLUME, q=Q, vp=VOLUME, dose=st.floats(1.0, 2000.0), tau=st.sampled_from([7.0, 14.0, 21.0, 42.0]))
@settings(max_examples=40, deadline=None)
def test_area_at_steady_state_is_dose_over_clearance(
    cl: float, vc: float, q: float, vp: float, dose: float, tau: float
) -> None:
    one = Disposition.of(cl_l_per_day=cl, vc_l=vc, q_l_per_day=q, vp_l=vp)
    doses = Doses.of([0.0], dose, 1.0 / 24.0, steady_state_interval_days=tau)
    run = simulate(one, doses, np.array([0.0, tau]))
    assert run.area_mg_day_per_l[1, 0] == pytest.approx(dose / cl, rel=1e-8)
    assert run.concentration_mg_per_l[1, 0] == pytest.approx(run.concentration_mg_per_l[0, 0], rel=1e-8)


def test_patients_do_not_see_each_other() -> None:
    doses = Doses.of([0.0, 21.0], 200.0, 1.0 / 24.0)
    clearances = np.linspace(0.1, 0.9, 11)
    many = drifting("exp", -0.3, 60.0, 2.0, cl_l_per_day=clearances)
    together = simulate(many, doses, AT, longest_step_days=2.0).concentration_mg_per_l
    for index, clearance in enumerate(clearances):
        one = drifting("exp", -0.3, 60.0, 2.0, cl_l_per_day=clearance)
        alone = simulate(one, doses, AT, longest_step_days=2.0).concentration_mg_per_l
        assert np.array_equal(alone[:, 0], together[:, index])


def test_a_patient_may_have_doses_of_their_own() -> None:
    one = Disposition.of(cl_l_per_day=[0.2, 0.2], vc_l=3.0, q_l_per_day=0.6, vp_l=2.5)
    run = simulate(one, Doses.of([0.0], np.array([[100.0, 300.0]])), np.array([5.0]))
    assert run.concentration_mg_per_l[0, 1] == pytest.approx(3.0 * run.concentration_mg_per_l[0, 0])


@pytest.mark.parametrize(
    "wrong",
    [
        {"cl_l_per_day": 0.0},
        {"vc_l": -1.0},
        {"t50_days": np.nan},
        {"form": "lin", "emax": -1.5},
        {"vmax_mg_per_day": 1.0},
        {"vmax_mg_per_day": 1.0, "km_mg_per_l": 1.0, "form": "exp"},
    ],
)
def test_impossible_parameters_are_refused(wrong: dict[str, float]) -> None:
    right = {"cl_l_per_day": 0.2, "vc_l": 3.0, "q_l_per_day": 0.6, "vp_l": 2.5}
    with pytest.raises(ValueError, match=r"must|only|both"):
        Disposition.of(**(right | wrong))  # type: ignore[arg-type]


def test_a_steady_state_needs_constant_clearance() -> None:
    doses = Doses.of([0.0], 200.0, steady_state_interval_days=21.0)
    with pytest.raises(ValueError, match="constant"):
        simulate(drifting("exp", -0.3, 60.0, 2.0), doses, AT)
    with pytest.raises(ValueError, match="one column"):
        simulate(drifting("constant", 0.0, 1.0, 1.0), Doses.of([0.0], np.ones((1, 3))), AT)
