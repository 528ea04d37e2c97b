"""Harm of one plan against another: organ complications of the radiotherapy, adverse events of the drugs.

A harm enters only where it is known for both plans. What is not known is said, because a plan can be called better
than another only when its harm is not higher.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from schemas.base import Estimate, IntervalRead
from schemas.patient import Patient
from schemas.plan import Plan
from schemas.simulations import HarmDifferenceRead
from service.flat_exposure import beyond_tested
from service.harm_rows import harm_row
from service.harms_radiotherapy import Treated, compare_radiotherapy
from service.plan_covariates import TARGET, plan_covariates
from service.regimens import drug_plan
from simulation.immunotherapy.adverse_events import INCIDENCE, SOURCES, Incidence
from simulation.model import Value
from simulation.predictors.irae_incidence import differs

INCIDENCE_MODEL: Final = "irae-incidence"
_EVENT: Final = "treatment_related"
_GRADES: Final = "grade_3_or_higher"
_FLAT: Final = frozenset({"pd1", "pd_l1"})
_LEVEL: Final = 0.95
ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Harms:
    """What is known of the harm of two plans: differences, and the harms that are not known for both."""

    differences: tuple[HarmDifferenceRead, ...]
    unknown: tuple[str, ...]


def compare_harms(
    base: Treated, other: Treated, patient: Patient, *, lung_lesions: Collection[str], lymphopenia_known: bool
) -> Harms:
    """Return the harm of a plan minus that of the reference plan.

    Parameters
    ----------
    base, other : Treated
        The reference plan and the plan that is compared with it.
    patient : Patient
    lung_lesions : collection of str
        Ids of the lesions in the lung.
    lymphopenia_known : bool
        Whether the model gives severe lymphopenia of both plans, in the same way.

    Returns
    -------
    Harms
    """
    found: list[HarmDifferenceRead] = []
    unknown: list[str] = []
    for differences, missing in (
        compare_radiotherapy(base, other, lung_lesions),
        _drugs(base.plan, other.plan, patient),
    ):
        found += differences
        unknown += missing
    if _chemotherapy(base.plan) != _chemotherapy(other.plan):
        unknown.append("adverse events of the chemotherapy with the radiotherapy: the plans differ in it")
    if base.plan.radiotherapy != other.plan.radiotherapy and not lymphopenia_known:
        unknown.append(
            "severe lymphopenia: the radiotherapy differs; give labs.lymphocytes_1e9_per_l, and organ doses in both "
            "plans or in neither"
        )
    if base.plan.cells != other.plan.cells:
        unknown.append("adverse events of the cell therapy: the plans differ in it, and no model compares them")
    if base.plan.vaccines != other.plan.vaccines:
        unknown.append("adverse events of the vaccine: the plans differ in it, and no model compares them")
    return Harms(tuple(found), tuple(unknown))


def _chemotherapy(plan: Plan) -> str:
    return plan.chemotherapy_with_radiotherapy or "none"


def _drugs(base: Plan, other: Plan, patient: Patient) -> tuple[list[HarmDifferenceRead], list[str]]:
    if base.drugs == other.drugs:
        return [], []
    first, second = (_covariates(plan, patient) for plan in (base, other))
    if first["plan.with_chemotherapy"] != second["plan.with_chemotherapy"]:
        return [], ["adverse events of the drugs: one plan has chemotherapy, whose harm is not on record here"]
    same_agents = first["plan.agents"] == second["plan.agents"]
    if same_agents:
        if _not_flat(base, patient) == _not_flat(other, patient):
            return [], []
        return [], ["adverse events of the drugs: no incidence by dose and interval is on record for these agents"]
    pair = _figures(first, second)
    if pair is None:
        return [], ["adverse events of the drugs: no incidence of grade 3 or higher is on record for both plans"]
    before, after = pair
    notes = tuple(
        f"{name}: {text}"
        for name, row, covariates in (("reference", before, first), ("plan", after, second))
        for text in _notes(row, covariates)
    )
    sources = tuple(dict.fromkeys(SOURCES[row.source].citation for row in pair if row is not None))
    read = harm_row(f"{_EVENT}_{_GRADES}", None, INCIDENCE_MODEL, _estimate(before), _estimate(after), sources, notes)
    return [read], []


def _covariates(plan: Plan, patient: Patient) -> dict[str, Value]:
    known = plan_covariates(plan, patient.weight_kg)
    for member in ("cancer_type", "stage", "prior_systemic_therapy"):
        value = getattr(patient, member)
        if value is not None:
            known[f"patient.{member}"] = value
    return known


def _not_flat(plan: Plan, patient: Patient) -> list[tuple[float, str, float]]:
    """Return the doses whose size changes the harm: not those of PD-1 and PD-L1 antibodies, over the tested range."""
    beyond = beyond_tested(plan, patient.weight_kg)
    return [
        (event.time_days, event.agent, event.amount_mg)
        for event in drug_plan(plan.drugs, patient.weight_kg, "/plan/drugs").events
        if TARGET[event.agent] not in _FLAT or event.agent in beyond
    ]


def _figures(first: dict[str, Value], second: dict[str, Value]) -> tuple[Incidence | None, Incidence | None] | None:
    """Return a figure for each plan, from one source where there is one, then the least unlike patient and plan.

    None for a plan without a checkpoint inhibitor, which has none of their events.
    """
    options = [(before, after) for before in _candidates(first) for after in _candidates(second)]
    if not options:
        return None
    return min(options, key=lambda pair: _unlike(pair, first, second))


def _candidates(covariates: dict[str, Value]) -> list[Incidence | None]:
    if not covariates["plan.immunotherapy"]:
        return [None]
    return [
        row
        for row in INCIDENCE
        if row.event == _EVENT
        and row.grades == _GRADES
        and (covariates.get("plan.checkpoint_class") in row.classes or row.agents == covariates["plan.agents"])
    ]


def _unlike(
    pair: tuple[Incidence | None, Incidence | None], first: dict[str, Value], second: dict[str, Value]
) -> tuple[bool, int]:
    before, after = pair
    apart = before is not None and after is not None and before.source != after.source
    differences = sum(
        len(tuple(differs(row, covariates))) for row, covariates in zip(pair, (first, second), strict=True) if row
    )
    return apart, differences


def _notes(row: Incidence | None, covariates: dict[str, Value]) -> Iterator[str]:
    if row is None:
        yield "no checkpoint inhibitor, so none of their adverse events"
        return
    yield row.group or "PD-1 and PD-L1 antibodies alone, pooled trials"
    yield from differs(row, covariates)


def _estimate(row: Incidence | None) -> Estimate:
    if row is None:
        return Estimate(value=0.0, interval=None)
    interval = None
    if row.bounds is not None:
        interval = IntervalRead(level=_LEVEL, lower=row.bounds[0], upper=row.bounds[1])
    return Estimate(value=row.probability, interval=interval)


def dominance(better: bool, worse: bool, harms: Harms, sign: float) -> tuple[bool | None, str | None]:
    """Return whether one plan dominates the other, and why not where that turns on harm.

    Parameters
    ----------
    better, worse : bool
        Whether it is better in some efficacy outcome, and worse in some outcome.
    harms : Harms
    sign : float
        1 for the plan against the reference, -1 for the reference against the plan.
    """
    if not better or worse:
        return False, None
    higher = [row.harm for row in harms.differences if sign * row.difference.value > ROUNDING]
    if higher:
        return False, f"its harm is higher: {', '.join(dict.fromkeys(higher))}"
    if harms.unknown:
        return None, f"not known for both plans: {'; '.join(harms.unknown)}"
    return True, None
