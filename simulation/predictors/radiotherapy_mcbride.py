"""McBride: nivolumab with 3 x 9 Gy in metastatic head and neck cancer, a negative trial."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Reference, Value
from simulation.predictors import _trials
from simulation.predictors._answers import counted, published, wilson_difference
from simulation.predictors._inputs import measured
from simulation.predictors._schedules import DOSE, FRACTIONS, with_schedule

_WITH = "nivolumab with radiotherapy"
_COUNTS = "The counts are those that give the printed percentages."
_ANSWERS = (
    counted("out_of_field_response", 9, 31, group=_WITH, note=_COUNTS),
    counted("out_of_field_response_without_radiotherapy", 10, 29, group="nivolumab alone", note=_COUNTS),
    published(
        "out_of_field_response_difference",
        9 / 31 - 10 / 29,
        "probability_difference",
        wilson_difference(9, 31, 10, 29),
        group=_WITH,
        note=f"{_trials.NO_GAIN} (p = 0.86). The interval is computed (Newcombe).",
    ),
)
_SCHEDULES = ((3, 9.0, "3 x 9 Gy"),)


class Model:
    """Response with and without stereotactic radiotherapy."""

    card = _trials.trial_card(
        identifier="radiotherapy-mcbride",
        title="McBride 2021: nivolumab and 3 x 9 Gy to one lesion, metastatic head and neck cancer (negative)",
        outcome="objective response outside the irradiated field",
        population="Metastatic head and neck squamous cell carcinoma (62 patients, 60 evaluable)",
        cancer_types=("head_and_neck",),
        inputs=(
            _trials.HEAD_AND_NECK,
            _trials.agents("nivolumab"),
            _trials.with_radiotherapy(),
            _trials.together(),
            _trials.no_added_chemotherapy(),
            measured(FRACTIONS, (3.0, 3.0), required=False),
            measured(DOSE, (9.0, 9.0), required=False),
            _trials.untreated_with_immunotherapy(),
            _trials.stage("IV"),
        ),
        answers=_ANSWERS,
        references=(Reference(citation="McBride S et al., J Clin Oncol 2021;39:30", doi="10.1200/JCO.20.00290"),),
        example={
            _trials.CANCER_TYPE: "head_and_neck",
            _trials.AGENTS: "nivolumab",
            _trials.RADIOTHERAPY: True,
            "plan.fraction_count": 3,
            "plan.dose_per_fraction_gy": 9.0,
        },
        known_values=(
            KnownValue(
                inputs={_trials.CANCER_TYPE: "head_and_neck", _trials.AGENTS: "nivolumab", _trials.RADIOTHERAPY: True},
                expected={"out_of_field_response": 0.29, "out_of_field_response_without_radiotherapy": 0.345},
                absolute_tolerance=5e-4,
                source="doi:10.1200/JCO.20.00290",
            ),
        ),
        version="1.1.0",
        changes=("1.1.0: schedule, chemotherapy and start of the drug are compared with the trial.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return what the trial observed in the stratum."""
        return with_schedule(_ANSWERS, covariates, _SCHEDULES)
