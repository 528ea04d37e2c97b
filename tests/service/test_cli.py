"""The ``abscope`` command: the same work as over HTTP, JSON when piped, exit codes that scripts can use."""

import io
import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from service import cli
from service.signing import SIGNING_KEY_FILE, Signer

FRACTIONATION = {
    "phases": [{"dose_per_fraction_gy": 2.0, "fraction_count": 30}],
    "tissues": [{"id": "tumor", "role": "tumor", "alpha_beta_gy": 10.0}],
}
Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def abscope(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run the command in this process: exit code, standard output as JSON where it is, standard error."""
    umask = os.umask(0o022)
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

    yield run
    os.umask(umask)


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
    assert abscope("keys", "revoke", made["id"], "--tenant", "other")[0] == 1
    assert abscope("keys", "list")[1][0]["revoked_at"] is None
    assert abscope("keys", "revoke", made["id"])[0] == 0
    assert abscope("keys", "list")[1][0]["revoked_at"] is not None
    assert "revoked already" in abscope("keys", "revoke", made["id"], "--tenant", "clinic")[2]
    assert "no key in use" in abscope("keys", "revoke", "nothing")[2]
    code, _, err = abscope("keys", "create", "--scope", "everything")
    assert code == 2
    assert "unknown scope" in err


@pytest.mark.parametrize("command", ["serve", "keys create --scope runs:read"])
def test_an_empty_pepper_is_refused_in_a_sentence(
    abscope: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    (tmp_path / "empty").touch()
    monkeypatch.setenv("ABSCOPE_KEY_PEPPER_FILE", str(tmp_path / "empty"))
    code, _, err = abscope(*command.split())
    assert code == 1
    assert err.startswith("the pepper of the API keys must have 32 bytes or more")


def test_every_command_has_the_same_tenants(abscope: Run) -> None:
    body = json.dumps(FRACTIONATION).encode()
    for tenant in ([], ["--tenant", "clinic"]):
        stored = [
            abscope("fractionate", "-", *tenant, stdin=body)[1]["id"],
            abscope("compute", "fractionation", "-", *tenant, stdin=body)[1]["id"],
            abscope("predict", "-", *tenant, stdin=b'{"patient": {"age_years": 60}}')[1]["id"],
        ]
        assert sorted(row["id"] for row in abscope("runs", *tenant)[1]) == sorted(stored)
        made = abscope("keys", "create", "--scope", "runs:read", *tenant)[1]
        assert made["tenant"] == (tenant[1] if tenant else "local")
    assert [row["tenant"] for row in abscope("keys", "list", "--tenant", "clinic")[1]] == ["clinic"]


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\x00", "a ", "\u202eabc", "a" * 129], ids=ascii)
def test_a_name_is_printable_and_short(abscope: Run, name: str) -> None:
    abscope("migrate")
    key = ("keys", "create", "--scope", "runs:read")
    for command in ((*key, "--tenant", name), (*key, "--label", name), ("predict", "-", "--tenant", name)):
        code, _, err = abscope(*command, stdin=b'{"patient": {"age_years": 60}}')
        assert code == 2
        assert "printable" in err
    assert abscope("keys", "list")[1] == []


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


def test_a_byte_changed_with_sql_names_the_run(abscope: Run, tmp_path: Path) -> None:
    _, run, _ = abscope("fractionate", "-", stdin=json.dumps(FRACTIONATION).encode())
    with sqlite3.connect(tmp_path / "data" / "abscope.db") as connection:
        connection.execute("UPDATE runs SET input = replace(input, '30', '31') WHERE id = ?", (run["id"],))
    connection.close()
    code, report, _ = abscope("audit", "verify")
    assert code == 1
    assert f"run {run['id']} holds input as text, which the service never writes" in report["problems"]
    assert any(f"run {run['id']}" in problem and "digests" in problem for problem in report["problems"])
    exported, copy = tmp_path / "log.jsonl", tmp_path / "copy.backup"
    assert abscope("audit", "export", str(exported))[0] == 0
    assert abscope("audit", "verify", str(exported))[0] == 1
    assert abscope("backup", str(copy))[0] == 0
    for name in ("abscope.db", "abscope.db-wal", "abscope.db-shm"):
        (tmp_path / "data" / name).unlink(missing_ok=True)
    code, _, err = abscope("restore", str(copy))
    assert code == 1
    assert run["id"] in err


def test_another_data_folder_neither_makes_a_key_nor_signs(
    abscope: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    abscope("fractionate", "-", stdin=json.dumps(FRACTIONATION).encode())
    monkeypatch.setenv("ABSCOPE_DATABASE_URL", f"sqlite:///{tmp_path / 'data' / 'abscope.db'}")
    monkeypatch.setenv("ABSCOPE_DATA_DIR", str(tmp_path / "other"))
    for command in ("runs --limit 1", "serve", "audit verify"):
        code, _, err = abscope(*command.split())
        assert (code, err.count("\n")) == (1, 1)
        assert "ABSCOPE_SIGNING_KEY_FILE" in err
    _, checks, _ = abscope("doctor")
    assert {row["check"]: row["ok"] for row in checks}["signing key"] is False
    assert list((tmp_path / "other").iterdir()) == []
    code, _, err = abscope("audit", "rekey")
    assert code == 0
    assert "signs" in err
    assert abscope("runs", "--limit", "1")[0] == 0
    monkeypatch.setenv("ABSCOPE_DATA_DIR", str(tmp_path / "data"))
    assert abscope("audit", "verify")[0] == 1
    keys = [Signer((tmp_path / name / SIGNING_KEY_FILE).read_bytes()).verifier.text for name in ("data", "other")]
    both = [part for key in keys for part in ("--verifier-key", key)]
    code, report, _ = abscope("audit", "verify", *both)
    assert (code, report["problems"]) == (0, [])


def test_an_auditor_without_a_key_is_asked_for_the_public_one(
    abscope: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    abscope("fractionate", "-", stdin=json.dumps(FRACTIONATION).encode())
    exported = tmp_path / "log.jsonl"
    abscope("audit", "export", str(exported))
    key = Signer((tmp_path / "data" / SIGNING_KEY_FILE).read_bytes()).verifier.text
    monkeypatch.setenv("ABSCOPE_DATA_DIR", str(tmp_path / "auditor"))
    code, _, err = abscope("audit", "verify", str(exported))
    assert code == 1
    assert "--verifier-key" in err
    assert abscope("audit", "verify", str(exported), "--verifier-key", key)[0] == 0
    assert not (tmp_path / "auditor").exists()


def test_a_checkpoint_that_was_kept_is_compared(abscope: Run, tmp_path: Path) -> None:
    abscope("fractionate", "-", stdin=json.dumps(FRACTIONATION).encode())
    signer = Signer((tmp_path / "data" / SIGNING_KEY_FILE).read_bytes())
    kept = tmp_path / "checkpoint.txt"
    kept.write_text(signer.note(1, bytes.fromhex(abscope("audit", "verify")[1]["root"])))
    assert abscope("audit", "verify", "--checkpoint", str(kept))[0] == 0
    kept.write_text(signer.note(9, bytes(32)))
    code, report, _ = abscope("audit", "verify", "--checkpoint", str(kept))
    assert (code, report["problems"]) == (1, ["the log has 1 leaves, a trusted checkpoint is of 9"])


@pytest.mark.parametrize(
    "url", ["postgres://u:secret@h/d", "mysql://h/d", "postgresql://u:secret@h:abc/d", "sqlite://", "nonsense"]
)
@pytest.mark.parametrize("command", ["runs", "migrate", "serve", "audit verify"])
def test_a_url_of_no_database_is_one_sentence(
    abscope: Run, monkeypatch: pytest.MonkeyPatch, url: str, command: str
) -> None:
    monkeypatch.setenv("ABSCOPE_DATABASE_URL", url)
    code, _, err = abscope(*command.split())
    assert (code, err.count("\n")) == (1, 1)
    assert "postgresql+psycopg://" in err
    assert "secret" not in err


def test_what_cannot_be_read_or_written_is_one_sentence(
    abscope: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    abscope("fractionate", "-", stdin=json.dumps(FRACTIONATION).encode())
    binary = tmp_path / "binary"
    binary.write_bytes(bytes(range(256)) * 10)
    code, report, _ = abscope("audit", "verify", str(binary))
    assert (code, report["problems"]) == (1, ["the file is not an exported audit log"])
    code, _, err = abscope("backup", str(tmp_path / "none" / "copy"))
    assert (code, err) == (1, f"the folder does not exist: {tmp_path / 'none'}\n")
    code, _, err = abscope("backup", str(binary))
    assert (code, err) == (1, f"the file exists, and a backup never overwrites: {binary}\n")
    monkeypatch.setenv("ABSCOPE_SIGNING_KEY", "x")
    for command in (("serve",), ("runs",), ("audit", "verify")):
        code, _, err = abscope(*command)
        assert (code, err) == (1, "the signing key must be a PKCS#8 PEM without a passphrase\n")


@pytest.mark.parametrize("command", ["audit verify", "audit export log", "keys list", "backup copy"])
def test_an_empty_database_is_one_sentence(abscope: Run, command: str) -> None:
    code, _, err = abscope(*command.split())
    assert code == 1
    assert err == "the schema of the database is older than this release: run 'abscope migrate'\n"


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


def test_only_the_own_user_reads_what_the_commands_write(abscope: Run, tmp_path: Path) -> None:
    abscope("fractionate", "-", stdin=json.dumps(FRACTIONATION).encode())
    assert abscope("backup", str(tmp_path / "copy"))[0] == 0
    assert abscope("audit", "export", str(tmp_path / "log"))[0] == 0
    written = [tmp_path / "copy", tmp_path / "log", tmp_path / "data", *(tmp_path / "data").rglob("*")]
    assert tmp_path / "data" / "abscope.db" in written
    assert {path.name: path.stat().st_mode & 0o077 for path in written if path.stat().st_mode & 0o077} == {}


def test_a_narrow_terminal_shows_ids_and_verifier_keys_whole(abscope: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    _, run, _ = abscope("fractionate", "-", stdin=json.dumps(FRACTIONATION).encode())
    _, checks, _ = abscope("doctor")
    verifier_key = next(row["detail"] for row in checks if row["check"] == "signing key")
    shown = io.StringIO()
    monkeypatch.setattr(cli, "_out", Console(file=shown, width=80, force_terminal=True))
    abscope("runs")
    assert run["id"] in shown.getvalue()
    abscope("doctor")
    cells = "".join(line.split("│")[-2].strip() for line in shown.getvalue().splitlines() if line.count("│") > 3)
    assert verifier_key in cells


def test_a_misspelled_setting_is_refused(abscope: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABSCOPE_AUHT", "keys")
    code, _, err = abscope("runs")
    assert (code, err) == (1, "ABSCOPE_AUHT: no such setting; did you mean ABSCOPE_AUTH?\n")
    monkeypatch.delenv("ABSCOPE_AUHT")
    for name in (
        "ABSCOPE_SERVICE_HOST",
        "ABSCOPE_SERVICE_PORT",
        "ABSCOPE_PORT_8000_TCP",
        "ABSCOPE_PORT_8000_TCP_PROTO",
    ):
        monkeypatch.setenv(name, "10.0.0.1")
    assert abscope("runs")[0] == 0


def test_an_address_of_ipv6_has_brackets(abscope: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABSCOPE_HOST", "::1")
    monkeypatch.setenv("ABSCOPE_PORT", "18121")
    _, checks, _ = abscope("doctor")
    assert checks[0]["detail"].startswith("[::1]:18121, ")
