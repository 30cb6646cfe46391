"""Loss of plasticity: a deep linear net that learns tasks in turn, and how long it takes to learn one again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tsphys.ground.parameters import LARGEST_SCALE, param
from tsphys.rules.contract import Model

PENALTIES = ("none", "l2", "spectral", "init")


@dataclass(frozen=True)
class Plasticity(Model):
    """A linear net f = W_L … W_1 x of whitened inputs, by gradient flow on ½⟨|y − f|²⟩ and a penalty of its layers.

    There are m directions u_k v_kᵀ, with strengths x_k of the net. In each task of length T one of them is asked for,
    y = s u_k v_kᵀ x, the others are to be 0; tasks take turns, so that each comes back after (m − 1)T. Layers begin
    balanced and aligned with the directions, at x_k = start. Penalties of a layer W are ½λ|W|² (l2), ¼λ|WWᵀ − 1|²
    (spectral), and ½λ|W − W(0)|² (init).

    References
    ----------
    Lewandowski et al., ICLR 2025; Lyle et al., ICML 2023; Kumar, Marklund & Van Roy, CoLLAs 2025; Saxe, McClelland &
    Ganguli, ICLR 2014.
    """

    name: ClassVar[str] = "plasticity"
    size: ClassVar[str] = "steps"

    penalty: str = param("l2", "penalty of the layers", kind=str, choices=PENALTIES)
    strength: float = param(0.05, "strength λ of the penalty", low=0, high=LARGEST_SCALE)
    modes: int = param(2, "directions m, asked for in turn", kind=int, low=1, high=1000)
    depth: int = param(2, "layers L", kind=int, low=2, high=20)
    duration: float = param(10.0, "length T of a task", low=0, high=1e6, open_low=True)
    target: float = param(1.0, "strength s that is asked for", low=1e-3, high=100)
    fraction: float = param(0.5, "part φ of it that counts as learned", low=0, high=1, open_low=True, open_high=True)
    start: float = param(0.01, "strength x of all directions at the start", low=1e-12, high=100)
