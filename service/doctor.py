"""Checks of what a start needs; each that fails says in a sentence what to do."""

from collections.abc import Callable
from typing import Any

from db.engine import accepts_writes
from db.errors import DatabaseUnavailable
from service.catalog import KINDS
from service.errors import AbscopeError
from service.key_set import download
from service.log_keys import require_pepper, signer_of
from service.settings import Settings
from service.signing import has_pepper, load_pepper
from service.upkeep import CheckFailed, database
from simulation.registry import CARDS


def diagnose(settings: Settings) -> list[dict[str, Any]]:
    """Check what a start needs, one row a check."""
    checks: dict[str, Callable[[Settings], str]] = {
        "listener": _listener,
        "data directory": _data_directory,
        "database": _database,
        "signing key": _signing_key,
        "pepper": _pepper,
    }
    if settings.auth == "oidc":
        checks["token keys"] = _token_keys
    checks["models"] = lambda _: f"{len(CARDS)} cards, {len(KINDS)} kinds of run"
    return [_checked(name, check, settings) for name, check in checks.items()]


def _checked(name: str, check: Callable[[Settings], str], settings: Settings) -> dict[str, Any]:
    try:
        return {"check": name, "ok": True, "detail": check(settings)}
    except Exception as error:
        return {"check": name, "ok": False, "detail": _sentence(error)}


def _sentence(error: Exception) -> str:
    if isinstance(error, AbscopeError):
        return error.detail
    if isinstance(error, DatabaseUnavailable):
        return (
            f"the database cannot be used ({error}): see that it runs and can be reached, "
            "and that ABSCOPE_DATABASE_URL has its address, user and password"
        )
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.strerror}: {error.filename}"
    return f"this failed without a known reason ({type(error).__name__})"


def _listener(settings: Settings) -> str:
    settings.require_safe_listener()
    return f"{settings.address}, authentication {settings.auth}"


def _data_directory(settings: Settings) -> str:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    probe = settings.data_dir / ".writable"
    probe.touch()
    probe.unlink()
    return str(settings.data_dir)


def _database(settings: Settings) -> str:
    with database(settings) as engine:
        if not accepts_writes(engine):
            raise CheckFailed("the database takes no writes: it is a standby, or set to read-only")
        return engine.dialect.name


def _signing_key(settings: Settings) -> str:
    with database(settings, migrated=False) as engine:
        return signer_of(settings, engine).verifier.text


def _pepper(settings: Settings) -> str:
    if has_pepper(settings):
        load_pepper(settings)
        return "given" if settings.key_pepper is not None else "in the data directory"
    with database(settings, migrated=False) as engine:
        require_pepper(settings, engine)
    return "the first start makes it"


def _token_keys(settings: Settings) -> str:
    try:
        found = download(str(settings.oidc_jwks_url))
    except Exception as error:
        raise CheckFailed(
            f"no key set of the token issuer can be read at ABSCOPE_OIDC_JWKS_URL ({type(error).__name__}): "
            "see that the address is right and can be reached from here"
        ) from None
    if not found:
        raise CheckFailed("the key set at ABSCOPE_OIDC_JWKS_URL has no key that can sign tokens here")
    return f"{len(found)} keys"
