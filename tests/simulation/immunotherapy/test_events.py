"""The NONMEM-style event table."""

import numpy as np
import pytest

from simulation.immunotherapy.disposition import Disposition, simulate
from simulation.immunotherapy.events import EventRecord, InvalidRecord, expand

ONE = Disposition.of(cl_l_per_day=0.2, vc_l=4.0, q_l_per_day=0.6, vp_l=3.0)


def test_additional_doses_are_the_doses_one_by_one() -> None:
    short = [EventRecord(time_days=0.0, amt_mg=200.0, rate_mg_per_day=4800.0, ii_days=21.0, addl=3)]
    long = [EventRecord(time_days=21.0 * k, amt_mg=200.0, rate_mg_per_day=4800.0) for k in range(4)]
    at = np.arange(0.0, 100.0)
    first, second = (simulate(ONE, expand(rows, constant_clearance=True)[0], at) for rows in (short, long))
    assert np.array_equal(first.concentration_mg_per_l, second.concentration_mg_per_l)


def test_columns_mean_what_they_mean() -> None:
    doses, observed = expand(
        [
            EventRecord(time_days=0.0, amt_mg=100.0, rate_mg_per_day=200.0),
            EventRecord(time_days=3.0, evid=0),
            EventRecord(time_days=5.0, evid=3),
            EventRecord(time_days=7.0, evid=4, amt_mg=50.0),
            EventRecord(time_days=9.0, amt_mg=80.0, ii_days=14.0, ss=1),
        ],
        constant_clearance=True,
    )
    assert doses.time_days.tolist() == [0.0, 7.0, 9.0]
    assert doses.infusion_days.tolist() == [0.5, 0.0, 0.0]
    assert doses.steady_state_interval_days.tolist() == [0.0, 0.0, 14.0]
    assert doses.reset_days == (5.0, 7.0)
    assert observed.tolist() == [3.0]


@pytest.mark.parametrize(
    ("records", "index", "column"),
    [
        ([EventRecord(time_days=1.0, amt_mg=1.0), EventRecord(time_days=0.0, amt_mg=1.0)], 1, "time_days"),
        ([EventRecord(time_days=0.0, amt_mg=1.0, addl=2)], 0, "ii_days"),
        ([EventRecord(time_days=0.0, amt_mg=1.0, ss=1)], 0, "ii_days"),
        ([EventRecord(time_days=0.0, amt_mg=1.0, ss=2, ii_days=1.0)], 0, "ss"),
        ([EventRecord(time_days=0.0, amt_mg=0.0)], 0, "amt_mg"),
        ([EventRecord(time_days=0.0, amt_mg=1.0, rate_mg_per_day=-2.0)], 0, "rate_mg_per_day"),
        ([EventRecord(time_days=0.0, amt_mg=1.0, evid=2)], 0, "evid"),
        ([EventRecord(time_days=0.0, amt_mg=9.0, rate_mg_per_day=1.0, ss=1, ii_days=2.0)], 0, "rate_mg_per_day"),
        ([EventRecord(time_days=0.0, amt_mg=1.0, addl=5000, ii_days=0.1)], 0, "addl"),
    ],
)
def test_a_wrong_record_is_named(records: list[EventRecord], index: int, column: str) -> None:
    with pytest.raises(InvalidRecord) as wrong:
        expand(records, constant_clearance=True)
    assert (wrong.value.index, wrong.value.column) == (index, column)
    assert wrong.value.message


def test_no_steady_state_while_clearance_varies() -> None:
    with pytest.raises(InvalidRecord, match="undefined"):
        expand([EventRecord(time_days=0.0, amt_mg=1.0, ss=1, ii_days=14.0)], constant_clearance=False)
