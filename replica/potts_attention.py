"""Replica theory of factored attention that learns to fill in masked sites of Potts sequences.

Each site is a problem of its own: from the other colours, centred and whitened to g_j ∈ R^d, it predicts its own with
logits B t, t = Σ_j w_j g_j/√(N − 1). Covariances of the fields are multiples of 1_d, and the state has three numbers,

    q = wᵀΩw/N,   m = wᵀΩw*/N,   V the response of t,

where Ω is the covariance of the g_j between sites. Independent, uniform colours: Ω = 1. Samples of a Potts glass: given
the colour of the masked site, the others have the law of a system without it, shifted by (Ωw*)_j/√N B_y: a mixture
of C Gaussians. In the paramagnet Ω = [1 + x² − xG]⁻¹, x = β/C, with the semicircle law of radius 2 for G, the
high-temperature (Plefka, TAP) inverse of the couplings, and w* is independent of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tsphys.errors import ConvergenceError, ModelError
from tsphys.ground.parameters import param
from tsphys.models.potts_attention import PottsAttention
from tsphys.replica.saddles.classes import Problem, colour_basis
from tsphys.runs import frames
from tsphys.solvers.fixed_point import FixedPoint, continuation, fixed_point

OBSERVABLES = ("test_loss", "excess", "accuracy", "train_loss", "Q", "R", "error", "q", "m", "V", "energy")
#: Nodes over the spectrum; Gauss–Chebyshev, with an error of order x^(2n).
SPECTRUM = 400
#: Largest relative change of the state with other nodes.
MOST_OFF = 0.05
#: A ridge from which smaller ones are reached.
EASY = 1.0


@dataclass(frozen=True)
class Saddle:
    """The equations of one point.

    Parameters
    ----------
    problem : Problem
    alpha, ridge : float
        Sequences per site, and λ.
    strength : float
        ρ = Σ_j J_ij².
    omega, weights : ndarray, shape (n,)
        Eigenvalues of Ω and their weights.
    unknowns : int
        κ, components of a learned vector for each of the d equations of a field: 1, or d where W_ij is a matrix.
    """

    problem: Problem
    alpha: float
    ridge: float
    strength: float
    omega: np.ndarray
    weights: np.ndarray
    unknowns: int

    @property
    def rho(self) -> float:
        """Variance of the teacher's field, w*ᵀΩw*/N."""
        return self.strength * float(self.weights @ self.omega)

    def state(self, v_hat: float, q_hat: float, m_hat: float) -> np.ndarray:
        """V, q, m from their conjugates."""
        w, D = self.omega, self.ridge + v_hat * self.omega
        k, s = self.unknowns, self.strength
        return np.array(
            [k * self.weights @ (w / D), self.weights @ ((k * q_hat * w**2 + m_hat**2 * w**3 * s) / D**2),
             self.weights @ (m_hat * w**2 * s / D)]
        )  # fmt: skip

    def conjugates(self, x: np.ndarray, coarse: bool = False) -> np.ndarray:
        """V̂, q̂, m̂ from V, q, m."""
        V, q, m = x
        return self.alpha / self.unknowns * self.problem.averages(V, q, m, self.rho, coarse=coarse)

    def overlaps(self, v_hat: float, q_hat: float, m_hat: float) -> tuple[float, float]:
        """Q = ‖w‖²/N and R = w·w*/N."""
        w, D = self.omega, self.ridge + v_hat * self.omega
        Q = self.weights @ ((self.unknowns * q_hat * w + m_hat**2 * w**2 * self.strength) / D**2)
        return float(Q), float(self.weights @ (m_hat * w * self.strength / D))

    def energy(self, V: float, q: float, m: float, v_hat: float, q_hat: float, m_hat: float) -> float:
        """The variational energy: at its stationary point the minimum of the training objective of a site, over N.

        The conjugates are in the units of `conjugates`.
        """
        w, k = self.omega, self.unknowns
        inner = self.weights @ ((k * q_hat * w + m_hat**2 * w**2 * self.strength) / (self.ridge + v_hat * w))
        conjugate = m * m_hat - 0.5 * q * v_hat + 0.5 * V * q_hat - 0.5 * inner
        return float(self.alpha * self.problem.envelope(V, q, m, self.rho)[0] + k * conjugate)


