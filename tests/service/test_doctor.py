"""The doctor says in sentences what a start lacks."""

from pathlib import Path
from typing import Any

import pytest

from service import upkeep
from service.doctor import diagnose
from service.settings import Settings
from tests.support.issuer import Issuer

OIDC = {"auth": "oidc", "oidc_issuer": "https://issuer.test", "oidc_audience": "abscope"}


def checks(tmp_path: Path, **settings: Any) -> dict[str, tuple[bool, str]]:
    given = Settings(**{"data_dir": tmp_path / "data", **settings})
    return {row["check"]: (row["ok"], row["detail"]) for row in diagnose(given)}


def test_a_migrated_installation_has_nothing_to_complain_about(tmp_path: Path) -> None:
    upkeep.migrate_database(Settings(data_dir=tmp_path / "data"))
    found = checks(tmp_path)
    assert all(ok for ok, _ in found.values()), found
    assert list(found) == ["listener", "data directory", "database", "signing key", "pepper", "models"]
    assert found["database"] == (True, "sqlite")


@pytest.mark.parametrize(
    ("settings", "check", "sentence"),
    [
        ({"database_url": "postgresql://nobody:SENTINEL@127.0.0.1:1/none"}, "database", "see that it runs"),
        ({"database_url": "postgres://nobody:SENTINEL@127.0.0.1:1/none"}, "database", "ABSCOPE_DATABASE_URL must be"),
        ({"database_url": "sqlite:////proc/none/SENTINEL.db"}, "database", "SQLITE_CANTOPEN"),
        ({"data_dir": Path("/proc/none")}, "data directory", "No such file or directory: /proc/none"),
        ({"key_pepper": ""}, "pepper", "32 bytes"),
        ({"key_pepper": "SENTINEL"}, "pepper", "32 bytes"),
        ({**OIDC, "oidc_jwks_url": "http://127.0.0.1:1/SENTINEL"}, "token keys", "ABSCOPE_OIDC_JWKS_URL (URLError)"),
    ],
)
def test_what_is_wrong_is_said_without_secrets(
    tmp_path: Path, settings: dict[str, Any], check: str, sentence: str
) -> None:
    upkeep.migrate_database(Settings(data_dir=tmp_path / "data"))
    found = checks(tmp_path, **settings)
    ok, detail = found[check]
    assert not ok
    assert sentence in detail
    assert "SENTINEL" not in str(found)


def test_the_keys_of_the_token_issuer_are_counted(tmp_path: Path) -> None:
    issuer = Issuer()
    assert checks(tmp_path, **issuer.settings())["token keys"] == (True, "3 keys")
    issuer.keys = issuer.keys[-1:]
    ok, detail = checks(tmp_path, **issuer.settings())["token keys"]
    assert not ok
    assert "no key that can sign" in detail
    issuer.close()
