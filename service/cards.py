"""Model cards: the list, one card as JSON, one card as a page."""

from functools import cache

from schemas import models as wire
from schemas.base import IntervalRead
from service.card_page import render
from service.errors import NotFound
from simulation.model import Calibration, Coefficient, ModelCard, Performance
from simulation.registry import CARDS


@cache
def list_cards() -> wire.ModelList:
    """Return one line about every model, in alphabetical order."""
    return wire.ModelList(models=[_summary(card) for card in CARDS.values()])


@cache
def read_card(model_id: str) -> wire.ModelCardRead:
    """Return the card of one model.

    Raises
    ------
    NotFound
        No model has this id.
    """
    return _read(_card(model_id))


@cache
def page(model_id: str) -> str:
    """Return the card of one model as a self-contained HTML page.

    Raises
    ------
    NotFound
        No model has this id.
    """
    return render(read_card(model_id))


def _card(model_id: str) -> ModelCard:
    try:
        return CARDS[model_id]
    except KeyError:
        raise NotFound("no model has this id; GET /v1/models lists them") from None


def _summary(card: ModelCard) -> wire.ModelSummary:
    return wire.ModelSummary(
        id=card.id,
        version=card.version,
        title=card.title,
        kind=card.kind,
        outcome=card.outcome,
        cancer_types=list(card.cancer_types),
        validated_on_patients=card.validated_on_patients,
        by_name_only=card.by_name_only,
    )


def _read(card: ModelCard) -> wire.ModelCardRead:
    return wire.ModelCardRead(
        id=card.id,
        version=card.version,
        title=card.title,
        kind=card.kind,
        outcome=card.outcome,
        cancer_types=list(card.cancer_types),
        validated_on_patients=card.validated_on_patients,
        by_name_only=card.by_name_only,
        purpose=card.purpose,
        population=card.population,
        horizon_days=card.horizon_days,
        inputs=[
            wire.InputRead(
                name=given.name,
                unit=given.unit,
                required=given.required,
                low=given.low,
                high=given.high,
                derivation_low=given.derivation_low,
                derivation_high=given.derivation_high,
                choices=list(given.choices),
                derivation_choices=list(given.derivation_choices),
                why=given.why,
            )
            for given in card.inputs
        ],
        equations=list(card.equations),
        coefficients=[
            wire.CoefficientRead(
                name=row.name,
                value=row.value,
                interval=_interval(row),
                unit=row.unit,
                evidence=row.evidence,
                source=row.source,
                verified=row.verified,
            )
            for row in card.coefficients
        ],
        coefficients_note=card.coefficients_note,
        references=[
            wire.ReferenceRead(
                citation=reference.citation,
                doi=reference.doi,
                url=reference.url,
                evidence=reference.evidence,
                verified=reference.verified,
            )
            for reference in card.references
        ],
        performance=[_performance(figure) for figure in card.performance],
        performance_note=card.performance_note,
        calibration=[_calibration(figure) for figure in card.calibration],
        calibration_note=card.calibration_note,
        known_failures=list(card.known_failures),
        leaves_out=list(card.leaves_out),
        increases_with=list(card.increases_with),
        decreases_with=list(card.decreases_with),
        example=dict(card.example),
        known_values=[
            wire.KnownValueRead(
                inputs=dict(value.inputs),
                expected=dict(value.expected),
                absolute_tolerance=value.absolute_tolerance,
                source=value.source,
            )
            for value in card.known_values
        ],
        license_and_patents=card.license_and_patents,
        history=list(card.history),
    )


def _interval(given: Coefficient | Performance) -> IntervalRead | None:
    if given.lower is None or given.upper is None or given.level is None:
        return None
    return IntervalRead(level=given.level, lower=given.lower, upper=given.upper)


def _performance(figure: Performance) -> wire.PerformanceFigureRead:
    return wire.PerformanceFigureRead(
        metric=figure.metric,
        value=figure.value,
        interval=_interval(figure),
        n=figure.n,
        data=figure.data,
        source=figure.source,
        in_sample=figure.in_sample,
    )


def _calibration(figure: Calibration) -> wire.CalibrationRead:
    return wire.CalibrationRead(
        outcome=figure.outcome,
        data=figure.data,
        in_sample=figure.in_sample,
        source=figure.source,
        groups=[
            wire.CalibrationGroupRead(mean_predicted=group.mean_predicted, n=group.n, events=group.events)
            for group in figure.groups
        ],
    )
