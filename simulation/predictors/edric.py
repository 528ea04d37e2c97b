"""EDRIC: estimated dose to circulating immune cells, and its association with survival."""

from collections.abc import Mapping

from simulation.model import Coefficient, Contribution, KnownValue, ModelCard, Prediction, Reference, Value
from simulation.predictors import _dose
from simulation.predictors._arithmetic import number
from simulation.predictors._inputs import cancer_type, measured
from simulation.radiation.edic import edric_gy

HAZARD_RATIO_PER_GY = 1.12
REFERENCE_GY = 5.6
COHORT_GY = (2.1, 12.2)
_JIN = "10.3390/cancers13236193"
_NOTE = (
    "The body mean is the integral dose over the whole-body volume (about 62 L), not the mean over the scanned "
    "contour, which is too high."
)


class Model:
    """Weighted sum of mean lung, heart and body dose; the body term grows with the number of fractions."""

    card = ModelCard(
        id="edric",
        version="1.1.0",
        title="Estimated dose of radiation to immune cells (EDRIC)",
        kind="predictor",
        outcome="dose to circulating immune cells; hazard ratio of death against the median of a trial",
        purpose="Relates a thoracic plan to the loss of lymphocytes and to survival, for research.",
        population="Stage III NSCLC, chemoradiotherapy in RTOG 0617 (n = 456)",
        cancer_types=("nsclc", "sclc"),
        inputs=(
            measured(_dose.LUNG, (0.0, 40.0)),
            measured(_dose.HEART, (0.0, 50.0)),
            measured(_dose.BODY, (0.0, 20.0)),
            measured(_dose.FRACTIONS, (25.0, 40.0)),
            _dose.conventional(),
            cancer_type("nsclc", "sclc"),
        ),
        equations=(
            "EDRIC = 0.12 * lung + 0.08 * heart + (0.45 + 0.35 * 0.85 * sqrt(n / 45)) * body, mean doses in Gy",
            "hazard ratio of death = 1.12 ^ (EDRIC - 5.6 Gy)",
        ),
        references=(
            Reference(
                citation="Ladbury CJ et al., Int J Radiat Oncol Biol Phys 2019;105:346 (formula, read in a public "
                "planning script that cites it)",
                verified=False,
            ),
            Reference(citation="Jin J-Y et al., Cancers 2021;13:6193 (RTOG 0617)", doi=_JIN),
        ),
        leaves_out=("Blood circulation and the lymphatic organs in detail.", "Immunotherapy."),
        known_failures=(
            _NOTE,
            "The slope of survival was flat from 6 to 8 Gy; one hazard ratio per Gy is a summary.",
        ),
        coefficients=(
            Coefficient(
                name="hazard ratio of death per Gy",
                value=HAZARD_RATIO_PER_GY,
                unit="1",
                evidence="published",
                source=f"doi:{_JIN}",
            ),
            Coefficient(
                name="median of the 60 Gy arm",
                value=REFERENCE_GY,
                unit="Gy",
                evidence="published",
                source=f"doi:{_JIN}",
            ),
        ),
        example={_dose.LUNG: 15.0, _dose.HEART: 10.0, _dose.BODY: 4.0, _dose.FRACTIONS: 30},
        known_values=tuple(
            KnownValue(
                inputs={_dose.LUNG: lung, _dose.HEART: heart, _dose.BODY: body, _dose.FRACTIONS: fractions},
                expected={"effective_dose_to_circulating_immune_cells": dose},
                absolute_tolerance=1e-5,
                source="Ladbury 2019",
            )
            for lung, heart, body, fractions, dose in (
                (15.0, 10.0, 4.0, 30, 5.37163),
                (20.0, 15.0, 6.0, 30, 7.75745),
                (12.0, 3.0, 3.0, 5, 3.3275),
                (14.0, 9.0, 4.2, 25, 5.22132),
                (16.5, 11.0, 3.6, 33, 5.39715),
            )
        ),
        increases_with=(_dose.LUNG, _dose.HEART, _dose.BODY, _dose.FRACTIONS),
        validated_on_patients=True,
        history=("1.0.0: first version.", "1.1.0: the fraction size is compared with the cohort."),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the dose, and the hazard ratio of death against the trial's median."""
        lung, heart, body = (number(covariates, name) for name in (_dose.LUNG, _dose.HEART, _dose.BODY))
        fractions = int(number(covariates, _dose.FRACTIONS))

        def dose(lung_gy: float, heart_gy: float, body_gy: float) -> float:
            return edric_gy(
                mean_lung_dose_gy=lung_gy,
                mean_heart_dose_gy=heart_gy,
                mean_body_dose_gy=body_gy,
                fraction_count=fractions,
            )

        value = dose(lung, heart, body)
        low, high = COHORT_GY
        outside = () if low <= value <= high else (f"EDRIC lies outside the cohort ({low:g} to {high:g} Gy).",)
        return (
            Prediction(
                outcome="effective_dose_to_circulating_immune_cells",
                value=value,
                unit="Gy",
                contributions=(
                    Contribution(input=_dose.LUNG, value=dose(lung, 0.0, 0.0), unit="Gy"),
                    Contribution(input=_dose.HEART, value=dose(0.0, heart, 0.0), unit="Gy"),
                    Contribution(input=_dose.BODY, value=dose(0.0, 0.0, body), unit="Gy"),
                ),
                note=_NOTE,
                references=(0,),
                outside=outside,
            ),
            Prediction(
                outcome="overall_survival",
                value=HAZARD_RATIO_PER_GY ** (value - REFERENCE_GY),
                unit="hazard_ratio",
                note=f"Of death, against {REFERENCE_GY:g} Gy, the median of the 60 Gy arm; no interval was read.",
                references=(1,),
                outside=outside,
            ),
        )
