"""Adverse events of checkpoint inhibitors: what pools and trials of the same treatment observed."""

import itertools
from collections.abc import Iterator, Mapping
from functools import cache

from simulation.immunotherapy.adverse_events import (
    COMBINATION_RELATIVE_RISK,
    COMBINATION_SOURCE,
    INCIDENCE,
    ONSET_WEEKS,
    SOURCES,
    Incidence,
)
from simulation.model import Coefficient, KnownValue, ModelCard, NotApplicable, Prediction, Value
from simulation.predictors._answers import published
from simulation.predictors._antibodies import course_inputs
from simulation.predictors._inputs import ANY_CHECKPOINT_CLASS, CANCER_TYPES, STAGES, cancer_type, chosen, flag

CLASS = "plan.checkpoint_class"
AGENTS = "plan.agents"
CANCER_TYPE = "patient.cancer_type"
STAGE = "patient.stage"
PRIOR_THERAPY = "patient.prior_systemic_therapy"
CHEMOTHERAPY = "plan.with_chemotherapy"
_NAMES = (
    "atezolizumab", "avelumab", "cemiplimab", "dostarlimab", "durvalumab", "ipilimumab", "nivolumab", "pembrolizumab",
    "relatlimab", "tremelimumab",
)  # fmt: skip
_COMBINATIONS = ("pd1_ctla4", "pd_l1_ctla4")
_USED = tuple(dict.fromkeys([*(row.source for row in INCIDENCE), COMBINATION_SOURCE, "martins2019"]))
_POOLED = "PD-1 and PD-L1 antibodies alone, pooled trials"
_FLAT = "Incidence under PD-1 and PD-L1 antibodies does not rise with dose over the approved range."


def _note(row: Incidence) -> str | None:
    parts = []
    if row.bounds is None:
        parts.append("No interval was read.")
    if row.events is not None:
        parts.append(f"{row.events} of {row.n}; the interval is computed (Wilson).")
    elif row.n is not None and row.lower is None:
        parts.append(f"n = {row.n}; the interval is computed (Wilson).")
    if row.organ is not None and row.organ in ONSET_WEEKS:
        first, last = ONSET_WEEKS[row.organ]
        parts.append(f"Typical onset in week {first:g} to {last:g} (recorded from memory).")
    return " ".join(parts) or None


def _answer(row: Incidence) -> Prediction:
    onset = row.organ is not None and row.organ in ONSET_WEEKS
    return published(
        f"{row.event}_{row.grades}",
        row.probability,
        "probability",
        row.bounds,
        group=row.group or _POOLED,
        note=_note(row),
        references=tuple(_USED.index(source) for source in (row.source, *(("martins2019",) if onset else ()))),
    )


_ANSWERS = tuple((row, _answer(row)) for row in INCIDENCE)
_RELATIVE_RISK = published(
    "adverse_events_against_single_agent",
    COMBINATION_RELATIVE_RISK["value"],
    "relative_risk",
    (COMBINATION_RELATIVE_RISK["lower"], COMBINATION_RELATIVE_RISK["upper"]),
    group="combination against one checkpoint inhibitor",
    references=(_USED.index(COMBINATION_SOURCE),),
)


def differs(row: Incidence, covariates: Mapping[str, Value]) -> Iterator[str]:
    """Yield how the patient and the plan differ from the trial of this row.

    Parameters
    ----------
    row : Incidence
    covariates : mapping of str to value
        By dotted name.
    """
    given = covariates.get(CANCER_TYPE)
    if row.cancer_types and given is not None and given not in row.cancer_types:
        yield f"The trial enrolled {' or '.join(row.cancer_types)} only."
    chemotherapy = covariates.get(CHEMOTHERAPY)
    if None not in (row.with_chemotherapy, chemotherapy) and chemotherapy != row.with_chemotherapy:
        yield f"The trial gave the antibodies {'with' if row.with_chemotherapy else 'without'} chemotherapy."
    stage = covariates.get(STAGE)
    if row.stages and stage is not None and stage not in row.stages:
        yield f"The trial enrolled stage {' or '.join(row.stages)} only."
    if row.first_line and covariates.get(PRIOR_THERAPY) is True:
        yield "The trial enrolled patients without systemic therapy before."
    if row.ctla4 is not None:
        yield from row.ctla4.differs(covariates)


