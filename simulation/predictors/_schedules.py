"""What a look-up of a trial says when the plan's radiotherapy is not the trial's."""

from collections.abc import Mapping

from simulation.model import Prediction, Value

FRACTIONS = "plan.fraction_count"
DOSE = "plan.dose_per_fraction_gy"

Schedule = tuple[float | None, float, str]
"""Fractions (None where they went on with the drug), dose of one in Gy, and both in words."""


def with_schedule(
    answers: tuple[Prediction, ...], covariates: Mapping[str, Value], given: tuple[Schedule, ...], choice: str = ""
) -> tuple[Prediction, ...]:
    """Return the answers; where the planned schedule is none of the trial's, each is outside of it.

    Parameters
    ----------
    answers : tuple of Prediction
        What the trial observed.
    covariates : mapping
        May have the number of fractions of all courses and the largest dose of one, Gy.
    given : tuple of Schedule
        The schedules of the trial.
    choice : str
        How a stratum was chosen for a schedule in between, for the note.

    Returns
    -------
    tuple of Prediction
        The same objects where the schedule fits or is not known.
    """
    count, dose_gy = covariates.get(FRACTIONS), covariates.get(DOSE)
    if any(count in (None, n) or n is None for n, gy, _ in given if dose_gy in (None, gy)):
        return answers
    fractions = "fractions" if count is None else f"{float(count):g} fractions"
    planned = fractions if dose_gy is None else f"{fractions} of up to {float(dose_gy):g} Gy"
    trial = " or ".join(words for _, _, words in given)
    remark = f"Another schedule than the trial's: planned {planned}, given {trial}."
    return tuple(
        Prediction._make(answer)._replace(
            outside=(*answer.outside, remark), note=" ".join(text for text in (answer.note, choice) if text) or None
        )
        for answer in answers
    )
