"""Outcomes are appended, corrected by appending, and judged on this site's own runs."""

from typing import Any

import numpy as np
import pytest

from tests.support.app_client import AppClient

MODEL = "loris-pan-cancer"


def predicted(client: AppClient, reference: str, tmb: float) -> Any:
    body = {
        "patient": {
            "reference": reference,
            "age_years": 60,
            "cancer_type": "nsclc",
            "prior_systemic_therapy": False,
            "labs": {"albumin_g_per_l": 40, "neutrophils_1e9_per_l": 5, "lymphocytes_1e9_per_l": 1.5},
            "biomarkers": {"tmb_mutations_per_mb": tmb},
        },
        "models": [MODEL],
    }
    answer = client.post("/v1/predictions", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def report(client: AppClient, run_id: str, **outcome: Any) -> Any:
    return client.post(f"/v1/runs/{run_id}/outcomes", json=outcome)


def test_outcomes_append_and_correct(client: AppClient) -> None:
    run = predicted(client, "outcome-1", 10)
    first = report(client, run["id"], kind="response", day=63, response="PR")
    assert first.status_code == 201
    second = report(client, run["id"], kind="response", day=63, response="SD", corrects_id=first.json()["id"])
    assert second.status_code == 201
    again = report(client, run["id"], kind="response", day=63, response="PD", corrects_id=first.json()["id"])
    assert again.status_code == 409
    listed = client.get(f"/v1/runs/{run['id']}/outcomes").json()["outcomes"]
    assert [(row["response"], row["corrected"]) for row in listed] == [("PR", True), ("SD", False)]


@pytest.mark.parametrize(
    ("outcome", "pointer"),
    [
        ({"kind": "response", "day": 1}, ""),
        ({"kind": "response", "day": 1, "response": "better"}, "/response"),
        ({"kind": "toxicity", "day": 1, "toxicity": "pneumonitis"}, ""),
        ({"kind": "toxicity", "day": 1, "toxicity": "Pneumonitis!", "grade": 2}, "/toxicity"),
        ({"kind": "toxicity", "day": 1, "toxicity": "pneumonitis", "grade": 6}, "/grade"),
        ({"kind": "death"}, "/day"),
        ({"kind": "death", "day": -5}, "/day"),
        ({"kind": "death", "day": 5, "note": "text"}, "/note"),
        ({"kind": "death", "day": 5, "corrects_id": "01JD0000000000000000000000"}, "/corrects_id"),
    ],
)
def test_bad_outcomes(client: AppClient, outcome: dict[str, Any], pointer: str) -> None:
    run = predicted(client, "outcome-2", 10)
    answer = report(client, run["id"], **outcome)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_a_repeated_request_is_answered_by_the_outcome_that_it_stored(client: AppClient) -> None:
    run = predicted(client, "outcome-key", 10)
    url, key = f"/v1/runs/{run['id']}/outcomes", {"Idempotency-Key": f"o-{run['id']}"}
    body = {"kind": "death", "day": 80}
    first = client.post(url, json=body, headers=key)
    again = client.post(url, content=b'{"day": 80.0, "kind": "death"}', headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert len(client.get(url).json()["outcomes"]) == 1
    elsewhere = predicted(client, "outcome-key-2", 10)["id"]
    for other_url, other in ((url, {**body, "day": 81}), (f"/v1/runs/{elsewhere}/outcomes", body)):
        refused = client.post(other_url, json=other, headers=key)
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/idempotency-mismatch")
    assert client.post("/v1/predictions", json=run["input"], headers=key).status_code == 422
    assert client.post(url, json=body, headers={"Idempotency-Key": "with space"}).status_code == 422


def test_a_repeated_correction_is_answered_and_not_refused(client: AppClient) -> None:
    run = predicted(client, "outcome-correction", 10)
    first = report(client, run["id"], kind="response", day=63, response="PR").json()["id"]
    correction = {"kind": "response", "day": 63, "response": "SD", "corrects_id": first}
    options = {"json": correction, "headers": {"Idempotency-Key": f"c-{run['id']}"}}
    url = f"/v1/runs/{run['id']}/outcomes"
    answers = [*client.gather([("POST", url, options)] * 8), client.post(url, **options)]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1


def test_a_second_death_is_refused_until_the_first_is_corrected(client: AppClient) -> None:
    run = predicted(client, "outcome-deaths", 10)
    first = report(client, run["id"], kind="death", day=80)
    second = report(client, run["id"], kind="death", day=90)
    assert (second.status_code, second.json()["type"]) == (409, "/problems/final-state")
    assert "retry-after" not in second.headers
    assert "corrects_id" in second.json()["detail"]
    assert report(client, run["id"], kind="death", day=90, corrects_id=first.json()["id"]).status_code == 201


def test_an_outcome_needs_its_run(client: AppClient) -> None:
    assert report(client, "01JD0000000000000000000000", kind="death", day=5).status_code == 404


def test_performance_is_suppressed_then_measured(client: AppClient) -> None:
    generator = np.random.default_rng(5)
    few = client.get(f"/v1/models/{MODEL}/performance").json()
    assert all(endpoint["auc"]["value"] is None for endpoint in few["endpoints"])
    for number in range(60):
        tmb = float(generator.uniform(0, 50))
        run = predicted(client, f"site-{number}", round(tmb, 2))
        response = "PR" if generator.random() < tmb / 50 else "PD"
        assert report(client, run["id"], kind="response", day=63, response=response).status_code == 201
    found = client.get(f"/v1/models/{MODEL}/performance")
    assert found.status_code == 200
    endpoint = next(e for e in found.json()["endpoints"] if e["endpoint"] == "response" and e["unit"] == "probability")
    assert endpoint["auc"]["value"] > 0.65
    assert endpoint["auc"]["interval"]["lower"] < endpoint["auc"]["value"] < endpoint["auc"]["interval"]["upper"]
    assert endpoint["calibration"]["points"]
    picture = client.get(f"/v1/models/{MODEL}/performance", headers={"accept": "image/svg+xml"})
    assert picture.status_code == 200
    assert b"<title" in picture.content
    for accept, status in (("image/*", 200), ("text/csv", 406)):
        assert client.get(f"/v1/models/{MODEL}/performance", headers={"accept": accept}).status_code == status
    assert client.get("/v1/models/no-such-model/performance").status_code == 404


def test_patients_censored_before_the_horizon_count(client: AppClient) -> None:
    drug = {"agent": "durvalumab", "dose_mg": 1500, "start_day": 60, "interval_days": 28, "dose_count": 12}
    course = {"id": "rt", "start_day": 0, "dose_per_fraction_gy": 2, "fraction_count": 30, "fractions_per_week": 5}
    plan = {"drugs": [drug], "radiotherapy": [course], "chemotherapy_with_radiotherapy": "concurrent"}
    for number in range(60):
        patient = {"cancer_type": "nsclc", "stage": "III", "ecog": 1, "reference": f"horizon-{number}"}
        body = {"patient": patient, "plan": plan, "models": ["radiotherapy-pacific"]}
        run = client.post("/v1/predictions", json=body).json()
        kind, day = [("death", 500), ("follow_up", 800), ("follow_up", 2000)][number % 3]
        assert report(client, run["id"], kind=kind, day=day).status_code == 201
    found = client.get("/v1/models/radiotherapy-pacific/performance").json()
    death = next(e for e in found["endpoints"] if (e["endpoint"], e["unit"]) == ("death", "probability"))
    assert (death["n"], death["events"], death["censored_before_horizon"]) == (60, 20, 20)
    assert death["observed"]["value"] == pytest.approx(1 / 3)
    predicted_death = 1 - 0.429
    by_hand = (20 * (1 - predicted_death) ** 2 + 2 * 20 * predicted_death**2) / 60
    assert death["brier"]["value"] == pytest.approx(by_hand)
    assert any("censor" in note for note in found["notes"])
