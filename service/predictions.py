"""Asks every published predictor about one patient."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from schemas.predictions import PredictionRequest, PredictionsResult
from schemas.run import ModelRef, RunWarning
from service import predictions_figures
from service.covariates import COVARIATES, flatten
from service.errors import InvalidInput
from service.kinds import Computation, Kind
from service.plan_covariates import GIVEN_BY
from service.predictions_checks import (
    ASKED,
    BIT_OF_NAME,
    CHECKS,
    MOST_REMEMBERED,
    READY,
    Answer,
    Patient,
    Ready,
    not_checked,
    positions,
    usual_applicability,
)
from simulation.model import NotApplicable, Prediction, Published, Value


def _read(ready: Ready, prediction: Prediction, applicability: dict[str, Any]) -> dict[str, Any]:
    if prediction.outside:
        known = applicability["reasons"] if applicability["status"] == "outside" else []
        applicability = {"status": "outside", "reasons": [*known, *prediction.outside]}
    elif prediction.unchecked and applicability["status"] != "outside":
        reasons = [*applicability["reasons"], not_checked(prediction.unchecked)]
        applicability = {"status": "unknown", "reasons": reasons}
    if type(prediction) is not Published:
        return _fresh(ready, prediction, applicability)
    remembered = ready.printed.get(id(prediction))
    if remembered is not None and remembered[0] is prediction:
        return {**remembered[1], "applicability": applicability}
    read = _fresh(ready, prediction, applicability)
    if len(ready.printed) < MOST_REMEMBERED:
        ready.printed[id(prediction)] = (prediction, read)
    return read


def _fresh(ready: Ready, prediction: Prediction, applicability: dict[str, Any]) -> dict[str, Any]:
    interval, horizon = prediction.interval, prediction.horizon_days
    return {
        "model": ready.id,
        "outcome": prediction.outcome,
        "horizon_days": ready.horizon_days if horizon is None else horizon,
        "value": float(prediction.value),
        "unit": prediction.unit,
        "interval": None
        if interval is None
        else {"level": interval.level, "lower": interval.lower, "upper": interval.upper},
        "group": prediction.group,
        "contributions": [
            {"input": name, "value": value, "unit": unit} for name, value, unit in prediction.contributions
        ],
        "applicability": applicability,
        "note": prediction.note,
        "references": [ready.references[position] for position in prediction.references]
        if prediction.references
        else ready.references,
    }


class _Asked(NamedTuple):
    """Whom patients of whom the same is known ask, and why the others are silent.

    ``speaking`` has beside every predictor its applicability to a patient inside every range;
    ``order`` is the place of every predictor in the answer.
    """

    speaking: tuple[tuple[Ready, dict[str, Any]], ...]
    silent: tuple[dict[str, Any], ...]
    order: Mapping[str, int]


@lru_cache(maxsize=MOST_REMEMBERED)
def _asked(models: tuple[str, ...] | None, given: int, refused: int) -> _Asked:
    """Sort the predictors out by the bits of what is given and what is refused."""
    speaking, silent = [], []
    selected = _selected(models)
    for ready in selected:
        missing, failed = ready.required & ~given, ready.checks & refused
        if not missing and not failed:
            speaking.append((ready, usual_applicability(ready, given)))
            continue
        refusal = None if missing else CHECKS[positions(failed)[0]].refusal
        if refusal is not None and models is not None:
            raise InvalidInput(COVARIATES[refusal.name].pointer, refusal.reason)
        names = [GIVEN_BY.get(name, name) for name in ready.names if missing & BIT_OF_NAME[name]]
        silent.append(
            {
                "model": ready.id,
                "missing": list(dict.fromkeys(names)),
                "reason": "required inputs are missing" if refusal is None else refusal.reason,
            }
        )
    return _Asked(tuple(speaking), tuple(silent), {ready.id: place for place, ready in enumerate(selected)})


def _selected(models: tuple[str, ...] | None) -> Sequence[Ready]:
    if models is None:
        return ASKED
    for index, name in enumerate(models):
        if name not in READY:
            raise InvalidInput(f"/models/{index}", "no predictor has this id; GET /v1/models lists them")
    return [READY[name] for name in dict.fromkeys(models)]


def _ask(ready: Ready, patient: Patient, usual: dict[str, Any]) -> Answer:
    """Ask one predictor; where every input given is a category, the answer is worked out once."""
    if ready.answers is None or ready.measured & patient.given:
        return _work_out(ready, patient, usual)
    key = tuple([patient.covariates.get(name) for name in ready.names])
    answer = ready.answers.get(key)
    if answer is None:
        answer = _work_out(ready, patient, usual)
        if len(ready.answers) < MOST_REMEMBERED:
            ready.answers[key] = answer
    return answer


def _work_out(ready: Ready, patient: Patient, usual: dict[str, Any]) -> Answer:
    try:
        answers = ready.model.predict(patient.covariates)
    except NotApplicable as no_answer:
        return Answer(none={"model": ready.id, "missing": [], "reason": str(no_answer)})
    failed = ready.checks & patient.outside
    if not failed:
        return Answer(tuple([_read(ready, answer, usual) for answer in answers]))
    checks = [CHECKS[position] for position in positions(failed)]
    applicability = {"status": "outside", "reasons": [check.outside for check in checks]}
    return Answer(
        tuple([_read(ready, answer, applicability) for answer in answers]), tuple([check.name for check in checks])
    )


def compute(request: PredictionRequest) -> Computation:
    """Answer with every applicable predictor, and with the reason of every other.

    Raises
    ------
    InvalidInput
        A model asked for by name does not exist or does not accept an input.
    """
    covariates = flatten(request.patient, request.plan)
    return predict(covariates, request.models)


def predict(covariates: Mapping[str, Value], models: Sequence[str] | None = None) -> Computation:
    """Answer for covariates that are flat already; ``models`` None asks all predictors."""
    predictions: list[dict[str, Any]] = []
    unanswered: list[dict[str, Any]] = []
    used: list[ModelRef] = []
    warned: dict[str, list[str]] = {}
    unvalidated: list[str] = []
    patient = Patient.of(covariates)
    asked = _asked(None if models is None else tuple(models), patient.given, patient.refused)
    for ready, usual in asked.speaking:
        answer = _ask(ready, patient, usual)
        if answer.none is not None:
            unanswered.append(answer.none)
            continue
        predictions += answer.reads
        used.append(ready.ref)
        for name in answer.outside:
            warned.setdefault(name, []).append(ready.id)
        if not ready.validated:
            unvalidated.append(ready.id)
    not_applicable = [*asked.silent, *unanswered]
    if unanswered:
        not_applicable.sort(key=lambda silent: asked.order[silent["model"]])
    return Computation(
        result={"predictions": predictions, "not_applicable": not_applicable},
        models=tuple(used),
        warnings=_warnings(warned, unvalidated),
    )


def _warnings(warned: Mapping[str, list[str]], unvalidated: list[str]) -> tuple[RunWarning, ...]:
    found = [
        RunWarning(
            code="outside-derivation-range",
            message=f"{name} lies outside the derivation cohort of: {', '.join(models)}",
            pointer=COVARIATES[name].pointer,
        )
        for name, models in warned.items()
    ]
    if unvalidated:
        found.append(
            RunWarning(
                code="not-validated-on-patients",
                message=f"not validated on patients other than those it was derived in: {', '.join(unvalidated)}",
                pointer=None,
            )
        )
    return tuple(found)


_EXAMPLE: Final = {
    "patient": {
        "reference": "demo-nsclc-1",
        "age_years": 66,
        "sex": "female",
        "cancer_type": "nsclc",
        "prior_systemic_therapy": False,
        "labs": {"albumin_g_per_l": 41.0, "neutrophils_1e9_per_l": 5.6, "lymphocytes_1e9_per_l": 1.6},
        "biomarkers": {"pd_l1_tps_percent": 60.0, "tmb_mutations_per_mb": 8.0},
    },
    "plan": {
        "radiotherapy": [
            {
                "id": "sbrt",
                "lesion_ids": [],
                "start_day": 0,
                "dose_per_fraction_gy": 8.0,
                "fraction_count": 3,
                "fractions_per_week": 5,
            }
        ],
        "drugs": [{"agent": "pembrolizumab", "dose_mg": 200, "start_day": 1, "interval_days": 21, "dose_count": 8}],
    },
}

KIND: Final = Kind(
    name="predictions",
    path="/predictions",
    summary="Ask every published predictor about one patient",
    description="Every applicable predictor with its validity; the others with what was missing or out of range. "
    "Predictors whose card says by_name_only answer only when models names them.",
    request=PredictionRequest,
    result=PredictionsResult,
    compute=compute,
    examples={"lung cancer": _EXAMPLE},
    figures={"contributions": predictions_figures.contributions, "probabilities": predictions_figures.probabilities},
    series=predictions_figures.table,
)
