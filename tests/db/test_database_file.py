"""An embedded database whose file is moved, removed or replaced takes no more writes."""

import os
from pathlib import Path

import pytest

from db.engine import accepts_writes, migrate, open_engine, reading, schema_fits
from db.errors import DatabaseUnavailable
from db.writer import GroupWriter
from db.writes import Receipt
from tests.db.conftest import sign
from tests.support.rows import new_run

SECONDS = 30


def move(source: Path, target: Path) -> None:
    """Move a database with its write-ahead log."""
    target.mkdir(exist_ok=True)
    for file in source.glob("abscope.db*"):
        file.rename(target / file.name)


@pytest.mark.parametrize("used", [True, False], ids=["written-before", "never-written"])
def test_a_moved_file_takes_no_writes_until_it_is_back(tmp_path: Path, used: bool) -> None:
    here, gone = tmp_path / "here", tmp_path / "gone"
    here.mkdir()
    engine = open_engine(f"sqlite:///{here / 'abscope.db'}")
    migrate(engine)
    writer = GroupWriter(engine, sign)
    writer.start()
    if used:
        writer.submit(new_run()).result(SECONDS)
    assert accepts_writes(engine)
    move(here, gone)
    assert not accepts_writes(engine)
    assert isinstance(writer.submit(new_run()).exception(SECONDS), DatabaseUnavailable)
    assert writer.stats.last_failure == "DatabaseFileMoved"
    engine.dispose()
    with pytest.raises(DatabaseUnavailable), reading(engine):
        pass
    assert os.listdir(here) == []
    move(gone, here)
    assert accepts_writes(engine)
    assert writer.submit(new_run()).result(SECONDS) == Receipt(int(used), 1 + used)
    assert writer.drain(SECONDS)
    engine.dispose()


def test_another_file_at_the_path_is_not_written_to(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    url = f"sqlite:///{here / 'abscope.db'}"
    engine = open_engine(url)
    migrate(engine)
    writer = GroupWriter(engine, sign)
    writer.start()
    writer.submit(new_run()).result(SECONDS)
    move(here, tmp_path / "gone")
    other = open_engine(url)
    migrate(other)
    assert isinstance(writer.submit(new_run()).exception(SECONDS), DatabaseUnavailable)
    assert not accepts_writes(engine)
    assert schema_fits(other)
    assert writer.drain(SECONDS)
    engine.dispose()
    other.dispose()
