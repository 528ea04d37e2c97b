"""Fatal adverse events of checkpoint inhibitors by class, and what patients died of."""

from collections.abc import Mapping

from simulation.immunotherapy.adverse_events import FATAL, SOURCES, Fatal
from simulation.model import Coefficient, KnownValue, ModelCard, NotApplicable, Prediction, Value
from simulation.predictors._answers import published, wilson
from simulation.predictors._inputs import ANY_CHECKPOINT_CLASS, chosen

CLASS = "plan.checkpoint_class"
_COVERED = tuple(name for row in FATAL for name in row.classes)
_RATE_NOTE = (
    "Recorded from memory, to be re-checked; the source gives 0.3 to 1.3 % over all classes. No interval was read."
)
_SHARE_NOTE = "Share of the fatal events, not of the patients; counts rounded from percent, interval by Wilson."


def _answers(row: Fatal) -> tuple[Prediction, ...]:
    causes = tuple(
        published(
            f"fatal_event_by_{cause}",
            percent / 100.0,
            "share",
            _around(percent, row.deaths),
            note=_SHARE_NOTE,
            references=(1,),
        )
        for cause, percent in row.causes.items()
    )
    return (
        published("fatal_event", row.percent / 100.0, "probability", note=_RATE_NOTE, references=(0,)),
        *causes,
        published("days_to_fatal_event", row.days_to_event, "days", note="Median.", references=(1,)),
    )


def _around(percent: float, deaths: int) -> tuple[float, float]:
    lower, upper = wilson(round(percent / 100.0 * deaths), deaths)
    return min(lower, percent / 100.0), max(upper, percent / 100.0)


class Model:
    """Rate, causes and timing of fatal events."""

    card = ModelCard(
        id="irae-fatal",
        version="1.0.0",
        title="Fatal adverse events of checkpoint inhibitors by class",
        kind="predictor",
        outcome="share of patients with a fatal adverse event; causes and timing of fatal events",
        purpose="Says what was observed over all tumor types; not one patient's chance.",
        population="Patients in trials (rates) and fatal reports in VigiBase (causes and timing: 613 deaths)",
        inputs=(chosen(CLASS, ANY_CHECKPOINT_CLASS, _COVERED),),
        equations=("table look-up",),
        references=(SOURCES["wang_dy2018_unread"], SOURCES["wang_dy2018"]),
        leaves_out=("Age, comorbidity, how early the event was recognized.",),
        coefficients=tuple(
            Coefficient(
                name=f"fatal events, {' or '.join(row.classes)}",
                value=row.percent,
                unit="%",
                evidence="published",
                source="doi:10.1001/jamaoncol.2018.3923",
                verified=False,
            )
            for row in FATAL
        ),
        example={CLASS: "pd1_ctla4"},
        known_values=(
            KnownValue(
                inputs={CLASS: "ctla4"},
                expected={"fatal_event": 0.0108, "fatal_event_by_colitis": 0.70},
                absolute_tolerance=1e-9,
                source="doi:10.1001/jamaoncol.2018.3923",
            ),
            KnownValue(
                inputs={CLASS: "pd_l1_ctla4"},
                expected={"fatal_event": 0.0123, "days_to_fatal_event": 14.0},
                absolute_tolerance=1e-9,
                source="doi:10.1001/jamaoncol.2018.3923",
            ),
        ),
        known_failures=("Spontaneous reports of deaths say nothing about how often an event is fatal.",),
        validated_on_patients=True,
        history=("1.0.0: first version.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return rate, causes and timing of one class."""
        for row in FATAL:
            if covariates[CLASS] in row.classes:
                return _answers(row)
        raise NotApplicable("No rate of fatal events of this class is on record here.")
