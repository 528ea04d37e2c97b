"""A docstring under a member is its description, unless its type brings one: then the docstring is dead."""

import ast
import importlib
import inspect
import pkgutil

import pytest

import schemas
from schemas.base import Schema

MODULES = [f"schemas.{found.name}" for found in pkgutil.iter_modules(schemas.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_every_docstring_of_a_member_is_its_description(name):
    module = importlib.import_module(name)
    for body in ast.parse(inspect.getsource(module)).body:
        model = getattr(module, body.name) if isinstance(body, ast.ClassDef) else None
        if model is None or not issubclass(model, Schema):
            continue
        for member, text in zip(body.body, body.body[1:], strict=False):
            if (
                isinstance(member, ast.AnnAssign)
                and isinstance(text, ast.Expr)
                and isinstance(text.value, ast.Constant)
            ):
                assert model.model_fields[member.target.id].description == inspect.cleandoc(text.value.value)
