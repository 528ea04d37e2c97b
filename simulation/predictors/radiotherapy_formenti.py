"""Formenti: ipilimumab with radiotherapy in chemotherapy-refractory NSCLC."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Reference, Value
from simulation.predictors import _trials
from simulation.predictors._answers import counted
from simulation.predictors._antibodies import AntibodyCourse, course_inputs
from simulation.predictors._inputs import measured
from simulation.predictors._schedules import DOSE, FRACTIONS, with_schedule

_IPILIMUMAB = AntibodyCourse(agent="ipilimumab", dose_mg_per_kg=3.0, interval_days=21.0, most_doses=4)
_WITH = "ipilimumab with radiotherapy"
_NOTE = "Single arm, intention to treat."
_ANSWERS = (
    counted("out_of_field_response", 7, 39, group=_WITH, note=_NOTE),
    counted("out_of_field_disease_control", 12, 39, group=_WITH, note=_NOTE),
)
_SCHEDULES = ((5, 6.0, "5 x 6 Gy"), (3, 9.5, "3 x 9.5 Gy"))


class Model:
    """Response of the non-irradiated lesions."""

    card = _trials.trial_card(
        identifier="radiotherapy-formenti",
        title="Formenti 2018: ipilimumab and 5 x 6 or 3 x 9.5 Gy, refractory NSCLC",
        outcome="objective response outside the irradiated field",
        population="Metastatic NSCLC refractory to chemotherapy, single arm (39 patients)",
        cancer_types=("nsclc",),
        inputs=(
            _trials.NSCLC,
            _trials.agents("ipilimumab"),
            _trials.with_radiotherapy(),
            _trials.together(),
            _trials.no_added_chemotherapy(),
            _trials.pretreated(),
            *course_inputs("ipilimumab"),
            measured(FRACTIONS, (3.0, 5.0), required=False),
            measured(DOSE, (6.0, 9.5), required=False),
            _trials.stage("IV"),
        ),
        answers=_ANSWERS,
        references=(Reference(citation="Formenti SC et al., Nat Med 2018;24:1845", doi="10.1038/s41591-018-0232-2"),),
        example={
            _trials.CANCER_TYPE: "nsclc",
            _trials.AGENTS: "ipilimumab",
            _trials.RADIOTHERAPY: True,
            _trials.PRIOR_THERAPY: True,
        },
        known_values=(
            KnownValue(
                inputs={
                    _trials.CANCER_TYPE: "nsclc",
                    _trials.AGENTS: "ipilimumab",
                    _trials.RADIOTHERAPY: True,
                    _trials.PRIOR_THERAPY: True,
                },
                expected={"out_of_field_response": 0.1795, "out_of_field_disease_control": 0.3077},
                absolute_tolerance=5e-4,
                source="doi:10.1038/s41591-018-0232-2",
            ),
        ),
        version="1.1.0",
        changes=(
            "1.1.0: schedules of both treatments, chemotherapy and start of the drug are compared with the trial.",
        ),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return what the trial observed in the stratum."""
        return _IPILIMUMAB.compared(with_schedule(_ANSWERS, covariates, _SCHEDULES), covariates)
