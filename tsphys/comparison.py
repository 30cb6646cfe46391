"""Theory against simulation: z-scores, a table, a verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import number
from tsphys.runs.result import Result

#: Relative accuracy that solvers and rounding leave to a curve; far below any statistical error.
NUMERICAL = 1e-9


@dataclass(frozen=True)
class Comparison:
    """How far a simulation lies from its theory, in standard errors.

    Attributes
    ----------
    z : dict of str to ndarray
        Normal scores of an observable over the axis, shape (axis, …), as `Result.mean`.
    deviation, error : dict of str to ndarray
        Mean of the simulation minus theory, and the standard error that it is held against.
    threshold : float
        |z| that the largest of all scores exceeds by chance with probability `level` (Šidák, scores taken as
        independent, which errs on the lenient side by little, since it grows like the root of a logarithm).
    level : float
        That probability.
    differ : tuple of str
        Parameters (and model, start) in which simulation and theory are not the same; no matter for the verdict.
    """

    z: dict[str, np.ndarray]
    deviation: dict[str, np.ndarray]
    error: dict[str, np.ndarray]
    axis: str
    values: np.ndarray
    threshold: float
    level: float
    differ: tuple[str, ...] = ()

    @property
    def max_abs_z(self) -> float:
        """Largest |z| of all."""
        return max(float(np.abs(z).max()) for z in self.z.values())

    @property
    def ok(self) -> bool:
        """Whether the largest |z| is within what chance allows."""
        return bool(self.max_abs_z <= self.threshold)

    def __str__(self) -> str:
        head = f"{'observable':<12} {'points':>7} {'rms z':>7} {'max |z|':>8}  at {self.axis:<9}"
        lines = [f"{head} {'deviation':>11} {'error':>9}"]
        for name, z in self.z.items():
            at = np.unravel_index(np.abs(z).argmax(), z.shape)
            lines.append(
                f"{name:<12} {z.size:>7} {np.sqrt(np.mean(z**2)):>7.2f} {abs(z[at]):>8.2f}  "
                f"{self.values[at[0]]:<12.4g} {self.deviation[name][at]:>11.2e} {self.error[name][at]:>9.1e}"
            )
        if self.differ:
            lines.append(f"simulation and theory differ in: {', '.join(self.differ)}")
        verdict = "agree" if self.ok else "DISAGREE"
        lines.append(
            f"{verdict}: max |z| = {self.max_abs_z:.2f}, chance allows {self.threshold:.2f} at level {self.level:g}"
        )
        return "\n".join(lines)


def compare(
    simulation: Result,
    theory: Result,
    *,
    observables: Any = None,
    finite_size: bool = True,
    level: float = 1e-3,
) -> Comparison:
    """Hold the mean over replicas against a theory curve.

    The score is that of Student's t with n − 1 degrees of freedom, turned into the normal score of the same tail
    probability, so that few replicas do not pretend to know their error. Theory is for N → ∞ and the mean of a
    simulation has a bias of order 1/N, of which nothing exact is assumed: an allowance of its order is added to the
    error in quadrature, s²/Δ with s the standard deviation over replicas, itself of order 1/√N, and Δ the range of the
    theory curve (a curve of range Δ bends by about 1/Δ); and |dy/dt|/N for the discreteness of time. The allowance
    stays below the statistical error s/√n as long as n < (Δ/s)², which is of order N.

    Parameters
    ----------
    simulation, theory : Result
        Over the same axis.
    observables : sequence of str, optional
        Which; all that both have by default.
    finite_size : bool
        Allow for the O(1/N) bias.
    level : float
        Probability that two that agree are called different.

    Raises
    ------
    ModelError
        If there are fewer than two replicas, the axes differ, nothing is in common, or numbers are missing.

    Examples
    --------
    >>> import numpy as np, tsphys
    >>> model = tsphys.TwoLayer(K=1, M=1, lr=0.5)
    >>> start = tsphys.OrderParameters(R=[[0.2]], Q=[[0.3]], T=[[1.0]])
    >>> t = np.linspace(1, 10, 5)
    >>> sim = tsphys.simulate(model, N=2000, start=start, t=t, replicas=16, seed=0)
    >>> found = tsphys.compare(sim, tsphys.solve(model, start=start, t=t))
    >>> found.ok, found.z["eps_g"].shape
    (True, (5,))
    """
    from scipy import special, stats

    for name, result, kind in (("simulation", simulation, "simulation"), ("theory", theory, "theory")):
        if not isinstance(result, Result) or result.kind != kind:
            raise ModelError(name, result, f"must be the Result of a {kind}")
    level = number("level", level, low=0, high=1, open_low=True, open_high=True)
    axis = theory.axis
    if simulation.axis != axis or simulation[axis].shape != theory[axis].shape:
        raise ModelError("theory", axis, f"must have the axis of the simulation, {simulation.axis}")
    if not np.allclose(simulation[axis], theory[axis], rtol=1e-9, atol=1e-12):
        raise ModelError("theory", axis, "must have the same values on its axis as the simulation")
    simulation, theory = _without_gaps(simulation, theory)
    common = [k for k in simulation.observables if k in theory.observables and theory[k].size]
    names = common if observables is None else list(observables)
    for name in names:
        if name not in common:
            raise ModelError("observables", name, "must be among " + ", ".join(common))
    if not names:
        raise ModelError("theory", theory.observables, "has no observable in common with the simulation")
    for name in names:
        if simulation[name].shape[1:] != theory[name].shape:
            shapes = f"{theory[name].shape} in theory, {simulation[name].shape[1:]} in the simulation"
            raise ModelError(name, shapes, "must have the same shape")
    n = len(simulation[names[0]])
    if n < 2:
        raise ModelError("replicas", n, "must be at least 2 for an error to compare with")
    z, deviation, error = {}, {}, {}
    values = theory[axis]
    for name in names:
        y, mean, s = theory[name], simulation.mean(name), simulation.std(name)
        if not (np.isfinite(y).all() and np.isfinite(mean).all()):
            raise ModelError(name, "NaN", "must be finite in simulation and theory")
        span = np.ptp(y, axis=0)
        scale = np.abs(y).max(axis=0)
        variance = s**2 / n + (NUMERICAL * scale) ** 2 + np.finfo(float).tiny
        if finite_size and "N" in simulation.meta:
            allowance = s**2 / np.where(span > 0, span, np.inf)
            if axis == "t" and len(values) > 1:
                allowance = allowance + np.abs(np.gradient(y, values, axis=0)) / simulation.meta["N"]
            variance = variance + allowance**2
        error[name] = np.sqrt(variance)
        deviation[name] = mean - y
        score = deviation[name] / error[name]
        tail = stats.t.logsf(np.abs(score), n - 1)
        z[name] = np.sign(score) * -special.ndtri_exp(tail)
    count = sum(v.size for v in z.values())
    each = -np.expm1(np.log1p(-level) / count)
    return Comparison(
        z, deviation, error, axis, values, float(-special.ndtri(each / 2)), level, _differ(simulation, theory)
    )


def _without_gaps(simulation: Result, theory: Result) -> tuple[Result, Result]:
    """Both where both have numbers, if one is partial."""
    if not (simulation.gaps or theory.gaps):
        return simulation, theory
    shared = [k for k in simulation.observables if k in theory.observables and theory[k].size]
    there = np.ones(len(theory[theory.axis]), dtype=bool)
    for result in (simulation, theory):
        for name in shared:
            there &= np.isfinite(result.mean(name).reshape(len(there), -1)).all(axis=1)
    if not there.any():
        raise ModelError("theory", "NaN", "must have a point where the simulation has a result as well")
    return _at(simulation, there), _at(theory, there)


def _at(result: Result, there: np.ndarray) -> Result:
    """A result at some of the points of its axis."""
    where = (slice(None), there) if result.kind == "simulation" else (there,)
    data = {
        k: v if k in result.constants else v[there] if k == result.axis else v[where] for k, v in result.data.items()
    }
    return replace(result, data=data)


def _differ(simulation: Result, theory: Result) -> tuple[str, ...]:
    a, b = simulation, theory
    out = [] if a.model == b.model else ["model"]
    out += [k for k, v in a.parameters.items() if k != a.axis and k in b.parameters and b.parameters[k] != v]
    if "start" in a.meta and "start" in b.meta and a.meta["start"] != b.meta["start"]:
        out.append("start (each replica has its own)" if a.meta["start"] is None else "start")
    return tuple(out)
