"""Inputs on a manifold of fewer dimensions, and a teacher that acts on it (Goldt et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import Rows, array, number, param
from tsphys.models.latent_teacher import LatentTeacher, purpose
from tsphys.physics.features import Dense, Hadamard, gaussian_features, hadamard_features
from tsphys.physics.nonlinearities import NONLINEARITIES, Moments, moments
from tsphys.physics.order_parameters import OrderParameters

#: By how much the squared norm of a given row of features may deviate from D, relative to it.
NORMALISED = 1e-6


@dataclass(frozen=True)
class HiddenManifold(LatentTeacher):
    """Inputs x_i = f(u_i) − ⟨f⟩ with u = F c/√D of a latent c ∈ R^D, c_r ~ N(0, 1); D = δN, and a teacher of c.

    The teacher is y = Σ_m v*_m g(ν_m) + σζ with ν_m = θ_m·c/√D, the student φ(x) = Σ_k v_k g(λ_k) with
    λ_k = w_k·x/√N. With Δ_β = φ(x_β) − y_β a step of online SGD on b examples is::

        w_k ← w_k − η/(b√N) Σ_β v_k g'(λ_kβ) Δ_β x_β,        v_k ← v_k − η_v/(bN) Σ_β g(λ_kβ) Δ_β

    Time is t = steps/N. The start is w = A F θ/√D + ξ, where the ξ of each coordinate have the covariance W_ξ.

    Parameters
    ----------
    K, M : int
        Hidden units of student and teacher.
    activation : {"erf", "relu", "linear"}
        g of both; erf is erf(x/√2).
    lr, lr_v : float
        Learning rates η and η_v.
    noise : float
        Standard deviation σ of the teacher's output noise.
    minibatch : int
        Examples b in a step.
    T, v_star, v : array_like, optional
        T = θθᵀ/D (M, M); readouts of teacher (M,) and student at t = 0 (K,). Identity and ones by default.
    init : float
        Standard deviation of ξ where `W_xi` is not given.
    f : {"sign", "relu", "erf", "tanh", "linear"} or callable
        Nonlinearity of the manifold; erf is erf(x/√2). A function of one's own takes an array of fields u and returns
        one of the same shape; its moments are found by quadrature.
    delta : float
        Latent ratio δ = D/N.
    features : {"gaussian", "hadamard"}
        F_ir ~ N(0, 1), rows then normalised to Σ_r F_ir² = D; or random rows or columns of a Hadamard matrix, for
        which the larger of N and D is a power of two, and products cost N ln N.
    inputs : {"manifold", "clone"}
        ``clone``: Gaussian inputs x = b u + κz, z_i ~ N(0, 1), with the same covariances; the theory is that of both.
    A : (K, M) array_like, optional
        What the student knows of the teacher at t = 0; none: nothing.
    W_xi : (K, K) array_like, optional
        Covariance of ξ; none: init²·1.

    Raises
    ------
    ModelError
        If a parameter is out of range.

    References
    ----------
    Goldt, Mézard, Krzakala & Zdeborová, Phys. Rev. X 10, 041044 (2020); Goldt, Loureiro, Reeves, Krzakala, Mézard &
    Zdeborová, MSML (2022).
    """

    name: ClassVar[str] = "hidden_manifold"

    f: Any = param("sign", "nonlinearity of the manifold", kind=str, choices=NONLINEARITIES, short="-f", function=True)
    delta: float = param(0.5, "latent ratio δ = D/N", low=0, open_low=True, high=1e6)
    features: str = param("gaussian", "law of the features F", kind=str, choices=("gaussian", "hadamard"))
    inputs: str = param("manifold", "inputs, or a Gaussian clone", kind=str, choices=("manifold", "clone"))
    A: Rows | None = param(None, "knowledge (K, M) of the teacher at t = 0; none: none", shape=2, optional=True)
    W_xi: Rows | None = param(
        None, "covariance (K, K) of the random part of the initial weights; none: init²·1", shape=2, optional=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.moments  # noqa: B018 (raises what is wrong with a function here, where it was given)
        if self.A is not None:
            array("A", self.A, (self.K, self.M), "what each student knows of each teacher")
        if self.W_xi is not None:
            W = array("W_xi", self.W_xi, (self.K, self.K), "a covariance of the students' weights")
            try:
                OrderParameters(R=np.zeros((self.K, 1)), Q=W, T=np.eye(1))
            except ModelError as error:
                raise ModelError("W_xi", self.W_xi, f"must be a covariance: {error.allowed}") from None

    @property
    def moments(self) -> Moments:
        """a, b, c2 of f."""
        return moments(self.f)

    def initial_covariance(self) -> np.ndarray:
        """W_ξ (K, K)."""
        return super().initial_covariance() if self.W_xi is None else np.array(self.W_xi)

    def knowledge(self) -> np.ndarray:
        """A (K, M)."""
        return np.zeros((self.K, self.M)) if self.A is None else np.array(self.A)


@dataclass(frozen=True)
class Instance:
    """A draw of the disorder: features, teacher θ (M, D), and initial weights W (K, N)."""

    features: Any
    theta: np.ndarray
    W: np.ndarray


def sizes(model: HiddenManifold, N: Any, F: Any = None) -> tuple[int, int]:
    """N and D = round(δN), at least 1.

    Raises
    ------
    ModelError
        If N is out of range, the features cannot have that size, or the given ones `F` have another.
    """
    N = number("N", N, kind=int, low=max(2, model.K), high=10**9)
    D = max(1, round(model.delta * N))
    if D < model.M:
        raise ModelError("N", N, f"must be so large that D = δN = {D} is at least M = {model.M}")
    if F is not None and (shape := _shape(F)) != (N, D):
        raise ModelError("F", f"array of shape {shape}", f"must have the shape (N, D) = ({N}, {D}), D = δN")
    if F is None and model.features == "hadamard" and (max(N, D) & (max(N, D) - 1)) != 0:
        raise ModelError("N", N, f"must make the larger of N and D = δN = {D} a power of two for Hadamard features")
    return N, D


def _shape(F: Any) -> Any:
    """Of an array, or of lists; the type of what has none."""
    try:
        return np.shape(F)
    except Exception:
        return type(F).__name__


def given_features(F: Any) -> Dense:
    """Features from an array (N, D) with rows of squared norm D, or a ModelError."""
    F = array("F", F, (None, None), "(inputs N, latent variables D)")
    if np.abs(np.einsum("ir,ir->i", F, F) / F.shape[1] - 1).max() > NORMALISED:
        raise ModelError("F", f"array of shape {F.shape}", "must have rows of squared norm D")
    return Dense(F)


def instance(model: HiddenManifold, N: int, D: int, seed: int, replica: int, F: Dense | None = None) -> Instance:
    """The disorder that `replica` of a run with this seed has, for simulation and theory alike."""
    features: Dense | Hadamard
    if F is not None:
        features = F
    else:
        draw = hadamard_features if model.features == "hadamard" else gaussian_features
        features = draw(N, D, purpose(seed, replica, "features"))
    theta = model.draw_teacher(D, purpose(seed, replica, "teacher"))
    W = model.knowledge() @ features.fields(theta) + model.draw_weights(N, purpose(seed, replica, "weights"))
    return Instance(features, theta, W)
