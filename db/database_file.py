"""The file of an embedded database: the one that is open must be the one that its path leads to.

An open file goes on to take writes after it was moved or removed, and nobody finds them afterwards.
"""

import os
from typing import Final

from sqlalchemy import Engine

from db.errors import DatabaseFileMoved

OPTION: Final = "database_file"
"""Execution option of an engine that holds its file."""


class DatabaseFile:
    """A path, and the file that was opened there first, by device and inode."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._opened: tuple[int, int] | None = None

    def opened(self) -> None:
        """Remember the file at the path, the first time."""
        if self._opened is None:
            self._opened = self._present()

    def in_place(self) -> bool:
        """Whether the path leads to the file that was opened, or nothing was opened yet."""
        return self._opened is None or self._opened == self._present()

    def require(self) -> None:
        """Raise :class:`DatabaseFileMoved` where another file is at the path now, or none."""
        if not self.in_place():
            raise DatabaseFileMoved("the database file is no longer at its path")

    def _present(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_dev, found.st_ino


def file_of(engine: Engine) -> DatabaseFile | None:
    """Return the file of an engine; a database on a server has none."""
    file: DatabaseFile | None = engine.get_execution_options().get(OPTION)
    return file
