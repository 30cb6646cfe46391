"""What a comparison found: scores, a table, a verdict, and how small a difference it could have seen."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from tsphys.comparison.parameters import Shift
from tsphys.comparison.scores import threshold
from tsphys.ground import html
from tsphys.runs.result import Result

#: Part of an observable below which a difference is rounding: what does not fluctuate is compared exactly.
EXACT = 1e-7
#: Parts of the probability of a false alarm that are left to variances, and to parameters.
VARIANCES, PARAMETERS = 0.1, 0.4


@dataclass(frozen=True, repr=False)
class Comparison:
    """How far a simulation lies from its theory, in standard errors, and what that is worth.

    Attributes
    ----------
    z : dict of str to ndarray
        Normal scores of an observable over the axis, shape (axis, …), as `Result.mean`.
    spread : dict of str to ndarray
        Normal scores of its variance between replicas; NaN where none is foretold.
    deviation, error : dict of str to ndarray
        Mean of the simulation minus what theory foretells of it, and the standard error that it is held against.
    judged : dict of str to ndarray of bool
        Where there can be a verdict. An entry where there is none may be found wrong, never right.
    axis, values : str, ndarray
        Name and values of the axis.
    counts : (int, int)
        How many different means and variances fluctuate.
    level : float
        Probability at most that two that agree are called different.
    largest : dict of str to float
        Largest |y| of an observable in theory.
    shifts : dict of str to Shift
        Parameters of the theory: by how much each seems to be off (`change`), were it the only one, with the error of
        that and its normal score `z`. Empty where that is not known.
    changes : dict of str to tuple of float
        Parameters of the theory: their values, and the change of each with which half of all such comparisons would
        disagree. Empty if that was not asked for, or the theory is not solved in no time.
    blind : bool
        Whether so little would have been seen that there is no verdict.
    differ : tuple of str
        Parameters (and model, start) in which simulation and theory are not the same; no matter for the verdict.
    notes : tuple of str
        What else should be known: what was not known of the two.
    reasons : tuple of str
        Why there is no verdict where there is none.
    simulation, theory : Result, optional
        What was compared, where both have numbers; for pictures.
    """

    z: dict[str, np.ndarray]
    spread: dict[str, np.ndarray]
    deviation: dict[str, np.ndarray]
    error: dict[str, np.ndarray]
    judged: dict[str, np.ndarray]
    axis: str
    values: np.ndarray
    counts: tuple[int, int]
    level: float
    largest: dict[str, float]
    shifts: dict[str, Shift] = field(default_factory=dict)
    changes: dict[str, tuple[float, float]] = field(default_factory=dict)
    blind: bool = False
    differ: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    simulation: Result | None = field(default=None, compare=False)
    theory: Result | None = field(default=None, compare=False)

    def plot(self, *observables: str) -> Any:
        """A picture: points on curves, and under them how far they are off, in standard errors; all by default.

        Raises
        ------
        ModelError
            If an observable is not among those compared.
        """
        # Pictures stand above what they show.
        return import_module("tsphys.picture").compared(self, observables)

    def _repr_html_(self) -> str:
        colour = {"agree": "#009E73", "disagree": "#D55E00"}.get(self.verdict, "#999999")
        word = f"<b style='color:{colour}'>{self.verdict}</b>, max |z| = {self.max_abs_z:.2f} of {self.threshold:.2f}"
        rows = {"verdict": word}
        if self.counts[1]:
            rows["of the spread"] = f"max |z| = {self.max_abs_spread:.2f} of {self.spread_threshold:.2f}"
        if self.shifts:
            rows["of parameters"] = f"max |z| = {self.max_abs_shift:.2f} of {self.shift_threshold:.2f}"
        for name, z in self.z.items():
            line = html.sparkline(np.abs(z).reshape(len(z), -1).max(axis=1).tolist())
            rows[name] = f"{line} max |z| = {np.abs(z).max():.2f}"
        if self.reasons:
            rows["no verdict"] = html.text(self.reasons[0])
        return html.table("simulation against theory", rows)

    @property
    def threshold(self) -> float:
        """|z| that the largest of all means exceeds by chance with probability `level` at most (Šidák).

        Where there are scores of variances and of parameters they take `VARIANCES` and `PARAMETERS` of it.
        """
        left = 1 - VARIANCES * (self.counts[1] > 0) - PARAMETERS * bool(self.shifts)
        return threshold(self.counts[0], self.level * left)

    @property
    def spread_threshold(self) -> float:
        """The same of the variances."""
        return threshold(self.counts[1], self.level * VARIANCES)

    @property
    def shift_threshold(self) -> float:
        """The same of the parameters."""
        return threshold(len(self.shifts), self.level * PARAMETERS)

    @property
    def max_abs_shift(self) -> float:
        """Largest |z| of all parameters; zero where none is known."""
        return max((abs(shift.z) for shift in self.shifts.values()), default=0.0)

    @property
    def max_abs_z(self) -> float:
        """Largest |z| of all means."""
        return _largest(self.z)

    @property
    def max_abs_spread(self) -> float:
        """Largest |z| of all variances; zero where none is foretold."""
        return _largest(self.spread)

    @property
    def verdict(self) -> str:
        """``agree``, ``disagree``, or ``undecided`` if nothing disagrees but not everything could be judged."""
        scores = (self.max_abs_z, self.threshold), (self.max_abs_spread, self.spread_threshold)
        if not all(score <= most for score, most in (*scores, (self.max_abs_shift, self.shift_threshold))):
            return "disagree"
        judged = all(judged.all() for judged in self.judged.values())
        return "agree" if judged and not self.blind else "undecided"

    @property
    def ok(self) -> bool:
        """Whether the verdict is ``agree``."""
        return self.verdict == "agree"

    def telling(self, name: str) -> np.ndarray:
        """Where an observable has a verdict and fluctuates; elsewhere any difference at all is seen, or none."""
        return self.judged[name] & (self.threshold * self.error[name] > EXACT * self.largest[name])

    @property
    def resolution(self) -> dict[str, float]:
        """Largest difference of an observable at a point with a verdict that could have passed; NaN without any."""
        return {
            name: self.threshold * float(error[self.judged[name]].max()) if self.judged[name].any() else math.nan
            for name, error in self.error.items()
        }

    def __repr__(self) -> str:
        head = f"{'observable':<12} {'points':>7} {'rms z':>7} {'max |z|':>8}  at {self.axis:<9}"
        lines = [f"{head} {'deviation':>11} {'error':>9} {'spread |z|':>11}  resolution"]
        resolution = self.resolution
        for name, z in self.z.items():
            at = np.unravel_index(np.abs(z).argmax(), z.shape)
            spread, value = np.abs(self.spread[name]), self.values[at[0]]
            told = f"{np.nanmax(spread):.2f}" if np.isfinite(spread).any() else "-"
            where = f"{value:<12}" if isinstance(value, str) else f"{value:<12.4g}"
            lines.append(
                f"{name:<12} {z.size:>7} {np.sqrt(np.mean(z**2)):>7.2f} {abs(z[at]):>8.2f}  {where} "
                f"{self.deviation[name][at]:>11.2e} {self.error[name][at]:>9.1e} {told:>11}  "
                f"{_resolved(resolution[name], self.largest[name])}"
            )
        if self.shifts:
            told = ", ".join(_off(name, *shift) for name, shift in self.shifts.items())
            lines.append(f"if one parameter were off: {told}")
        if self.changes:
            told = ", ".join(_change(name, *change) for name, change in self.changes.items())
            lines.append(f"half of such comparisons would see: {told}")
        if self.differ:
            lines.append(f"simulation and theory differ in: {', '.join(self.differ)}")
        lines += [*self.notes, *self.reasons]
        word = self.verdict if self.ok else self.verdict.upper()
        told = f"{word}: max |z| = {self.max_abs_z:.2f}, chance allows {self.threshold:.2f}"
        if self.counts[1]:
            told += f", of the spread {self.max_abs_spread:.2f} and {self.spread_threshold:.2f},"
        if self.shifts:
            told += f" of parameters {self.max_abs_shift:.2f} and {self.shift_threshold:.2f},"
        lines.append(f"{told} at level {self.level:g}")
        return "\n".join(lines)


def _largest(scores: dict[str, np.ndarray]) -> float:
    return max(float(np.nanmax(np.abs(z), initial=0.0)) for z in scores.values())


def _resolved(shift: float, largest: float) -> str:
    """A difference, and which part of an observable it is."""
    if not math.isfinite(shift):
        return "-"
    if shift < EXACT * largest:
        return "exact"
    return f"{shift:.1e} ({100 * shift / largest:.2g} %)" if largest > 0 else f"{shift:.1e}"


def _change(name: str, value: float, change: float) -> str:
    if not math.isfinite(change):
        return f"{name} at no value"
    return f"{name} off by {100 * change / abs(value):.2g} %" if value else f"{name} = {change:.2g} instead of 0"


def _off(name: str, value: float, change: float, error: float, z: float) -> str:
    if not value:
        return f"{name}, which is 0, z = {z:.2f}"
    return f"{name} by {100 * change / abs(value):+.2g} ± {100 * error / abs(value):.2g} %"
