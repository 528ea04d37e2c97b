"""CheckMate 067: nivolumab and ipilimumab, alone or together, in untreated melanoma."""

import itertools
from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Reference, Value
from simulation.predictors import _trials
from simulation.predictors._answers import published
from simulation.predictors._antibodies import AntibodyCourse, course_inputs
from simulation.predictors._inputs import only_cancer_type

_IPILIMUMAB = AntibodyCourse(agent="ipilimumab", dose_mg_per_kg=3.0, interval_days=21.0, most_doses=4)
_ARM = "About 315 patients per arm; no interval was read."


def _arm(
    group: str,
    response: float,
    progression_free_months: float,
    overall_months: float,
    progression_free_4_years: float,
    overall_5_years: float,
) -> tuple[Prediction, ...]:
    return (
        published("objective_response", response, "probability", group=group, note=_ARM),
        published("progression_free_survival", progression_free_months, "months", group=group, note="Median."),
        published("overall_survival", overall_months, "months", group=group, note="Median at 6.5 years."),
        published("progression_free_survival", progression_free_4_years, "probability", group=group, horizon_days=1461),
        published("overall_survival", overall_5_years, "probability", group=group, horizon_days=1826),
    )


BY_AGENTS = {
    "ipilimumab+nivolumab": _arm("nivolumab and ipilimumab", 0.58, 11.5, 72.1, 0.37, 0.52),
    "nivolumab": _arm("nivolumab", 0.45, 6.9, 36.9, 0.31, 0.44),
    "ipilimumab": _arm("ipilimumab", 0.19, 2.9, 19.9, 0.09, 0.26),
}


class Model:
    """Response and survival in the three arms of CheckMate 067."""

    card = _trials.trial_card(
        identifier="checkmate-067",
        title="CheckMate 067: nivolumab, ipilimumab or both, first line, melanoma",
        outcome="objective response; median progression-free and overall survival; survival at fixed times",
        population="Untreated unresectable stage III or IV melanoma (945 patients in three arms)",
        cancer_types=("melanoma",),
        inputs=(
            only_cancer_type("melanoma"),
            _trials.first_line(),
            _trials.agents(*BY_AGENTS),
            _trials.no_chemotherapy(),
            _trials.no_radiotherapy(),
            *course_inputs("ipilimumab"),
            _trials.stage("III", "IV"),
            _trials.good_performance(),
        ),
        answers=tuple(itertools.chain.from_iterable(BY_AGENTS.values())),
        references=(
            Reference(
                citation="Larkin J et al., N Engl J Med 2019;381:1535 (CheckMate 067)",
                doi="10.1056/NEJMoa1910836",
            ),
            Reference(
                citation="Wolchok JD et al., J Clin Oncol 2022;40:127 (CheckMate 067)",
                doi="10.1200/JCO.21.02229",
            ),
        ),
        example={
            _trials.CANCER_TYPE: "melanoma",
            _trials.PRIOR_THERAPY: False,
            _trials.AGENTS: "ipilimumab+nivolumab",
            _trials.CHEMOTHERAPY: False,
        },
        known_values=(
            KnownValue(
                inputs={
                    _trials.CANCER_TYPE: "melanoma",
                    _trials.PRIOR_THERAPY: False,
                    _trials.AGENTS: "ipilimumab+nivolumab",
                    _trials.CHEMOTHERAPY: False,
                },
                expected={"objective_response": 0.58},
                absolute_tolerance=5e-4,
                source="doi:10.1056/NEJMoa1910836",
            ),
            KnownValue(
                inputs={
                    _trials.CANCER_TYPE: "melanoma",
                    _trials.PRIOR_THERAPY: False,
                    _trials.AGENTS: "nivolumab",
                    _trials.CHEMOTHERAPY: False,
                },
                expected={"objective_response": 0.45},
                absolute_tolerance=5e-4,
                source="doi:10.1056/NEJMoa1910836",
            ),
            KnownValue(
                inputs={
                    _trials.CANCER_TYPE: "melanoma",
                    _trials.PRIOR_THERAPY: False,
                    _trials.AGENTS: "ipilimumab",
                    _trials.CHEMOTHERAPY: False,
                },
                expected={"objective_response": 0.19},
                absolute_tolerance=5e-4,
                source="doi:10.1056/NEJMoa1910836",
            ),
        ),
        version="1.1.0",
        changes=("1.1.0: the course of ipilimumab, and radiotherapy, are compared with the trial.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return what the trial observed in the stratum."""
        return _IPILIMUMAB.compared(BY_AGENTS[str(covariates[_trials.AGENTS])], covariates)