def _unchecked(row: Incidence, covariates: Mapping[str, Value]) -> Iterator[str]:
    """Yield the names that the trial of this row fixes, and that are not known of patient and plan."""
    if row.stages and STAGE not in covariates:
        yield STAGE
    if row.first_line and PRIOR_THERAPY not in covariates:
        yield PRIOR_THERAPY
    if row.with_chemotherapy is not None and CHEMOTHERAPY not in covariates:
        yield CHEMOTHERAPY
    if row.ctla4 is not None:
        yield from row.ctla4.unchecked(covariates)


@cache
def _apart(answer: Prediction, outside: tuple[str, ...], unchecked: tuple[str, ...]) -> Prediction:
    """Return the figure with the differences; one object for all patients who differ alike."""
    return answer._replace(outside=outside, unchecked=unchecked)


def _found(covariates: Mapping[str, Value]) -> Iterator[Prediction]:
    treatment_class, agents = covariates[CLASS], covariates.get(AGENTS)
    for row, answer in _ANSWERS:
        if treatment_class in row.classes or (agents is not None and row.agents == agents):
            outside, unchecked = tuple(differs(row, covariates)), tuple(_unchecked(row, covariates))
            yield _apart(answer, outside, unchecked) if outside or unchecked else answer
    if treatment_class in _COMBINATIONS:
        yield _RELATIVE_RISK


class Model:
    """Incidence by class, agents, organ and grade."""

    card = ModelCard(
        id="irae-incidence",
        version="1.1.0",
        title="Adverse events of checkpoint inhibitors by class and agents",
        kind="predictor",
        outcome="incidence of treatment-related, immune-mediated and organ-specific adverse events by grade",
        purpose="Says what pools and trials of the same treatment observed; not one patient's chance.",
        population="Trial populations; PD-1 and PD-L1 antibodies alone: 125 trials, more than 18,000 patients",
        inputs=(
            chosen(CLASS, ANY_CHECKPOINT_CLASS, ANY_CHECKPOINT_CLASS),
            chosen(
                AGENTS,
                tuple("+".join(names) for size in (1, 2) for names in itertools.combinations(_NAMES, size)),
                required=False,
                why="Adds the trials of exactly these agents.",
            ),
            cancer_type(*CANCER_TYPES),
            chosen(STAGE, STAGES, required=False, why="The trials enrolled advanced disease."),
            flag(PRIOR_THERAPY, required=False, why="Many trials were first-line."),
            flag(CHEMOTHERAPY, required=False, why="Compared with what the trial gave."),
            *course_inputs("ipilimumab", "tremelimumab"),
        ),
        equations=("table look-up", "Wilson interval where counts are known, the printed interval elsewhere"),
        references=tuple(SOURCES[name] for name in _USED),
        leaves_out=("Age, autoimmune disease, organ function.", "Chemotherapy and radiotherapy given with it."),
        coefficients=tuple(
            Coefficient(
                name=f"typical onset, {organ}, {side} week",
                value=weeks[index],
                unit="wk",
                evidence="published",
                source=SOURCES["martins2019"].citation,
                verified=False,
            )
            for organ, weeks in ONSET_WEEKS.items()
            for index, side in enumerate(("first", "last"))
        ),
        example={CLASS: "pd1", AGENTS: "pembrolizumab"},
        known_values=(
            KnownValue(
                inputs={CLASS: "pd_l1"},
                expected={
                    "treatment_related_any_grade": 0.660,
                    "treatment_related_grade_3_or_higher": 0.140,
                    "fatigue_any_grade": 0.1826,
                },
                absolute_tolerance=5e-4,
                source="doi:10.1001/jamaoncol.2019.0393",
            ),
            KnownValue(
                inputs={CLASS: "pd1_lag3", AGENTS: "nivolumab+relatlimab"},
                expected={"treatment_related_grade_3_or_higher": 0.189},
                absolute_tolerance=5e-4,
                source="doi:10.1056/NEJMoa2109970",
            ),
        ),
        known_failures=(
            _FLAT,
            "Definitions differ: treatment-related, immune-mediated and any-cause figures must not be compared.",
            "Doses of PD-1 and PD-L1 antibodies, and radiotherapy given with them, are not compared with the trials.",
        ),
        validated_on_patients=True,
        history=(
            "1.0.0: first version.",
            "1.1.0: doses of CTLA-4 antibodies, line, stage and chemotherapy are compared with every trial.",
        ),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return every row of the treatment."""
        found = tuple(_found(covariates))
        if not found:
            raise NotApplicable("No incidence of this combination of agents is on record here.")
        return found
