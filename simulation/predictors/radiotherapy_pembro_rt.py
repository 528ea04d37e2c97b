"""PEMBRO-RT: pembrolizumab after 3 x 8 Gy in pretreated metastatic NSCLC."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Reference, Value
from simulation.predictors import _trials
from simulation.predictors._answers import counted, published
from simulation.predictors._inputs import measured
from simulation.predictors._schedules import DOSE, FRACTIONS, with_schedule

_WITH = "pembrolizumab after radiotherapy"
_MISSED = "Not significant; the trial did not meet its criterion of meaningful benefit."
_ANSWERS = (
    counted("objective_response", 13, 36, group=_WITH, note="At 12 weeks."),
    counted("objective_response_without_radiotherapy", 7, 40, group="pembrolizumab alone", note="At 12 weeks."),
    published("progression_free_survival", 0.71, "hazard_ratio", (0.42, 1.18), group=_WITH, note=_MISSED),
    published("overall_survival", 0.66, "hazard_ratio", (0.37, 1.18), group=_WITH, note=_MISSED),
    published("progression_free_survival", 6.6, "months", (4.0, 14.6), group=_WITH, note="Median; 1.9 without."),
    published("overall_survival", 15.9, "months", group=_WITH, note="Median; 7.6 without. From 7.1 months up."),
)
_SCHEDULES = ((3, 8.0, "3 x 8 Gy"),)


class Model:
    """Response at 12 weeks and survival in PEMBRO-RT."""

    card = _trials.trial_card(
        identifier="radiotherapy-pembro-rt",
        title="PEMBRO-RT: pembrolizumab after 3 x 8 Gy to one site, pretreated metastatic NSCLC",
        outcome="objective response at 12 weeks; progression-free and overall survival",
        population="Pretreated metastatic NSCLC, no earlier immunotherapy (36 with and 40 without radiotherapy)",
        cancer_types=("nsclc",),
        inputs=(
            _trials.NSCLC,
            _trials.agents("pembrolizumab"),
            _trials.with_radiotherapy(),
            measured(_trials.DRUG_START, (0.0, 7.0), required=False, why="The trial gave it within 7 days."),
            _trials.no_added_chemotherapy(),
            _trials.pretreated(),
            measured(FRACTIONS, (3.0, 3.0), required=False),
            measured(DOSE, (8.0, 8.0), required=False),
            _trials.untreated_with_immunotherapy(),
            _trials.stage("IV"),
            _trials.good_performance(),
        ),
        answers=_ANSWERS,
        references=(
            Reference(
                citation="Theelen WSME et al., JAMA Oncol 2019;5:1276 (PEMBRO-RT)", doi="10.1001/jamaoncol.2019.1478"
            ),
        ),
        example={
            _trials.CANCER_TYPE: "nsclc",
            _trials.AGENTS: "pembrolizumab",
            _trials.RADIOTHERAPY: True,
            _trials.PRIOR_THERAPY: True,
            "plan.fraction_count": 3,
            "plan.dose_per_fraction_gy": 8.0,
        },
        known_values=(
            KnownValue(
                inputs={
                    _trials.CANCER_TYPE: "nsclc",
                    _trials.AGENTS: "pembrolizumab",
                    _trials.RADIOTHERAPY: True,
                    _trials.PRIOR_THERAPY: True,
                },
                expected={"objective_response": 0.361, "progression_free_survival": 0.71, "overall_survival": 0.66},
                absolute_tolerance=5e-4,
                source="doi:10.1001/jamaoncol.2019.1478",
            ),
        ),
        known_failures=("Response counts are those that give the printed 36 % and 18 %.",),
        version="1.1.0",
        changes=("1.1.0: schedule, chemotherapy and start of the drug are compared with the trial.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return what the trial observed in the stratum."""
        return with_schedule(_ANSWERS, covariates, _SCHEDULES)
