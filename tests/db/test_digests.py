"""The digests are what their description says, recomputed here without the code."""

import json
from hashlib import sha256

import pytest
from sqlalchemy import Engine, select

from db.clock import utc_now
from db.digests import canonical_json
from db.tables import audit_entries, runs
from db.writer import GroupWriter
from db.writes import NewOutcome
from tests.support.rows import new_run


def test_a_reader_can_recompute_what_the_log_must_say(engine: Engine, writer: GroupWriter) -> None:
    writer.submit(new_run(patient_reference="Zoë ☃", idempotency_key="k", request_sha256="c" * 64)).result(30)
    with engine.connect() as connection:
        row = connection.execute(select(runs)).one()._asdict()
        entry = connection.execute(select(audit_entries)).one()
    record = json.loads(bytes(entry.record))
    mutable = {"leaf_index", "lease_owner", "lease_expires_at", "input_sha256", "result_sha256"}
    binary = {"input", "result", "models", "warnings"}
    content = {name: value for name, value in row.items() if name not in mutable | binary}
    content |= {f"{name}_sha256": sha256(bytes(row[name])).hexdigest() for name in binary}

    def digest(value: object) -> str:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return sha256(text.encode()).hexdigest()

    assert record["row_sha256"] == digest(content)
    keyed = {"tenant": "default", "key": "k", "request_sha256": "c" * 64, "run_id": row["id"]}
    assert record["idempotency_sha256"] == digest({**keyed, "created_at": row["created_at"]})
    assert bytes(entry.leaf_hash) == sha256(b"\x00" + bytes(entry.record)).digest()
    assert set(record) == {"actor", "event", "idempotency_sha256", "row_sha256", "subject", "tenant", "time"}


def test_the_leaf_of_an_outcome_covers_its_idempotency_key(engine: Engine, writer: GroupWriter) -> None:
    run = new_run()
    writer.submit(run).result(30)
    outcome = NewOutcome(
        id="o1", run_id=run.id, tenant="default", recorded_at=utc_now(), kind="death", day=90.0, value="true",
        corrects_id=None, actor="a", idempotency_key="k", request_sha256="c" * 64,
    )  # fmt: skip
    writer.submit(outcome).result(30)
    with engine.connect() as connection:
        entry = connection.execute(select(audit_entries).where(audit_entries.c.leaf_index == 1)).one()
    keyed = {"tenant": "default", "key": "k", "request_sha256": "c" * 64, "run_id": run.id, "outcome_id": "o1"}
    content = canonical_json({**keyed, "created_at": outcome.recorded_at})
    assert json.loads(bytes(entry.record))["idempotency_sha256"] == sha256(content).hexdigest()


def test_the_log_holds_no_submitted_value(engine: Engine, writer: GroupWriter) -> None:
    run = new_run(patient_reference="SENTINEL-p", input=b"SENTINEL-i", result=b"SENTINEL-r", warnings=b"SENTINEL-w")
    writer.submit(run).result(30)
    with engine.connect() as connection:
        entry = connection.execute(select(audit_entries)).one()
    assert b"SENTINEL" not in repr(tuple(entry)).encode()


def test_equal_data_are_equal_bytes() -> None:
    assert canonical_json({"b": 1, "a": [None, True, 1.5, "é"]}) == '{"a":[null,true,1.5,"é"],"b":1}'.encode()
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json(float("nan"))
