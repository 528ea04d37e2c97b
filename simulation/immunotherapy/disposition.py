"""Individual pharmacokinetic parameters and the run over a course of doses."""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulation.immunotherapy import michaelis_menten, propagator
from simulation.immunotherapy.timeline import Doses, compile_stream

ClearanceForm = Literal["constant", "exp", "lin"]
_FORMS: dict[ClearanceForm, int] = {
    "constant": propagator.CONSTANT,
    "exp": propagator.EXPONENTIAL,
    "lin": propagator.LINEAR,
}
_LONGEST_STEP_DAYS = 2.0
_SHORTEST_STEP_DAYS = 0.1
_STEPS_PER_CHANGE = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposition:
    r"""Two-compartment parameters of one or many patients.

    Every array has shape (n_patients,). Clearance after the first dose of the agent is

    * ``constant``: :math:`CL_0`;
    * ``exp``: :math:`CL_0 \exp(E_{max} s)`;
    * ``lin``: :math:`CL_0 (1 + E_{max} s)`,

    with :math:`s = t^h / (T_{50}^h + t^h)`. The two time-varying forms are different models.

    Attributes
    ----------
    cl_l_per_day, vc_l, q_l_per_day, vp_l : ndarray
        Baseline clearance, central volume, intercompartmental clearance, peripheral volume; all > 0.
    form : {"constant", "exp", "lin"}
    emax, t50_days : ndarray
        Maximal change of clearance (log fold for ``exp``, fraction for ``lin``) and its half-time.
    hill : float
    vmax_mg_per_day, km_mg_per_l : ndarray or None
        Parallel saturable elimination; None where the model has none.
    """

    cl_l_per_day: NDArray[np.float64]
    vc_l: NDArray[np.float64]
    q_l_per_day: NDArray[np.float64]
    vp_l: NDArray[np.float64]
    form: ClearanceForm = "constant"
    emax: NDArray[np.float64]
    t50_days: NDArray[np.float64]
    hill: float = 1.0
    vmax_mg_per_day: NDArray[np.float64] | None = None
    km_mg_per_l: NDArray[np.float64] | None = None

    @classmethod
    def of(
        cls,
        *,
        cl_l_per_day: ArrayLike,
        vc_l: ArrayLike,
        q_l_per_day: ArrayLike,
        vp_l: ArrayLike,
        form: ClearanceForm = "constant",
        emax: ArrayLike = 0.0,
        t50_days: ArrayLike = 1.0,
        hill: float = 1.0,
        vmax_mg_per_day: ArrayLike | None = None,
        km_mg_per_l: ArrayLike | None = None,
    ) -> "Disposition":
        """Return checked parameters, scalars repeated for every patient.

        Raises
        ------
        ValueError
            If a clearance, a volume or a half-time is not finite and positive, or clearance can become
            zero or negative.
        """
        positive = np.broadcast_arrays(
            *(
                np.atleast_1d(np.asarray(values, dtype=np.float64))
                for values in (cl_l_per_day, vc_l, q_l_per_day, vp_l, t50_days, emax)
            )
        )
        if any(not np.all(np.isfinite(values)) or np.any(values <= 0) for values in positive[:5]):
            raise ValueError("clearances, volumes and T50 must be finite and > 0")
        if not np.all(np.isfinite(positive[5])) or (form == "lin" and np.any(positive[5] <= -1)):
            raise ValueError("emax must be finite, and > -1 for the linear form")
        shape = positive[0].shape
        saturable = [
            None if values is None else np.broadcast_to(np.asarray(values, dtype=np.float64), shape)
            for values in (vmax_mg_per_day, km_mg_per_l)
        ]
        if saturable[0] is not None and form != "constant":
            raise ValueError("saturable elimination is only supported beside constant linear clearance")
        if (saturable[0] is None) != (saturable[1] is None):
            raise ValueError("give both vmax_mg_per_day and km_mg_per_l, or neither")
        return cls(
            cl_l_per_day=positive[0],
            vc_l=positive[1],
            q_l_per_day=positive[2],
            vp_l=positive[3],
            form=form,
            emax=positive[5],
            t50_days=positive[4],
            hill=hill,
            vmax_mg_per_day=saturable[0],
            km_mg_per_l=saturable[1],
        )

    @property
    def size(self) -> int:
        """Number of patients."""
        return int(self.cl_l_per_day.size)

    @property
    def linear(self) -> bool:
        """Whether concentration is proportional to dose."""
        return self.vmax_mg_per_day is None

    def clearance_at(self, age_days: ArrayLike) -> NDArray[np.float64]:
        """Return linear clearance (L/d), shape (n_ages, n_patients), at days since the first dose."""
        age = np.maximum(np.atleast_1d(np.asarray(age_days, dtype=np.float64)), 0.0)[:, None] ** self.hill
        share = age / (self.t50_days**self.hill + age)
        if self.form == "exp":
            return self.cl_l_per_day * np.exp(self.emax * share)
        if self.form == "lin":
            return self.cl_l_per_day * (1.0 + self.emax * share)
        return np.broadcast_to(self.cl_l_per_day, share.shape)

    def at_late_clearance(self) -> "Disposition":
        """Return the same patients with clearance fixed at its value long after the first dose."""
        if self.form == "constant":
            return self
        late = self.cl_l_per_day * (np.exp(self.emax) if self.form == "exp" else 1.0 + self.emax)
        return replace(self, cl_l_per_day=late, form="constant", emax=np.zeros_like(self.emax))

    def half_lives_days(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return distribution and terminal half-life (d) of the linear part at baseline clearance."""
        k10 = self.cl_l_per_day / self.vc_l
        k21 = self.q_l_per_day / self.vp_l
        total = k10 + self.q_l_per_day / self.vc_l + k21
        fast = 0.5 * (total + np.sqrt(total * total - 4.0 * k10 * k21))
        return np.log(2.0) / fast, np.log(2.0) * fast / (k10 * k21)

    def longest_step_days(self) -> float:
        """Return the step that keeps the relative error of drifting clearance below 1e-5.

        It resolves the change of clearance and the fastest rate of distribution; for the published
        models the error stays below 1e-6.
        """
        if self.form == "constant" or not self.linear:
            return math.inf
        fastest = float(self.half_lives_days()[0].min()) / math.log(2.0)
        change = float(self.t50_days.min()) / (_STEPS_PER_CHANGE * self.hill)
        return max(min(_LONGEST_STEP_DAYS, fastest, change), _SHORTEST_STEP_DAYS)


@dataclass(frozen=True, slots=True)
class Exposure:
    """Concentration (mg/L) and area since the start (mg*d/L), each of shape (n_outputs, n_patients)."""

    time_days: NDArray[np.float64]
    concentration_mg_per_l: NDArray[np.float64]
    area_mg_day_per_l: NDArray[np.float64]


def simulate(
    disposition: Disposition, doses: Doses, output_days: ArrayLike, *, longest_step_days: float | None = None
) -> Exposure:
    """Return concentration and its area over time for every patient.

    Linear models are propagated exactly between events (to fourth order while clearance drifts);
    models with saturable elimination are integrated to a relative tolerance of 1e-9.

    Parameters
    ----------
    disposition : Disposition
    doses : Doses
    output_days : array-like, shape (n_outputs,), d
        Non-decreasing. A concentration at the time of a dose is the one before it.
    longest_step_days : float, optional
        Upper bound on a step while clearance drifts; by default the one that the parameters ask for.

    Raises
    ------
    ValueError
        If a steady-state dose is asked of a model whose clearance varies with time or saturates.
    """
    outputs = np.asarray(output_days, dtype=np.float64)
    if np.any(doses.steady_state_interval_days > 0) and not (disposition.linear and disposition.form == "constant"):
        raise ValueError("a steady-state dose needs a model with constant linear clearance")
    if doses.amount_mg.shape[1] not in (1, disposition.size):
        raise ValueError("amount_mg must have one column, or one per patient")
    longest = disposition.longest_step_days() if longest_step_days is None else longest_step_days
    codes, indices, lengths, ages = compile_stream(doses, outputs, longest)
    shape = (outputs.size, disposition.size)
    concentration, area = np.zeros(shape), np.zeros(shape)
    table = np.ascontiguousarray(
        np.stack(
            [
                disposition.cl_l_per_day,
                disposition.vc_l,
                disposition.q_l_per_day,
                disposition.vp_l,
                disposition.emax,
                disposition.t50_days,
            ]
        )
    )
    common = (doses.amount_mg, doses.infusion_days)
    form = _FORMS[disposition.form]
    if disposition.vmax_mg_per_day is None or disposition.km_mg_per_l is None:
        propagator.run_linear(
            codes, indices, lengths, ages, form, disposition.hill, table, *common,
            doses.steady_state_interval_days, concentration, area,
        )  # fmt: skip
    else:
        saturable = np.ascontiguousarray(np.stack([disposition.vmax_mg_per_day, disposition.km_mg_per_l]))
        michaelis_menten.run_saturable(codes, indices, lengths, table, saturable, *common, concentration, area)
    return Exposure(outputs, concentration, area)
