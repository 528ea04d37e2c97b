"""Model cards of the complication sets and the named clinical models, one for each row of their tables."""

from dataclasses import replace
from math import exp
from typing import Any

from simulation.cards import _rows
from simulation.cards._tables import FIRST_VERSION, UNCHECKED
from simulation.model import Coefficient, Input, Interval, ModelCard
from simulation.radiation import clinical, complications
from simulation.radiation.clinical import ClinicalModel
from simulation.radiation.complications import ComplicationModel

_PURPOSE = "Compare plans by the risk in a population like the one of the source; no prediction for one patient."
_LICENSE = "Numbers from the cited publication or library; code written for this project."
_COUNT = Input(name="fraction_count", unit="1", low=1.0, high=200.0)
_EQUATIONS = {
    "lyman": ("gEUD = (sum v_i D_i^(1/n))^n", "P = Phi((gEUD - TD50) / (m TD50))"),
    "log_logistic": ("gEUD = (sum v_i D_i^a)^(1/a)", "P = 1 / (1 + (TD50 / gEUD)^(4 gamma50))"),
    "logistic": ("gEUD = (sum v_i D_i^a)^(1/a)", "P = 1 / (1 + exp(4 gamma50 (1 - gEUD / D50)))"),
    "poisson_kallman": ("P = 2^(-exp(e gamma (1 - D / D50)))",),
    "poisson_exact": ("P = exp(-exp(e gamma - (D / D50) (e gamma - ln ln 2)))",),
    "relative_seriality_kallman": (
        "P_i = 2^(-exp(e gamma (1 - D_i / D50)))",
        "P = [1 - prod (1 - P_i^s)^v_i]^(1/s)",
    ),
    "relative_seriality_exact": (
        "P_i = exp(-exp(e gamma - (D_i / D50) (e gamma - ln ln 2)))",
        "P = [1 - prod (1 - P_i^s)^v_i]^(1/s)",
    ),
}
_BASIS = {
    "eqd2": "D_i = EQD2 of each bin with its own dose per fraction",
    "physical": "D_i = physical dose",
    "fractions": "D_i = iso-effective dose in the reference number of fractions, bin by bin",
}
_LINKS = {
    "logit": "P = 1 / (1 + exp(-score))",
    "cox": "P = 1 - exp(-H0 exp(score))",
    "relative_risk": "RR = 1 + score",
    "hazard_ratio": "HR = product of hazard ratio ^ metric",
}
_UNITS = {"td50_gy": "Gy", "d50_gy": "Gy"}


def _complication(model: ComplicationModel) -> ModelCard:
    assert model.reference is not None
    reference = model.reference
    organ = model.organ.replace("_", " ")
    rows = (
        *(
            _with_interval(_rows.cited(name, value, _UNITS.get(name, "1"), reference), model.intervals.get(name))
            for name, value in model.parameters.items()
        ),
        Coefficient(
            name="alpha_beta_gy",
            value=model.alpha_beta_gy,
            unit="Gy",
            evidence="published" if model.alpha_beta_source == "published" else "assumed",
            source=reference.citation if model.alpha_beta_source == "published" else "Customary value.",
            verified=reference.verified and model.alpha_beta_source == "published",
        ),
    )
    return ModelCard(
        id=model.id,
        title=f"{organ.capitalize()}: {model.endpoint}",
        kind="toxicity",
        outcome=model.endpoint,
        purpose=_PURPOSE,
        population=f"Patients of the source, conventionally fractionated radiotherapy near the {organ}.",
        inputs=(Input(name="structures.dvh", unit="Gy", why=f"Dose distribution of the {organ}."), _COUNT),
        equations=(_BASIS[model.dose], *_EQUATIONS[model.form]),
        references=(reference,),
        leaves_out=("patient factors", "chemotherapy and immunotherapy", "dose to other organs"),
        example={"organ": model.organ, "fraction_count": 30},
        validated_on_patients=False,
        coefficients=rows,
        known_failures=(UNCHECKED, model.interval_note),
        increases_with=("structures.dvh",),
        license_and_patents=_LICENSE,
        **_version(rows),
    )


def _coefficients(model: ClinicalModel) -> tuple[Coefficient, ...]:
    reference = model.reference
    found = [_rows.cited("intercept", model.intercept, "1", reference)]
    found += [
        _with_interval(
            _rows.cited(term.label, term.coefficient, f"1/{term.metric.unit}", reference), model.coefficient_interval
        )
        for term in model.terms
    ]
    found += [
        replace(
            _with_interval(_rows.cited(name, value, _UNITS.get(name, "1"), reference), model.curve_intervals[name]),
            evidence="computed",
            source=f"From intercept and coefficient; interval: {reference.citation}",
        )
        for name, value in model.curve.items()
    ]
    found += [
        _with_interval(
            _rows.cited(f"{name} (odds ratio)", exp(value), "1", reference), model.odds_ratio_intervals.get(name)
        )
        for name, value in model.flags.items()
    ]
    found += [
        _rows.cited(f"{factor}: {category}", value, "1", reference)
        for factor, categories in model.choices.items()
        for category, value in categories.items()
    ]
    return tuple(found)


def _with_interval(row: Coefficient, interval: Interval | None) -> Coefficient:
    if interval is None:
        return row
    return replace(row, lower=interval.lower, upper=interval.upper, level=interval.level)


def _version(rows: tuple[Coefficient, ...]) -> dict[str, Any]:
    """Return version and history; a card with intervals is one version ahead of one without."""
    if all(row.level is None for row in rows):
        return {"version": "1.0.0", "history": FIRST_VERSION}
    return {"version": "1.1.0", "history": (*FIRST_VERSION, "1.1.0: shows the intervals of its parameters.")}


def _clinical(model: ClinicalModel) -> ModelCard:
    doses = tuple(
        Input(name=f"structures.{term.label}", unit=term.metric.unit, low=0.0, why="Dose metric of the structure.")
        for term in model.terms
    )
    flags = tuple(
        Input(name=f"factors.{name}", unit="", choices=("no", "yes"), required=False, why="Counts as no when absent.")
        for name in model.flags
    )
    choices = tuple(
        Input(
            name=f"factors.{name}",
            unit="",
            choices=tuple(categories),
            required=False,
            why="Counts as the first category when absent.",
        )
        for name, categories in model.choices.items()
    )
    rows = _coefficients(model)
    return ModelCard(
        id=model.id,
        title=model.title,
        kind="toxicity",
        outcome=model.outcome,
        purpose=_PURPOSE,
        population=model.population,
        inputs=(*doses, *flags, *choices),
        equations=(
            _BASIS[model.dose],
            "score = intercept + sum coefficient x metric + sum of factors",
            _LINKS[model.link],
        ),
        references=(model.reference,),
        leaves_out=("time to the event",),
        example={f"structures.{term.label}": 15.0 for term in model.terms},
        validated_on_patients=False,
        horizon_days=model.horizon_days,
        coefficients=rows,
        known_failures=(*(() if model.note is None else (model.note,)), UNCHECKED, model.interval_note),
        increases_with=tuple(f"structures.{term.label}" for term in model.terms),
        license_and_patents=_LICENSE,
        **_version(rows),
    )


CARDS: tuple[ModelCard, ...] = (
    *(_complication(model) for model in complications.MODELS),
    *(_clinical(model) for model in clinical.MODELS),
)
