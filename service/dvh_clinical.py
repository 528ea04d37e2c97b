"""The named clinical models of a set of structures and a patient."""

from collections.abc import Mapping, Sequence

from schemas import dvh as wire
from schemas import dvh_results as results
from service.dvh_risks import estimate, stands_in, stream_of
from service.dvh_structures import read_source
from simulation.radiation.clinical import MODELS, ClinicalModel, ClinicalRisk, MissingStructure
from simulation.radiation.structure import Structure

_PASSED_ON = (
    "pulmonary_comorbidity",
    "middle_or_lower_lobe",
    "sequential_chemotherapy",
    "concurrent_chemotherapy",
    "immunotherapy_consolidation",
    "t_stage_3_or_4",
    "head_and_neck_site",
    "baseline_xerostomia",
    "baseline_dysphagia",
)
_OLDER_THAN_YEARS = 63.0


def _factors(given: wire.PatientFactors) -> Mapping[str, bool | str]:
    found: dict[str, bool | str] = {name: value for name in _PASSED_ON if (value := getattr(given, name)) is not None}
    if given.age_years is not None:
        found["age_over_63"] = given.age_years > _OLDER_THAN_YEARS
    if given.sex is not None:
        found["female"] = given.sex == "female"
    if given.smoking_status is not None:
        found["former_smoker"] = given.smoking_status == "former"
        found["current_smoker"] = given.smoking_status == "current"
    return found


def clinical_models(
    structures: Sequence[Structure],
    options: wire.EvaluationOptions,
    dose_per_fraction_gy: float | None,
    stream_key: tuple[int, int],
) -> tuple[list[results.ClinicalRead], list[results.ClinicalMissingRead]]:
    """Compute every model whose structures are there; name those that lack only some of them."""
    factors = _factors(options.factors)
    present = {structure.organ for structure in structures}
    answers: list[results.ClinicalRead] = []
    missing: list[results.ClinicalMissingRead] = []
    for number, model in enumerate(MODELS):
        if not present & {term.organ for term in model.terms} or not _meant_for(model, options.factors):
            continue
        try:
            risk = model.evaluate(
                structures,
                options.fraction_count,
                factors,
                level=options.interval_level,
                stream=stream_of(*stream_key, number),
            )
        except MissingStructure as reason:
            missing.append(results.ClinicalMissingRead(model=model.id, reason=f"{model.title} {reason}."))
            continue
        answers.append(_read(model, risk, dose_per_fraction_gy))
    return answers, missing


def _meant_for(model: ClinicalModel, factors: wire.PatientFactors) -> bool:
    if model.setting is not None and factors.head_and_neck_setting is not None:
        return model.setting == factors.head_and_neck_setting
    return True


def _read(model: ClinicalModel, risk: ClinicalRisk, dose_per_fraction_gy: float | None) -> results.ClinicalRead:
    standing, reasons = stands_in(model.fractionation, dose_per_fraction_gy)
    doses = [
        results.ClinicalInputRead(
            name=dose.name, value=dose.value, unit=dose.unit, structure_id=dose.structure, assumed=False
        )
        for dose in risk.doses
    ]
    factors = [
        results.ClinicalInputRead(name=one.name, value=one.value, unit="", structure_id=None, assumed=one.assumed)
        for one in risk.factors
    ]
    return results.ClinicalRead(
        model=model.id,
        title=model.title,
        outcome=model.outcome,
        answer=model.answer,
        estimate=estimate(risk.value, risk.interval),
        interval_note=model.interval_note,
        horizon_days=model.horizon_days,
        population=model.population,
        inputs=[*doses, *factors],
        applicability=standing,
        reasons=reasons,
        note=model.note,
        source=read_source(model.reference),
    )
