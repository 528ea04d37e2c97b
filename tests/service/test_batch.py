"""Bodies of many patients: parsed in pieces, bad rows named, good rows kept."""

import json
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.predictions import PredictionsResult
from service import batch
from service.batch import Row, RowError, row_parser
from service.predictions import compute

EXAMPLES = Path(__file__).parents[2] / "examples"
GOOD: dict[str, Any] = {"patient": {"reference": 'a]"{b', "age_years": 60}}
LINES, ARRAY, CSV = "application/x-ndjson", "application/json", "text/csv; charset=utf-8"


def good(number: int) -> dict[str, Any]:
    return {"patient": {"reference": f"p-{number}", "age_years": 60, "labs": {"albumin_g_per_l": 30 + number % 20}}}


def parse_rows(chunks: Iterable[bytes], media_type: str) -> Iterator[Row | RowError]:
    parser = row_parser(media_type)
    for chunk in chunks:
        yield from parser.feed(chunk)
    yield from parser.finish()


def pieces(body: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def body_of(rows: list[Any], media_type: str) -> bytes:
    if media_type == LINES:
        return b"\n".join(orjson.dumps(row) for row in rows)
    return orjson.dumps(rows, option=orjson.OPT_INDENT_2)


@pytest.mark.parametrize("media_type", [LINES, ARRAY])
@pytest.mark.parametrize("size", [1, 2, 7, 100, 10_000])
def test_pieces_of_any_size_give_the_same_rows(media_type: str, size: int) -> None:
    rows = [good(0), {"patient": {"age_years": "old"}}, good(1), {"patient": {}, "wrong": 1}, good(2)]
    found = list(parse_rows(pieces(body_of(rows, media_type), size), media_type))
    assert [type(row) for row in found] == [Row, RowError, Row, RowError, Row]
    assert [row.number for row in found] == [1, 2, 3, 4, 5]
    bad = [row.errors[0]["pointer"] for row in found if isinstance(row, RowError)]
    assert bad == ["/patient/age_years", "/wrong"]


@given(st.lists(st.text(alphabet='a]["}{\\,\n é', max_size=8), max_size=5), st.integers(min_value=1, max_value=30))
def test_brackets_and_quotes_inside_strings_do_not_cut_an_element(texts: list[str], size: int) -> None:
    rows = [{"patient": {"reference": f"!{text}"}} for text in texts]
    found = list(parse_rows(pieces(json.dumps(rows, ensure_ascii=False).encode(), size), ARRAY))
    assert [row.number for row in found] == list(range(1, len(rows) + 1))
    assert all(isinstance(row, RowError) and row.errors[0]["pointer"] == "/patient/reference" for row in found)


def test_lines_are_counted_where_a_row_begins() -> None:
    text = b"\n\n" + orjson.dumps(good(0)) + b"\n\n" + b"{broken}\n"
    assert [(row.number, row.line) for row in parse_rows([text], LINES)] == [(1, 3), (2, 5)]
    array = b"[\n\n " + orjson.dumps(good(0)) + b",\n" + orjson.dumps({"patient": 1}) + b"\n]"
    assert [(row.number, row.line) for row in parse_rows(pieces(array, 5), ARRAY)] == [(1, 3), (2, 4)]


@pytest.mark.parametrize(
    "body",
    [b"", b"[", b"[{", b'{"patient":{}}', b'"text"', b"1", b"x[]", b"[] x", b"[][]", b"[1]", b"[null,{}]", b'["a"]',
     b'[{"patient":{}}{"patient":{}}]', b'[{"patient":{}},]', b'[,{"patient":{}}]', b'[{"patient":{}}'],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_what_is_not_an_array_of_objects_is_an_error(body: bytes, size: int) -> None:
    found = list(parse_rows(pieces(body, size), ARRAY))
    assert any(isinstance(row, RowError) for row in found)


def test_an_empty_array_has_no_rows() -> None:
    assert list(parse_rows([b" [ \n ] "], ARRAY)) == []


def test_csv_example_is_computed() -> None:
    rows = list(parse_rows(pieces((EXAMPLES / "batch.csv").read_bytes(), 50), CSV))
    assert len(rows) == 5
    for row in rows:
        assert isinstance(row, Row)
        computation = compute(row.request)
        result = PredictionsResult.model_validate_json(orjson.dumps(computation.result))
        assert any(read.model == "loris-pan-cancer" for read in result.predictions)
    first = rows[0]
    assert isinstance(first, Row)
    assert first.request.plan is not None
    assert first.request.plan.drugs[0].dose_mg == 200.0
    assert first.request.patient.prior_systemic_therapy is True
    assert first.line == 2


@pytest.mark.parametrize("separator", [",", ";"])
def test_csv_cells_take_the_type_that_the_schema_wants(separator: str) -> None:
    header = [
        "patient.reference",
        "patient.ecog",
        "patient.liver_metastases",
        "plan.radiotherapy.0.lesion_ids.0",
        "seed",
    ]
    row = ["007", "1", "TRUE", '"a;b,c"', "5"]
    text = "\ufeff" + separator.join(header) + "\r\n" + separator.join(row) + "\r\n"
    (found,) = parse_rows([text.encode()], CSV)
    assert isinstance(found, RowError)
    assert {error["pointer"] for error in found.errors} == {
        "/plan/radiotherapy/0/id",
        "/plan/radiotherapy/0/lesion_ids/0",
    }


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ("patient.age_years\nnan\n", "/patient/age_years"),
        ("patient.age_years\n61,5\n", ""),
        ("patient.age_years\nsixty\n", "/patient/age_years"),
        ("patient.age_years\n500\n", "/patient/age_years"),
        ("patient.liver_metastases\nperhaps\n", "/patient/liver_metastases"),
        ("patient.age_years,patient.sex\n61\n", ""),
        ("patient.age_years,patient.nickname\n61,Bob\n", ""),
        ("patient.age_years,patient.age_years\n61,61\n", ""),
        ("patient.labs\n61\n", ""),
        ('patient.age_years\n"61\n', ""),
        ("patient.lesions.99.id\na\n", ""),
    ],
)
def test_bad_csv_is_named_without_its_values(text: str, pointer: str) -> None:
    (found,) = parse_rows([text.encode()], CSV)
    assert isinstance(found, RowError)
    assert found.errors[0]["pointer"] == pointer
    assert not any(value in found.errors[0]["message"] for value in ("sixty", "Bob", "nickname", "500", "perhaps"))


