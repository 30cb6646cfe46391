"""In-context regression by linear attention: prompts of a few tasks, or of many, and what is learned of new ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tsphys.ground.parameters import EXTREME, param
from tsphys.rules.contract import Static


@dataclass(frozen=True)
class LinearICL(Static):
    """Linear attention ŷ = x·Γh/√N that is trained on prompts of linear tasks y = w·x/√N + σζ, x ~ N(0, I_N).

    A prompt is a query x after a context of αN examples (x_i, y_i) of its task, of which attention sees
    h = (√N/αN) Σ y_i x_i. On τN² prompts, each of one of κN tasks with |w|² = N, Γ has the least
    Σ (y − ŷ)² + τNλ |Γ|².

    References
    ----------
    Lu, Letey, Zavatone-Veth, Maiti & Pehlevan 2024, arXiv:2405.11751; Raventós, Paul, Chen & Ganguli, NeurIPS 2023.
    """

    name: ClassVar[str] = "linear_icl"
    axes: ClassVar[tuple[str, ...]] = ("tau", "alpha", "kappa", "ridge", "noise")
    counted: ClassVar[dict[str, str]] = {"alpha": "example", "kappa": "task"}

    tau: float = param(2.0, "prompts τ = n/N²", low=1e-3, high=1e8, short="-t")
    alpha: float = param(1.0, "examples in a context, α = l/N", low=1e-3, high=1e8, short="-a")
    kappa: float | None = param(
        0.5, "tasks κ = K/N; none: a new one for every prompt", low=1e-3, high=1e8, short="-k", optional=True
    )
    ridge: float = param(0.2, "ridge λ; 0 is the limit λ → 0", low=0, high=EXTREME, short="-l")
    noise: float = param(0.3, "standard deviation σ of the labels' noise", low=0, high=1e4)
