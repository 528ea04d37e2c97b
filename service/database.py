"""Opening the configured database, with a sentence for a URL that names none."""

from sqlalchemy import Engine
from sqlalchemy.exc import ArgumentError

from db.engine import open_engine
from service.errors import AbscopeError
from service.settings import Settings


class WrongDatabaseUrl(AbscopeError):
    """The setting names no database that this service can use."""


def open_database(settings: Settings) -> Engine:
    """Open the engine of the configured database and make its data folder; nothing is connected yet.

    Raises
    ------
    WrongDatabaseUrl
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    try:
        return open_engine(settings.database)
    except (ValueError, ArgumentError):
        raise WrongDatabaseUrl(
            "ABSCOPE_DATABASE_URL must be sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST:PORT/NAME"
        ) from None
