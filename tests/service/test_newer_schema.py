"""Two releases on one database: the older one serves, backs up and starts where the newer one leaves it room."""

from pathlib import Path

import pytest

from db.engine import open_engine, write_transaction
from service import upkeep
from service.doctor import diagnose
from service.settings import Settings
from tests.api.test_outcomes import predicted
from tests.support.app_client import open_client
from tests.support.databases import KINDS, fresh_database


def set_revision(url: str, revision: str) -> None:
    engine = open_engine(url)
    with write_transaction(engine) as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")
    engine.dispose()


@pytest.mark.parametrize("kind", KINDS)
def test_a_newer_schema_that_leaves_room_keeps_the_service_ready(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with fresh_database(kind, request, tmp_path) as url:
        given = {"data_dir": tmp_path / "data", "database_url": url, "log_level": "ERROR"}
        settings = Settings(**given)
        with open_client(**given) as client:
            set_revision(url, "0003")
            assert client.get("/readyz").status_code == 200
            predicted(client, "newer", 10)
        upkeep.reach_database(settings)
        upkeep.migrate_database(settings)
        with open_client(**given) as client:
            assert client.get("/readyz").status_code == 200
            predicted(client, "newer-again", 10)
        assert len(upkeep.back_up(settings, tmp_path / "backup")) == 64
        assert all(row["ok"] for row in diagnose(settings))


@pytest.mark.parametrize("revision", ["0004_from_0003", "another"])
def test_a_newer_schema_that_leaves_no_room_is_refused_with_a_sentence(revision: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, log_level="ERROR", warm_up=False)
    with open_client(data_dir=tmp_path, log_level="ERROR") as client:
        set_revision(settings.database, revision)
        assert client.get("/readyz").json()["checks"]["database"] is False
    for command in (upkeep.reach_database, upkeep.migrate_database, lambda s: upkeep.back_up(s, tmp_path / "b")):
        with pytest.raises(upkeep.CheckFailed, match="use the newer release"):
            command(settings)
    (found,) = (row for row in diagnose(settings) if row["check"] == "database")
    assert "use the newer release" in found["detail"]
