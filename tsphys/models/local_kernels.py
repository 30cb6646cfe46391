"""Local and convolutional kernels on a torus: what locality of a student and of its target does to learning curves."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from tsphys.errors import ModelError
from tsphys.ground.parameters import EXTREME, Row, param
from tsphys.rules.contract import Static
from tsphys.runs.memory import check_memory


@dataclass(frozen=True)
class LocalKernels(Static):
    """Ridge regression on n inputs x of a torus [0, 1)^d by a kernel that sees patches of s neighbouring axes.

    A patch has the kernel C_s(x) = Σ_k λ_k cos 2πk·x over |k_i| ≤ `modes`, with λ_k = (1 + (2πℓ)²k²)^(−(α + s)/2). Of
    m = d/s patches that do not overlap are made::

        local           K = (1/m) Σ_j C_s(x_j − x'_j)
        convolutional   K = (1/m²) Σ_jj' C_s(x_j − x'_j')

    and of several patch sizes, one in the other, the local kernel Σ_l w_l K_l. The target is a Gaussian random field of
    the same construction, of variance 1 and mean 0, with blocks of t axes and smoothness α_t: all of its waves with
    k ≠ 0 on one block have power ∝ (1 + (2πℓ)²k²)^(−(α_t + t)/2).

    References
    ----------
    Favero, Cagnetta & Wyart, NeurIPS 2021; Cagnetta, Favero & Wyart, ICML 2023.
    """

    name: ClassVar[str] = "local_kernels"
    axes: ClassVar[tuple[str, ...]] = ("n", "ridge", "noise")
    size: ClassVar[str] = "n"

    n: int = param(128, "training examples", kind=int, low=1, short="-n")
    ridge: float = param(1e-10, "δ on the diagonal of the Gram matrix", low=1e-14, high=EXTREME, short="-l")
    noise: float = param(0.0, "standard deviation σ of the labels' noise", low=0, high=EXTREME)
    dimension: int = param(2, "axes d of the torus", kind=int, low=1, high=1000, short="-d")
    kernel: str = param("local", "patches by themselves or shared", kind=str, choices=("local", "convolutional"))
    patch: Row = param((1,), "axes s of a patch, or several sizes, one in the other", kind=int, shape=1)
    weights: Row | None = param(None, "weights w_l of the sizes; none: equal", shape=1, kind=float, optional=True)
    target_patch: int = param(1, "axes t of a block of the target", kind=int, low=1)
    smoothness: float = param(1.0, "α, the kernel's cusp |x|^α", low=0.01, high=100)
    target_smoothness: float = param(1.0, "α_t of the target", low=0.01, high=100)
    length: float = param(0.1, "length ℓ of kernel and target", low=1e-4, high=1e4)
    modes: int = param(400, "largest wave number along an axis", kind=int, low=1, high=10**6)

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes = self.patch
        if any(s != int(s) or s < 1 for s in sizes) or not sizes:
            raise ModelError("patch", self.patch, "must be whole numbers >= 1")
        object.__setattr__(self, "patch", tuple(int(s) for s in sizes))
        chain = [*self.patch, self.dimension]
        if any(b % a for a, b in pairwise(chain)) or len(set(self.patch)) < len(self.patch):
            words = f"must be ascending, each a divisor of the next and the last of dimension = {self.dimension}"
            raise ModelError("patch", self.patch, words)
        if any(max(s, self.target_patch) % min(s, self.target_patch) for s in self.patch):
            raise ModelError("target_patch", self.target_patch, f"must divide, or be divided by, patch = {self.patch}")
        if self.target_patch > self.largest:
            words = f"must be at most the largest patch, {self.largest}: what spans several is not learned at any n"
            raise ModelError("target_patch", self.target_patch, words)
        if self.kernel == "convolutional" and len(self.patch) > 1:
            raise ModelError("patch", self.patch, 'must be one size with kernel = "convolutional"')
        if self.weights is not None and (len(self.weights) != len(self.patch) or min(self.weights) <= 0):
            raise ModelError("weights", self.weights, f"must be {len(self.patch)} numbers > 0, one for each patch size")
        rows = min((self.modes + 1.0) ** (self.largest - 1), self.largest * self.modes**2)
        check_memory("modes", self.modes, 64.0 * self.modes * rows, "the spectrum")

    @property
    def largest(self) -> int:
        """Axes of the largest patch."""
        return int(self.patch[-1])

    def scales(self) -> list[tuple[int, float]]:
        """Patch sizes s_l with their weights w_l."""
        weights = (1 / len(self.patch),) * len(self.patch) if self.weights is None else self.weights
        return [(int(s), float(w)) for s, w in zip(self.patch, weights, strict=True)]
