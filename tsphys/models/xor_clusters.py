"""XOR clusters with flipped labels: a net of ReLUs that knows all of them by heart at once, and the rule much later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.rules.contract import Model


@dataclass(frozen=True)
class XorClusters(Model):
    """A net f = Σ_j a_j max(w_j·x, 0), a_j = ±1/√K fixed, of n examples in N ≫ n dimensions, by descent on all of them.

    Examples are x = centre + z, z ~ N(0, I_N), with centres ±μ₁ of the class +1 and ±μ₂ of −1, μ₁ ⊥ μ₂, |μ| = ν; a
    share of the labels y is flipped. The loss is the mean of log(1 + e^(−yf)), and the rate of its descent ηn/N: by
    itself, since |x|² ≈ N, an example then moves its field by up to η|a_j| in a step.

    References
    ----------
    Xu, Wang, Frei, Vardi & Hu, ICLR 2024.
    """

    name: ClassVar[str] = "xor_clusters"

    n: int = param(200, "training examples", kind=int, low=4, short="-n")
    N: int = param(8000, "dimension of the inputs", kind=int, low=4, short="-N")
    K: int = param(200, "hidden units", kind=int, low=2, short="-K")
    distance: float = param(11.0, "distance ν of the centres from 0", low=0, high=1e4)
    flips: float = param(0.1, "share of the labels that are flipped", low=0, high=0.5)
    lr: float = param(2.0, "learning rate η; that of the mean loss is ηn/N", low=0, high=1e6, open_low=True)
    scale: float = param(0.05, "standard deviation of the fields w·x at the start", low=0, high=1e3)
    balanced: bool = param(True, "clusters, flips and signs of readouts in equal parts; otherwise by chance", kind=bool)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.balanced and self.flips > 0 and round(self.flips * self.n) == 0:
            words = f"flips none of {self.n} examples in equal parts; more than {0.5 / self.n:.3g} does, or 0"
            raise ModelError("flips", self.flips, words)

    def shares(self, N: float) -> Mapping[str, float]:
        """Of the training examples."""
        return {"train_accuracy": self.n}
