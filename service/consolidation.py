"""A checkpoint inhibitor after radiotherapy of the lung: when the composed odds of pneumonitis cover it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from schemas.patient import Patient
from schemas.plan import Plan
from service.plan_covariates import CLASS_OF, TARGET
from service.regimens import drug_plan
from simulation.predictors.pneumonitis_radiotherapy_checkpoint import AFTER_RADIOTHERAPY_DAYS
from simulation.radiation.clinical import SENSITIVITY_ODDS_RATIOS
from simulation.radiation.plan import RadiotherapyPlan

COMPOSED: Final = "appelt-immunotherapy-pneumonitis"
ALONE: Final = "appelt-pneumonitis"
FACTOR: Final = "immunotherapy_consolidation"
_WEAKER_ODDS_RATIO: Final = SENSITIVITY_ODDS_RATIOS[FACTOR]
_COVERED: Final = ("pd1", "pd_l1")
NOTES: Final = (
    "a composition, evidence assumed: the odds of Appelt 2014 and the odds ratio 2.43 of durvalumab (Stoffers 2025) "
    "are published, their product is not; no interval of the difference, because none was read for the odds ratio",
    "the odds ratio comes from stage III NSCLC after chemoradiotherapy",
)


@dataclass(frozen=True, slots=True)
class Antibody:
    """The checkpoint inhibitors of a plan with radiotherapy.

    ``start_after_days`` is the first infusion minus the last fraction, None where the plan lacks either.
    """

    agents: frozenset[str]
    start_after_days: float | None

    @property
    def target(self) -> str | None:
        """Class of the antibodies; None for a combination without a name."""
        return CLASS_OF.get(frozenset(TARGET[agent] for agent in self.agents))

    @property
    def uncovered(self) -> str | None:
        """Why no odds ratio is on record for these antibodies after radiotherapy; None where one is, or none is due."""
        if not self.agents or self.start_after_days is None:
            return None
        if self.target not in _COVERED:
            return "an odds ratio is on record only for an antibody against PD-1 or PD-L1 alone"
        first, last = AFTER_RADIOTHERAPY_DAYS
        if not first <= self.start_after_days <= last:
            return (
                f"an odds ratio is on record only for a first infusion {first:g} to {last:g} d after the last fraction"
            )
        return None

    @property
    def consolidates(self) -> bool | None:
        """Whether the antibody counts as consolidation; None where the odds ratio does not cover it."""
        if not self.agents or self.start_after_days is None:
            return False
        return True if self.uncovered is None else None


def antibody_of(plan: Plan, radiotherapy: RadiotherapyPlan, patient: Patient, pointer: str) -> Antibody:
    """Return the checkpoint inhibitors of a plan, and how long after the radiotherapy they start."""
    events = drug_plan(plan.drugs, patient.weight_kg, f"{pointer}/drugs").events
    days = [fraction.day for course in radiotherapy.courses for fraction in course.fractions]
    return Antibody(
        agents=frozenset(event.agent for event in events),
        start_after_days=events[0].time_days - max(days) if events and days else None,
    )


def notes_of(antibody: Antibody, risk_alone: float | None, name: str) -> Iterator[str]:
    """Yield what must stand beside the composed risk of one plan.

    Parameters
    ----------
    antibody : Antibody
        Of the plan.
    risk_alone : float or None
        Probability without the antibody.
    name : str
        What the plan is called in the note.
    """
    if not antibody.consolidates:
        return
    if antibody.target != "pd_l1":
        yield f"{name}: the odds ratio is that of durvalumab, an antibody against PD-L1"
    if risk_alone is not None:
        odds = _WEAKER_ODDS_RATIO * risk_alone
        yield (
            f"{name}: {odds / (odds + 1.0 - risk_alone):.3g} with the odds ratio {_WEAKER_ODDS_RATIO:.2f} of PACIFIC, "
            f"{risk_alone:.3g} if the antibody added nothing"
        )
