"""CTCAE v5 grade of an alanine aminotransferase value."""

from collections.abc import Mapping

from simulation.model import Coefficient, KnownValue, ModelCard, Prediction, Reference, Value
from simulation.predictors._arithmetic import number
from simulation.predictors._inputs import measured

RATIO = "patient.labs.alt_ratio_to_upper_limit"
ABOVE = ((20.0, 4), (5.0, 3), (3.0, 2), (1.0, 1))
_SOURCE = "CTCAE v5.0, National Cancer Institute 2017"


class Model:
    """Grade 1 above 1, 2 above 3, 3 above 5, 4 above 20 times the upper limit of normal."""

    card = ModelCard(
        id="ctcae-alt-increased",
        version="1.0.0",
        title="CTCAE v5 grade of increased alanine aminotransferase, normal baseline",
        kind="predictor",
        outcome="grade of the transaminase, 0 to 4",
        purpose="Grades the transaminase that was given, as trials report it.",
        population="Patients whose value was normal before treatment; a definition, not a fitted model",
        inputs=(measured(RATIO, (0.0, 1000.0)),),
        equations=("1: > 1 to 3", "2: > 3 to 5", "3: > 5 to 20", "4: > 20, times the upper limit of normal"),
        references=(Reference(citation=_SOURCE, url="https://ctep.cancer.gov", verified=False),),
        leaves_out=("Patients whose baseline was abnormal: their grades count from the baseline.",),
        known_failures=("Values between visits are not seen: the grade is that of one sample.",),
        coefficients=tuple(
            Coefficient(
                name=f"lower bound of grade {grade}",
                value=bound,
                unit="1",
                evidence="published",
                source=_SOURCE,
                verified=False,
            )
            for bound, grade in ABOVE
        ),
        example={RATIO: 0.6},
        known_values=tuple(
            KnownValue(
                inputs={RATIO: value},
                expected={"alanine_aminotransferase_increased": grade},
                absolute_tolerance=0.0,
                source=_SOURCE,
            )
            for value, grade in ((0.9, 0), (3.0, 1), (3.1, 2), (5.0, 2), (20.0, 3), (20.5, 4))
        ),
        increases_with=(RATIO,),
        validated_on_patients=True,
        license_and_patents="CTCAE is in the public domain.",
        history=("1.0.0: first version.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the grade of the value."""
        value = round(number(covariates, RATIO), 9)
        grade = next((grade for bound, grade in ABOVE if value > bound), 0)
        return (
            Prediction(
                outcome="alanine_aminotransferase_increased",
                value=grade,
                unit="grade",
                note="For a patient whose value was normal before treatment.",
            ),
        )
