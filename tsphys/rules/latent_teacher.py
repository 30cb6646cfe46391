"""Online SGD on a teacher whose fields the inputs do not tell, since it sees the latent variables: they come along.

As `tsphys.rules.two_layer`, with ``noise = [ζ, ν_1, …, ν_M]``.
"""

from __future__ import annotations

from tsphys._jit import njit
from tsphys.rules import two_layer

_two_layer = two_layer.rule


@njit
def rule(lam, nu, v, v_star, noise, p, c, dv):
    """One example: what `tsphys.rules.two_layer.rule` does at the teacher's fields noise[1:]."""
    _two_layer(lam, noise[1:], v, v_star, noise[:1], p, c, dv)
