"""Factored attention on sequences of a generalized Potts model (Rende, Gerace, Laio & Goldt 2024)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import EXTREME, LARGEST_SCALE, array, param
from tsphys.numerics.random import generator
from tsphys.physics.potts import zero_sum as gauge
from tsphys.rules.contract import Static

#: Colours are bytes, and the tensor of all couplings has (N·C)² entries.
MOST_COLOURS = 64


@dataclass(frozen=True)
class PottsAttention(Static):
    """Sequences of N sites with one of C colours each, and an attention layer that learns to fill in masked sites.

    With one-hot colours s_i and couplings J (N, N) between sites, J_ii = 0, U (C, C) between colours,

        H = −½ Σ_{i≠j} J_ij s_i·U s_j        Prob(s_i = a | others) = softmax_a(z_i)    z_i = Σ_j J_ij U s_j

    (the temperature is in J). U counts through its zero-sum part ΠUΠ, Π = 1 − 11ᵀ/C: the rest would be fields. Given
    couplings may be a matrix J_ij(a, b) for each pair, with fields h_i(a): then z_i(a) = h_i(a) + Σ_j J_ij(a, s_j), and
    what the matrices have beyond their zero-sum part counts as fields.

    With ``inputs="potts"`` the sequences are samples of exp(−H), and the colour to fill in is the one that stands at
    the site. With ``inputs="uniform"`` they have independent, uniform colours, and each site has besides a colour to
    predict, drawn from the conditional above: a teacher and its students, one a site.

    Factored attention has the logits z_i = Σ_{j≠i} A_ij V s̃_j with s̃ = s − 1/C, where the attention A depends on
    positions and the values V on colours alone; A = J, V = U is exact. It is trained on n = α(N − 1) sequences, N − 1
    being the sites that a site looks at, by the loss of masked language modelling, all sites masked in turn, which is
    the negative log pseudo-likelihood of a Potts model::

        E = Σ_i [ Σ_μ ℓ(s_i^μ, z_i^μ) + (λ/2) Σ_j (N − 1) ‖W_ij‖²/‖U‖² ]        W_ij = A_ij ΠVΠ

    With V = U known the ridge is (λ/2)‖w_i‖², w_ij = √(N − 1) A_ij, of order one. Learned fields, which add h_i to z_i,
    have the ridge (λ/2)‖h_i‖²/‖U‖².

    Parameters
    ----------
    C : int
        Colours.
    beta : float
        Strength β: J_ij = β g_ij/√(N − 1). Only with laws of the couplings.
    couplings : {"gaussian", "binary", "given"}
        g_ij normal, or ±1; ``given``: J itself, a parameter of the library, with fields h if there are any.
    symmetric : bool
        J_ij = J_ji, as a Hamiltonian needs. Independent ones go with ``inputs="uniform"`` only.
    colours : {"potts", "clock", "given"}
        U_ab = δ_ab, or cos(2π(a − b)/C), or given.
    inputs : {"potts", "uniform"}
        As above.
    learn : {"positions", "factored", "tensor"}
        A with V = U known; A and V; or a matrix W_ij without structure for each pair (C² numbers instead of one).
    fields : bool
        Learn fields h_i(a) as well.
    loss : {"cross_entropy", "square"}
        ℓ = −ln softmax(z)_s, or ½‖s − 1/C − z‖².
    alpha : float, optional
        Sequences per site, α = n/(N − 1); none: a fresh minibatch for every step of gradient descent.
    ridge : float
        λ, of the training set; 0 with fresh sequences.
    lr : float
        Rate η of gradient descent: a step changes w by −η times its gradient, averaged over the minibatch, so that N
        steps move the logits by order η. V, whose gradient is a sum over all sites, has the rate η/N.
    minibatch : int
        Sequences in a step.
    J, U : array_like, optional
        Given couplings (N, N), or with a matrix for each pair (N, N, C, C), and (C, C).
    h : array_like, optional
        Given fields (N, C), beside given couplings.

    Raises
    ------
    ModelError
        If a parameter is out of range, or two do not go together.

    References
    ----------
    Rende, Gerace, Laio & Goldt, Phys. Rev. Res. 6, 023057 (2024); Bhattacharya et al. (2020); Aurell & Ekeberg, PRL
    108, 090201 (2012).
    """

    name: ClassVar[str] = "potts_attention"
    axes: ClassVar[tuple[str, ...]] = ("alpha", "ridge", "beta")

    C: int = param(3, "colours", kind=int, low=2, high=MOST_COLOURS, short="-C")
    beta: float = param(1.5, "strength β of the couplings, J_ij = β g_ij/√(N − 1)", low=1 / EXTREME, high=LARGEST_SCALE,
                        short="-b")  # fmt: skip
    couplings: str = param("gaussian", "law of the g_ij", kind=str, choices=("gaussian", "binary", "given"))
    symmetric: bool = param(True, "symmetric couplings", kind=bool)
    colours: str = param("potts", "couplings of colours: δ_ab or cos(2π(a − b)/C)", kind=str,
                         choices=("potts", "clock", "given"))  # fmt: skip
    inputs: str = param("potts", "sequences: samples of exp(−H), or independent uniform colours", kind=str,
                        choices=("potts", "uniform"))  # fmt: skip
    learn: str = param("positions", "what is learned", kind=str, choices=("positions", "factored", "tensor"))
    fields: bool = param(False, "learn fields h_i(a) as well", kind=bool)
    loss: str = param("cross_entropy", "loss of a masked site", kind=str, choices=("cross_entropy", "square"))
    alpha: float | None = param(1.0, "training sequences per site α = n/(N − 1); none: always fresh ones",
                                low=1 / EXTREME, high=EXTREME, optional=True, short="-a")  # fmt: skip
    ridge: float = param(0.1, "ridge λ", low=0, high=EXTREME)
    lr: float = param(0.5, "learning rate η of gradient descent", low=0, high=EXTREME, open_low=True)
    minibatch: int = param(1, "sequences in a step of gradient descent", kind=int, low=1)
    J: tuple | None = param(None, "couplings of sites, or a matrix for each pair, with couplings = given (library)",
                            shape=(2, 4), optional=True)  # fmt: skip
    U: tuple | None = param(None, "couplings of colours, with colours = given", shape=2, optional=True)
    h: tuple | None = param(None, "fields of sites, with couplings = given (library)", shape=2, optional=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        for law, matrix in (("couplings", "J"), ("colours", "U")):
            if (getattr(self, law) == "given") != (getattr(self, matrix) is not None):
                raise ModelError(matrix, getattr(self, matrix), f'is given with {law} = "given", and only then')
        if self.inputs == "potts" and not self.symmetric:
            raise ModelError("symmetric", False, 'must be true with inputs = "potts", which have a Hamiltonian')
        if self.alpha is None and self.ridge != 0:
            raise ModelError("ridge", self.ridge, "must be 0 with alpha none: it belongs to a training set")
        if self.U is not None:
            U = array("U", self.U, (self.C, self.C))
            if not np.allclose(U, U.T, rtol=1e-12, atol=1e-12):
                raise ModelError("U", self.U, "must be symmetric")
            if not np.abs(zero_sum(U)).max() > 1e-12 * np.abs(U).max():
                raise ModelError("U", self.U, "must have a zero-sum part; what it is made of has no effect")
        if self.J is None:
            if self.h is not None:
                raise ModelError("h", self.h, 'is given with couplings = "given", and only then')
            return
        J, N = np.array(self.J), len(self.J)
        if J.shape not in ((N, N), (N, N, self.C, self.C)) or N < 2 or not zero_sum_part(J).any():
            words = "must have two sites or more, matrices of C colours if any, a zero diagonal, and couplings"
            raise ModelError("J", f"array of shape {J.shape}", words)
        if J[np.arange(N), np.arange(N)].any():
            raise ModelError("J", f"array of shape {J.shape}", "must have a zero diagonal, and couplings")
        turned = J.T if J.ndim == 2 else J.transpose(1, 0, 3, 2)
        if self.symmetric and not np.allclose(J, turned, rtol=1e-12, atol=1e-12):
            raise ModelError("J", "array that is not symmetric", "must be symmetric, or symmetric = False")
        if self.h is not None:
            array("h", self.h, (N, self.C))

    def colour_matrix(self) -> np.ndarray:
        """The zero-sum part of U, (C, C)."""
        if self.colours == "given":
            return zero_sum(np.array(self.U))
        if self.colours == "potts":
            return zero_sum(np.eye(self.C))
        angle = 2 * np.pi * np.arange(self.C) / self.C
        return zero_sum(np.cos(angle[:, None] - angle))

    def draw(self, N: int, seed: int, replica: int) -> np.ndarray:
        """Couplings J (N, N), or (N, N, C, C), of a replica; given ones as they are."""
        if self.J is not None:
            return np.array(self.J)
        rng = generator(seed, replica, "couplings")
        g = rng.standard_normal((N, N)) if self.couplings == "gaussian" else rng.choice([-1.0, 1.0], (N, N))
        J = self.beta / np.sqrt(N - 1) * np.triu(g, 1)
        return J + (J.T if self.symmetric else self.beta / np.sqrt(N - 1) * np.tril(g, -1))


def zero_sum_part(J: np.ndarray) -> np.ndarray:
    """Of matrices for pairs what is no field, up to rounding; couplings of sites as they are."""
    if J.ndim == 2:
        return J
    K = gauge(np.zeros(J.shape[1:3]), J)[1]
    return np.where(np.abs(K) > 1e-12 * np.abs(J).max(), K, 0.0)


def zero_sum(U: np.ndarray) -> np.ndarray:
    """ΠUΠ with Π = 1 − 11ᵀ/C."""
    U = U - U.mean(axis=0)
    return U - U.mean(axis=1, keepdims=True)
