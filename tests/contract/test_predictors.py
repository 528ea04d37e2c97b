"""Every registered predictor through the same checks."""

import itertools
import math
import re
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.predictions import PredictionsResult
from service.covariates import COVARIATES
from service.errors import InvalidInput
from service.plan_covariates import GIVEN_BY
from service.predictions import predict
from simulation.model import Input, NotApplicable, Prediction, Predictor, Value
from simulation.registry import PREDICTORS

EVERY = pytest.mark.parametrize("model", PREDICTORS.values(), ids=list(PREDICTORS))
MOST_CORNERS = 256
UNITS_OF_PROBABILITY = {"probability"}


def numeric(given_input: Input) -> bool:
    return not given_input.choices and COVARIATES[given_input.name].kind == "number"


def value_of(given_input: Input, choice: str) -> Value:
    return choice == "true" if COVARIATES[given_input.name].kind == "flag" else choice


def options(given_input: Input) -> list[Value]:
    if numeric(given_input):
        assert given_input.low is not None
        assert given_input.high is not None
        return [given_input.low, given_input.high]
    return [value_of(given_input, choice) for choice in given_input.choices] or ["other"]


def answers(model: Predictor, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
    try:
        return model.predict(covariates)
    except NotApplicable:
        return ()


def check(prediction: Prediction) -> None:
    assert math.isfinite(prediction.value)
    if prediction.unit in UNITS_OF_PROBABILITY | {"share"}:
        assert 0.0 <= prediction.value <= 1.0
    if prediction.interval is not None:
        assert 0.0 < prediction.interval.level < 1.0
        assert prediction.interval.lower <= prediction.value <= prediction.interval.upper
        assert math.isfinite(prediction.interval.lower)
        assert math.isfinite(prediction.interval.upper)
    assert all(math.isfinite(share.value) for share in prediction.contributions)


@EVERY
def test_card_is_complete(model: Predictor) -> None:
    card = model.card
    assert re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,95}", card.id)
    assert re.fullmatch(r"\d+\.\d+\.\d+", card.version)
    assert card.kind == "predictor"
    for text in (card.title, card.outcome, card.purpose, card.population, card.license_and_patents):
        assert text.strip()
    for several in (card.inputs, card.equations, card.references, card.leaves_out, card.history, card.known_values):
        assert several
    assert len({given_input.name for given_input in card.inputs}) == len(card.inputs)


@EVERY
def test_every_number_has_a_source_and_an_evidence_label(model: Predictor) -> None:
    labels = {"published", "computed", "calibrated", "assumed"}
    for reference in model.card.references:
        assert reference.citation.strip()
        assert reference.evidence in labels
    for row in model.card.coefficients:
        assert math.isfinite(row.value)
        assert row.source.strip()
        assert row.evidence in labels
    for figure in model.card.performance:
        assert figure.data.strip()
        assert figure.source.strip()


@EVERY
def test_inputs_are_words_of_the_wire(model: Predictor) -> None:
    for given_input in model.card.inputs:
        covariate = COVARIATES[given_input.name]
        assert given_input.unit == covariate.unit
        if covariate.kind == "number":
            assert given_input.low is not None
            assert given_input.high is not None
            assert given_input.low < given_input.high
        elif covariate.choices:
            assert given_input.choices
            assert set(given_input.choices) <= set(covariate.choices)
            assert set(given_input.derivation_choices) <= set(given_input.choices)


@EVERY
def test_a_population_of_certain_cancers_is_checked(model: Predictor) -> None:
    if model.card.cancer_types:
        asked = {given_input.name: given_input for given_input in model.card.inputs}["patient.cancer_type"]
        assert set(asked.derivation_choices) == set(model.card.cancer_types)


@EVERY
def test_declared_directions_and_examples_name_inputs(model: Predictor) -> None:
    names = {given_input.name for given_input in model.card.inputs}
    assert set(model.card.increases_with) <= names
    assert set(model.card.decreases_with) <= names
    assert set(model.card.example) <= names
    assert {given_input.name for given_input in model.card.inputs if given_input.required} <= set(model.card.example)
    for known in model.card.known_values:
        assert set(known.inputs) <= names


