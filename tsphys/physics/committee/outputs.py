"""What two-layer networks say, from the fields of their units."""

from __future__ import annotations

import numpy as np


def output(activation: str, fields: np.ndarray, readout: np.ndarray) -> np.ndarray:
    """Σ_k v_k g(λ_k) of fields λ (K, …)."""
    return np.tensordot(readout, activated(activation, fields), 1)


def activated(activation: str, x: np.ndarray) -> np.ndarray:
    """g(x) of each, by its name in `tsphys.physics.names`."""
    if activation == "erf":
        from scipy.special import erf

        return np.asarray(erf(x * np.sqrt(0.5)))
    if activation == "relu":
        return np.maximum(x, 0.0)
    if activation == "tanh":
        return np.tanh(x)
    if activation in ("quad", "he2"):
        return x * x if activation == "quad" else (x * x - 1.0) * np.sqrt(0.5)
    return np.sign(x) if activation == "sign" else x
