"""Writes with plausible content."""

import itertools
from hashlib import sha256
from typing import Any

from db.clock import utc_now
from db.writes import NewRun

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_numbers = itertools.count()


def new_id() -> str:
    """An id of a run's form, greater than every one made before by this process."""
    number = next(_numbers)
    return "01JD" + "".join(ALPHABET[number >> shift & 31] for shift in range(105, -1, -5))


def new_run(**changes: Any) -> NewRun:
    """A finished run of one model."""
    content = {
        "id": new_id(),
        "tenant": "default",
        "kind": "predictions",
        "status": "succeeded",
        "created_at": utc_now(),
        "patient_reference": "pt-1",
        "input": b'{"patient":{"reference":"pt-1"}}',
        "result": b'{"predictions":[]}',
        "warnings": b"[]",
        "models": (("loris_pan_cancer", "1.0.0"),),
        "seed": 7,
        "software_version": "0.1.0",
        "request_id": "01JD0000000000000000000000",
        "actor": "anonymous",
        **changes,
    }
    content.setdefault("input_sha256", sha256(content["input"]).hexdigest())
    result = content["result"]
    content.setdefault("result_sha256", None if result is None else sha256(result).hexdigest())
    return NewRun(**content)
