"""Which organ a structure stands for, judged by its name alone."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulation.radiation.tables import read_table


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedOrgan:
    """What a name says.

    Attributes
    ----------
    organ : str or None
        Name in the organ vocabulary; None when the name is not known or is a helper structure.
    side : str or None
        ``left``, ``right`` or None.
    target : bool
        The structure is a target volume.
    margin : bool
        The structure is an organ with a planning margin; ``organ`` is the organ.
    without_target : bool
        The target was cut out of the organ.
    """

    organ: str | None = None
    side: str | None = None
    target: bool = False
    margin: bool = False
    without_target: bool = False


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain)
    return re.findall(r"[a-z]+|\d+", split.lower())


def _alias_index(table: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for organ, row in table["organs"].items():
        for alias in (row["tg263"], organ, *row["aliases"]):
            key = "".join(_words(alias))
            if found.setdefault(key, organ) != organ:
                raise RuntimeError(f"two organs share the name {alias!r}")
    return found


_TABLE = read_table("organ_aliases.toml")
_ORGAN_BY_NAME = _alias_index(_TABLE)
_SIDES = {word: side for side, words in _TABLE["sides"].items() for word in words}
_TARGETS = frozenset(_TABLE["rules"]["targets"])
_MARGINS = frozenset(_TABLE["rules"]["margins"])
_HELPERS = frozenset(_TABLE["rules"]["helpers"])
_WHOLE = frozenset(_TABLE["rules"]["whole"])


def organ_of(name: str) -> NamedOrgan:
    """Read a structure's name.

    Parameters
    ----------
    name : str
        As the planning system writes it, ``Lung_L`` or ``Lungs-GTV``.

    Returns
    -------
    NamedOrgan

    Examples
    --------
    >>> organ_of("Lt Lung").organ, organ_of("Lt Lung").side
    ('lung', 'left')
    """
    words = [word for word in _words(name) if not word.isdigit()]
    if not words or words[0] == "z" or _HELPERS & set(words):
        return NamedOrgan()
    if words[0] in _TARGETS:
        return NamedOrgan(target=True)
    without = bool(_TARGETS & set(words))
    margin = bool(_MARGINS & set(words))
    rest = [
        word for word in words if word not in _TARGETS | _MARGINS | _WHOLE and word not in ("minus", "less", "ohne")
    ]
    for kept, side in _side_readings(rest):
        organ = _ORGAN_BY_NAME.get("".join(kept))
        if organ is not None:
            return NamedOrgan(organ=organ, side=side, margin=margin, without_target=without)
    return NamedOrgan(margin=margin, without_target=without)


def _side_readings(words: list[str]) -> list[tuple[list[str], str | None]]:
    """Return the whole name first, then the name without a leading or trailing side."""
    readings: list[tuple[list[str], str | None]] = [(words, None)]
    if len(words) > 1:
        readings += [(words[:-1], _SIDES[words[-1]])] if words[-1] in _SIDES else []
        readings += [(words[1:], _SIDES[words[0]])] if words[0] in _SIDES else []
    return readings