@EVERY
def test_example_is_answered_and_fits_the_schema(model: Predictor) -> None:
    computation = predict(model.card.example, [model.card.id])
    result = PredictionsResult.model_validate_json(orjson.dumps(computation.result))
    assert result.predictions
    assert not result.not_applicable
    assert [(ref.id, ref.version) for ref in computation.models] == [(model.card.id, model.card.version)]
    for prediction in result.predictions:
        assert prediction.references
        assert prediction.applicability.status == "inside" or prediction.applicability.reasons


@EVERY
def test_known_values_are_reproduced(model: Predictor) -> None:
    for known in model.card.known_values:
        first: dict[str, Any] = {}
        for prediction in model.predict(known.inputs):
            first.setdefault(prediction.outcome, prediction.value)
            first.setdefault(f"{prediction.outcome}.group", prediction.group)
        for outcome, expected in known.expected.items():
            if isinstance(expected, str):
                assert first[outcome] == expected
            else:
                assert first[outcome] == pytest.approx(expected, abs=known.absolute_tolerance, rel=0)


@EVERY
def test_a_missing_required_input_is_named(model: Predictor) -> None:
    for given_input in model.card.inputs:
        if given_input.required:
            covariates = {name: value for name, value in model.card.example.items() if name != given_input.name}
            result = predict(covariates, [model.card.id]).result
            assert isinstance(result, dict)
            assert result["predictions"] == []
            assert result["not_applicable"][0]["missing"] == [GIVEN_BY.get(given_input.name, given_input.name)]


@EVERY
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_refuses_what_is_not_a_number(model: Predictor, bad: float) -> None:
    for given_input in model.card.inputs:
        if numeric(given_input):
            covariates = {**model.card.example, given_input.name: bad}
            with pytest.raises(InvalidInput):
                predict(covariates, [model.card.id])
            result = predict(covariates).result
            assert isinstance(result, dict)
            assert all(read["model"] != model.card.id for read in result["predictions"])
            break


@EVERY
def test_finite_at_the_corners_of_the_input_box(model: Predictor) -> None:
    choices = [options(given_input) for given_input in model.card.inputs]
    names = [given_input.name for given_input in model.card.inputs]
    corners = itertools.product(*choices)
    count = math.prod(len(several) for several in choices)
    for corner in itertools.islice(corners, 0, None, max(1, count // MOST_CORNERS)):
        for prediction in answers(model, dict(zip(names, corner, strict=True))):
            check(prediction)


def box(model: Predictor) -> st.SearchStrategy[dict[str, Value]]:
    required: dict[str, st.SearchStrategy[Value]] = {}
    optional: dict[str, st.SearchStrategy[Value]] = {}
    for given_input in model.card.inputs:
        kind: st.SearchStrategy[Any] = (
            st.floats(given_input.low, given_input.high)
            if numeric(given_input)
            else st.sampled_from(options(given_input))
        )
        (required if given_input.required else optional)[given_input.name] = kind
    return st.fixed_dictionaries(required, optional=optional)  # type: ignore[arg-type]


@EVERY
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_finite_deterministic_and_within_bounds_everywhere(model: Predictor, data: st.DataObject) -> None:
    covariates = data.draw(box(model))
    found = answers(model, covariates)
    assert found == answers(model, dict(covariates))
    for prediction in found:
        check(prediction)
        assert all(0 <= position < len(model.card.references) for position in prediction.references)


@EVERY
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_monotone_where_it_says_so(model: Predictor, data: st.DataObject) -> None:
    declared = [(name, 1.0) for name in model.card.increases_with]
    declared += [(name, -1.0) for name in model.card.decreases_with]
    if not declared:
        return
    name, sign = data.draw(st.sampled_from(declared))
    moved = next(given_input for given_input in model.card.inputs if given_input.name == name)
    covariates = data.draw(box(model))
    if numeric(moved):
        low, high = sorted(data.draw(st.tuples(*[st.floats(moved.low, moved.high)] * 2)))
    else:
        low, high = options(moved)[0], options(moved)[-1]
    before, after = (answers(model, {**covariates, name: value}) for value in (low, high))
    if before and after:
        rise = sign * (after[0].value - before[0].value)
        assert rise >= -1e-9 * max(1.0, abs(before[0].value))


def test_patented_signatures_are_not_built() -> None:
    assert not [name for name in PREDICTORS if re.search(r"(^|[^a-z])(rsi|gard)([^a-z]|$)", name)]


def test_ids_follow_the_file_names() -> None:
    for model in PREDICTORS.values():
        module = type(model).__module__.rpartition(".")[2]
        assert model.card.id.replace("-", "_") == module
