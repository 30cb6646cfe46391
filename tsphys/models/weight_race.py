"""A race between context and weights: labels of classes that can be read off the context, or known by heart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tsphys.ground.parameters import param
from tsphys.rules.contract import Model

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class WeightRace(Model):
    """Logistic SGD on queries of K classes of Zipf's frequencies p_k ∝ k^(−a), each of which has a label of its own.

    The answer to a query of class k is m w_k + cβ in favour of its label, with a weight w_k of the class, and
    β = u² for what the context says: c = 1 in a bursty prompt, which shows the class with its label, else 0. In a
    share of bursty prompts labels are dynamic, drawn anew: m = −1 if that is not the class's own, else 1. Each of N
    steps in a unit of time moves w_k by g m/N and u by (g c − μu)/N, where g = 1/(1 + e^{m w_k + cβ}).

    References
    ----------
    Chan et al., NeurIPS 2022; Reddy, ICLR 2024; Nguyen & Reddy, ICLR 2025.
    """

    name: ClassVar[str] = "weight_race"

    classes: int = param(50, "classes K", kind=int, low=1, high=2000, short="-K")
    zipf: float = param(1.0, "exponent a of their frequencies k^(−a)", low=0, high=10, short="-a")
    bursty: float = param(0.8, "share p_B of bursty prompts", low=0, high=1, short="-b")
    dynamic: float = param(0.0, "share r_d of the bursty prompts whose labels are drawn anew", low=0, high=1)
    start: float = param(1e-4, "strength β₀ of the context at the start", low=1e-30, high=1)
    decay: float = param(0.0, "rate μ at which u decays", low=0, high=100)

    def frequencies(self) -> np.ndarray:
        """p_k (K,), the most frequent first."""
        import numpy as np

        p = np.arange(1.0, self.classes + 1) ** -self.zipf
        return p / p.sum()

    def halves(self) -> tuple[np.ndarray, np.ndarray]:
        """Weights (K,) of the classes in means over the more, and over the less frequent half of the queries."""
        import numpy as np

        p = self.frequencies()
        until = np.minimum(np.cumsum(p), 1.0)
        head = np.clip(0.5 - (until - p), 0.0, p)
        return 2 * head, 2 * (p - head)

    def seen(self, beta: np.ndarray, w: np.ndarray, each: bool) -> dict[str, np.ndarray]:
        """What is told of strengths β (t,) and w (t, K)."""
        import numpy as np

        p, b, r = self.frequencies(), self.bursty, 0.5 * self.dynamic
        head, tail = self.halves()
        both, apart = (np.logaddexp(0, -s * w - beta[:, None]) @ p for s in (1, -1))
        loss = (1 - b) * (np.logaddexp(0, -w) @ p) + b * ((1 - r) * both + r * apart)
        conflict = 1 / (1 + np.exp(np.clip(w - beta[:, None], -700, 700))) @ p
        found = {"beta": beta, "memory": w @ p, "head": w @ head, "tail": w @ tail}
        return {**found, "conflict": conflict, "train_loss": loss, **({"w": np.array(w)} if each else {})}
