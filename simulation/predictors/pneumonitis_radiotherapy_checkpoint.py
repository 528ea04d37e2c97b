"""Pneumonitis when a checkpoint inhibitor follows lung radiotherapy: a composition of published odds."""

import math
from collections.abc import Mapping
from dataclasses import replace

from simulation.model import Contribution, KnownValue, NotApplicable, Prediction, Reference, Value
from simulation.predictors import _dose
from simulation.predictors._arithmetic import logistic, number
from simulation.predictors._inputs import CHECKPOINT_CLASSES, cancer_type, chosen, measured, stage

CLASS = "plan.checkpoint_class"
DRUG_START = "plan.drug_start_after_radiotherapy_days"
AFTER_RADIOTHERAPY_DAYS = (1.0, 42.0)
_WITHOUT = "appelt-pneumonitis"
_WITH = "appelt-immunotherapy-pneumonitis"
_FACTOR = "immunotherapy_consolidation"
_PACIFIC = (94, 475, 33, 234)
_COMPOSED = (
    "A composition that nobody published as a whole: the odds of Appelt 2014 times an odds ratio of durvalumab "
    "consolidation. Sensitivity range: the answers with odds ratio 1.50, from PACIFIC, and 1, without it."
)
_ALONE = "Without a checkpoint inhibitor, for comparison."
_INPUTS: dict[str, Value] = {
    _dose.COMORBIDITY: False,
    _dose.LOBE: False,
    _dose.AGE: 60.0,
    _dose.CHEMOTHERAPY: "concurrent",
    CLASS: "pd_l1",
    DRUG_START: 14.0,
}


def _log_odds_ratio(events: int, patients: int, other_events: int, other_patients: int) -> float:
    return math.log(events * (other_patients - other_events) / (other_events * (patients - events)))


_DURVALUMAB = _dose.CLINICAL[_WITH].flags[_FACTOR]
_FROM_PACIFIC = _log_odds_ratio(*_PACIFIC)


def _known(dose_gy: float, smoking: str, with_drug: float, without: float, **other: Value) -> KnownValue:
    return KnownValue(
        inputs={**_INPUTS, _dose.LUNG: dose_gy, _dose.SMOKING: smoking, **other},
        expected={"pneumonitis_with_checkpoint_inhibitor": with_drug, "pneumonitis_without": without},
        absolute_tolerance=1e-5,
        source="Appelt 2014 odds times 2.43, computed independently",
    )


class Model:
    """Odds of radiation pneumonitis times the odds ratio of checkpoint inhibition."""

    card = _dose.dose_card(
        identifier="pneumonitis-radiotherapy-checkpoint",
        title="Pneumonitis under lung radiotherapy and checkpoint inhibition, a composition",
        outcome="pneumonitis of grade 2 or higher with and without a checkpoint inhibitor after the radiotherapy",
        models=(_WITH,),
        inputs=(
            measured(_dose.LUNG, (0.0, 40.0)),
            chosen(CLASS, CHECKPOINT_CLASSES, ("pd_l1",), why="The odds ratio is that of durvalumab."),
            replace(
                measured(
                    DRUG_START,
                    AFTER_RADIOTHERAPY_DAYS,
                    why="The odds ratio is that of consolidation, from day 1 to 42 after the radiotherapy.",
                ),
                low=0.0,
            ),
            _dose.comorbidity(),
            _dose.lobe(),
            measured(_dose.AGE),
            chosen(
                _dose.CHEMOTHERAPY,
                ("none", "sequential", "concurrent"),
                ("concurrent",),
                why="The odds ratio is that of durvalumab after concurrent chemoradiotherapy.",
            ),
            _dose.smoking(),
            _dose.conventional(),
            cancer_type("nsclc"),
            stage("III"),
        ),
        equations=(
            "odds = odds of Appelt 2014 * 2.43 where a PD-1 or PD-L1 antibody follows the radiotherapy",
            "sensitivity: the same with an odds ratio of 1.50 (PACIFIC) and 1",
        ),
        example={
            **_INPUTS,
            _dose.LUNG: 15.0,
            _dose.SMOKING: "former",
        },
        known_values=(
            _known(15.0, "never", 0.14227, 0.0639),
            _known(15.0, "never", 0.27354, 0.13416, **{_dose.COMORBIDITY: True}),
            _known(12.0, "current", 0.06359, 0.02718),
        ),
        increases_with=(_dose.LUNG, _dose.COMORBIDITY, _dose.LOBE, _dose.AGE),
        cancer_types=("nsclc",),
        references=(
            Reference(
                citation="Vansteenkiste J et al., JTO Clin Res Rep 2024 (PACIFIC, pneumonitis of grade 2 or higher in "
                "94 of 475 against 33 of 234 patients)",
                doi="10.1016/j.jtocrr.2024.100638",
            ),
        ),
        known_failures=(
            "Current smoking: odds ratio 0.62 in Appelt 2014, 0.38 in Stoffers 2025; the first is used.",
            "No patient-level data on dose and drug together were fitted.",
            "Nothing is known of an antibody before or during the radiotherapy, or long after it.",
        ),
        version="1.1.0",
        changes=(
            "1.1.0: the start of the antibody is an input; only consolidation after concurrent chemoradiotherapy of "
            "stage III NSCLC is inside.",
        ),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the risk with the planned antibody and without it."""
        if covariates[CLASS] not in ("pd1", "pd_l1"):
            raise NotApplicable("The odds ratio covers a PD-1 or PD-L1 antibody alone after the radiotherapy.")
        doses = {_dose.LUNG: number(covariates, _dose.LUNG)}
        score, shares = _dose.linear_score(_dose.CLINICAL[_WITHOUT], doses, covariates)
        odds_ratios = (
            (f"odds ratio {math.exp(_DURVALUMAB):.3g}, Stoffers 2025", _DURVALUMAB),
            (f"odds ratio {math.exp(_FROM_PACIFIC):.3g}, computed from PACIFIC", _FROM_PACIFIC),
        )
        together = tuple(
            Prediction(
                outcome="pneumonitis_with_checkpoint_inhibitor",
                value=logistic(score + log_odds_ratio),
                unit="probability",
                group=group,
                contributions=(*shares, Contribution(input=CLASS, value=log_odds_ratio, unit="log-odds")),
                note=_COMPOSED,
            )
            for group, log_odds_ratio in odds_ratios
        )
        alone = Prediction(
            outcome="pneumonitis_without", value=logistic(score), unit="probability", contributions=shares, note=_ALONE
        )
        return (*together, alone)
