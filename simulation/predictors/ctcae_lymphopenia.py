"""CTCAE v5 grade of a lymphocyte count."""

from collections.abc import Mapping

from simulation.model import Coefficient, KnownValue, ModelCard, Prediction, Reference, Value
from simulation.predictors._arithmetic import number
from simulation.predictors._inputs import measured

COUNT = "patient.labs.lymphocytes_1e9_per_l"
LOWER_LIMIT = "patient.labs.lymphocytes_lower_limit_1e9_per_l"
BELOW = ((0.2, 4), (0.5, 3), (0.8, 2))
_SOURCE = "CTCAE v5.0, National Cancer Institute 2017"


class Model:
    """Grade 4 below 0.2, 3 below 0.5, 2 below 0.8, 1 below the lower limit of normal (1e9/L)."""

    card = ModelCard(
        id="ctcae-lymphopenia",
        version="1.0.0",
        title="CTCAE v5 grade of lymphopenia",
        kind="predictor",
        outcome="grade of the lymphocyte count, 0 to 4",
        purpose="Grades the lymphocyte count that was given, as trials report it.",
        population="Any; a definition, not a fitted model",
        inputs=(measured(COUNT, (0.01, 500.0)), measured(LOWER_LIMIT, (0.1, 5.0))),
        equations=("1: < lower limit to 0.8", "2: < 0.8 to 0.5", "3: < 0.5 to 0.2", "4: < 0.2, in 1e9/L"),
        references=(Reference(citation=_SOURCE, url="https://ctep.cancer.gov", verified=False),),
        leaves_out=("Cause and duration of the lymphopenia.",),
        known_failures=("The lower limit of normal differs between laboratories, and grade 1 with it.",),
        coefficients=tuple(
            Coefficient(
                name=f"upper bound of grade {grade}",
                value=bound,
                unit="1e9/L",
                evidence="published",
                source=_SOURCE,
                verified=False,
            )
            for bound, grade in BELOW
        ),
        example={COUNT: 0.9, LOWER_LIMIT: 1.0},
        known_values=tuple(
            KnownValue(
                inputs={COUNT: count, LOWER_LIMIT: 1.0},
                expected={"lymphopenia": grade},
                absolute_tolerance=0.0,
                source=_SOURCE,
            )
            for count, grade in ((1.1, 0), (0.9, 1), (0.8, 1), (0.79, 2), (0.5, 2), (0.2, 3), (0.19, 4))
        ),
        increases_with=(LOWER_LIMIT,),
        decreases_with=(COUNT,),
        validated_on_patients=True,
        license_and_patents="CTCAE is in the public domain.",
        history=("1.0.0: first version.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the grade of the count."""
        count = number(covariates, COUNT)
        below_normal = 1 if count < number(covariates, LOWER_LIMIT) else 0
        grade = next((grade for bound, grade in BELOW if count < bound), below_normal)
        return (Prediction(outcome="lymphopenia", value=grade, unit="grade"),)
