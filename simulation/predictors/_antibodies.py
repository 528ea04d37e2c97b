"""How a trial gave its CTLA-4 antibody, whose harm and effect rise with dose, against the plan."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from simulation.model import Input, Prediction, Value
from simulation.predictors._inputs import measured

_SAME = 0.2
_DAYS_PER_WEEK = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AntibodyCourse:
    """Doses of one CTLA-4 antibody in a trial: dose of an infusion, days between two, and the most of them.

    A dose is given in mg or in mg/kg. ``interval_days`` is None for a single dose, ``most_doses`` where the antibody
    went on with the treatment.
    """

    agent: str
    dose_mg: float | None = None
    dose_mg_per_kg: float | None = None
    interval_days: float | None = None
    most_doses: int | None = None

    @property
    def words(self) -> str:
        """The course in words."""
        dose = f"{self.dose_mg:g} mg" if self.dose_mg is not None else f"{self.dose_mg_per_kg:g} mg/kg"
        if self.interval_days is None:
            return f"{self.agent} {dose} once"
        every = f"{self.agent} {dose} every {self.interval_days / _DAYS_PER_WEEK:g} weeks"
        return every if self.most_doses is None else f"{every}, at most {self.most_doses} times"

    def differs(self, covariates: Mapping[str, Value]) -> Iterator[str]:
        """Yield one sentence where the plan gives another dose, at another interval or more often.

        Parameters
        ----------
        covariates : mapping of str to value
            By dotted name; what is absent is not compared.
        """
        if any(
            (
                _apart(covariates.get(self._dose_name), self._dose),
                _apart(covariates.get(self._name("interval_days")), self.interval_days),
                self._other_count(covariates.get(self._name("dose_count"))),
            )
        ):
            yield f"The trial gave {self.words}."

    def unchecked(self, covariates: Mapping[str, Value]) -> Iterator[str]:
        """Yield the name of the dose where the plan gives the antibody, and not this dose."""
        if self._name("dose_count") in covariates and self._dose_name not in covariates:
            yield self._dose_name

    def compared(self, answers: tuple[Prediction, ...], covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the answers with what differs from the plan; the same objects where nothing does."""
        outside, unchecked = tuple(self.differs(covariates)), tuple(self.unchecked(covariates))
        if not outside and not unchecked:
            return answers
        return tuple(
            Prediction._make(answer)._replace(outside=(*answer.outside, *outside), unchecked=unchecked)
            for answer in answers
        )

    def _name(self, what: str) -> str:
        return f"plan.{self.agent}_{what}"

    @property
    def _dose_name(self) -> str:
        return self._name("dose_mg" if self.dose_mg is not None else "dose_mg_per_kg")

    @property
    def _dose(self) -> float | None:
        return self.dose_mg if self.dose_mg is not None else self.dose_mg_per_kg

    def _other_count(self, count: Value | None) -> bool:
        if count is None:
            return False
        if self.interval_days is not None and float(count) == 1.0:
            return True
        return self.most_doses is not None and float(count) > self.most_doses


def _apart(planned: Value | None, given: float | None) -> bool:
    return planned is not None and given is not None and abs(float(planned) / given - 1.0) > _SAME


def course_inputs(*agents: str) -> tuple[Input, ...]:
    """Return what a plan says of its CTLA-4 antibodies, to be compared with the course of a trial."""
    return tuple(
        measured(f"plan.{agent}_{what}", required=False, why="Compared with the course of the trial.")
        for agent in agents
        for what in ("dose_mg", "dose_mg_per_kg", "interval_days", "dose_count")
    )
