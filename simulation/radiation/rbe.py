"""Relative biological effectiveness of protons and helium ions against LET and dose per fraction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulation.model import Reference
from simulation.radiation.tables import read_table


@dataclass(frozen=True, slots=True, kw_only=True)
class RbeModel:
    """How the two limits of the effectiveness depend on LET and alpha/beta.

    The fit reached up to ``let_max_kev_per_um``; beyond ``let_limit_kev_per_um`` it is not to be used.
    """

    id: str
    form: Literal["mcnamara", "carabe", "mairani"]
    coefficients: Mapping[str, float]
    let_max_kev_per_um: float
    let_limit_kev_per_um: float
    reference: Reference

    def limits(
        self, let_kev_per_um: ArrayLike, alpha_beta_gy: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        r"""Return the effectiveness at vanishing and at very large dose per fraction.

        Parameters
        ----------
        let_kev_per_um : array-like, keV/um
            Dose-averaged linear energy transfer, >= 0.
        alpha_beta_gy : array-like, Gy
            Ratio alpha/beta of the tissue for photons, > 0.

        Returns
        -------
        rbe_max, rbe_min : ndarray
            :math:`\alpha/\alpha_x` and :math:`\sqrt{\beta/\beta_x}`.
        """
        let = np.asarray(let_kev_per_um, dtype=np.float64)
        ratio = np.asarray(alpha_beta_gy, dtype=np.float64)
        if np.any(let < 0) or np.any(ratio <= 0):
            raise ValueError("need let_kev_per_um >= 0 and alpha_beta_gy > 0")
        c = self.coefficients
        if self.form == "mairani":
            grown = (c["inverse_offset"] + 1.0 / ratio) * c["scale"] * let**2 * np.exp(-c["decay"] * let)
            return 1.0 + grown, np.ones_like(grown)
        if self.form == "carabe":
            scaled = c["reference_alpha_beta"] / ratio * let
            return c["max_constant"] + c["max_slope"] * scaled, c["min_constant"] + c["min_slope"] * scaled
        return (
            c["max_constant"] + c["max_slope"] * let / ratio,
            c["min_constant"] + c["min_slope"] * np.sqrt(ratio) * let,
        )


def effectiveness(
    dose_per_fraction_gy: ArrayLike, alpha_beta_gy: ArrayLike, rbe_max: ArrayLike, rbe_min: ArrayLike
) -> NDArray[np.float64]:
    """Photon dose over ion dose of the same effect, at one dose per fraction.

    Parameters
    ----------
    dose_per_fraction_gy : array-like, Gy
        Physical ion dose of one fraction, > 0.
    alpha_beta_gy : array-like, Gy
        Ratio alpha/beta for photons, > 0.
    rbe_max, rbe_min : array-like
        Limits at vanishing and at very large dose.

    Returns
    -------
    ndarray
        Between the two limits.
    """
    dose = np.asarray(dose_per_fraction_gy, dtype=np.float64)
    ratio = np.asarray(alpha_beta_gy, dtype=np.float64)
    high, low = np.asarray(rbe_max, dtype=np.float64), np.asarray(rbe_min, dtype=np.float64)
    root = np.sqrt(ratio**2 + 4.0 * ratio * high * dose + 4.0 * low**2 * dose**2)
    # (root - ratio) / (2 dose), written so that small doses lose no digits
    return 2.0 * (ratio * high + low**2 * dose) / (ratio + root)


def ion_bed_gy(
    total_dose_gy: ArrayLike, fraction_count: float, alpha_beta_gy: float, rbe_max: ArrayLike, rbe_min: ArrayLike
) -> NDArray[np.float64]:
    """BED of a physical ion dose, relative to photons.

    Parameters
    ----------
    total_dose_gy : array-like, Gy
        Physical ion dose.
    fraction_count : float
        Number of equal fractions.
    alpha_beta_gy : float, Gy
        Ratio alpha/beta for photons.
    rbe_max, rbe_min : array-like
        Limits of the effectiveness.

    Returns
    -------
    ndarray, Gy
        Biologically effective dose.
    """
    dose = np.asarray(total_dose_gy, dtype=np.float64)
    low = np.asarray(rbe_min, dtype=np.float64)
    return dose * (np.asarray(rbe_max, dtype=np.float64) + low**2 * dose / (fraction_count * alpha_beta_gy))


def weighted_dose_gy(
    total_dose_gy: ArrayLike, fraction_count: float, alpha_beta_gy: float, rbe_max: ArrayLike, rbe_min: ArrayLike
) -> NDArray[np.float64]:
    """Photon dose in the same number of fractions with the same effect as a physical ion dose.

    Parameters
    ----------
    total_dose_gy : array-like, Gy
        Physical ion dose.
    fraction_count : float
        Number of equal fractions.
    alpha_beta_gy : float, Gy
        Ratio alpha/beta for photons.
    rbe_max, rbe_min : array-like
        Limits of the effectiveness.

    Returns
    -------
    ndarray, Gy
        RBE-weighted dose, bin by bin; increases with dose.
    """
    dose = np.asarray(total_dose_gy, dtype=np.float64)
    return dose * effectiveness(dose / fraction_count, alpha_beta_gy, rbe_max, rbe_min)


_TABLE = read_table("radiation_rbe.toml")
FIXED_PROTON_RBE: float = _TABLE["fixed_proton"]["value"]
FIXED_PROTON_REFERENCE = Reference(
    citation=_TABLE["fixed_proton"]["source"],
    doi=_TABLE["fixed_proton"]["doi"],
    evidence=_TABLE["fixed_proton"]["evidence"],
    verified=_TABLE["fixed_proton"]["verified"],
)
MODELS: Mapping[str, RbeModel] = {
    name: RbeModel(
        id=name,
        form=row["form"],
        coefficients=row["coefficients"],
        let_max_kev_per_um=row["let_max_kev_per_um"],
        let_limit_kev_per_um=row["let_limit_kev_per_um"],
        reference=Reference(citation=row["source"], doi=row["doi"], evidence=row["evidence"], verified=row["verified"]),
    )
    for name, row in _TABLE["models"].items()
}
