"""Times that are almost the same, or almost nothing: an answer or a refusal, soon, and no computation without end."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic_core import to_json

from service.catalog import KINDS
from service.errors import AbscopeError
from service.parsing import parse

TINY, LEAST, BESIDE = 1e-300, 5e-324, 14.000000000000002
MOST_SECONDS = 5.0
WHOLE_CELL = {"product": "whole-cell-prostate-kronik2010"}
DRUG = {"agent": "pembrolizumab", "dose_mg": 200.0}


def scans(*days: float) -> list[dict[str, Any]]:
    return [{"day": day, "lesions": [{"id": "a", "longest_diameter_mm": 20.0 + day}]} for day in days]


def drugs(**members: Any) -> dict[str, Any]:
    return {"drugs": [DRUG | {"start_day": 0.0, "interval_days": 21.0, "dose_count": 4} | members]}


def records(*rows: dict[str, float]) -> dict[str, Any]:
    return {"event_tables": [{"agent": "pembrolizumab", "records": [{"amt_mg": 200.0} | row for row in rows]}]}


def simulated(days: list[float]) -> dict[str, Any]:
    lesion = {"id": "a", "organ": "lung", "longest_diameter_mm": 42.0}
    fractions = [{"day": day, "dose_gy": 8.0} for day in days]
    course = {"id": "rt", "lesion_ids": ["a"], "fractions": fractions}
    drugs = [DRUG | {"dose_count": 1, "start_day": day} for day in days]
    return {
        "patient": {"cancer_type": "nsclc", "lesions": [lesion]},
        "plan": {"radiotherapy": [course], "drugs": drugs},
        "patients": 50,
        "horizon_days": 182.0,
    }


def cases() -> Iterator[tuple[str, dict[str, Any]]]:
    for days in ([TINY, 14.0], [0.0, 14.0, BESIDE], [LEAST, TINY, 14.0]):
        yield "vaccines", WHOLE_CELL | {"days": days, "horizon_days": 112.0}
    yield "vaccines", WHOLE_CELL | {"days": [0.0, 14.0], "horizon_days": LEAST}
    yield "vaccines", WHOLE_CELL | {"days": [0.0, 14.0], "horizon_days": BESIDE}
    yield "vaccines", WHOLE_CELL | {"days": [0.0], "dynamics": {"tumor_growth_per_hour": 0.1}, "horizon_days": 3650.0}
    for day in (TINY, LEAST, BESIDE):
        yield "cells", {"product": "tisagenlecleucel", "tocilizumab_day": day, "corticosteroid_day": day}
        yield "drugs", drugs(interval_days=day)
        yield "drugs", drugs(start_day=day) | {"horizon_days": day + 14.0}
        yield "drugs", drugs() | {"horizon_days": day}
        yield "drugs", drugs(infusion_minutes=day)
        yield "drugs", {"drugs": [DRUG | {"dose_count": 1}, DRUG | {"start_day": day, "dose_count": 1}]}
        yield "drugs", records({"time_days": 0.0, "ii_days": day, "addl": 3})
        yield "drugs", records({"time_days": 0.0}, {"time_days": day}, {"time_days": 20.0})
        yield "drugs", records({"time_days": 0.0, "amt_mg": day, "rate_mg_per_day": day})
        yield "drugs", drugs(dose_mg=day)
        yield "forecasts", {"scans": scans(0.0, day), "forecast_days": [28.0]}
        yield "forecasts", {"scans": scans(0.0), "forecast_days": [day]}
        yield "responses", {"scans": scans(0.0, day, 42.0), "confirmation_interval_days": day}
        yield "simulations", simulated([0.0, day, 14.0])
    yield "forecasts", {"scans": scans(0.0, 14.0), "forecast_days": [BESIDE]}
    yield "responses", {"scans": scans(0.0, 14.0, BESIDE), "death_day": BESIDE}


@pytest.mark.parametrize(("name", "body"), list(cases()))
def test_nasty_times_end(name: str, body: dict[str, Any]) -> None:
    kind = KINDS[name]
    started = time.thread_time()
    try:
        done = kind.compute(parse(kind.request, to_json(body)))
    except AbscopeError:
        pass
    else:
        written = to_json(done.result, inf_nan_mode="strings")
        assert b"NaN" not in written
        assert b"Infinity" not in written
    assert time.thread_time() - started < MOST_SECONDS
