"""Schoenfeld: durvalumab and tremelimumab with radiotherapy in NSCLC resistant to PD-1 or PD-L1, a negative trial."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Reference, Value
from simulation.predictors import _trials
from simulation.predictors._answers import counted, published, wilson_difference
from simulation.predictors._arithmetic import number
from simulation.predictors._inputs import chosen, measured
from simulation.predictors._schedules import DOSE, FRACTIONS, with_schedule

LOW_DOSE_BELOW_GY = 2.0
_COUNTS = "The counts are those that give the printed percentages."


def _arm(group: str, responders: int) -> tuple[Prediction, ...]:
    return (
        counted("objective_response", responders, 26, group=group, note=f"{_COUNTS} {_trials.NO_GAIN}"),
        counted("objective_response_without_radiotherapy", 3, 26, group="drugs alone", note=_COUNTS),
        published(
            "objective_response_difference",
            (responders - 3) / 26,
            "probability_difference",
            wilson_difference(responders, 26, 3, 26),
            group=group,
            note=f"{_trials.NO_GAIN} The interval is computed (Newcombe).",
        ),
    )


LOW_DOSE = _arm("low-dose radiotherapy (0.5 Gy twice a day for 2 days a cycle)", 2)
HYPOFRACTIONATED = _arm("3 x 8 Gy", 3)
_SCHEDULES = ((None, 0.5, "0.5 Gy twice a day for 2 days a cycle"), (3, 8.0, "3 x 8 Gy"))
_BORDER = f"The arm was chosen by a border of {LOW_DOSE_BELOW_GY:g} Gy a fraction; it is ours, not the trial's."


class Model:
    """Response with low-dose, hypofractionated or no radiotherapy."""

    card = _trials.trial_card(
        identifier="radiotherapy-schoenfeld",
        title="Schoenfeld 2022: durvalumab and tremelimumab with radiotherapy, resistant NSCLC (negative)",
        outcome="objective response",
        population="Metastatic NSCLC resistant to PD-1 or PD-L1 antibodies (78 patients in three arms)",
        cancer_types=("nsclc",),
        inputs=(
            _trials.NSCLC,
            _trials.agents("durvalumab+tremelimumab"),
            _trials.with_radiotherapy(),
            _trials.together(),
            _trials.no_added_chemotherapy(),
            chosen(_trials.PRIOR_IMMUNOTHERAPY, ("refractory",), ("refractory",)),
            measured(FRACTIONS, (3.0, 16.0), required=False),
            measured(DOSE, (0.5, 8.0)),
            _trials.stage("IV"),
            _trials.good_performance(),
        ),
        answers=(*LOW_DOSE, *HYPOFRACTIONATED),
        references=(
            Reference(citation="Schoenfeld JD et al., Lancet Oncol 2022;23:279", doi="10.1016/S1470-2045(21)00658-6"),
        ),
        example={
            _trials.CANCER_TYPE: "nsclc",
            _trials.AGENTS: "durvalumab+tremelimumab",
            _trials.RADIOTHERAPY: True,
            _trials.PRIOR_IMMUNOTHERAPY: "refractory",
            "plan.dose_per_fraction_gy": 8.0,
        },
        known_values=(
            KnownValue(
                inputs={
                    _trials.CANCER_TYPE: "nsclc",
                    _trials.AGENTS: "durvalumab+tremelimumab",
                    _trials.RADIOTHERAPY: True,
                    _trials.PRIOR_IMMUNOTHERAPY: "refractory",
                    "plan.dose_per_fraction_gy": 8.0,
                },
                expected={"objective_response": 0.1154},
                absolute_tolerance=5e-4,
                source="doi:10.1016/S1470-2045(21)00658-6",
            ),
            KnownValue(
                inputs={
                    _trials.CANCER_TYPE: "nsclc",
                    _trials.AGENTS: "durvalumab+tremelimumab",
                    _trials.RADIOTHERAPY: True,
                    _trials.PRIOR_IMMUNOTHERAPY: "refractory",
                    "plan.dose_per_fraction_gy": 0.5,
                },
                expected={"objective_response": 0.0769},
                absolute_tolerance=5e-4,
                source="doi:10.1016/S1470-2045(21)00658-6",
            ),
        ),
        equations=("Below 2 Gy a fraction: the low-dose arm, else that of 3 x 8 Gy (the border is ours).",),
        version="1.1.0",
        changes=("1.1.0: schedule, chemotherapy and start of the drug are compared with the trial.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return what the trial observed in the stratum."""
        low = number(covariates, DOSE) < LOW_DOSE_BELOW_GY
        return with_schedule(LOW_DOSE if low else HYPOFRACTIONATED, covariates, _SCHEDULES, _BORDER)
