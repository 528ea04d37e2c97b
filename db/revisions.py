"""Which schema revisions a release can work with.

A revision is called ``NNNN``, and ``NNNN_from_MMMM`` once releases whose own revision is below
``MMMM`` can no longer work with it. The name is what a migration leaves in the database, so that
a release that has never heard of the migration reads there whether it may go on. Revisions after
it keep its ``MMMM`` or raise it.
"""

import re
from enum import Enum, auto

_NAME = re.compile(r"(?P<number>\d{4})(?:_from_(?P<oldest>\d{4}))?")


class Fit(Enum):
    """How the schema of a database suits this release."""

    FITS = auto()
    """It is this release's, or a newer one that leaves room for this release."""
    BEHIND = auto()
    """It must be migrated first."""
    TOO_NEW = auto()
    """A newer release made it, and this one cannot work with it."""


def fit_of(current: str | None, head: str) -> Fit:
    """Compare the revision of a database with the newest that this release knows."""
    if current is None:
        return Fit.BEHIND
    number, oldest = _read(current)
    own, _ = _read(head)
    if number < own:
        return Fit.BEHIND
    return Fit.FITS if oldest <= own and (number > own or current == head) else Fit.TOO_NEW


def _read(revision: str) -> tuple[int, int]:
    """Return the number of a revision, and the lowest one whose release can work with it."""
    name = _NAME.fullmatch(revision)
    if name is None:
        return 10_000, 10_000  # a name that no release of today gives
    return int(name["number"]), int(name["oldest"] or 0)
