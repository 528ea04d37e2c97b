"""KEYNOTE-158: pembrolizumab in pretreated non-colorectal cancer with high microsatellite instability."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Reference, Value
from simulation.predictors import _trials
from simulation.predictors._answers import published
from simulation.predictors._inputs import CANCER_TYPES, chosen

MSI = "patient.biomarkers.msi_high"
_ANSWERS = (
    published(
        "objective_response",
        0.343,
        "probability",
        (0.283, 0.408),
        group="MSI-high",
        note="First report; later reports give 30.8 % and 33.8 %.",
    ),
)


class Model:
    """Response in the MSI-high cohort of KEYNOTE-158."""

    card = _trials.trial_card(
        identifier="msi-keynote-158",
        title="KEYNOTE-158: pembrolizumab alone, pretreated MSI-high non-colorectal cancer",
        outcome="objective response",
        population="Pretreated advanced non-colorectal cancer, MSI-high or mismatch-repair deficient",
        cancer_types=(),
        inputs=(
            chosen(_trials.CANCER_TYPE, tuple(name for name in CANCER_TYPES if name != "colorectal"), required=False),
            chosen(MSI, ("true",), ("true",)),
            _trials.pretreated(),
            _trials.agents("pembrolizumab"),
            _trials.no_chemotherapy(),
            _trials.no_radiotherapy(),
            _trials.advanced(),
            _trials.untreated_with_immunotherapy(),
            _trials.good_performance(),
        ),
        answers=_ANSWERS,
        references=(
            Reference(
                citation="Marabelle A et al., J Clin Oncol 2020;38:1 (KEYNOTE-158, first report)",
                doi="10.1200/JCO.19.02105",
                verified=False,
            ),
            Reference(
                citation="Marabelle A et al., Nat Cancer 2025;6:253 (373 patients: 33.8 %)",
                doi="10.1038/s43018-024-00894-y",
            ),
        ),
        example={MSI: True, _trials.PRIOR_THERAPY: True, _trials.AGENTS: "pembrolizumab", _trials.CHEMOTHERAPY: False},
        known_values=(
            KnownValue(
                inputs={
                    MSI: True,
                    _trials.PRIOR_THERAPY: True,
                    _trials.AGENTS: "pembrolizumab",
                    _trials.CHEMOTHERAPY: False,
                },
                expected={"objective_response": 0.343},
                absolute_tolerance=5e-4,
                source="doi:10.1200/JCO.19.02105",
            ),
        ),
        version="1.1.0",
        changes=("1.1.0: radiotherapy of the plan, and the stage, are compared with the trial.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return what the trial observed in the stratum."""
        return _ANSWERS
