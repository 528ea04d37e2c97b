"""PEMBRO-RT and MDACC pooled: pembrolizumab with or without radiotherapy in metastatic NSCLC."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Reference, Value
from simulation.predictors import _trials
from simulation.predictors._answers import counted, published, wilson_difference
from simulation.predictors._inputs import measured
from simulation.predictors._schedules import DOSE, FRACTIONS, with_schedule

_WITH = "pembrolizumab with radiotherapy"
_WITHOUT = "pembrolizumab alone"
_POOLED = "Each of the two trials alone showed no significant difference."
_ANSWERS = (
    counted("out_of_field_response", 30, 72, group=_WITH, references=(0,)),
    counted("out_of_field_response_without_radiotherapy", 15, 76, group=_WITHOUT, references=(1,)),
    published(
        "out_of_field_response_difference",
        30 / 72 - 15 / 76,
        "probability_difference",
        wilson_difference(30, 72, 15, 76),
        group=_WITH,
        note=f"Difference of the arms; the interval is computed (Newcombe). {_POOLED}",
    ),
    counted("out_of_field_disease_control", 47, 72, group=_WITH, references=(0,)),
    counted("out_of_field_disease_control_without_radiotherapy", 33, 76, group=_WITHOUT, references=(1,)),
    published("progression_free_survival", 9.0, "months", group=_WITH, note="Median; 4.4 without.", references=(0,)),
    published("overall_survival", 19.2, "months", group=_WITH, note="Median; 8.7 without.", references=(0,)),
    published(
        "progression_free_survival", 0.67, "hazard_ratio", (0.45, 0.99), group=_WITH, note=_POOLED, references=(1,)
    ),
    published("overall_survival", 0.67, "hazard_ratio", (0.54, 0.84), group=_WITH, note=_POOLED, references=(1,)),
)
_SCHEDULES = ((3, 8.0, "3 x 8 Gy (PEMBRO-RT)"), (4, 12.5, "4 x 12.5 Gy"), (15, 3.0, "15 x 3 Gy (MDACC)"))


class Model:
    """Out-of-field response and survival with radiotherapy, and without it, in the pooled trials."""

    card = _trials.trial_card(
        identifier="radiotherapy-pembro-rt-mdacc",
        title="PEMBRO-RT and MDACC pooled: pembrolizumab and radiotherapy, metastatic NSCLC",
        outcome="best response and disease control outside the irradiated field; progression-free and overall survival",
        population="Metastatic NSCLC, no earlier immunotherapy (72 patients with and 76 without radiotherapy)",
        cancer_types=("nsclc",),
        inputs=(
            _trials.NSCLC,
            _trials.agents("pembrolizumab"),
            _trials.with_radiotherapy(),
            _trials.together(last_day=14.0),
            _trials.no_added_chemotherapy(),
            measured(FRACTIONS, (3.0, 15.0), required=False),
            measured(DOSE, (3.0, 12.5), required=False),
            _trials.untreated_with_immunotherapy(),
            _trials.stage("IV"),
            _trials.good_performance(),
        ),
        answers=_ANSWERS,
        references=(
            Reference(
                citation="Theelen WSME et al., Lancet Respir Med 2021;9:467 (with radiotherapy, from PMC10915027)",
                doi="10.1016/S2213-2600(20)30391-X",
            ),
            Reference(
                citation="Theelen WSME et al., Lancet Respir Med 2021;9:467 (without radiotherapy; contrasts)",
                doi="10.1016/S2213-2600(20)30391-X",
                verified=False,
            ),
        ),
        example={_trials.CANCER_TYPE: "nsclc", _trials.AGENTS: "pembrolizumab", _trials.RADIOTHERAPY: True},
        known_values=(
            KnownValue(
                inputs={_trials.CANCER_TYPE: "nsclc", _trials.AGENTS: "pembrolizumab", _trials.RADIOTHERAPY: True},
                expected={
                    "out_of_field_response": 0.417,
                    "out_of_field_disease_control": 0.653,
                    "out_of_field_response_without_radiotherapy": 0.197,
                },
                absolute_tolerance=5e-4,
                source="doi:10.1016/S2213-2600(20)30391-X",
            ),
        ),
        known_failures=("Three radiotherapy schedules are pooled (3 x 8, 4 x 12.5 and 15 x 3 Gy).",),
        version="1.1.0",
        changes=("1.1.0: schedule, chemotherapy and start of the drug are compared with the trial.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return what the trial observed in the stratum."""
        return with_schedule(_ANSWERS, covariates, _SCHEDULES)
