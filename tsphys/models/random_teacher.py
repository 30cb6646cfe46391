"""A random teacher is distilled into a student, whose features are then probed: a teacher that knows nothing helps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tsphys.ground.parameters import EXTREME, param
from tsphys.rules.contract import Static

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class RandomTeacher(Static):
    """Features h = Wx, W (p, d), distilled from those of a random teacher W*x, and then read out by ridge regression.

    Inputs have independent components x_i ~ N(0, λ_i), λ_i = i^(−decay). Distillation sees no label: it is gradient
    flow of ½⟨|Wx − W*x|²⟩ + ½μ|W|² for a time t, from W = s(cos φ W* + sin φ W') with W*, W' ~ N(0, 1). The probe is
    ridge regression on n labels y = Σ v_i x_i/√λ_i + σζ, v_i² ∝ i^(−target_decay), |v| = 1, with the kernel h·h'/p.

    References
    ----------
    Sarnthein, Bachmann, Anagnostidis & Hofmann, ICML 2023; Simon, Karkada, Ghosh & Belkin, ICLR 2024, of the probe.
    """

    name: ClassVar[str] = "random_teacher"
    axes: ClassVar[tuple[str, ...]] = (
        "t", "n", "features", "ridge", "noise", "scale", "overlap", "weight_decay",
    )  # fmt: skip
    size: ClassVar[str] = "n"

    t: float | None = param(1.0, "time of distillation; none: t → ∞", low=0, high=1e4, optional=True, short="-t")
    n: int = param(150, "labelled examples of the probe", kind=int, low=1, short="-n")
    features: int = param(60, "features p of teacher and student", kind=int, low=1, short="-p")
    ridge: float = param(1e-3, "δ on the diagonal of the probe's Gram matrix", low=1e-10, high=EXTREME, short="-l")
    noise: float = param(0.3, "standard deviation σ of the labels' noise", low=0, high=EXTREME)
    scale: float = param(0.0, "scale s of the student's start; 0: W = 0", low=0, high=1e6)
    overlap: float = param(0.0, "overlap cos φ of the student's start with its teacher", low=-1, high=1)
    weight_decay: float = param(0.0, "weight decay μ of the distillation", low=0, high=1e6)
    inputs: int = param(400, "input dimension d", kind=int, low=1, high=10**5, short="-d")
    decay: float = param(1.2, "exponent of the inputs' variances λ_i = i^(−decay)", low=0, high=20)
    target_decay: float = param(1.6, "exponent of the target's squared coefficients i^(−target_decay)", low=0, high=20)

    def spectrum(self) -> tuple[np.ndarray, np.ndarray]:
        """Variances λ_i of the inputs and squared coefficients v_i² of the target, each (d,)."""
        import numpy as np

        i = np.arange(1.0, self.inputs + 1)
        power = i**-self.target_decay
        return i**-self.decay, power / power.sum()
