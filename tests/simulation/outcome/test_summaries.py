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


def non_target_states(sizes: np.ndarray, target: np.ndarray, node: np.ndarray) -> list[recist.NonTarget]:
    """Judge the non-target disease of one patient visit by visit, in plain steps."""
    gone = np.where(node[:, None], sizes < 10.0, sizes == 0.0)
    states: list[recist.NonTarget] = ["none"]
    complete = False
    for t in range(1, sizes.shape[1]):
        beside, burden = sizes[~target].sum(axis=0), (sizes**3).sum(axis=0)
        grown = beside[t] - beside[:t].min() >= max(0.2 * beside[:t].min(), 5.0) - 1e-6
        if (grown and burden[t] >= 1.2**3 * burden[:t].min()) or (complete and not gone[~target, t].all()):
            states.append("PD")
        else:
            states.append("CR" if gone[~target, t].all() else "NON_CR_NON_PD")
        complete |= bool(gone[:, t].all())
    return states


@settings(max_examples=300)
@given(
    diameters,
    st.booleans(),
    st.integers(0, 2**31),
    st.sampled_from([21.0, 28.0, 42.0]),
    st.lists(st.booleans(), min_size=3, max_size=3),
    st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_the_cohort_agrees_with_the_rules_for_one_patient(
    sizes: np.ndarray, required: bool, seed: int, gap_days: float, nodes: list[bool], targets: list[bool]
) -> None:
    n, lesions, visits = sizes.shape
    node, target = np.array(nodes[:lesions]), np.array([True, *targets][:lesions])
    sizes[:, 0, 0] = np.maximum(sizes[:, 0, 0], 10.0)
    days = gap_days * np.arange(visits)
    generator = np.random.Generator(np.random.Philox(seed))
    new = generator.random((n, visits)) < 0.1
    last_day = generator.choice([0.0, 50.0, 130.0, np.inf], n)
    cohort = summaries.cohort_response(
        sizes, days, target=target, non_target=~target, node=node, new_lesion=new, last_day=last_day,
        confirmation_required=required,
    )  # fmt: skip
    for patient in range(n):
        beside = ["none"] * visits if target.all() else non_target_states(sizes[patient], target, node)
        one = recist.assess(
            [
                recist.Visit(
                    day=days[t],
                    targets=tuple(
                        recist.Target(status="measured", diameter_mm=sizes[patient, lesion, t], node=nodes[lesion])
                        for lesion in np.flatnonzero(target)
                    ),
                    non_target=beside[t],
                    new_lesions=(recist.NewLesion(id="n"),) if new[patient, t] else (),
                )
                for t in range(visits)
                if days[t] <= last_day[patient]
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


def test_without_a_target_nothing_can_be_evaluated_but_progression() -> None:
    cohort = summaries.cohort_response(
        [[[40.0, 0.0, 0.0]], [[40.0, 20.0, 60.0]]], [0, 42, 84], target=[False], non_target=[True]
    )
    assert [summaries.CATEGORIES[code] for code in cohort.best_response] == ["NE", "PD"]
    assert np.isnan(cohort.best_change).all()


def test_modest_growth_beside_shrinking_targets_is_not_progression() -> None:
    cohort = summaries.cohort_response(
        [[[60.0, 30.0], [20.0, 28.0]], [[15.0, 0.0], [90.0, 117.0]]], [0, 63],
        target=[True, False], non_target=[False, True],
    )  # fmt: skip
    assert [summaries.CATEGORIES[code] for code in cohort.best_response] == ["PR", "PD"]


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
