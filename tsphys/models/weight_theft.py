"""A network is copied by queries that are noise: how good is the copy on the queries, and on what it was made for?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import LARGEST_SCALE, Rows, param
from tsphys.models.latent_teacher import LatentTeacher
from tsphys.physics.order_parameters import OrderParameters

#: Laws of the queries, and the parameters that have a meaning with each.
QUERIES: Mapping[str, tuple[str, ...]] = {
    "signs": (),
    "bernoulli": ("p",),
    "raw": ("p", "mean", "mean_star"),
    "chain": ("tau",),
}
#: Gauss-Hermite nodes of a field in the error on queries of a mean.
NODES = 40


@dataclass(frozen=True)
class WeightTheft(LatentTeacher):
    """A thief, the student of `TwoLayer`, learns by online SGD from the outputs of a victim, its teacher, on queries.

    ``signs``      x_i = ±1, independent
    ``bernoulli``  (b_i − p)/√(p(1 − p)) with b_i = 1 of probability p, otherwise 0
    ``raw``        b_i itself, which has a mean; one unit each, erf or linear
    ``chain``      ±1 along an Ising chain, ⟨x_i x_j⟩ = τ^|i − j|

    Errors are ``eps_query``, on queries, and ``eps_g``, on independent inputs of unit variance and no mean: natural
    data. Weights have exactly the overlaps of the start. Of raw queries R and Q are overlaps of what weights have
    beside their mean, S = Σ_i w_i/√N, which moves by a number of order one in each step.

    Parameters
    ----------
    K, M, activation, lr, lr_v, noise, minibatch, T, v_star, v
        As for `HiddenManifold`.
    init : float
        Without a given Q, the standard deviation of what the thief's weights have outside of the victim's.
    queries : {"signs", "bernoulli", "raw", "chain"}
    p : float
        Probability of a one.
    tau : float
        τ = tanh βJ.
    R : (K, M) array_like, optional
        Overlaps at t = 0; none: 0.1 for units of the same number.
    Q : (K, K) array_like, optional
        none: R T⁻¹ Rᵀ + init²·1.
    mean, mean_star : float
        S at t = 0, and that of the victim.

    Raises
    ------
    ModelError
        If a parameter is out of range, or has no meaning for these queries.

    References
    ----------
    Roberts, Prabhu & McAteer 2019 (arXiv:1912.08987); Yoshida & Okada, NeurIPS 2019.
    """

    name: ClassVar[str] = "weight_theft"

    lr: float = param(0.5, "learning rate η of the first layer", low=0, open_low=True)
    noise: float = param(0.1, "standard deviation σ of the noise of the victim's outputs", low=0, high=LARGEST_SCALE)
    init: float = param(0.5, "standard deviation of the initial weights", low=0, high=LARGEST_SCALE)
    queries: str = param("chain", "law of the queries", kind=str, choices=tuple(QUERIES))
    p: float = param(0.5, "probability of a one", low=0, high=1, open_low=True, open_high=True)
    tau: float = param(0.5, "correlation τ of neighbours in the chain", low=-1, high=1, open_low=True, open_high=True)
    R: Rows | None = param(None, "overlaps at t = 0 (K, M); none: 0.1 for equal numbers", shape=2, optional=True)
    Q: Rows | None = param(None, "overlaps of the thief at t = 0 (K, K); none: by init", shape=2, optional=True)
    mean: float = param(0.0, "sum of the thief's weights over √N at t = 0", low=-LARGEST_SCALE, high=LARGEST_SCALE)
    mean_star: float = param(0.0, "sum of the victim's weights over √N", low=-LARGEST_SCALE, high=LARGEST_SCALE)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in sorted({n for names in QUERIES.values() for n in names} - {*QUERIES[self.queries]}):
            default = type(self).__dataclass_fields__[name].default
            if getattr(self, name) != default:
                raise ModelError(name, getattr(self, name), f'must be {default} with queries = "{self.queries}"')
        if self.queries == "raw":
            plain = {"K": 1, "M": 1, "minibatch": 1, "lr_v": 0.0, "v": None, "v_star": None}
            for name, value in plain.items():
                if getattr(self, name) != value:
                    raise ModelError(name, getattr(self, name), f"must be {str(value).lower()} with raw queries")
            if self.activation == "relu":
                raise ModelError("activation", "relu", "must be erf or linear with raw queries")
        # What is given may be wrong; without that there are such weights, and many units are no work.
        if any(value is not None for value in (self.T, self.R, self.Q)):
            self.start  # noqa: B018

    @property
    def start(self) -> OrderParameters:
        """Overlaps at t = 0."""
        T = self.teacher_overlaps()
        R = 0.1 * np.eye(self.K, self.M) if self.R is None else np.array(self.R)
        if R.shape != (self.K, self.M):
            raise ModelError("R", self.R, f"must have the shape (K, M) = ({self.K}, {self.M})")
        own = R @ (T if self.T is None else np.linalg.pinv(T)) @ R.T + self.initial_covariance()
        return OrderParameters(R=R, Q=own if self.Q is None else np.array(self.Q), T=T)

    def errors(self, found: Mapping[str, Any], T_query: np.ndarray) -> dict[str, np.ndarray]:
        """Both errors, of what was found: ``R, Q, v`` and ``R_query, Q_query`` or ``S``.

        T_query (M, M) is the covariance of the victim's fields of queries: T, but for what an instance has of its own.
        """
        v_star = self.readouts()[1]
        eps_g = self.eps_g(found["R"], found["Q"], self.start.T, found["v"], v_star)
        if self.queries == "raw":
            eps_query = self.beside_the_mean(found["S"], found["R"], found["Q"])
        else:
            eps_query = self.eps_g(found["R_query"], found["Q_query"], T_query, found["v"], v_star)
        # The sum of squares may round to less than nothing.
        return {"eps_g": np.maximum(eps_g, 0.0), "eps_query": np.maximum(eps_query, 0.0)}

    def beside_the_mean(self, S: Any, R: Any, Q: Any) -> np.ndarray:
        """The error on raw queries at a mean S (…, 1) and overlaps (…, 1, 1)."""
        S, R, Q, T = np.asarray(S)[..., 0], np.asarray(R)[..., 0, 0], np.asarray(Q)[..., 0, 0], self.start.T[0, 0]
        variance = self.p * (1 - self.p)
        if self.activation == "linear":
            return np.asarray(0.5 * (self.p**2 * (S - self.mean_star) ** 2 + variance * (Q - 2 * R + T)))
        from scipy.special import erf

        z, w = np.polynomial.hermite_e.hermegauss(NODES)
        w = w / w.sum()
        nu = np.sqrt(variance * T) * z
        along, beside = R / T, np.sqrt(np.maximum(Q - R**2 / T, 0.0) * variance)
        lam = (self.p * S)[..., None, None] + along[..., None, None] * nu[:, None] + beside[..., None, None] * z
        half = 0.5**0.5
        delta = erf(half * lam) - erf(half * (self.p * self.mean_star + nu))[:, None]
        return np.asarray(0.5 * np.einsum("i,j,...ij->...", w, w, delta**2))
