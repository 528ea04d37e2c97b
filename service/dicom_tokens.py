"""Small readers of single DICOM elements; identifiers become tokens that can only be compared."""

import hashlib
import math
import secrets
from typing import Final

from pydicom.dataset import Dataset

_SALT: Final = secrets.token_bytes(16)


def text(data: Dataset, keyword: str) -> str | None:
    """Return an element as stripped text, None when it is absent or empty."""
    value = data.get(keyword)
    return str(value).strip(" \0") or None if value is not None else None


def token(data: Dataset, keyword: str) -> str | None:
    """Return a salted digest of an identifier; it means nothing outside this process."""
    value = text(data, keyword)
    return None if value is None else hashlib.blake2b(value.encode(), key=_SALT, digest_size=8).hexdigest()


def number(data: Dataset, keyword: str) -> float | None:
    """Return an element as a finite number, None when it is absent or empty."""
    value = data.get(keyword)
    return None if value is None or value == "" else finite(float(value))


def numbers(data: Dataset, keyword: str) -> list[float]:
    """Return a multi-valued element as finite numbers; empty when it is absent."""
    value = data.get(keyword)
    if value is None or value == "":
        return []
    return [finite(float(part)) for part in (value if hasattr(value, "__iter__") else [value])]


def finite(value: float) -> float:
    """Refuse NaN and infinity."""
    if not math.isfinite(value):
        raise ValueError("not a finite number")
    return value
