"""Flattens patient and plan into the dotted covariate names that predictors declare.

A patient's covariate is named by its path on the wire (``patient.labs.albumin_g_per_l``).
Of a plan, predictors see summaries (``plan.mean_lung_dose_gy``); the table below lists them.
A summary that the plan does not determine is absent: nothing is imputed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from schemas.base import Schema
from schemas.patient import Patient
from schemas.plan import Plan
from service.plan_covariates import PLAN_COVARIATES, plan_covariates
from simulation.model import Value

Kind = Literal["number", "flag", "choice"]


@dataclass(frozen=True, slots=True)
class Covariate:
    """One name of the vocabulary: unit, kind of value, choices, and where it stands in a request."""

    name: str
    unit: str
    kind: Kind
    choices: tuple[str, ...]
    pointer: str
    description: str


_NESTED = ("labs", "biomarkers", "conditions")


def _types(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _types(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from _types(member)
    elif annotation is not type(None):
        yield annotation


def _describe(schema: type[Schema], prefix: str) -> Iterator[Covariate]:
    for field_name, info in schema.model_fields.items():
        kinds = list(_types(info.annotation))
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        name = f"{prefix}.{field_name}"
        pointer = "/" + name.replace(".", "/")
        description = info.description or ""
        if kinds == [bool]:
            yield Covariate(name, "", "flag", ("false", "true"), pointer, description)
        elif len(kinds) == 1 and get_origin(kinds[0]) is Literal:
            yield Covariate(name, "", "choice", get_args(kinds[0]), pointer, description)
        elif kinds in ([float], [int]):
            yield Covariate(name, str(extra.get("unit", "")), "number", (), pointer, description)


def _vocabulary() -> dict[str, Covariate]:
    found = list(_describe(Patient, "patient"))
    for member in _NESTED:
        nested = Patient.model_fields[member].annotation
        assert isinstance(nested, type)
        found += _describe(nested, f"patient.{member}")
    for name, unit, kind, choices, description in PLAN_COVARIATES:
        found.append(Covariate(name, unit, kind, choices, "/plan", description))
    return {covariate.name: covariate for covariate in found}


COVARIATES: Final[Mapping[str, Covariate]] = _vocabulary()
_PATIENT_NAMES: Final = tuple(
    (None, name, f"patient.{name}") for name in Patient.model_fields if f"patient.{name}" in COVARIATES
) + tuple(
    (member, name.rsplit(".", 1)[1], name)
    for member in _NESTED
    for name in COVARIATES
    if name.startswith(f"patient.{member}.")
)
_TOP: Final = tuple((field, name) for member, field, name in _PATIENT_NAMES if member is None)
_INNER: Final = tuple(
    (member, tuple((field, name) for owner, field, name in _PATIENT_NAMES if owner == member)) for member in _NESTED
)


def flatten(patient: Patient, plan: Plan | None) -> dict[str, Value]:
    """Return every covariate that the request determines, by dotted name."""
    found: dict[str, Value] = {}
    members = patient.__dict__
    for field, name in _TOP:
        value = members[field]
        if value is not None:
            found[name] = value
    for member, names in _INNER:
        inner = members[member].__dict__
        for field, name in names:
            value = inner[field]
            if value is not None:
                found[name] = value
    if plan is not None:
        found.update(plan_covariates(plan, patient.weight_kg))
    return found
