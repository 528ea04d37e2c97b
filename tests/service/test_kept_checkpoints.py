"""What the data folder remembers of the log shows that its end was cut off, or that all of it was exchanged."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete

from db.tables import TABLES
from db.writer import GroupWriter
from db.writes import Event
from service import upkeep
from service.kept_checkpoints import CHECKPOINTS_FILE
from service.runtime import open_runtime
from service.settings import Settings
from service.signing import InvalidKey, Signer, load_signer, new_signing_key


@pytest.fixture
def chosen(engine: Engine, tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path / "kept", database_url=engine.url.render_as_string(hide_password=False), log_level="ERROR"
    )


async def _serve(settings: Settings, events: int) -> None:
    async with open_runtime(settings) as runtime:
        for number in range(events):
            await runtime.write(Event(event="run.read", subject=str(number), tenant="t", actor="a"))


def serve(settings: Settings, events: int) -> None:
    asyncio.run(_serve(settings, events))


def lines(settings: Settings) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (settings.data_dir / CHECKPOINTS_FILE).read_text().splitlines()]


def report(settings: Settings, *notes: Path) -> dict[str, Any]:
    return upkeep.verify_audit(settings, None, (), notes)


def wipe(engine: Engine) -> None:
    with engine.begin() as connection:
        for table in reversed(TABLES):
            connection.execute(delete(table))


def test_every_start_and_end_keeps_the_newest_checkpoint_once(chosen: Settings) -> None:
    for events in (2, 0, 3):
        serve(chosen, events)
    assert [line["note"].split("\n")[1] for line in lines(chosen)] == ["2", "5"]
    assert "@" not in lines(chosen)[0]["database"]
    assert (chosen.data_dir / CHECKPOINTS_FILE).stat().st_mode & 0o077 == 0
    assert report(chosen)["valid"]


def test_a_wiped_log_is_found(chosen: Settings, engine: Engine) -> None:
    serve(chosen, 4)
    wipe(engine)
    assert report(chosen)["problems"] == ["the log has 0 leaves, a trusted checkpoint is of 4"]
    writer = GroupWriter(engine, load_signer(chosen).sign)
    writer.start()
    for number in range(6):
        writer.submit(Event(event="run.read", subject=str(number), tenant="t", actor="a")).result(30)
    assert writer.drain(30)
    assert report(chosen)["problems"] == ["the log of size 4 is not the one of a trusted checkpoint"]


def test_a_checkpoint_from_elsewhere_is_compared(chosen: Settings, engine: Engine, tmp_path: Path) -> None:
    serve(chosen, 3)
    upkeep.export_audit(chosen, tmp_path / "log")
    note, answer = tmp_path / "note", tmp_path / "answer.json"
    serve(chosen, 2)
    note.write_text(lines(chosen)[-1]["note"])
    answer.write_text(json.dumps({"size": 5, "note": lines(chosen)[-1]["note"]}))
    (chosen.data_dir / CHECKPOINTS_FILE).unlink()
    assert report(chosen, note, answer)["valid"]
    shorter = upkeep.verify_audit(chosen, tmp_path / "log", (), [answer])
    assert shorter["problems"] == ["the log has 3 leaves, a trusted checkpoint is of 5"]
    wipe(engine)
    assert report(chosen)["valid"]
    assert not report(chosen, note)["valid"]


@pytest.mark.parametrize("text", ["", "{", '{"size": 1}', "a\nb\nc\n\n", "\udcff"])
def test_a_note_that_no_given_key_signed_is_refused(chosen: Settings, tmp_path: Path, text: str) -> None:
    serve(chosen, 1)
    note = tmp_path / "note"
    note.write_bytes(text.encode(errors="surrogateescape"))
    stranger = Signer(new_signing_key())
    foreign = tmp_path / "foreign"
    foreign.write_text(stranger.note(1, bytes(32)))
    for path in (note, foreign):
        with pytest.raises(InvalidKey):
            report(chosen, path)


def test_damage_to_the_file_and_other_databases_in_it_are_told_apart(chosen: Settings) -> None:
    serve(chosen, 1)
    path = chosen.data_dir / CHECKPOINTS_FILE
    stranger = {"database": "other.db", "note": "of no concern"}
    path.write_text(path.read_text() + json.dumps(stranger) + "\n")
    assert report(chosen)["valid"]
    path.write_text(path.read_text() + "damaged\n")
    expected = f"lines of {CHECKPOINTS_FILE} without a checkpoint that a given key signed: 1"
    assert report(chosen)["problems"] == [expected]


def test_a_folder_that_cannot_be_written_stops_nothing(chosen: Settings) -> None:
    chosen.data_dir.mkdir()
    (chosen.data_dir / CHECKPOINTS_FILE).mkdir()
    serve(chosen, 1)
