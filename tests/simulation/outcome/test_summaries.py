"""Rates, bands, and the endpoints of whole cohorts against the one-patient rules."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from simulation.outcome import recist, summaries


def test_intervals_of_a_proportion() -> None:
    # Brown, Cai and DasGupta 2001 tabulate n = 10, x = 0 among others; exact limits are closed there: 1 - 0.025^(1/10).
    exact = summaries.proportion_interval(0, 10, method="exact")
    assert (exact.lower, exact.upper) == (0.0, pytest.approx(1 - 0.025**0.1))
    wilson = summaries.proportion_interval(15, 50)
    assert (wilson.lower, wilson.upper) == (pytest.approx(0.1910, abs=5e-4), pytest.approx(0.4375, abs=5e-4))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60))
def test_rates_keep_the_not_evaluable_in_the_denominator(codes: list[int]) -> None:
    rates = summaries.response_rates(codes)
    assert rates.n == len(codes)
    assert rates.objective_response <= rates.disease_control
    inside = rates.objective_response_interval
    assert inside.lower - 1e-12 <= rates.objective_response <= inside.upper + 1e-12


def test_a_rate_of_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="patient"):
        summaries.response_rates([])


diameters = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 7)),
    elements=st.sampled_from([0.0, 3.0, 8.0, 10.0, 20.0, 24.0, 30.0, 40.0, 55.5]),
)


@settings(max_examples=200)
@given(diameters, st.booleans(), st.integers(0, 2**31), st.sampled_from([21.0, 28.0, 42.0]))
def test_the_cohort_agrees_with_the_rules_for_one_patient(
    sizes: np.ndarray, required: bool, seed: int, gap_days: float
) -> None:
    n, _, visits = sizes.shape
    sizes[:, 0, 0] = np.maximum(sizes[:, 0, 0], 10.0)
    days = gap_days * np.arange(visits)
    new = np.random.Generator(np.random.Philox(seed)).random((n, visits)) < 0.1
    cohort = summaries.cohort_response(sizes, days, new_lesion=new, confirmation_required=required)
    for patient in range(n):
        one = recist.assess(
            [
                recist.Visit(
                    day=days[t],
                    targets=tuple(recist.Target(status="measured", diameter_mm=d) for d in sizes[patient, :, t]),
                    new_lesions=(recist.NewLesion(id="n"),) if new[patient, t] else (),
                )
                for t in range(visits)
            ]
        )
        best = recist.best_response(one, start_day=0.0, confirmation_required=required)
        assert summaries.CATEGORIES[cohort.best_response[patient]] == best.category
        if best.category in ("CR", "PR"):
            assert cohort.first_response_day[patient] == best.day
        else:
            assert np.isnan(cohort.first_response_day[patient])
        end = recist.progression(one, start_day=0.0)
        assert (cohort.pfs_day[patient], cohort.progressed[patient]) == (end.time_days, end.event)


def test_best_change_stops_at_progression() -> None:
    cohort = summaries.cohort_response([[[50.0, 40.0, 60.0, 10.0]], [[50.0, 45.0, 20.0, 30.0]]], [0, 42, 84, 126])
    assert cohort.best_change == pytest.approx([-0.2, -0.6])
    assert list(cohort.progressed) == [True, True]


def test_twenty_thousand_patients_over_two_years_are_quick() -> None:
    rng = np.random.Generator(np.random.Philox(3))
    sizes = rng.uniform(0, 60, (20_000, 3, 106)).cumsum(axis=2)
    before = time.process_time()
    summaries.cohort_response(sizes, 7.0 * np.arange(106))
    assert time.process_time() - before < 1.5


def test_bands_are_nested_and_ordered() -> None:
    values = np.random.Generator(np.random.Philox(2)).normal(size=(500, 7))
    median, bands = summaries.quantile_bands(values)
    (_, low50, high50), (_, low90, high90) = bands
    assert np.all((low90 <= low50) & (low50 <= median) & (median <= high50) & (high50 <= high90))


def test_waterfall_leaves_out_patients_without_a_value() -> None:
    assert list(summaries.waterfall_order([-0.5, np.nan, 0.3, 0.0])) == [2, 3, 0]


@pytest.mark.parametrize("shape", [(2, 3), (2, 1, 4)])
def test_shapes_that_do_not_fit_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="diameter_mm"):
        summaries.cohort_response(np.ones(shape), [0, 7, 14])
