"""The ``abscope`` command: the same work as over HTTP, JSON when piped, exit codes that scripts can use."""

import io
import json
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service import cli

FRACTIONATION = {
    "phases": [{"dose_per_fraction_gy": 2.0, "fraction_count": 30}],
    "tissues": [{"id": "tumor", "role": "tumor", "alpha_beta_gy": 10.0}],
}
Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def abscope(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process: exit code, standard output as JSON where it is, standard error."""
    monkeypatch.setenv("ABSCOPE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("ABSCOPE_LOG_LEVEL", "ERROR")

    def run(*arguments: str, stdin: bytes = b"") -> tuple[int, Any, str]:
        monkeypatch.setattr(sys, "argv", ["abscope", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        out, err = capsys.readouterr()
        try:
            return code, json.loads(out), err
        except json.JSONDecodeError:
            return code, out, err

    return run


def test_fractionate_stores_a_run_that_runs_shows(abscope: Run, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(FRACTIONATION))
    code, run, _ = abscope("fractionate", str(file))
    assert code == 0
    assert run["result"]["tissues"][0]["bed_gy"]["value"] == pytest.approx(72.0)
    code, listed, _ = abscope("runs")
    assert [row["id"] for row in listed] == [run["id"]]
    code, shown, _ = abscope("runs", run["id"])
    assert shown == run


def test_predict_reads_standard_input(abscope: Run) -> None:
    code, run, _ = abscope("predict", "-", stdin=b'{"patient": {"age_years": 60}}')
    assert code == 0
    assert run["kind"] == "predictions"
    assert run["result"]["not_applicable"]


def test_wrong_input_gets_the_messages_of_the_api(abscope: Run) -> None:
    code, _, err = abscope("predict", "-", stdin=b'{"patient": {"age_years": "SENTINEL"}}')
    assert code == 1
    assert "/patient/age_years: Input should be a valid number" in err
    assert "SENTINEL" not in err
    for command in (("compute", "nothing", "-"), ("runs", "--kind", "nothing")):
        code, _, err = abscope(*command, stdin=b"{}")
        assert code == 2
        assert "choose from" in err
    code, _, err = abscope("predict", "no-such-file.json")
    assert code in (1, 2)
    assert err


def test_models(abscope: Run) -> None:
    code, listed, _ = abscope("models")
    assert code == 0
    assert "loris-pan-cancer" in [row["id"] for row in listed]
    _, card, _ = abscope("models", "loris-pan-cancer")
    assert card["equations"]
    code, _, err = abscope("models", "nothing")
    assert code == 1
    assert "no model has this id; 'abscope models' lists them" in err


def test_keys_are_shown_once_and_revoked(abscope: Run) -> None:
    code, made, _ = abscope("keys", "create", "--scope", "runs:read", "--scope", "runs:write", "--tenant", "clinic")
    assert code == 0
    assert made["key"].startswith("absk_")
    _, listed, _ = abscope("keys", "list")
    assert listed[0]["scopes"] == ["runs:read", "runs:write"]
    assert made["key"].partition(".")[2] not in json.dumps(listed)
    assert abscope("keys", "revoke", made["id"], "--tenant", "clinic")[0] == 0
    assert abscope("keys", "list")[1][0]["revoked_at"] is not None
    assert abscope("keys", "revoke", made["id"], "--tenant", "other")[0] == 1
    code, _, err = abscope("keys", "create", "--scope", "everything")
    assert code == 2
    assert "unknown scope" in err


def test_audit_backup_restore(abscope: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(3):
        abscope("fractionate", "-", stdin=json.dumps({**FRACTIONATION, "seed": seed}).encode())
    code, report, _ = abscope("audit", "verify")
    assert code == 0
    assert (report["valid"], report["runs"]) == (True, 3)
    exported = tmp_path / "log.jsonl"
    assert abscope("audit", "export", str(exported))[0] == 0
    assert abscope("audit", "verify", str(exported))[0] == 0
    copy = tmp_path / "copy.backup"
    assert abscope("backup", str(copy))[0] == 0
    assert abscope("backup", str(copy))[0] == 1

    data = tmp_path / "data" / "abscope.db"
    with sqlite3.connect(data) as connection:
        connection.execute("UPDATE runs SET seed = seed + 1 WHERE seed = 2")
    connection.close()
    code, report, _ = abscope("audit", "verify")
    assert code == 1
    assert report["problems"]

    for name in ("abscope.db", "abscope.db-wal", "abscope.db-shm"):
        (tmp_path / "data" / name).unlink(missing_ok=True)
    code, _, err = abscope("restore", str(copy))
    assert code == 0, err
    assert abscope("audit", "verify")[1]["runs"] == 3
    code, _, err = abscope("restore", str(copy))
    assert code == 1
    assert "not restored" in err


def test_a_restore_elsewhere_needs_the_key_that_signed(
    abscope: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    abscope("fractionate", "-", stdin=json.dumps(FRACTIONATION).encode())
    copy = tmp_path / "copy.backup"
    assert abscope("backup", str(copy))[0] == 0
    monkeypatch.setenv("ABSCOPE_DATA_DIR", str(tmp_path / "elsewhere"))
    code, _, err = abscope("restore", str(copy))
    assert code == 1
    assert "ABSCOPE_SIGNING_KEY_FILE" in err
    monkeypatch.setenv("ABSCOPE_SIGNING_KEY_FILE", str(tmp_path / "data" / "audit_signing_key.pem"))
    code, _, err = abscope("restore", str(copy))
    assert code == 0, err
    assert abscope("audit", "verify")[1]["runs"] == 1


@pytest.mark.parametrize("command", ["audit verify", "audit export log", "keys list", "backup copy"])
def test_an_empty_database_is_one_sentence(abscope: Run, command: str) -> None:
    code, _, err = abscope(*command.split())
    assert code == 1
    assert err == "the database is not at this release's schema: run 'abscope migrate'\n"


@pytest.mark.parametrize("command", ["serve", "migrate", "runs", "keys list", "audit verify"])
def test_a_database_that_cannot_be_reached_is_one_sentence(
    abscope: Run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("ABSCOPE_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/none")
    code, _, err = abscope(*command.split())
    assert code == 1
    assert err.startswith("the database cannot be used (")
    assert err.count("\n") == 1
    assert "secret" not in err


def test_doctor_and_migrate(abscope: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    code, report, _ = abscope("doctor")
    assert code == 1
    assert {row["check"]: row["ok"] for row in report}["database"] is False
    assert abscope("migrate")[0] == 0
    code, report, _ = abscope("doctor")
    assert code == 0, report
    monkeypatch.setenv("ABSCOPE_HOST", "0.0.0.0")
    code, report, _ = abscope("doctor")
    assert code == 1
    assert "ABSCOPE_AUTH=keys" in json.dumps(report)


def test_serve_refuses_an_open_listener(abscope: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABSCOPE_HOST", "0.0.0.0")
    code, _, err = abscope("serve")
    assert code == 1
    assert "set ABSCOPE_AUTH=keys" in err


def test_wrong_settings_are_named(abscope: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABSCOPE_PORT", "70000")
    code, _, err = abscope("doctor")
    assert code == 2
    assert "port" in err
