"""Averages of signs of two normal variables at many thresholds: a polynomial for each exponential, in one loop."""

from __future__ import annotations

from tsphys._jit import njit
from tsphys.numerics.choice import where
from tsphys.numerics.exponential import exp
from tsphys.numerics.sigmoids import erf_of_lanes

#: Where the exponential is as good as zero.
_LEAST = -700.0


@njit
def signs_of_two(h, k, along, across, weights, out):
    """Into `out` erf(h/√2) erf(k/√2) + Σ_j weights_j exp(along_j (h² + k²) + across_j hk), exponents not positive.

    Parameters
    ----------
    h, k, out : ndarray (n,)
    along, across, weights : ndarray (J,)
        Nodes of the angle in which `tsphys.physics.classes.pair` integrates.
    """
    for i in range(out.size):
        out[i] = erf_of_lanes(h[i]) * erf_of_lanes(k[i])
    # Nodes outside: what stands inside runs four at once, and sums keep their order.
    for j in range(weights.size):
        a, b, w = along[j], across[j], weights[j]
        for i in range(out.size):
            y = a * (h[i] * h[i] + k[i] * k[i]) + b * (h[i] * k[i])
            out[i] += w * exp(where(y < _LEAST, _LEAST, y))
