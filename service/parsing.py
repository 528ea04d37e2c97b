"""JSON bytes to wire models; errors carry pointers and never the submitted values."""

import json
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import orjson
from pydantic import ValidationError

from schemas.base import Schema
from service.errors import AbscopeError

MAX_ERRORS: Final = 50
_LONGEST_NAME: Final = 100
S = TypeVar("S", bound=Schema)


class MalformedJson(AbscopeError):
    """The body is not JSON."""


class InvalidBody(AbscopeError):
    """The body does not fit the schema; ``errors`` lists pointer and message of each wrong member."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__(f"{len(errors)} member(s) of the body are wrong; see errors")
        self.errors = errors


def parse(schema: type[S], raw: bytes, *, distinct: bool = False) -> S:
    """Validate JSON bytes against a wire model.

    ``distinct`` says that no object can have two members of one name, because the bytes were written here.

    Raises
    ------
    MalformedJson
        The bytes are not JSON, nested too deep, or an object has two members of one name.
    InvalidBody
        The JSON does not fit the schema.
    """
    try:
        parsed = schema.model_validate_json(raw)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=True, include_input=False)
        if found[0]["type"] == "json_invalid":
            raise MalformedJson("the body is not valid JSON (or nested too deep)") from None
        body = _decoded(raw)
        raise InvalidBody(
            [{"pointer": pointer(item, body), "message": _message(item)} for item in found[:MAX_ERRORS]]
        ) from None
    if not distinct and _may_repeat_members(raw):
        json.loads(raw, object_pairs_hook=_distinct)
    return parsed


def _may_repeat_members(raw: bytes) -> bool:
    """Return False where no object can have two members of one name.

    Reading keeps one of them, so that writing the document again loses a colon; without escapes in the text
    nothing else can add or take one.
    """
    try:
        return b"\\" in raw or orjson.dumps(orjson.loads(raw)).count(b":") != raw.count(b":")
    except orjson.JSONDecodeError:
        return True


def _distinct(members: list[tuple[str, Any]]) -> None:
    """Refuse what pydantic takes: of two doses under one name, it would silently use the last."""
    if len({name for name, _ in members}) < len(members):
        raise MalformedJson("an object of the body has two members of one name")


def _decoded(raw: bytes) -> Any:
    """Decode the body for error pointers; None where only pydantic's laxer parser reads it (NaN)."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None


def pointer(item: Mapping[str, Any], body: Any = None) -> str:
    """RFC 6901 pointer of a pydantic error.

    pydantic puts the names of union members into its locations; walking the body leaves them out.
    """
    parts: list[int | str] = []
    location = item["loc"]
    for position, part in enumerate(location):
        last_missing = position == len(location) - 1 and item["type"] == "missing"
        if body is None or last_missing:
            parts.append(part)
        elif (isinstance(body, dict) and part in body) or (
            isinstance(body, list) and isinstance(part, int) and part < len(body)
        ):
            parts.append(part)
            body = body[part]
    return "".join("/" + _shortened(str(part)).replace("~", "~0").replace("/", "~1") for part in parts)


def _shortened(name: str) -> str:
    """Cut a name that the caller made up: the answer must not grow with it."""
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


def _message(item: Mapping[str, Any]) -> str:
    """Pydantic's sentence, except where it would repeat what was sent."""
    kind = item["type"]
    if kind == "extra_forbidden":
        return "this member is not known here; remove it or check its spelling"
    if kind == "value_error":
        return str(item["ctx"]["error"])
    if kind in {"union_tag_invalid", "model_type", "model_attributes_type"}:
        return "this member has the wrong shape"
    return str(item["msg"])
