"""Sums of integers over columns of bits against NumPy's product, in integers."""

import numpy as np
import pytest

from tsphys.sims.engines.spins import carry_save
from tsphys.sims.engines.spins.parallel import pack_patterns


def sums_of(X, c):
    """Σ_μ (X_iμ > 0) c_μ by the kernel."""
    N, P = X.shape
    table, ones = carry_save.aligned(carry_save.words_of(N), P + 1, 8), np.empty(N)
    pack_patterns(X.astype(np.int8), table, ones)
    assert np.array_equal(ones, (X > 0).sum(axis=1))
    room, out = carry_save.room(P, N, int(c.sum())), np.full(N, np.nan)
    room.c[:] = c
    # Another sum before it leaves nothing behind.
    for _ in range(2):
        carry_save.sums(table, room, out)
    return out


@pytest.mark.parametrize(("N", "P"), [(1, 1), (7, 3), (64, 8), (511, 9), (512, 64), (513, 57), (1500, 130)])
@pytest.mark.parametrize("most", [0, 1, 2, 1000, 2**16, 2**40])
def test_sums_are_those_of_integers(N, P, most):
    rng = np.random.default_rng([N, P, most])
    X = rng.choice([-1, 1], (N, P))
    for c in (rng.integers(0, most + 1, P), np.full(P, most), most * (np.arange(P) == P // 2)):
        assert np.array_equal(sums_of(X, c), (X > 0).astype(np.int64) @ c)


@pytest.mark.parametrize("P", [*range(1, 40), 55, 56, 57, 111, 112, 113, 500])
def test_carries_never_outgrow_their_memory(P):
    # All rows have all bits: as many carries as there can be.
    c = np.full(P, 2**20 - 1)
    X = np.ones((3, P))
    X[1] = 0
    assert sums_of(X, c).tolist() == [c.sum(), 0, c.sum()]
    room = carry_save.room(P, 3, int(c.sum()))
    n = [0, 0, 0]
    for digit in range(len(room.counts)):
        rows = P if digit < 20 else 0
        n.append(-(-rows // 8) + -(-n[-3] // 8))
    # Seven words of zeros fill the last ones up to eight.
    assert max(n) + 7 <= room.carries.shape[1]
