"""How much of the blood a field reaches, relative to a conventional thoracic field."""

from simulation.tumor.tables import table


def course_exposure(dose_per_fraction_gy: float) -> float:
    """Return the default exposure of a fraction of this size: small fields come with large fractions.

    Parameters
    ----------
    dose_per_fraction_gy : float, Gy

    Returns
    -------
    float
        1 for conventional fractions, the stereotactic exposure from its threshold on.
    """
    exposure = table("multi_lesion")["field_exposure"]
    stereotactic = dose_per_fraction_gy >= exposure["stereotactic_from_dose_gy"]
    return float(exposure["stereotactic"] if stereotactic else exposure["conventional"])
