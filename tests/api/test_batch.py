"""Many patients in one request: a run each, bad rows by line, good rows kept."""

import json
from typing import Any

import pytest

from tests.support.app_client import AppClient

ROUTE = "/v1/predictions:batch"


def request(number: int) -> dict[str, Any]:
    return {
        "patient": {
            "reference": f"batch-{number}",
            "age_years": 40 + number % 40,
            "labs": {"neutrophils_1e9_per_l": 5.0, "lymphocytes_1e9_per_l": 1.0 + number % 3},
        }
    }


def lines(answer: Any) -> tuple[list[dict[str, Any]], dict[str, int]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    *rows, last = [json.loads(line) for line in answer.text.splitlines()]
    return rows, last["summary"]


def test_json_lines_keep_their_order_and_bad_ones_fail_alone(client: AppClient) -> None:
    body = [json.dumps(request(number)) for number in range(40)]
    body[7] = '{"patient": {"age_years": "old"}}'
    body[23] = "{"
    rows, summary = lines(client.post(ROUTE, content="\n".join(body), headers={"content-type": "application/x-ndjson"}))
    assert summary == {"rows": 40, "stored": 38, "failed": 2}
    assert [row["line"] for row in rows] == list(range(1, 41))
    assert rows[7]["errors"][0]["pointer"] == "/patient/age_years"
    assert rows[23]["errors"]
    for number in (0, 20, 39):
        run = rows[number]["run"]
        assert run["input"]["patient"]["reference"] == f"batch-{number}"
        assert client.get(f"/v1/runs/{run['id']}").json() == run
        assert client.post(f"/v1/runs/{run['id']}/replay").json()["identical"] is True


def test_a_row_that_the_models_refuse_is_an_error_of_that_row(client: AppClient) -> None:
    body = [request(1), request(2) | {"models": ["no-such-model"]}, request(3)]
    content = "\n".join(map(json.dumps, body))
    rows, summary = lines(client.post(ROUTE, content=content, headers={"content-type": "application/x-ndjson"}))
    assert summary == {"rows": 3, "stored": 2, "failed": 1}
    assert rows[1]["errors"][0]["pointer"] == "/models/0"


def test_a_json_array(client: AppClient) -> None:
    body = json.dumps([request(1), {"patient": {"x": 1}}, request(2)])
    rows, summary = lines(client.post(ROUTE, content=body, headers={"content-type": "application/json"}))
    assert summary == {"rows": 3, "stored": 2, "failed": 1}
    assert rows[1]["errors"][0]["pointer"] == "/patient/x"


def test_csv(client: AppClient) -> None:
    table = "patient.reference,patient.age_years,patient.labs.albumin_g_per_l\ncsv-1,66,41\ncsv-2,abc,41\ncsv-3,,38.5\n"
    rows, summary = lines(client.post(ROUTE, content=table, headers={"content-type": "text/csv"}))
    assert summary == {"rows": 3, "stored": 2, "failed": 1}
    assert rows[1]["line"] == 3
    assert rows[1]["errors"][0]["pointer"] == "/patient/age_years"
    assert "age_years" not in rows[2]["run"]["input"]["patient"]


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", ""])
def test_other_media_types(client: AppClient, media_type: str) -> None:
    answer = client.post(ROUTE, content="x", headers={"content-type": media_type})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/x-ndjson", ""),
        ("application/x-ndjson", "\n \n"),
        ("application/json", ""),
        ("application/json", "[]"),
        ("application/json", '{"patient": {}}'),
        ("application/json", '["patient"'),
        ("text/csv", ""),
        ("text/csv", "patient.age_years\n"),
        ("text/csv", "patient.age\n66\n"),
        ("text/csv", "patient.age_years\tpatient.sex\n66\tmale\n"),
        ("text/csv", "patient.age_years,patient.age_years\n66,66\n"),
    ],
)
def test_a_body_without_a_readable_row_is_refused_as_a_whole(client: AppClient, media_type: str, body: str) -> None:
    answer = client.post(ROUTE, content=body, headers={"content-type": media_type})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["message"]


def test_models_by_name_in_a_cell(client: AppClient) -> None:
    table = "patient.age_years,models,patient.labs.neutrophils_1e9_per_l,patient.labs.lymphocytes_1e9_per_l\n"
    table += "66,nlr sii,5,1\n67,nlr,5,1\n"
    rows, summary = lines(client.post(ROUTE, content=table, headers={"content-type": "text/csv"}))
    assert summary == {"rows": 2, "stored": 2, "failed": 0}
    assert [row["run"]["input"]["models"] for row in rows] == [["nlr", "sii"], ["nlr"]]


def test_a_batch_sent_again_under_its_key_stores_nothing_twice(client: AppClient) -> None:
    headers = {"content-type": "application/x-ndjson", "idempotency-key": "batch-key-1"}
    body = [json.dumps(request(number)) for number in range(5)]
    first, _ = lines(client.post(ROUTE, content="\n".join(body[:3]), headers=headers))
    again, summary = lines(client.post(ROUTE, content="\n".join(body), headers=headers))
    assert summary == {"rows": 5, "stored": 5, "failed": 0}
    assert again[:3] == first
    changed, summary = lines(client.post(ROUTE, content="\n".join([body[4], body[1]]), headers=headers))
    assert summary == {"rows": 2, "stored": 1, "failed": 1}
    assert "Idempotency-Key" in changed[0]["errors"][0]["message"]
    assert changed[1] == first[1]
    assert client.post(ROUTE, content=body[0], headers={**headers, "idempotency-key": "no key"}).status_code == 422
