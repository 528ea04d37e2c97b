import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from db.engine import snapshot
from db.logwalk import Checkpoint
from db.tables import runs
from db.verify import export_log
from db.writer import GroupWriter
from service.audit import verify_database, verify_export
from service.signing import Signer, new_signing_key
from tests.support.history import live_through

SIGNER = Signer(new_signing_key())
STRANGER = Signer(new_signing_key())


@pytest.fixture
def history(engine: Engine) -> Engine:
    writer = GroupWriter(engine, SIGNER.sign)
    writer.start()
    live_through(engine, writer)
    assert writer.drain(30)
    return engine


@pytest.fixture
def exported(history: Engine, tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    with snapshot(history) as connection:
        assert export_log(connection, path) == 16
    return path


def test_the_database_verifies_with_the_right_key_only(history: Engine) -> None:
    with snapshot(history) as connection:
        assert verify_database(connection, [SIGNER.verifier]).ok
        assert verify_database(connection, [STRANGER.verifier, SIGNER.verifier]).ok
        found = verify_database(connection, [STRANGER.verifier])
    assert any("not genuine" in problem for problem in found.problems)


def test_an_export_verifies_without_the_database(exported: Path, history: Engine) -> None:
    found = verify_export(exported, [SIGNER.verifier])
    assert (found.ok, found.size, found.runs) == (True, 16, 7)
    assert verify_export(exported, [SIGNER.verifier], trusted=[Checkpoint(16, found.root)]).ok
    assert not verify_export(exported, [SIGNER.verifier], trusted=[Checkpoint(16, bytes(32))]).ok
    assert not verify_export(exported, [SIGNER.verifier], trusted=[Checkpoint(17, bytes(32))]).ok
    assert not verify_export(exported, [STRANGER.verifier]).ok
    with snapshot(history) as connection:
        assert verify_database(connection, [SIGNER.verifier]).root == found.root


def test_an_export_never_overwrites(exported: Path, history: Engine) -> None:
    with snapshot(history) as connection, pytest.raises(FileExistsError):
        export_log(connection, exported)


def test_an_export_shows_a_run_that_was_changed_before(history: Engine, tmp_path: Path) -> None:
    with history.begin() as connection:
        connection.execute(runs.update().where(runs.c.leaf_index == 1).values(seed=8))
    with snapshot(history) as connection:
        export_log(connection, tmp_path / "log")
    assert not verify_export(tmp_path / "log", [SIGNER.verifier]).ok


def test_every_changed_missing_or_exchanged_line_is_found(exported: Path) -> None:
    lines = exported.read_text().splitlines()

    def finds(changed: list[str]) -> bool:
        exported.write_text("".join(line + "\n" for line in changed))
        return not verify_export(exported, [SIGNER.verifier]).ok

    assert not finds(lines)
    for i, line in enumerate(lines):
        content: dict[str, Any] = json.loads(line)
        is_inner_checkpoint = "size" in content and content["size"] < 16
        if not is_inner_checkpoint:
            assert finds(lines[:i] + lines[i + 1 :]), line
        for name, value in content.items():
            other = value + 1 if isinstance(value, int) else "A" + value[1:] if value[:1] != "A" else "B" + value[1:]
            assert finds([*lines[:i], json.dumps({**content, name: other}), *lines[i + 1 :]]), name
        if 0 < i < len(lines) - 1:
            assert finds([*lines[:i], lines[i + 1], line, *lines[i + 2 :]])
    for damage in ("", "[]", "{", '{"record": 5}', '{"size": 1}'):
        assert finds([*lines, damage]) or damage == "{}"
    assert finds([])


def test_a_shorter_log_is_found_with_a_checkpoint_from_elsewhere(exported: Path) -> None:
    whole = verify_export(exported, [SIGNER.verifier])
    lines = exported.read_text().splitlines()
    first_checkpoint = next(i for i, line in enumerate(lines) if "size" in json.loads(line))
    exported.write_text("".join(line + "\n" for line in lines[: first_checkpoint + 1]))
    shorter = verify_export(exported, [SIGNER.verifier])
    assert shorter.size < whole.size
    assert not verify_export(exported, [SIGNER.verifier], trusted=[Checkpoint(whole.size, whole.root)]).ok
