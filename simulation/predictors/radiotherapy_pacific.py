"""PACIFIC: durvalumab after chemoradiotherapy in stage III NSCLC."""

from collections.abc import Mapping
from dataclasses import replace

from simulation.model import KnownValue, Prediction, Reference, Value
from simulation.predictors import _trials
from simulation.predictors._answers import published
from simulation.predictors._inputs import measured

_WITH = "durvalumab"
_WITHOUT = "placebo"
_FROM_RANDOMIZATION = (
    "Counted from randomization, 1 to 42 days after the radiotherapy, in patients without progression."
)
_ANSWERS = (
    published(
        "overall_survival", 0.72, "hazard_ratio", (0.59, 0.89), group=_WITH, note="Against placebo.", references=(0,)
    ),
    published(
        "progression_free_survival",
        0.55,
        "hazard_ratio",
        (0.45, 0.68),
        group=_WITH,
        note="Against placebo.",
        references=(0,),
    ),
    *(
        published(
            outcome,
            value,
            "probability",
            bounds,
            group=group,
            note=_FROM_RANDOMIZATION,
            horizon_days=1826,
            references=(0,),
        )
        for outcome, value, bounds, group in (
            ("overall_survival", 0.429, (0.382, 0.474), _WITH),
            ("overall_survival_without_immunotherapy", 0.334, (0.273, 0.396), _WITHOUT),
            ("progression_free_survival", 0.331, (0.280, 0.382), _WITH),
            ("progression_free_survival_without_immunotherapy", 0.190, (0.136, 0.252), _WITHOUT),
        )
    ),
    published("objective_response", 0.30, "probability", group=_WITH, references=(1,)),
    published("objective_response_without_immunotherapy", 0.18, "probability", group=_WITHOUT, references=(1,)),
)


class Model:
    """Survival in PACIFIC against placebo."""

    card = _trials.trial_card(
        identifier="radiotherapy-pacific",
        title="PACIFIC: durvalumab after chemoradiotherapy, stage III NSCLC",
        outcome="progression-free and overall survival",
        population="Unresectable stage III NSCLC without progression after concurrent chemoradiotherapy (713 patients)",
        cancer_types=("nsclc",),
        inputs=(
            _trials.NSCLC,
            _trials.agents("durvalumab"),
            _trials.with_radiotherapy(),
            _trials.no_added_chemotherapy(),
            _trials.conventional(),
            measured(_trials.TOTAL_DOSE, (54.0, 66.0), required=False, why="The trial gave 54 to 66 Gy."),
            _trials.chemoradiotherapy(),
            replace(measured(_trials.DRUG_START, (1.0, 42.0)), low=0.0),
            _trials.stage("III"),
            _trials.good_performance(),
        ),
        answers=_ANSWERS,
        references=(
            Reference(
                citation="Spigel DR et al., J Clin Oncol 2022;40:1301 (PACIFIC, 5 years)", doi="10.1200/JCO.21.01308"
            ),
            Reference(citation="PACIFIC, response rates", verified=False),
        ),
        example={
            _trials.CANCER_TYPE: "nsclc",
            _trials.AGENTS: "durvalumab",
            _trials.RADIOTHERAPY: True,
            _trials.WITH_RADIOTHERAPY: "concurrent",
            _trials.DRUG_START: 14.0,
            _trials.STAGE: "III",
        },
        known_values=(
            KnownValue(
                inputs={
                    _trials.CANCER_TYPE: "nsclc",
                    _trials.AGENTS: "durvalumab",
                    _trials.RADIOTHERAPY: True,
                    _trials.WITH_RADIOTHERAPY: "concurrent",
                    _trials.DRUG_START: 14.0,
                },
                expected={"overall_survival": 0.72, "progression_free_survival": 0.55, "objective_response": 0.30},
                absolute_tolerance=5e-4,
                source="doi:10.1200/JCO.21.01308",
            ),
        ),
        version="1.1.0",
        changes=("1.1.0: fraction size, total dose and added chemotherapy are compared with the trial.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return what the trial observed in the stratum."""
        return _ANSWERS