def test_a_line_that_is_not_utf_8_is_one_bad_row() -> None:
    found = list(parse_rows([b"patient.age_years\n\xff\xfe\n61\n"], CSV))
    assert [type(row) for row in found] == [RowError, Row]


@pytest.mark.parametrize("media_type", [LINES, ARRAY])
def test_no_more_rows_than_allowed(media_type: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "MAX_ROWS", 3)
    found = list(parse_rows(pieces(body_of([GOOD | {"seed": n} for n in range(9)], media_type), 11), media_type))
    assert len(found) == 4
    last = found[-1]
    assert isinstance(last, RowError)
    assert "at most 3 rows" in last.errors[0]["message"]


@pytest.mark.parametrize("media_type", [LINES, ARRAY, CSV])
def test_an_endless_row_is_cut_off(media_type: str) -> None:
    start = {LINES: b'{"patient":"', ARRAY: b'[{"patient":"', CSV: b"patient.age_years\n"}[media_type]
    rows = list(parse_rows([start] + [b"x" * 600_000] * 3, media_type))
    assert isinstance(rows[-1], RowError)
    assert "bytes" in rows[-1].errors[0]["message"]


def test_memory_stays_flat() -> None:
    def body() -> Iterator[bytes]:
        for number in range(3000):
            yield orjson.dumps(good(number)) + b"\n"

    tracemalloc.start()
    try:
        assert sum(isinstance(row, Row) for row in parse_rows(body(), LINES)) == 3000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_other_media_types_are_refused() -> None:
    with pytest.raises(batch.UnsupportedContent):
        list(parse_rows([b"<a/>"], "text/xml"))
