"""Ridge regression with a kernel of given spectrum, or with random features of it (Simon et al. 2024)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tsphys.errors import ModelError
from tsphys.ground.parameters import EXTREME, Row, param
from tsphys.rules.contract import Static
from tsphys.runs.memory import check_memory

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class KernelRidge(Static):
    """Ridge regression on n examples y = f(x) + σζ of a target f = Σ_i v_i φ_i, with orthonormal eigenfunctions φ_i.

    The kernel K(x, x') = Σ_i λ_i φ_i(x)φ_i(x'), or one of k random features of it, K̂ = (1/k) Σ_a ψ_a(x)ψ_a(x') with
    ψ_a = Σ_i √λ_i g_ai φ_i, g iid N(0, 1), gives f̂(x) = Σ_μ a_μ K(x, x_μ) with (K + δI)a = y on the examples.

    Without `eigenvalues` the spectrum is a power law of M modes, λ_i = i^(−a), v_i² = i^(−b)/Σ_j j^(−b).

    Parameters
    ----------
    n : int
        Training examples.
    k : int, optional
        Random features; none: the kernel itself, k → ∞.
    ridge : float
        δ, added to the diagonal of the Gram matrix; 0 is the limit δ → 0, interpolation where it is possible.
    noise : float
        σ; ζ ~ N(0, 1).
    decay, target_decay : float
        a and b.
    modes : int
        M, the modes of the power law.
    eigenvalues, target : array, shape (M,), optional
        λ_i ≥ 0 and v_i, in place of the power laws; both or none.

    Raises
    ------
    ModelError
        If a parameter is out of range, or two do not go together.

    References
    ----------
    Simon, Karkada, Ghosh & Belkin, ICLR 2024 (More is better); Bordelon, Canatar & Pehlevan, ICML 2020; Caponnetto &
    De Vito, Found. Comput. Math. 7, 331 (2007), of the power laws.
    """

    name: ClassVar[str] = "kernel_ridge"
    axes: ClassVar[tuple[str, ...]] = ("n", "k", "ridge", "noise")
    size: ClassVar[str] = "n"

    n: int = param(100, "training examples", kind=int, low=1, short="-n")
    k: int | None = param(None, "random features; none: the kernel itself", kind=int, low=1, short="-k", optional=True)
    ridge: float = param(0.01, "δ on the diagonal of the Gram matrix", low=0, high=EXTREME, short="-l")
    noise: float = param(0.0, "standard deviation σ of the labels' noise", low=0, high=EXTREME)
    decay: float = param(1.5, "exponent a of the eigenvalues i^(−a)", low=0)
    target_decay: float = param(2.0, "exponent b of the target's squared coefficients i^(−b)", low=0)
    modes: int = param(1000, "modes of the power law", kind=int, low=1)
    eigenvalues: Row | None = param(None, "eigenvalues λ_i; none: the power law", shape=1, kind=float, optional=True)
    target: Row | None = param(
        None, "coefficients v_i of the target; none: the power law", shape=1, kind=float, optional=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.eigenvalues is None) != (self.target is None):
            given, missing = ("eigenvalues", "target") if self.target is None else ("target", "eigenvalues")
            raise ModelError(missing, None, f"must be given together with {given}")
        if self.eigenvalues is None or self.target is None:
            return
        if len(self.eigenvalues) == 0 or min(self.eigenvalues) < 0 or max(self.eigenvalues) == 0:
            raise ModelError("eigenvalues", self.eigenvalues, "must be >= 0, and one of them > 0")
        if not 1 / EXTREME <= max(self.eigenvalues) <= EXTREME:
            words = f"must be at most {EXTREME:g}, and one of them at least {1 / EXTREME:g}"
            raise ModelError("eigenvalues", max(self.eigenvalues), words)
        if max(map(abs, self.target), default=0.0) > EXTREME:
            raise ModelError("target", max(map(abs, self.target)), f"must be at most {EXTREME:g} in size")
        if len(self.target) != len(self.eigenvalues):
            raise ModelError("target", self.target, f"must be {len(self.eigenvalues)} numbers, one for each eigenvalue")

    def spectrum(self) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues λ_i and coefficients v_i, each (M,), or a ModelError where they do not fit into memory."""
        import numpy as np

        if self.eigenvalues is not None:
            return np.array(self.eigenvalues), np.array(self.target)
        check_memory("modes", self.modes, 8.0 * 10 * self.modes, "the spectrum")
        i = np.arange(1.0, self.modes + 1)
        squares = i**-self.target_decay
        return i**-self.decay, np.sqrt(squares / squares.sum())
