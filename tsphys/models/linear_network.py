"""A linear network of two layers whose start decides how much of it learns: rank, alignment, scale and balance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import EXTREME, Row, param
from tsphys.numerics.orthogonal import orthogonal
from tsphys.rules.contract import Static


class Start(NamedTuple):
    """Layers W₁ (r, d) and W₂ (c, r), and the teacher S (c, d)."""

    W1: np.ndarray
    W2: np.ndarray
    S: np.ndarray


@dataclass(frozen=True)
class LinearNetwork(Static):
    """y = W₂W₁x, fitted by gradient flow to a linear teacher y = Sx on whitened inputs, ⟨xxᵀ⟩ = 1.

    W₁ has rank r, with eigenvalues of W₁ᵀW₁ that fall like j^−decay and sum up to `scale`. W₂ is zero, or such that
    W₂ᵀW₂ − W₁W₁ᵀ = λ on the r hidden directions. Where nothing else is in them hidden units drop out.

    References
    ----------
    Liu, Baratin, Cornford, Mihalas, Shea-Brown & Lajoie, ICLR 2024; Braun, Dominé, Fitzgerald & Saxe, NeurIPS 2022;
    Dominé et al., ICLR 2025.
    """

    name: ClassVar[str] = "linear_network"
    size: ClassVar[str] = "inputs"
    axes: ClassVar[tuple[str, ...]] = ("rank", "scale", "alignment", "decay", "balance", "inputs")

    rank: int = param(1, "rank r of the first layer at the start", kind=int, low=1, high=1000)
    scale: float = param(4.0, "size ‖W₁‖² of the first layer at the start", low=1e-6, high=1e4)
    alignment: float | None = param(
        None, "share f of each of the teacher's directions that lies within the first layer's; 0: a saddle, where the "
        "readout is silent; none: a random teacher",
        low=0, high=1, optional=True,
    )  # fmt: skip
    inputs: int = param(20, "input dimension d", kind=int, low=1, high=1000, short="-d")
    teacher: Row = param((2.0,), "singular values of the teacher S, one for each output", shape=1)
    decay: float = param(0.0, "exponent by which the eigenvalues of W₁ᵀW₁ fall", low=0, high=20)
    balance: float | None = param(
        None, "λ of W₂ᵀW₂ − W₁W₁ᵀ = λ at the start; none: W₂ = 0", low=-1e4, high=1e4, optional=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        (r, d, c), values = (self.rank, self.inputs, self.outputs), np.array(self.teacher)
        if not 1 <= c <= d or (values < 0).any() or not 1 / EXTREME <= values.max() <= 100:
            words = f"must be 1 to {d} numbers from 0 to 100, as many as outputs, one at least {1 / EXTREME:g}"
            raise ModelError("teacher", self.teacher, words)
        if r > d:
            raise ModelError("rank", r, f"must be at most the {d} inputs")
        if self.alignment not in (None, 1) and r + c > d:
            words = f"must be 1 or none: {r} directions of the first layer and {c} outside are more than {d} inputs"
            raise ModelError("alignment", self.alignment, words)
        if self.balance is not None:
            least = float(self.squares.min())
            if self.balance < -least:
                raise ModelError("balance", self.balance, f"must be >= {-least:.4g}, where the readout is silent")
            if r > c:
                words = f"must be none, for a silent readout: others of rank {r} need as many outputs, not {c}"
                raise ModelError("balance", self.balance, words)

    @property
    def outputs(self) -> int:
        """c."""
        return len(self.teacher)

    @property
    def squares(self) -> np.ndarray:
        """Eigenvalues of W₁ᵀW₁ at the start, but for zeros, (r,)."""
        falling = np.arange(1.0, self.rank + 1) ** -self.decay
        return self.scale * falling / falling.sum()

    @property
    def balanced(self) -> bool:
        """Whether the start is."""
        return self.balance is not None or bool(np.ptp(self.squares) == 0)

    def start(self, inside: float | None = None, rng: np.random.Generator | None = None) -> Start:
        """Layers and teacher, of which the share `inside` of each direction is within the first layer, or random ones.

        The coordinates are those in which the layers are diagonal.
        """
        (r, d, c), squares = (self.rank, self.inputs, self.outputs), self.squares
        W1, W2, U = np.zeros((r, d)), np.zeros((c, r)), np.eye(c)
        np.fill_diagonal(W1, np.sqrt(squares))
        if self.balance is not None:
            np.fill_diagonal(W2, np.sqrt(np.maximum(squares + self.balance, 0.0)))
        if rng is not None:
            U, V = orthogonal(rng, c, c), orthogonal(rng, c, d)
        else:
            f = 1.0 if inside is None else inside
            V = np.sqrt(f) * np.eye(c, d)
            if f < 1:
                V[r:] = 0
                V += np.sqrt(np.where(np.arange(c) < r, 1 - f, 1.0))[:, None] * np.eye(c, d, r)
        return Start(W1, W2, (U * np.array(self.teacher)) @ V)
