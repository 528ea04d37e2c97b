"""Derived neutrophil-lymphocyte ratio."""

from collections.abc import Mapping

from simulation.model import Coefficient, KnownValue, ModelCard, NotApplicable, Prediction, Reference, Value
from simulation.predictors import _blood
from simulation.predictors._arithmetic import number, ratio
from simulation.predictors._inputs import measured

HIGH = 3.0


def derived_neutrophil_lymphocyte_ratio(covariates: Mapping[str, Value]) -> float:
    """Return neutrophils over the other leukocytes, dimensionless.

    Parameters
    ----------
    covariates : mapping
        Holds neutrophils and leukocytes, both in 1e9/L.

    Returns
    -------
    float
        The ratio, rounded to 9 digits.

    Raises
    ------
    NotApplicable
        The leukocytes do not exceed the neutrophils.
    """
    neutrophils = number(covariates, _blood.NEUTROPHILS)
    others = number(covariates, _blood.LEUKOCYTES) - neutrophils
    if others <= 0:
        raise NotApplicable("leukocytes must exceed neutrophils; check the two counts and their units")
    return ratio(neutrophils, others)


class Model:
    """Neutrophils over leukocytes minus neutrophils."""

    card = ModelCard(
        id="dnlr",
        version="1.0.0",
        title="Derived neutrophil-lymphocyte ratio (dNLR)",
        kind="predictor",
        outcome="inflammation index; a high value goes with shorter survival under immunotherapy",
        purpose="Component of LIPI and a prognostic marker where lymphocytes are not counted apart.",
        population="Any; used across solid tumors",
        inputs=(measured(_blood.NEUTROPHILS), measured(_blood.LEUKOCYTES)),
        equations=("dNLR = neutrophils / (leukocytes - neutrophils), rounded to 9 digits", "high: dNLR > 3"),
        references=(
            Reference(
                citation="Mezquita L et al., JAMA Oncol 2018;4:351 (cut-off 3)",
                doi="10.1001/jamaoncol.2017.4771",
                verified=False,
            ),
        ),
        leaves_out=_blood.LEAVES_OUT,
        known_failures=(_blood.PROGNOSTIC, "Corticosteroids and infection raise it."),
        coefficients=(
            Coefficient(
                name="cut-off",
                value=HIGH,
                unit="1",
                evidence="published",
                source="doi:10.1001/jamaoncol.2017.4771",
                verified=False,
            ),
        ),
        example={_blood.NEUTROPHILS: 4.2, _blood.LEUKOCYTES: 6.4},
        known_values=tuple(
            KnownValue(
                inputs={_blood.NEUTROPHILS: neutrophils, _blood.LEUKOCYTES: leukocytes},
                expected={_blood.DNLR: value},
                absolute_tolerance=1e-4,
                source="definition",
            )
            for neutrophils, leukocytes, value in (
                (4.2, 6.4, 1.9091),
                (9.0, 11.0, 4.5),
                (6.0, 8.0, 3.0),
                (5.1, 6.9, 2.8333),
            )
        ),
        increases_with=(_blood.NEUTROPHILS,),
        decreases_with=(_blood.LEUKOCYTES,),
        validated_on_patients=True,
        history=("1.0.0: first version.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the ratio and its group."""
        value = derived_neutrophil_lymphocyte_ratio(covariates)
        return (Prediction(outcome=_blood.DNLR, value=value, unit="ratio", group="high" if value > HIGH else "low"),)
