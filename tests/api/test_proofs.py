"""A caller ties a run as it was received to the signed root, with hashlib and json alone."""

import hashlib
import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.app_client import AppClient

PATIENT = {"reference": "proof-1", "age_years": 66, "cancer_type": "nsclc", "labs": {"albumin_g_per_l": 38.0}}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def members(text: str) -> dict[str, bytes]:
    """Text of every member of an object, as it was received."""
    decode, found, at = json.JSONDecoder().raw_decode, {}, 1
    while text[at - 1] != "}":
        name, colon = decode(text, at)
        _, end = decode(text, colon + 1)
        found[name], at = text[colon + 1 : end].encode(), end + 1
    return found


def root_of(leaf: dict[str, Any], size: int) -> str:
    """RFC 9162, 2.1.3.2."""
    node, last, root = leaf["leaf_index"], size - 1, bytes.fromhex(leaf["leaf_hash"])
    for sibling in map(bytes.fromhex, leaf["hashes"]):
        assert last > 0
        if node % 2 or node == last:
            root = hashlib.sha256(b"\1" + sibling + root).digest()
            while node and node % 2 == 0:
                node, last = node // 2, last // 2
        else:
            root = hashlib.sha256(b"\1" + root + sibling).digest()
        node, last = node // 2, last // 2
    assert last == 0
    return root.hex()


def ties(received: str, proof: dict[str, Any]) -> bool:
    """Whether the run that was received is the one that the signed root covers."""
    run, row, leaf = members(received), proof["row"], proof["end"] or proof
    read = json.loads(received)
    shown = {name: read[name] for name in ("id", "kind", "status", "created_at", "seed", "software_version")}
    digests = {
        f"{name}_sha256": None if run[name] == b"null" else sha256(run[name])
        for name in ("input", "models", "result", "warnings")
    }
    patient = read["input"].get("patient", {}).get("reference")
    return (
        {**row, **shown, **digests, "patient_reference": patient} == row
        and leaf["record"]["subject"] == read["id"]
        and leaf["record"]["row_sha256"] == sha256(canonical(row))
        and leaf["leaf_hash"] == sha256(b"\0" + canonical(leaf["record"]))
        and root_of(leaf, proof["checkpoint"]["size"]) == proof["checkpoint"]["root"]
    )


def ended(client: AppClient, location: str) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        text = client.get(location).text
        if json.loads(text)["status"] not in ("queued", "running"):
            return text
    raise AssertionError("the run did not end")


def computed_at_once(client: AppClient) -> str:
    return client.post("/v1/predictions", json={"patient": PATIENT, "seed": 5}).headers["location"]


def computed_later(client: AppClient) -> str:
    answer = client.post("/v1/predictions", json={"patient": PATIENT}, headers={"Prefer": "respond-async"})
    assert answer.status_code == 202
    return answer.headers["location"]


def failed_later(client: AppClient) -> str:
    body = {"patient": PATIENT, "models": ["no-such-model"]}
    return client.post("/v1/predictions", json=body, headers={"Prefer": "respond-async"}).headers["location"]


@pytest.mark.parametrize("make", [computed_at_once, computed_later, failed_later])
def test_a_received_run_is_tied_to_the_signed_root(client: AppClient, make: Callable[[AppClient], str]) -> None:
    received = ended(client, make(client))
    run = json.loads(received)
    proof = client.get(f"/v1/audit/proofs/{run['id']}").json()
    assert (proof["end"] is None) == (make is computed_at_once)
    assert proof["leaf_index"] == run["audit"]["leaf_index"]
    assert root_of(proof, proof["checkpoint"]["size"]) == proof["checkpoint"]["root"]
    assert ties(received, proof)
    for forged in (
        received.replace('"age_years":66', '"age_years":67'),
        received.replace(f'"seed":{run["seed"]}', '"seed":9'),
        re.sub('"warnings":\\[.*?"digests"', '"warnings":[0],"digests"', received),
        re.sub('"result":.*?,"warnings":', '"result":{"predictions":[]},"warnings":', received),
    ):
        assert forged != received
        assert not ties(forged, proof)
    other = json.loads(ended(client, computed_at_once(client)))["id"]
    assert not ties(received, client.get(f"/v1/audit/proofs/{other}").json())
