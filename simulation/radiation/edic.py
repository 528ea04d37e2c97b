"""Effective dose to immune cells from organ mean doses."""

import math
from collections.abc import Mapping

BLOOD_DOSE_REFERENCE_L = 61.8
"""Body size to which the integral dose is spread, L (61.8 kg at 1 kg/L)."""
WEIGHTS: Mapping[str, float] = {
    "lung": 0.12,
    "heart": 0.08,
    "body, whatever the number of fractions": 0.45,
    "body, times saturation": 0.35,
    "saturation at the reference number of fractions": 0.85,
    "reference number of fractions": 45.0,
}
"""Weights of the mean doses and of the number of fractions."""
_LUNG, _HEART, _BODY, _BODY_SATURATED, _SATURATION, _FRACTIONS = WEIGHTS.values()


def edic_gy(
    *, mean_lung_dose_gy: float, mean_heart_dose_gy: float, integral_dose_gy_l: float, fraction_count: int
) -> float:
    r"""Return the effective dose to immune cells (EDIC) of a thoracic course.

    .. math:: 0.12\,D_{lung} + 0.08\,D_{heart} + (0.45 + 0.35\cdot 0.85\sqrt{n/45})\,\frac{ITD}{61.8}

    Parameters
    ----------
    mean_lung_dose_gy, mean_heart_dose_gy : float, Gy
        Mean doses of the whole course.
    integral_dose_gy_l : float, Gy L
        Mean dose times volume of the whole body.
    fraction_count : int

    Returns
    -------
    float, Gy

    References
    ----------
    Jin JY et al., model in: Ladbury CJ et al. Radiother Oncol 2019; Chen F et al. Front Oncol 2022;12:768956.
    doi:10.3389/fonc.2022.768956
    """
    return edric_gy(
        mean_lung_dose_gy=mean_lung_dose_gy,
        mean_heart_dose_gy=mean_heart_dose_gy,
        mean_body_dose_gy=integral_dose_gy_l / BLOOD_DOSE_REFERENCE_L,
        fraction_count=fraction_count,
    )


def edric_gy(
    *, mean_lung_dose_gy: float, mean_heart_dose_gy: float, mean_body_dose_gy: float, fraction_count: int
) -> float:
    """Return the estimated dose of radiation to immune cells (EDRIC): EDIC from the mean body dose.

    The two agree only when the contoured body has 61.8 L; on a partial scan EDRIC is too high.

    Parameters
    ----------
    mean_lung_dose_gy, mean_heart_dose_gy, mean_body_dose_gy : float, Gy
        Mean doses of the whole course.
    fraction_count : int

    Returns
    -------
    float, Gy
    """
    if fraction_count < 1 or min(mean_lung_dose_gy, mean_heart_dose_gy, mean_body_dose_gy) < 0:
        raise ValueError("doses must be >= 0 and there must be at least one fraction")
    body = _BODY + _BODY_SATURATED * _SATURATION * math.sqrt(fraction_count / _FRACTIONS)
    return _LUNG * mean_lung_dose_gy + _HEART * mean_heart_dose_gy + body * mean_body_dose_gy
