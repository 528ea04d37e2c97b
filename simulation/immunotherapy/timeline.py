"""Turns doses, resets and output times into the event stream that the kernels run."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulation.immunotherapy import propagator

_GAUSS_OFFSET = math.sqrt(3.0) / 6.0
SHORTEST_INFUSION_DAYS = 1e-6
"""A shorter infusion, below a tenth of a second, is a bolus."""


@dataclass(frozen=True, slots=True)
class Doses:
    """Doses of one agent, for one patient or for many.

    Attributes
    ----------
    time_days : ndarray, shape (n_doses,)
        Starts of the infusions, non-decreasing.
    amount_mg : ndarray, shape (n_doses, 1) or (n_doses, n_patients)
    infusion_days : ndarray, shape (n_doses,)
        0 is a bolus.
    steady_state_interval_days : ndarray, shape (n_doses,)
        > 0 puts the system at the steady state of this dose and interval just before it; 0 does nothing.
    reset_days : tuple of float
        Times at which both compartments are emptied and running infusions stop, before doses of that time.
    """

    time_days: NDArray[np.float64]
    amount_mg: NDArray[np.float64]
    infusion_days: NDArray[np.float64]
    steady_state_interval_days: NDArray[np.float64]
    reset_days: tuple[float, ...] = ()

    @classmethod
    def of(
        cls,
        time_days: ArrayLike,
        amount_mg: ArrayLike,
        infusion_days: ArrayLike = 0.0,
        *,
        steady_state_interval_days: ArrayLike = 0.0,
        reset_days: Iterable[float] = (),
    ) -> "Doses":
        """Return checked doses; scalars are repeated for every dose.

        Raises
        ------
        ValueError
            If times decrease, or an amount, a duration or an interval is negative or not finite.
        """
        time = np.atleast_1d(np.asarray(time_days, dtype=np.float64))
        amount = np.asarray(amount_mg, dtype=np.float64)
        if amount.ndim < 2:
            amount = np.broadcast_to(amount, time.shape).reshape(-1, 1)
        infusion = np.broadcast_to(np.asarray(infusion_days, dtype=np.float64), time.shape)
        interval = np.broadcast_to(np.asarray(steady_state_interval_days, dtype=np.float64), time.shape)
        if time.ndim != 1 or amount.shape[0] != time.size:
            raise ValueError("time_days must be 1-D and amount_mg must have one row per dose")
        for name, values in (("amount_mg", amount), ("infusion_days", infusion), ("interval", interval)):
            if not np.all(np.isfinite(values)) or np.any(values < 0):
                raise ValueError(f"{name} must be finite and >= 0")
        if not np.all(np.isfinite(time)) or np.any(np.diff(time) < 0):
            raise ValueError("time_days must be finite and must not decrease")
        infusion = np.where(infusion < SHORTEST_INFUSION_DAYS, 0.0, infusion)
        if np.any((interval > 0) & (infusion > interval)):
            raise ValueError("a steady-state infusion must not be longer than its interval")
        return cls(
            time,
            np.ascontiguousarray(amount),
            np.ascontiguousarray(infusion),
            np.ascontiguousarray(interval),
            tuple(sorted(reset_days)),
        )


Operations = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]
"""Codes, indices, lengths (d) and clearance ages (d, shape (n_operations, 2)), in time order."""


def compile_stream(doses: Doses, output_days: NDArray[np.float64], longest_step_days: float) -> Operations:
    """Return the operations of these doses with an output at each of ``output_days``.

    An output at the time of a dose shows the state before that dose (for a steady-state dose, its
    trough). The clearance of the agent ages from its first dose.

    Parameters
    ----------
    doses : Doses
    output_days : ndarray, shape (n_outputs,), d
        Non-decreasing; times before the first dose give 0.
    longest_step_days : float, d
        Upper bound on one step.

    Raises
    ------
    ValueError
        If ``output_days`` decreases.
    """
    if output_days.ndim != 1 or np.any(np.diff(output_days) < 0):
        raise ValueError("output_days must be 1-D and must not decrease")
    builder = _Builder(doses, output_days.tolist(), longest_step_days)
    if doses.time_days.size:
        first = float(doses.time_days[0])
        horizon = float(output_days[-1]) if output_days.size else first
        stops = np.unique(
            np.concatenate([output_days, doses.time_days, builder.ends, np.array(doses.reset_days, dtype=np.float64)])
        )
        builder.now = builder.first = first
        builder.emit_outputs(np.nextafter(first, -np.inf))
        for stop in stops[(stops >= first) & (stops <= horizon)].tolist():
            builder.advance_to(stop)
    builder.emit_outputs(math.inf)
    return builder.arrays()


@dataclass(slots=True)
class _Builder:
    doses: Doses
    outputs: list[float]
    longest: float
    now: float = 0.0
    first: float = 0.0
    next_output: int = 0
    ends: list[float] = field(init=False)
    starting: dict[float, list[int]] = field(default_factory=dict)
    running: set[int] = field(default_factory=set)
    codes: list[int] = field(default_factory=list)
    indices: list[int] = field(default_factory=list)
    lengths: list[float] = field(default_factory=list)
    middles: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ends = (self.doses.time_days + self.doses.infusion_days).tolist()
        for number, time in enumerate(self.doses.time_days.tolist()):
            self.starting.setdefault(time, []).append(number)

    def advance_to(self, stop: float) -> None:
        """Step to ``stop`` and do what is due then: infusion ends, steady states, outputs, resets, doses."""
        if stop > self.now:
            self._step(stop)
        self._finish_infusions(stop)
        due = self.starting.get(stop, [])
        for number in due:
            if self.doses.steady_state_interval_days[number] > 0:
                self._stop_infusions()
                self._add(propagator.STEADY_STATE, number)
        self.emit_outputs(stop)
        if stop in self.doses.reset_days:
            self._add(propagator.RESET)
            self._stop_infusions()
        for number in due:
            if self.doses.infusion_days[number] > 0:
                self.running.add(number)
                self._add(propagator.INFUSION_ON, number)
            else:
                self._add(propagator.BOLUS, number)

    def emit_outputs(self, until: float) -> None:
        """Append the outputs that are due up to and including ``until``."""
        while self.next_output < len(self.outputs) and self.outputs[self.next_output] <= until:
            self._add(propagator.OUTPUT, self.next_output)
            self.next_output += 1

    def arrays(self) -> Operations:
        """Return the operations as the kernels take them."""
        lengths = np.array(self.lengths, dtype=np.float64)
        offset = _GAUSS_OFFSET * lengths
        middles = np.array(self.middles, dtype=np.float64)
        return (
            np.array(self.codes, dtype=np.int64),
            np.array(self.indices, dtype=np.int64),
            lengths,
            np.stack([middles - offset, middles + offset], axis=1),
        )

    def _add(self, code: int, index: int = 0, length: float = 0.0, middle: float = 0.0) -> None:
        self.codes.append(code)
        self.indices.append(index)
        self.lengths.append(length)
        self.middles.append(middle)

    def _step(self, stop: float) -> None:
        count = max(1, math.ceil((stop - self.now) / self.longest - 1e-9))
        length = (stop - self.now) / count
        for number in range(count):
            self._add(propagator.STEP, 0, length, self.now - self.first + (number + 0.5) * length)
        self.now = stop

    def _finish_infusions(self, stop: float) -> None:
        over = sorted(number for number in self.running if self.ends[number] <= stop)
        if over and len(over) == len(self.running):
            self._stop_infusions()
        for number in over:
            if number in self.running:
                self.running.remove(number)
                self._add(propagator.INFUSION_OFF, number)

    def _stop_infusions(self) -> None:
        if self.running:
            self.running.clear()
            self._add(propagator.INFUSIONS_OVER)
