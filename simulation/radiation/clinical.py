"""Named clinical models: dose metrics and patient factors to a risk."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Any, Literal

import numpy as np

from simulation.model import Interval, Reference
from simulation.radiation.dvh import Dvh
from simulation.radiation.metrics import Metric, metric
from simulation.radiation.structure import Part, Structure, find
from simulation.radiation.tables import read_table
from simulation.radiation.uncertainty import propagate

Link = Literal["logit", "cox", "relative_risk", "hazard_ratio"]
Answer = Literal["probability", "relative_risk", "hazard_ratio"]


class MissingStructure(Exception):
    """A structure that the model needs was not given, or cannot give the metric; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A dose metric of one structure with its coefficient per unit of the metric."""

    organ: str
    part: Part
    metric: Metric
    coefficient: float
    square_root: bool = False

    @property
    def label(self) -> str:
        """Name of the input, for instance ``lung.mean``."""
        side = "" if self.part == "whole" else f"_{self.part}"
        return f"{self.organ}{side}.{self.metric.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseInput:
    """A dose metric as it entered a model."""

    structure: str
    name: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorInput:
    """A patient factor as it entered a model; ``assumed`` where the request was silent."""

    name: str
    value: str
    assumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicalRisk:
    """The answer of one clinical model."""

    value: float
    interval: Interval | None
    doses: tuple[DoseInput, ...]
    factors: tuple[FactorInput, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicalModel:
    """A published model with all its numbers; see the head of the table for the meaning of the members."""

    id: str
    title: str
    outcome: str
    answer: Answer
    link: Link
    population: str
    fractionation: Literal["conventional", "hypofractionated", "any"]
    dose: Literal["eqd2", "fractions", "physical"]
    alpha_beta_gy: float | None
    reference_fractions: float | None
    intercept: float
    terms: tuple[Term, ...]
    flags: Mapping[str, float]
    choices: Mapping[str, Mapping[str, float]]
    baseline_hazard: float | None
    coefficient_interval: Interval | None
    curve_intervals: Mapping[str, Interval]
    odds_ratio_intervals: Mapping[str, Interval]
    interval_note: str
    note: str | None
    setting: Literal["primary", "postoperative"] | None
    horizon_days: int | None
    reference: Reference

    def dose_basis(self, dvh: Dvh, fraction_count: float) -> Dvh:
        """Return the distribution in the dose that the coefficients belong to.

        Parameters
        ----------
        dvh : Dvh
            Physical dose.
        fraction_count : float
            Number of equal fractions.

        Returns
        -------
        Dvh
            EQD2, iso-effective dose in the reference number of fractions, or physical dose.
        """
        if self.dose == "physical":
            return dvh
        assert self.alpha_beta_gy is not None
        if self.dose == "eqd2":
            return dvh.in_eqd2(fraction_count, self.alpha_beta_gy)
        assert self.reference_fractions is not None
        return dvh.in_fractions(fraction_count, self.reference_fractions, self.alpha_beta_gy)

    def evaluate(
        self,
        structures: Sequence[Structure],
        fraction_count: float,
        factors: Mapping[str, bool | str],
        *,
        level: float = 0.95,
        stream: np.random.Generator | None = None,
    ) -> ClinicalRisk:
        """Return the risk of one patient.

        Parameters
        ----------
        structures : sequence of Structure
            Physical dose distributions.
        fraction_count : float
            Number of equal fractions.
        factors : mapping
            Patient factors by name; an absent flag counts as no, an absent choice as its first category.
        level : float
            Coverage of a sampled interval; the image of a single coefficient's interval keeps the published one.
        stream : numpy.random.Generator, optional
            Source of randomness; without it there is no sampled interval.

        Returns
        -------
        ClinicalRisk
            With every dose and factor that went in.

        Raises
        ------
        MissingStructure
            When a structure is missing.
        """
        doses = tuple(self._dose(term, structures, fraction_count) for term in self.terms)
        used: list[FactorInput] = []
        score = self.intercept
        for name, coefficient in self.flags.items():
            present = bool(factors.get(name, False))
            used.append(FactorInput(name=name, value="yes" if present else "no", assumed=name not in factors))
            score += coefficient if present else 0.0
        for name, categories in self.choices.items():
            category = str(factors.get(name, next(iter(categories))))
            used.append(FactorInput(name=name, value=category, assumed=name not in factors))
            score += categories[category]
        coefficients = [term.coefficient for term in self.terms]
        return ClinicalRisk(
            value=self._linked(score, doses, coefficients),
            interval=self._interval(score, doses, factors, level, stream),
            doses=doses,
            factors=tuple(used),
        )

    def _dose(self, term: Term, structures: Sequence[Structure], fraction_count: float) -> DoseInput:
        structure = find(structures, term.organ, term.part)
        if structure is None:
            side = "" if term.part == "whole" else f" ({term.part})"
            raise MissingStructure(f"needs the dose to {term.organ.replace('_', ' ')}{side}")
        if term.metric.kind == "dose_at_volume" and structure.dvh.volume_cm3 is None:
            raise MissingStructure(f"needs the volume of {term.organ.replace('_', ' ')}")
        if term.metric.kind == "dose_at_volume" and term.metric.at > (structure.dvh.volume_cm3 or 0.0):
            raise MissingStructure(f"{term.organ.replace('_', ' ')} is smaller than {term.metric.at:g} cm3")
        value = term.metric.read(self.dose_basis(structure.dvh, fraction_count))
        return DoseInput(structure=structure.id, name=term.label, value=value, unit=term.metric.unit)

    def _linked(
        self, score: float, doses: Sequence[DoseInput], coefficients: Sequence[float], shift: float = 0.0
    ) -> float:
        score += shift
        for term, dose, coefficient in zip(self.terms, doses, coefficients, strict=True):
            amount = dose.value / 100.0 if dose.unit == "%" else dose.value
            slope = log(coefficient) if self.link == "hazard_ratio" else coefficient
            score += slope * (sqrt(amount) if term.square_root else amount)
        if self.link == "logit":
            return 1.0 / (1.0 + exp(-score)) if score >= 0 else exp(score) / (1.0 + exp(score))
        if self.link == "cox":
            assert self.baseline_hazard is not None
            return 1.0 - exp(-self.baseline_hazard * exp(min(score, 700.0)))
        return 1.0 + score if self.link == "relative_risk" else exp(min(score, 700.0))

    def _interval(
        self,
        score: float,
        doses: Sequence[DoseInput],
        factors: Mapping[str, bool | str],
        level: float,
        stream: np.random.Generator | None,
    ) -> Interval | None:
        """Image of the interval of the one coefficient that has one, or of samples of several."""
        source = self.coefficient_interval
        if source is not None:
            return Interval(
                level=source.level,
                lower=self._linked(score, doses, [source.lower]),
                upper=self._linked(score, doses, [source.upper]),
            )
        if stream is None:
            return None
        values, intervals = self.uncertain([name for name in self.flags if factors.get(name, False)])
        return propagate(
            lambda sample: self._linked(score, doses, *self.resampled(sample)),
            values,
            intervals,
            level=level,
            stream=stream,
        )

    def uncertain(self, present: Collection[str]) -> tuple[dict[str, float], dict[str, Interval]]:
        """Return what is uncertain for a patient with these factors.

        Parameters
        ----------
        present : collection of str
            Yes-or-no factors that are there.

        Returns
        -------
        dict of str to float, dict of str to Interval
            Estimate and interval of the curve in dose and of the odds ratios, both by name; empty where none has one.
        """
        ratios = {name: one for name, one in self.odds_ratio_intervals.items() if name in present}
        values = {**self.curve, **{name: exp(self.flags[name]) for name in ratios}}
        return values, {**self.curve_intervals, **ratios}

    @property
    def curve(self) -> dict[str, float]:
        """Dose of 50 % risk in Gy and slope there, where these have intervals."""
        if not self.curve_intervals:
            return {}
        return {"d50_gy": -self.intercept / self.terms[0].coefficient, "gamma50": -self.intercept / 4.0}

    def resampled(self, sample: Mapping[str, float]) -> tuple[list[float], float]:
        """Return the coefficients of the terms, and the shift of the score, under other values of what is uncertain.

        Parameters
        ----------
        sample : mapping of str to float
            One draw of what :meth:`uncertain` names.

        Returns
        -------
        list of float, float
            In the order of the terms; the shift is on the scale of the score.
        """
        shift = sum(log(sample[name]) - value for name, value in self.flags.items() if name in sample)
        coefficients = [term.coefficient for term in self.terms]
        if self.curve_intervals:
            shift += -4.0 * sample["gamma50"] - self.intercept
            coefficients = [4.0 * sample["gamma50"] / sample["d50_gy"]]
        return coefficients, shift


def _term(row: Mapping[str, Any], coefficient: float) -> Term:
    return Term(
        organ=row["organ"],
        part=row.get("part", "whole"),
        metric=metric(row["metric"]),
        coefficient=coefficient,
        square_root=row.get("transform") == "sqrt",
    )


def _intervals(bounds: Mapping[str, Sequence[float]]) -> dict[str, Interval]:
    return {name: Interval(level=0.95, lower=low, upper=high) for name, (low, high) in bounds.items()}


def _model(row: Mapping[str, Any], table: Mapping[str, Any]) -> ClinicalModel:
    base = row.get("base")
    slope = None if base is None else 4.0 * base["gamma50"] / base["d50_gy"]
    odds = row.get("odds_ratios", {})
    interval = row.get("coefficient_interval")
    return ClinicalModel(
        id=row["id"],
        title=row["title"],
        outcome=row["outcome"],
        answer=row["answer"],
        link=row["link"],
        population=row["population"],
        fractionation=row["fractionation"],
        dose=row["dose"],
        alpha_beta_gy=row.get("alpha_beta_gy"),
        reference_fractions=row.get("reference_fractions"),
        intercept=row["intercept"] if base is None else -4.0 * base["gamma50"],
        terms=tuple(_term(term, term["coefficient"] if slope is None else slope) for term in row["terms"]),
        flags={**row.get("coefficients", {}), **{name: log(ratio) for name, ratio in odds.items()}},
        choices={choice["factor"]: choice["coefficients"] for choice in row.get("choices", [])},
        baseline_hazard=row.get("baseline_hazard"),
        coefficient_interval=None if interval is None else Interval(**interval),
        curve_intervals=_intervals(row.get("curve_intervals", {})),
        odds_ratio_intervals=_intervals(
            {name: bounds for name, bounds in table["odds_ratio_intervals"].items() if name in odds}
        ),
        interval_note=table["interval_notes"][row["source"]],
        note=row.get("note"),
        setting=row.get("setting"),
        horizon_days=row.get("horizon_days"),
        reference=Reference(**table["sources"][row["source"]]),
    )


_TABLE = read_table("radiation_clinical.toml")
MODELS: Sequence[ClinicalModel] = tuple(_model(row, _TABLE) for row in _TABLE["models"])
SENSITIVITY_ODDS_RATIOS: Mapping[str, float] = _TABLE["sensitivity_odds_ratios"]
"""A second odds ratio of a factor, from another trial, by the name of the factor."""
