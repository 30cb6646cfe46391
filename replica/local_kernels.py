"""Learning curves of local kernels by the eigenframework: plane waves are counted by their support and length.

A wave of s axes has eigenvalue w λ_k s/d in a local kernel, once for each patch, and once only in a convolutional one,
where it is the sum over patches. Those of several patch sizes that it fits into add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.models.local_kernels import LocalKernels
from tsphys.physics.kernels import eigenframework
from tsphys.physics.kernels.eigenframework import Modes
from tsphys.physics.kernels.torus import decay, new_shells
from tsphys.runs import frames


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What the theory is asked for."""

    precision: float | None = param(
        None, "largest part of eps_g that waves beyond `modes` may change; none: the kernel as it is, without them",
        low=1e-12, high=1, optional=True,
    )  # fmt: skip

    def suited(self, models: Sequence[LocalKernels]) -> Options:
        for model in models if self.precision is not None else ():
            off = cut(model)
            if off > float(self.precision or 0):
                words = f"must be more for precision = {self.precision:g}: at n = {model.n} eps_g is open by {off:.1g}"
                raise ModelError("modes", model.modes, words + " of itself")
        return self


@frames.static(LocalKernels, Options)
def solve(model: LocalKernels, options: Options) -> dict[str, float]:
    """Errors over the number of examples, the ridge or the noise.

    Returns
    -------
    dict
        Over the axis: ``eps_g`` = ½⟨(f̂ − f)²⟩ on fresh inputs, ``train_loss`` = ½ mean (f̂ − y)² over the examples,
        and ``kappa``, the effective ridge.

    Raises
    ------
    ModelError
        If waves beyond `modes` change it by more than the `precision` that is asked for.
    """
    return errors(spectrum(model), model)


def errors(modes: Modes, model: LocalKernels) -> dict[str, float]:
    """Those of a spectrum."""
    found = eigenframework.errors(modes, model.n, model.ridge, model.noise**2)
    return {name: found[name] for name in ("eps_g", "train_loss", "kappa")}


def spectrum(model: LocalKernels, along: int | None = None) -> Modes:
    """Eigenvalues, power of the target of sum 1, and multiplicities.

    `along` is the largest wave number of waves along one axis, if it is more than `modes`: they carry most of the power
    of a target with t = 1, and are few.
    """
    return _spectrum(replace(model, n=1, noise=0.0, ridge=1.0), along or model.modes)


@lru_cache(8)
def _spectrum(model: LocalKernels, along: int) -> Modes:
    d, t, length = model.dimension, model.target_patch, model.length
    values, power, count = [np.array([sum(w for _, w in model.scales())])], [np.zeros(1)], [np.ones(1)]
    inner = 0
    for size in sorted({*model.patch, t}):
        squares, many = new_shells(size, inner, along if size == 1 else model.modes)
        blocks = (model.largest if model.kernel == "convolutional" else d) // size
        seen = [(s, w) for s, w in model.scales() if s >= size]
        values.append(np.sum([w * s / d * decay(squares, model.smoothness, s, length) for s, w in seen], axis=0))
        count.append(blocks * many)
        known = decay(squares, model.target_smoothness, t, length) if size <= t else np.zeros(len(squares))
        power.append(count[-1] * known)
        inner = size
    strength = np.concatenate(power)
    return Modes(np.concatenate(values), strength / strength.sum(), np.concatenate(count))


def cut(model: LocalKernels) -> float:
    """By what part of itself eps_g is open since waves end: twice as many change less than the last half did.

    What is beyond k is ∝ k^(−a) with a the smaller of α and α_t, so that it is 1/(2^a − 1) of what k/2 leaves more.
    """
    if model.modes < 2:
        return 1.0
    whole, half = (errors(spectrum(here), here)["eps_g"] for here in (model, replace(model, modes=model.modes // 2)))
    return abs(half / whole - 1) / (2 ** min(model.smoothness, model.target_smoothness) - 1) if whole > 0 else 1.0


def exponent(model: LocalKernels) -> float:
    """β of eps_g ∝ n^(−β) for many examples without noise and ridge, n ≪ number of waves.

    n examples learn all waves above κ, most of which fill the largest patch s_L: n ∝ κ^(−s_L/(α + s_L)). The target's
    are learned by the smallest patch s that holds them: eps_g ∝ κ^(α_t/(α + s)), or κ² at most. With one patch size
    that is β = α_t/s, whatever d, t and the sharing.
    """
    largest = model.largest
    fitting = min(s for s, _ in model.scales() if s >= model.target_patch)
    power = min(model.target_smoothness / (model.smoothness + fitting), 2.0)
    return power * (model.smoothness + largest) / largest