def saddle(model: PottsAttention) -> Saddle:
    """The equations of a model.

    Raises
    ------
    ModelError
        For what the theory does not cover.
    """
    if model.learn == "factored":
        raise ModelError("learn", model.learn, 'must be "positions" or "tensor" here: V is known, or there is none')
    if model.couplings == "given":
        raise ModelError("couplings", "given", "must be gaussian or binary: the theory is that of their law")
    if model.alpha is None:
        raise ModelError("alpha", None, "must be a number: the theory is that of a training set")
    potts = model.colours == "potts"
    if not potts and (model.inputs == "potts" or model.learn == "tensor"):
        words = 'must be "potts": others need inputs = "uniform" and learn = "positions"'
        raise ModelError("colours", model.colours, words)
    x = model.beta / model.C
    if model.inputs == "potts" and not x < 1:
        raise ModelError("beta", model.beta, f"must be < {model.C}, the number of colours, where the paramagnet ends")
    omega, weights = np.ones(1), np.ones(1)
    if model.inputs == "potts":
        angle = np.pi * np.arange(1, SPECTRUM + 1) / (SPECTRUM + 1)
        omega, weights = 1 / (1 + x**2 - 2 * x * np.cos(angle)), 2 / (SPECTRUM + 1) * np.sin(angle) ** 2
    B = colour_basis(model.colour_matrix())
    d = B.shape[1]
    tensor = model.learn == "tensor"
    return Saddle(
        problem=Problem(model.loss, B, model.inputs == "potts", potts),
        alpha=model.alpha,
        # The ridge of a matrix T_ij is (λ/2)‖T‖²/‖U‖², and ‖U‖² = d.
        ridge=model.ridge / d if tensor else model.ridge,
        strength=model.beta**2,
        omega=omega,
        weights=weights,
        unknowns=d if tensor else 1,
    )


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What the theory is asked for."""

    tol: float = param(1e-9, "largest relative residual of the equations", low=1e-13, high=1e-3)


@frames.theory(PottsAttention, Options, told=("residual", "iterations", "quadrature"))
def solve(points: frames.Points, options: Options) -> Sequence[frames.Row | None]:
    """Replica-symmetric state of the trained layer over sizes of the training set, ridges or strengths.

    The loss is convex, so that replica symmetry holds. What is exact for N → ∞ with ``inputs="uniform"`` rests for
    ``inputs="potts"`` on Gaussian fields, and on the paramagnet: β < C (continuous transition, C ≤ 4; for more colours
    glassy states come somewhat earlier). The model has laws of the couplings, and V known or no structure at all.

    Returns
    -------
    dict
        As `simulate`: ``test_loss``, ``excess``, ``accuracy``, ``train_loss``, ``Q``, ``R``, ``error``, and
        ``q``, ``m``, ``V``, and ``energy``, the minimum of the objective of a site over N; shape (axis,). In ``meta``
        the residuals, and ``quadrature``, the relative change of the state with other nodes.

    Raises
    ------
    ConvergenceError
        If the state is not reached within `tol`, as without a ridge where the training set can be fitted perfectly, or
        other nodes of the averages change it by more than 5 %.

    References
    ----------
    Loureiro, Sicuro, Gerbelot, Pacco, Krzakala & Zdeborová, NeurIPS 2021 (mixtures); Cornacchia, Mignacco, Veiga,
    Gerbelot, Loureiro & Zdeborová, Mach. Learn.: Sci. Technol. 4, 015019 (2023) (classes of a teacher); Gross, Kanter
    & Sompolinsky, PRL 55, 304 (1985) (Potts glass); Rende, Gerace, Laio & Goldt, Phys. Rev. Res. 6, 023057 (2024).
    """
    last = None

    def at(here: PottsAttention) -> dict[str, float]:
        nonlocal last
        point = saddle(here)

        def step(logs: np.ndarray, ridge: float = point.ridge) -> np.ndarray:
            x = np.exp(logs)
            return np.log(np.maximum(replace(point, ridge=ridge).state(*point.conjugates(x)), 1e-300))

        # In logarithms, since λ → ∞ and α → 0 make the state as small as one likes.
        first = np.log(point.state(0.1, 0.1, min(0.1, 1 / here.beta))) if last is None else last
        bounds = np.full(3, -690.0), np.full(3, 28.0)
        tol = options.tol
        try:
            found = fixed_point(step, first, tol=tol, damping=0.7, bounds=bounds, what="the saddle point")
        except ConvergenceError:
            if not 0 < point.ridge < EASY:
                raise
            # With fewer examples than weights V grows as 1/λ, far from any start.
            way = [float(np.log(EASY)), float(np.log(point.ridge))]
            start = np.log(replace(point, ridge=EASY).state(0.1, 0.1, min(0.1, 1 / here.beta)))
            branch = continuation(
                lambda x, log: step(x, float(np.exp(log))), way, start, tol=tol, jump=1.0, bounds=bounds, axis="ln λ"
            )
            found = FixedPoint(branch.x[-1], float(branch.residual[-1]), branch.iterations)
        last, x = found.x, np.exp(found.x)
        other = point.state(*point.conjugates(x, coarse=True))
        off = float(np.abs(np.maximum(other, 1e-300) / np.maximum(x, 1e-300) - 1).max())
        if not off <= MOST_OFF:
            words = "averages over the fields are not known well enough for labels that hardly depend on chance"
            raise ConvergenceError(words, residual=off, iterations=found.iterations)
        return {**observables(point, x), "residual": found.residual, "iterations": found.iterations, "quadrature": off}

    return frames.over(points.models, at)


def observables(point: Saddle, x: np.ndarray) -> dict[str, float]:
    """What a simulation measures, at a solution (V, q, m)."""
    V, q, m = x
    hats = point.conjugates(x)
    test, right = point.problem.test(q, m, point.rho)
    Q, R = point.overlaps(*hats)
    s = point.strength
    return {"test_loss": test, "excess": test - point.problem.least(point.rho), "accuracy": right,
            "train_loss": point.problem.envelope(V, q, m, point.rho)[1], "Q": Q, "R": R,
            "error": (Q - 2 * R + s) / s, "q": q, "m": m, "V": V, "energy": point.energy(V, q, m, *hats)}  # fmt: skip
