"""A layer of attention with frozen random queries and keys, of which only the values learn (Fu et al. 2023)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tsphys.errors import ModelError
from tsphys.ground.parameters import EXTREME, param
from tsphys.rules.contract import Static


@dataclass(frozen=True)
class AttentionFeatures(Static):
    """Ridge regression on n sequences: a query x_0 and L tokens x_1..x_L, on the sphere |x|² = N, with ReLU attention.

    With the bias β each token is x̃ = (x, β√N). M heads have queries and keys W_m ~ N(0, 1), frozen, and learn v_m::

        f(X) = M^(−1/2) Σ_m (1/L) Σ_i σ(z_mi) v_m·x̃_i/√(N(1 + β²)),   z_mi = x̃_0·W_m x̃_i/(N(1 + β²))

    The target Y_a(x_0) (1/√L) Σ_i Y_b(x_i) has harmonic polynomials Y of degrees a and b along one axis, of variance 1.
    The student ``mlp`` has random ReLU features of all (L + 1)N numbers at once, M of them.

    Without a bias f(−X) = −f(X), and of degrees a only 1 and even ones appear: what is not learned at any n is refused.

    References
    ----------
    Fu, Guo, Bai & Mei, NeurIPS 2023.
    """

    name: ClassVar[str] = "attention_features"
    axes: ClassVar[tuple[str, ...]] = ("n", "heads", "ridge", "noise")
    size: ClassVar[str] = "n"

    n: int = param(200, "training sequences", kind=int, low=1, short="-n")
    heads: int | None = param(
        None, "heads M, or hidden units of an mlp; none: infinitely many", kind=int, low=1, short="-M", optional=True
    )
    ridge: float = param(0.01, "δ on the diagonal of the Gram matrix", low=1e-10, high=EXTREME, short="-l")
    noise: float = param(0.0, "standard deviation σ of the labels' noise", low=0, high=EXTREME)
    dimension: int = param(16, "numbers N of a token", kind=int, low=3, high=10_000, short="-d")
    tokens: int = param(4, "tokens L beside the query", kind=int, low=1, high=10_000, short="-L")
    bias: float = param(0.0, "bias coordinate β", low=0, high=100)
    query_degree: int = param(0, "degree a of the target in the query", kind=int, low=0, high=8, short="-a")
    token_degree: int = param(1, "degree b of the target in the tokens", kind=int, low=0, high=8, short="-b")
    student: str = param(
        "attention", "attention, or a perceptron of all at once", kind=str, choices=("attention", "mlp")
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        a, b = self.query_degree, self.token_degree
        if a == b == 0:
            raise ModelError("token_degree", b, "must be > 0 where query_degree is 0: the target would be a constant")
        if self.student == "mlp":
            if self.bias > 0:
                raise ModelError("bias", self.bias, 'must be 0 with student = "mlp"')
            if a + b > 1 and (a + b) % 2:
                words = f"must make an even sum with query_degree = {a}, or 1: no ReLU perceptron learns it at any n"
                raise ModelError("token_degree", b, words)
        elif self.bias == 0 and (a + b) % 2 == 0:
            words = f"must be > 0 for degrees ({a}, {b}), whose sum is even: f(−X) = −f(X) without, at any n"
            raise ModelError("bias", self.bias, words)
        elif self.bias == 0 and a > 1 and a % 2:
            words = f"must be > 0 for query_degree = {a}: odd degrees beyond 1 are not learned without, at any n"
            raise ModelError("bias", self.bias, words)
