"""Ipilimumab alone: severe immune-related events and response rise with dose."""

import math
from collections.abc import Mapping

from simulation.model import Coefficient, Input, KnownValue, ModelCard, NotApplicable, Prediction, Reference, Value
from simulation.predictors._arithmetic import logistic, logit, number
from simulation.predictors._inputs import ANY_CHECKPOINT_CLASS, cancer_type, chosen, flag, measured, stage

CLASS = "plan.checkpoint_class"
DOSE = "plan.ipilimumab_dose_mg_per_kg"
_LOW, _HIGH = 0.3, 3.0
_EVERY_DAYS = 21.0
_SOURCE = "Feng Y et al., Clin Cancer Res 2013;19:3977"
POINTS = {"immune_related_grade_3_or_higher": (0.03, 0.13), "objective_response": (0.006, 0.049)}
_NOTE = (
    "A straight line in log-odds against log10 dose through the two published doses (0.3 and 3 mg/kg), computed here; "
    "the source fits the trough concentration, whose coefficients were not read. No interval."
)
_BEYOND = f"The line is drawn from {_LOW:g} and {_HIGH:g} mg/kg only; beyond them it is an extrapolation."


def line(outcome: str) -> tuple[float, float]:
    """Return intercept and slope per decade of dose, on the log-odds scale."""
    low, high = POINTS[outcome]
    slope = (logit(high) - logit(low)) / (math.log10(_HIGH) - math.log10(_LOW))
    return logit(high) - slope * math.log10(_HIGH), slope


class Model:
    """Probability of severe immune-related events and of response by ipilimumab dose."""

    card = ModelCard(
        id="ipilimumab-dose-response",
        version="1.1.0",
        title="Ipilimumab alone: severe immune-related events and response by dose",
        kind="predictor",
        outcome="immune-related adverse event of grade 3 or higher; complete or partial response",
        purpose="Shows that the exposure-safety relation of ipilimumab is not flat, for research.",
        population="Advanced melanoma, ipilimumab alone every 3 weeks, 0.3 to 10 mg/kg (four phase 2 studies)",
        cancer_types=("melanoma",),
        inputs=(
            Input(name=DOSE, unit="mg/kg", low=0.1, high=15.0, derivation_low=_LOW, derivation_high=_HIGH),
            chosen(CLASS, ANY_CHECKPOINT_CLASS, ("ctla4",), why="The relation was found without a second antibody."),
            measured(
                "plan.ipilimumab_interval_days",
                (0.8 * _EVERY_DAYS, 1.2 * _EVERY_DAYS),
                required=False,
                why="The studies gave it every 3 weeks; a fifth more or less counts as the same.",
            ),
            flag("plan.with_chemotherapy", derivation=False, required=False, why="The studies gave it alone."),
            flag("plan.radiotherapy", derivation=False, required=False, why="The studies gave it alone."),
            stage("III", "IV"),
            cancer_type("melanoma"),
        ),
        equations=("logit p = intercept + slope * log10(dose in mg/kg)",),
        references=(Reference(citation=f"{_SOURCE} (abstract)"),),
        leaves_out=("Clearance, weight and lactate dehydrogenase, which change exposure at the same dose.",),
        coefficients=tuple(
            Coefficient(
                name=f"{name}, {outcome}",
                value=value,
                unit="log-odds" if name == "intercept" else "log-odds per decade",
                evidence="computed",
                source=_SOURCE,
            )
            for outcome in POINTS
            for name, value in zip(("intercept", "slope"), line(outcome), strict=True)
        ),
        example={DOSE: 3.0, CLASS: "ctla4"},
        known_values=tuple(
            KnownValue(
                inputs={DOSE: dose, CLASS: "ctla4"},
                expected={"immune_related_grade_3_or_higher": severe, "objective_response": response},
                absolute_tolerance=1e-9,
                source=_SOURCE,
            )
            for dose, severe, response in ((0.3, 0.03, 0.006), (3.0, 0.13, 0.049))
        ),
        known_failures=(_BEYOND,),
        increases_with=(DOSE,),
        validated_on_patients=True,
        history=(
            "1.0.0: first version.",
            "1.1.0: interval, stage, and chemotherapy or radiotherapy in the plan are compared with the studies.",
        ),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return both probabilities at the planned dose."""
        if covariates[CLASS] != "ctla4":
            raise NotApplicable("The relation was found under ipilimumab alone; the plan holds a second antibody.")
        decades = math.log10(number(covariates, DOSE))
        return tuple(
            Prediction(outcome=outcome, value=logistic(intercept + slope * decades), unit="probability", note=_NOTE)
            for outcome in POINTS
            for intercept, slope in (line(outcome),)
        )
