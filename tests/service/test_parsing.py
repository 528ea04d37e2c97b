"""Reading JSON: members given twice are found, however they are spelled."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.base import Schema
from service.parsing import InvalidBody, MalformedJson, parse


class Anything(Schema):
    """A body that takes any JSON."""

    root: Any = None


_TEXT = st.text(alphabet=st.sampled_from('ab:"\\{}é\u2028\n'), max_size=4)
_SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False) | _TEXT


def _write(value: Any, escaped: bool) -> str:
    """Write JSON in which an object is a list of pairs, so that a name can stand twice."""
    if isinstance(value, tuple):
        members = (f"{json.dumps(name, ensure_ascii=escaped)} : {_write(item, escaped)}" for name, item in value)
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_write(item, escaped) for item in value) + "]"
    text = json.dumps(value, ensure_ascii=escaped)
    return text.replace(":", "\\u003a") if escaped and isinstance(value, str) else text


def _repeats(value: Any) -> bool:
    if isinstance(value, tuple):
        names = [name for name, _ in value]
        return len(set(names)) < len(names) or any(_repeats(item) for _, item in value)
    return isinstance(value, list) and any(_repeats(item) for item in value)


_DOCUMENTS = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(_TEXT, inner), max_size=4).map(tuple),
    max_leaves=12,
)


@given(_DOCUMENTS, st.booleans())
def test_a_member_given_twice_is_refused_and_nothing_else(document: Any, escaped: bool) -> None:
    raw = f'{{"root": {_write(document, escaped)}}}'.encode()
    if _repeats(document):
        with pytest.raises(MalformedJson, match="two members of one name"):
            parse(Anything, raw)
    else:
        parse(Anything, raw)


def test_an_escaped_colon_does_not_hide_a_member_given_twice() -> None:
    with pytest.raises(MalformedJson):
        parse(Anything, b'{"root": {"a": 1, "a": "\\u003a"}}')


def test_a_pointer_does_not_grow_with_a_made_up_name() -> None:
    name = "~/" * 500_000
    with pytest.raises(InvalidBody) as refused:
        parse(Anything, json.dumps({name: 1}).encode())
    (pointer,) = [item["pointer"] for item in refused.value.errors]
    assert pointer == "/" + "~0~1" * 50 + "…"
