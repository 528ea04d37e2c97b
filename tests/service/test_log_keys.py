"""A log goes on with the key that it was signed with, or with another one that it records."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from db.engine import snapshot
from db.tables import audit_checkpoints, audit_entries
from db.writer import GroupWriter
from db.writes import Event
from service import trail, upkeep
from service.audit import verify_database
from service.errors import StoreUnavailable
from service.log_keys import KeyMissing, pepper_of, signer_of
from service.runtime import open_runtime
from service.settings import Settings
from service.signing import PEPPER_FILE, SIGNING_KEY_FILE, Signer, load_signer, new_signing_key
from tests.support.history import live_through

KEY = new_signing_key()


@pytest.fixture
def history(engine: Engine) -> Engine:
    writer = GroupWriter(engine, Signer(KEY).sign)
    writer.start()
    live_through(engine, writer)
    assert writer.drain(30)
    return engine


def settings(engine: Engine, folder: Path, *, signing_key: bytes | None = None) -> Settings:
    return Settings(
        data_dir=folder,
        database_url=engine.url.render_as_string(hide_password=False),
        signing_key=None if signing_key is None else signing_key.decode(),
        key_pepper="p" * 32,
        log_level="ERROR",
    )


async def _open(chosen: Settings) -> None:
    async with open_runtime(chosen):
        pass


def test_the_first_start_makes_the_keys(engine: Engine, tmp_path: Path) -> None:
    chosen = Settings(data_dir=tmp_path / "data")
    assert signer_of(chosen, engine).verifier == load_signer(chosen).verifier
    assert pepper_of(chosen, engine)
    assert {file.name for file in chosen.data_dir.iterdir()} == {SIGNING_KEY_FILE, PEPPER_FILE}


def test_no_key_is_made_for_a_log_that_has_one(history: Engine, tmp_path: Path) -> None:
    chosen = settings(history, tmp_path / "other")
    with pytest.raises(KeyMissing, match="ABSCOPE_SIGNING_KEY_FILE"):
        asyncio.run(_open(chosen))
    with pytest.raises(KeyMissing, match="ABSCOPE_KEY_PEPPER_FILE"):
        pepper_of(Settings(data_dir=chosen.data_dir), history)
    assert not (chosen.data_dir / SIGNING_KEY_FILE).exists()
    assert not (chosen.data_dir / PEPPER_FILE).exists()


def test_another_key_writes_nothing(history: Engine, tmp_path: Path) -> None:
    chosen = settings(history, tmp_path / "other", signing_key=new_signing_key())
    for act in (lambda: asyncio.run(_open(chosen)), lambda: upkeep.reach_database(chosen)):
        with pytest.raises(KeyMissing, match="abscope audit rekey"):
            act()
    with snapshot(history) as connection:
        assert verify_database(connection, [Signer(KEY).verifier]).ok


def test_a_new_key_is_recorded_and_both_verify(history: Engine, tmp_path: Path) -> None:
    old, new = Signer(KEY).verifier, new_signing_key()
    chosen = settings(history, tmp_path / "other", signing_key=new)
    with pytest.raises(upkeep.CheckFailed, match="nothing to change"):
        upkeep.rekey(settings(history, tmp_path, signing_key=KEY))
    assert upkeep.rekey(chosen) == Signer(new).verifier.text
    asyncio.run(_open(chosen))
    with history.connect() as connection:
        newest = connection.execute(select(audit_entries).order_by(audit_entries.c.leaf_index.desc())).first()
        sizes = connection.execute(select(audit_checkpoints.c.size)).scalars().all()
    assert newest is not None
    assert (newest.event, newest.subject) == ("signer.changed", Signer(new).verifier.text)
    assert max(sizes) == newest.leaf_index + 1

    def valid(*keys: str) -> bool:
        return bool(upkeep.verify_audit(chosen, None, keys, ())["valid"])

    assert valid(old.text, Signer(new).verifier.text)
    assert not valid(old.text)
    assert not valid()
    copy = tmp_path / "copy.backup"
    upkeep.back_up(chosen, copy)
    target = Settings(data_dir=tmp_path / "restored")
    with pytest.raises(KeyMissing, match="--verifier-key"):
        upkeep.restore(target, copy, ())
    with pytest.raises(upkeep.CheckFailed, match="does not verify"):
        upkeep.restore(target, copy, [old.text])
    upkeep.restore(target, copy, [old.text, Signer(new).verifier.text])
    assert not (tmp_path / "restored" / SIGNING_KEY_FILE).exists()


def test_a_process_serves_no_checkpoint_that_another_key_signed(history: Engine, tmp_path: Path) -> None:
    async def serve() -> None:
        async with open_runtime(settings(history, tmp_path, signing_key=KEY)) as runtime:
            assert (await trail.checkpoint(runtime)).size == 16
            other = settings(history, tmp_path / "other", signing_key=new_signing_key())
            await asyncio.to_thread(upkeep.rekey, other)
            with pytest.raises(StoreUnavailable, match="another key"):
                await trail.checkpoint(runtime)
            with pytest.raises(StoreUnavailable):
                await runtime.write(Event(event="run.read", subject="s", tenant="t", actor="a"))

    asyncio.run(serve())
