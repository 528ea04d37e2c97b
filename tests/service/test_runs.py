"""The validator of a run: the same for the same bytes, another for any others."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.runs import render

ROW: dict[str, Any] = {
    "id": "01JD0000000000000000000000",
    "kind": "predictions",
    "status": "succeeded",
    "created_at": "2026-01-31T12:00:00.000000Z",
    "input": b"{}",
    "models": b"[]",
    "seed": 0,
    "result": b'{"value":1}',
    "warnings": b"[]",
    "input_sha256": "a" * 64,
    "result_sha256": "b" * 64,
    "software_version": "1.0.0",
}


@pytest.mark.parametrize(
    "change",
    [
        {"id": "01JD0000000000000000000001"},
        {"status": "running", "result": None, "result_sha256": None},
        {"seed": 1},
        {"models": b'[{"id":"m","version":"1"}]'},
        {"warnings": b'[{"code":"c"}]'},
        {"input": b'{"a":1}', "input_sha256": "c" * 64},
        {"result": b'{"value":2}', "result_sha256": "d" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_run_has_another_validator(change: dict[str, Any]) -> None:
    first, second = render(ROW, leaf_index=7), render({**ROW, **change}, leaf_index=7)
    assert first.body != second.body
    assert first.etag != second.etag


@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_the_place_in_the_log_is_part_of_the_validator(first: int, second: int) -> None:
    assert (render(ROW, leaf_index=first).etag == render(ROW, leaf_index=second).etag) == (first == second)
