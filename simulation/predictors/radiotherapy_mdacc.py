"""MDACC: pembrolizumab with concurrent radiotherapy in metastatic NSCLC."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Reference, Value
from simulation.predictors import _trials
from simulation.predictors._answers import published
from simulation.predictors._arithmetic import number
from simulation.predictors._inputs import measured
from simulation.predictors._schedules import DOSE, FRACTIONS, with_schedule

STEREOTACTIC_FROM_GY = 6.0
_NEGATIVE = "No difference between the arms (22 % against 25 %, p = 0.99)."
_OVERALL = (
    published(
        "objective_response", 0.22, "probability", group="pembrolizumab with radiotherapy, any schedule", note=_NEGATIVE
    ),
    published(
        "objective_response_without_radiotherapy", 0.25, "probability", group="pembrolizumab alone", note=_NEGATIVE
    ),
    published(
        "progression_free_survival",
        9.1,
        "months",
        (3.6, 18.4),
        group="pembrolizumab with radiotherapy, any schedule",
        note="Median; 5.1 without (p = 0.52).",
    ),
)
STEREOTACTIC = (
    published("out_of_field_response", 0.38, "probability", group="4 x 12.5 Gy", note="33 % in its control arm."),
    *_OVERALL,
)
TRADITIONAL = (
    published("out_of_field_response", 0.10, "probability", group="15 x 3 Gy", note="17 % in its control arm."),
    *_OVERALL,
)
_SCHEDULES = ((4, 12.5, "4 x 12.5 Gy"), (15, 3.0, "15 x 3 Gy"))
_BORDER = f"The cohort was chosen by a border of {STEREOTACTIC_FROM_GY:g} Gy a fraction; it is ours, not the trial's."


class Model:
    """Out-of-field response in the MDACC trial, by schedule."""

    card = _trials.trial_card(
        identifier="radiotherapy-mdacc",
        title="MDACC: pembrolizumab with concurrent radiotherapy, metastatic NSCLC",
        outcome="response outside the irradiated field; progression-free survival",
        population="Metastatic NSCLC with lung or liver lesions to irradiate (72 patients evaluable)",
        cancer_types=("nsclc",),
        inputs=(
            _trials.NSCLC,
            _trials.agents("pembrolizumab"),
            _trials.with_radiotherapy(),
            _trials.together(),
            _trials.no_added_chemotherapy(),
            measured(FRACTIONS, (4.0, 15.0), required=False),
            measured(DOSE, (3.0, 12.5)),
            _trials.untreated_with_immunotherapy(),
            _trials.stage("IV"),
            _trials.good_performance(),
        ),
        answers=(*STEREOTACTIC, *TRADITIONAL),
        references=(
            Reference(
                citation="Welsh J et al., J Immunother Cancer 2020;8:e001001 (MDACC)", doi="10.1136/jitc-2020-001001"
            ),
        ),
        example={
            _trials.CANCER_TYPE: "nsclc",
            _trials.AGENTS: "pembrolizumab",
            _trials.RADIOTHERAPY: True,
            "plan.dose_per_fraction_gy": 12.5,
        },
        known_values=(
            KnownValue(
                inputs={
                    _trials.CANCER_TYPE: "nsclc",
                    _trials.AGENTS: "pembrolizumab",
                    _trials.RADIOTHERAPY: True,
                    "plan.dose_per_fraction_gy": 12.5,
                },
                expected={"out_of_field_response": 0.38, "objective_response": 0.22},
                absolute_tolerance=5e-4,
                source="doi:10.1136/jitc-2020-001001",
            ),
            KnownValue(
                inputs={
                    _trials.CANCER_TYPE: "nsclc",
                    _trials.AGENTS: "pembrolizumab",
                    _trials.RADIOTHERAPY: True,
                    "plan.dose_per_fraction_gy": 3.0,
                },
                expected={"out_of_field_response": 0.10},
                absolute_tolerance=5e-4,
                source="doi:10.1136/jitc-2020-001001",
            ),
        ),
        equations=("6 Gy a fraction or more: the cohort of 4 x 12.5 Gy, else that of 15 x 3 Gy (the border is ours).",),
        known_failures=(_NEGATIVE, "The schedule was chosen by feasibility, not at random; arm sizes were not read."),
        version="1.1.0",
        changes=("1.1.0: schedule, chemotherapy and start of the drug are compared with the trial.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return what the trial observed in the stratum."""
        stereotactic = number(covariates, DOSE) >= STEREOTACTIC_FROM_GY
        return with_schedule(STEREOTACTIC if stereotactic else TRADITIONAL, covariates, _SCHEDULES, _BORDER)
