"""Kernels of infinitely wide nets by neural-tangents: closed forms in JAX, compiled once, in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def installed() -> bool:
    """Whether neural-tangents works with the JAX that is there: its last release does with few."""
    try:
        import neural_tangents  # noqa: F401
    except (ImportError, AttributeError):
        return False
    return True


def start(activation: str, weights: float, biases: float, layers: int) -> Callable[[np.ndarray], tuple[Any, Any]]:
    """NNGP kernel and NTK of inputs after so many layers with φ."""
    import jax
    from neural_tangents import stax

    jax.config.update("jax_enable_x64", True)
    # erf(u/√2), as here.
    phi = stax.Relu if activation == "relu" else lambda: stax.Erf(1.0, 2**-0.5, 0.0)
    linear = {"W_std": weights**0.5, "b_std": biases**0.5}
    parts = [stax.Dense(1, **linear)]
    for _ in range(layers):
        parts += [phi(), stax.Dense(1, **linear)]
    kernel = stax.serial(*parts)[2]
    both = jax.jit(lambda X: kernel(X, None, ("nngp", "ntk")))

    def of(X: np.ndarray) -> tuple[Any, Any]:
        found = both(X)
        return found.nngp.block_until_ready(), found.ntk.block_until_ready()

    return of
