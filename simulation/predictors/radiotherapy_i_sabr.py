"""I-SABR: nivolumab with stereotactic radiotherapy in early NSCLC."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Reference, Value
from simulation.predictors import _trials
from simulation.predictors._answers import published
from simulation.predictors._inputs import chosen, measured
from simulation.predictors._schedules import DOSE, FRACTIONS, with_schedule

_WITH = "stereotactic radiotherapy and nivolumab"
_NOTE = "Per-protocol analysis; by intention to treat the hazard ratio was 0.42."
_FOUR_YEARS = 1461
_ANSWERS = (
    published("event_free_survival", 0.77, "probability", group=_WITH, note=_NOTE, horizon_days=_FOUR_YEARS),
    published(
        "event_free_survival_without_immunotherapy",
        0.53,
        "probability",
        group="stereotactic radiotherapy alone",
        note=_NOTE,
        horizon_days=_FOUR_YEARS,
    ),
    published("event_free_survival", 0.38, "hazard_ratio", group=_WITH, note=_NOTE),
)
_SCHEDULES = ((4, 12.5, "4 x 12.5 Gy"), (10, 7.0, "10 x 7 Gy"))


class Model:
    """Event-free survival with and without nivolumab."""

    card = _trials.trial_card(
        identifier="radiotherapy-i-sabr",
        title="I-SABR: stereotactic radiotherapy and nivolumab, early-stage NSCLC",
        outcome="event-free survival",
        population="Untreated or recurrent early-stage node-negative NSCLC (156 patients)",
        cancer_types=("nsclc",),
        inputs=(
            _trials.NSCLC,
            _trials.agents("nivolumab"),
            _trials.with_radiotherapy(),
            _trials.together(),
            _trials.no_added_chemotherapy(),
            chosen(_trials.STAGE, ("I", "II"), ("I", "II")),
            measured(FRACTIONS, (4.0, 10.0), required=False),
            measured(DOSE, (7.0, 12.5), required=False),
        ),
        answers=_ANSWERS,
        references=(
            Reference(citation="Chang JY et al., Lancet 2023;402:871 (I-SABR)", doi="10.1016/S0140-6736(23)01384-3"),
        ),
        example={
            _trials.CANCER_TYPE: "nsclc",
            _trials.AGENTS: "nivolumab",
            _trials.RADIOTHERAPY: True,
            _trials.STAGE: "I",
        },
        known_values=(
            KnownValue(
                inputs={
                    _trials.CANCER_TYPE: "nsclc",
                    _trials.AGENTS: "nivolumab",
                    _trials.RADIOTHERAPY: True,
                    _trials.STAGE: "I",
                },
                expected={"event_free_survival": 0.77, "event_free_survival_without_immunotherapy": 0.53},
                absolute_tolerance=5e-4,
                source="doi:10.1016/S0140-6736(23)01384-3",
            ),
        ),
        version="1.1.0",
        changes=("1.1.0: schedule, chemotherapy and start of the drug are compared with the trial.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return what the trial observed in the stratum."""
        return with_schedule(_ANSWERS, covariates, _SCHEDULES)
