"""Random numbers from one xoshiro256 generator, for a thread of a GPU: four words of state, and no buffer.

Normals are those of `tsphys.numerics.box_muller`, so their tail ends where it does on the CPU.
"""

from __future__ import annotations

import numpy as np

from tsphys.numerics.box_muller import inlined, pair64
from tsphys.numerics.random import _ONE, _S12, _step, generator


def states(seed: int, replica: int, purpose: str, count: int) -> np.ndarray:
    """States (count, 4) of independent generators, uint64; for the arguments see `tsphys.numerics.random.stream`."""
    return generator(seed, replica, purpose).bit_generator.random_raw((count, 4))


@inlined
def word(src):
    """A word of xoshiro256+ from a state (4,) of uint64."""
    s0, s1, s2, s3 = src[0], src[1], src[2], src[3]
    src[0], src[1], src[2], src[3] = _step(s0, s1, s2, s3)
    return s0 + s3


@inlined
def pair(src):
    """Two standard normals."""
    v = word(src)
    return pair64(v, word(src))


@inlined
def normal(src):
    """A standard normal; its twin is lost."""
    return pair(src)[0]


@inlined
def uniform(src):
    """A uniform, strictly between 0 and 1."""
    return np.uint64((word(src) >> _S12) | _ONE).view(np.float64) - (1.0 - 2.0**-53)


@inlined
def fill_normals(src, out):
    """Fill `out` (n,) with standard normals."""
    for i in range(0, out.shape[0], 2):
        x, y = pair(src)
        out[i] = x
        if i + 1 < out.shape[0]:
            out[i + 1] = y
