"""The table of complication models: which curve with which parameters for which organ."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from simulation.model import Interval, Reference
from simulation.radiation.dvh import Dvh
from simulation.radiation.ntcp import log_logistic, logistic, lyman, poisson, relative_seriality
from simulation.radiation.tables import read_table

Form = Literal[
    "lyman",
    "log_logistic",
    "logistic",
    "poisson_kallman",
    "poisson_exact",
    "relative_seriality_kallman",
    "relative_seriality_exact",
]
Curve = Callable[[Dvh, Mapping[str, float]], float]

CURVES: Mapping[Form, Curve] = {
    "lyman": lambda dvh, p: float(lyman(dvh.generalized_eud_gy(1.0 / p["n"]), td50_gy=p["td50_gy"], m=p["m"])),
    "log_logistic": lambda dvh, p: float(
        log_logistic(dvh.generalized_eud_gy(p["exponent"]), td50_gy=p["td50_gy"], gamma50=p["gamma50"])
    ),
    "logistic": lambda dvh, p: float(
        logistic(dvh.generalized_eud_gy(p["exponent"]), d50_gy=p["d50_gy"], gamma50=p["gamma50"])
    ),
    "poisson_kallman": lambda dvh, p: float(
        poisson(dvh.generalized_eud_gy(p["exponent"]), d50_gy=p["d50_gy"], gamma=p["gamma"], form="kallman_1992")
    ),
    "poisson_exact": lambda dvh, p: float(
        poisson(dvh.generalized_eud_gy(p["exponent"]), d50_gy=p["d50_gy"], gamma=p["gamma"], form="exact_gamma")
    ),
    "relative_seriality_kallman": lambda dvh, p: relative_seriality(
        dvh, d50_gy=p["d50_gy"], gamma=p["gamma"], seriality=p["seriality"], form="kallman_1992"
    ),
    "relative_seriality_exact": lambda dvh, p: relative_seriality(
        dvh, d50_gy=p["d50_gy"], gamma=p["gamma"], seriality=p["seriality"], form="exact_gamma"
    ),
}
PARAMETERS: Mapping[Form, tuple[str, ...]] = {
    "lyman": ("td50_gy", "m", "n"),
    "log_logistic": ("td50_gy", "gamma50", "exponent"),
    "logistic": ("d50_gy", "gamma50", "exponent"),
    "poisson_kallman": ("d50_gy", "gamma", "exponent"),
    "poisson_exact": ("d50_gy", "gamma", "exponent"),
    "relative_seriality_kallman": ("d50_gy", "gamma", "seriality"),
    "relative_seriality_exact": ("d50_gy", "gamma", "seriality"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplicationModel:
    """One parameter set.

    ``dose`` says whether bins are first converted to 2 Gy fractions with ``alpha_beta_gy``. ``main`` marks
    the one set for an organ that the therapeutic window shows unless told otherwise. ``interval_note`` says what the
    intervals of the parameters are, or why there are none.
    """

    id: str
    organ: str
    endpoint: str
    form: Form
    parameters: Mapping[str, float]
    dose: Literal["eqd2", "physical"]
    alpha_beta_gy: float
    alpha_beta_source: Literal["published", "assumed", "given"]
    reference: Reference | None
    interval_note: str
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    main: bool = False
    whole_organ: bool = True

    def probability(self, dvh: Dvh, fraction_count: float, parameters: Mapping[str, float] | None = None) -> float:
        """Return the complication probability of a distribution.

        Parameters
        ----------
        dvh : Dvh
            Physical dose.
        fraction_count : float
            Number of equal fractions.
        parameters : mapping, optional
            In place of the model's own.

        Returns
        -------
        float
            Probability.
        """
        return CURVES[self.form](self.dose_basis(dvh, fraction_count), parameters or self.parameters)

    def dose_basis(self, dvh: Dvh, fraction_count: float) -> Dvh:
        """Return the distribution in the dose that the parameters belong to.

        Parameters
        ----------
        dvh : Dvh
            Physical dose.
        fraction_count : float
            Number of equal fractions.

        Returns
        -------
        Dvh
            EQD2 or physical dose.
        """
        return dvh.in_eqd2(fraction_count, self.alpha_beta_gy) if self.dose == "eqd2" else dvh


def _model(row: Mapping[str, Any], sources: Mapping[str, Any], notes: Mapping[str, str]) -> ComplicationModel:
    given = set(row["parameters"])
    if given != set(PARAMETERS[row["form"]]):
        raise RuntimeError(f"the complication set {row['id']} does not fit its form")
    return ComplicationModel(
        id=row["id"],
        organ=row["organ"],
        endpoint=row["endpoint"],
        form=row["form"],
        parameters=row["parameters"],
        dose=row["dose"],
        alpha_beta_gy=row["alpha_beta_gy"],
        alpha_beta_source=row["alpha_beta_source"],
        reference=Reference(**sources[row["source"]]),
        interval_note=notes[row["source"]],
        intervals={
            name: Interval(level=0.95, lower=bounds[0], upper=bounds[1])
            for name, bounds in row.get("intervals", {}).items()
        },
        main=row.get("main", False),
        whole_organ=row.get("whole_organ", True),
    )


_TABLE = read_table("radiation_ntcp.toml")
MODELS: Sequence[ComplicationModel] = tuple(
    _model(row, _TABLE["sources"], _TABLE["interval_notes"]) for row in _TABLE["sets"]
)
