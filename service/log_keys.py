"""Which keys an installation may use: those that its stored log and its API keys were made with.

A new key is made for an empty database only. With another one the signatures of the log would not
verify by any single key, and every API key would be refused.
"""

from sqlalchemy import Engine, inspect

from db import queries
from db.engine import reading
from db.tables import AnyRow, api_keys, audit_checkpoints
from service.errors import AbscopeError
from service.settings import Settings
from service.signing import PEPPER_FILE, SIGNING_KEY_FILE, Signer, has_pepper, has_signing_key, load_pepper, load_signer

_SIGNING_KEY = (
    "set ABSCOPE_SIGNING_KEY_FILE to the key that signed it, or copy "
    f"{SIGNING_KEY_FILE} of the service into the data folder"
)


class KeyMissing(AbscopeError):
    """A key that this needs is not here, or is another than the stored data were made with."""


def signer_of(settings: Settings, engine: Engine) -> Signer:
    """Return the signer of this installation; the first start on an empty database makes its key.

    Raises
    ------
    KeyMissing
        The newest checkpoint of the log is signed by another key, or no key is here.
    """
    head = newest_checkpoint(engine)
    if head is None:
        return load_signer(settings)
    signer = installed_signer(settings)
    if not signer.verifier.check(head.size, bytes(head.root), bytes(head.signature)):
        raise KeyMissing(
            f"another key signed the audit log of this database: {_SIGNING_KEY}; "
            "where that key is lost, 'abscope audit rekey' goes on with the one that is here and records it"
        )
    return signer


def installed_signer(settings: Settings) -> Signer:
    """Return the signer whose key is here; nothing is made.

    Raises
    ------
    KeyMissing
        No signing key is here.
    """
    if not has_signing_key(settings):
        raise KeyMissing(f"the key that signed the audit log is not here: {_SIGNING_KEY}")
    return load_signer(settings)


def pepper_of(settings: Settings, engine: Engine) -> bytes:
    """Return the secret of the API keys' digests; the first start on a database without API keys makes it.

    Raises
    ------
    KeyMissing
        The database has API keys and the pepper that they were made with is not here.
    """
    require_pepper(settings, engine)
    return load_pepper(settings)


def require_pepper(settings: Settings, engine: Engine) -> None:
    """Refuse to go on without the pepper of the stored API keys; nothing is made.

    Raises
    ------
    KeyMissing
        The database has API keys and the pepper that they were made with is not here.
    """
    if has_pepper(settings):
        return
    with reading(engine) as connection:
        stored = inspect(connection).has_table(api_keys.name)
        if stored and connection.execute(api_keys.select().limit(1)).first() is not None:
            raise KeyMissing(
                "the pepper of the stored API keys is not here: set ABSCOPE_KEY_PEPPER_FILE to it, or copy "
                f"{PEPPER_FILE} of the service into the data folder; with a new one no stored API key is recognized"
            )


def newest_checkpoint(engine: Engine) -> AnyRow | None:
    """Return the newest checkpoint; none of an empty log, nor of a database without tables."""
    with reading(engine) as connection:
        if not inspect(connection).has_table(audit_checkpoints.name):
            return None
        return queries.audit_head(connection)
