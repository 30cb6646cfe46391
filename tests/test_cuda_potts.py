"""The Potts sampler's engine cuda in Numba's simulator: its law, its bits, and the fields that it keeps."""

import numpy as np
import pytest
from scipy import special

from tests.naive import potts as naive
from tests.test_cuda import simulated

CODE = """
from tsphys.sims.engines.potts import cuda_potts, sampler as potts
cuda_potts.THREADS = 4
J = np.array([[0, 0.9, -0.5], [0.9, 0, 0.7], [-0.5, 0.7, 0]])
U = np.array([[1.0, 0.2], [0.2, 0.6]])
out["J"], out["U"] = J, U
for order in ("random", "sequential"):
    out[order], out[order + " energy"] = potts.sample(
        J, U, chains=150, samples=1, burn_in=10, order=order, seed=3, engine="cuda"
    )
pairs = 0.3 * np.arange(36.0).reshape(3, 3, 2, 2) % 1 * (1 - np.eye(3))[:, :, None, None]
out["pairs"] = pairs = pairs + pairs.transpose(1, 0, 3, 2)
out["h"] = h = np.array([[0.0, 0.5], [0.2, -0.3], [0.0, 0.1]])
out["paired"], out["paired energy"] = potts.sample(
    pairs, None, h, chains=150, samples=1, burn_in=10, seed=5, engine="cuda"
)
whole = potts.sample(J, U, chains=5, samples=3, burn_in=2, every=2, seed=4, engine="cuda")
cuda_potts.fitting, cuda_potts.VISITS = lambda size: 2, 3
parts = potts.sample(J, U, chains=5, samples=3, burn_in=2, every=2, seed=4, engine="cuda")
out["whole"], out["parts"] = whole[0], parts[0]
"""


@pytest.mark.wide
def test_law_and_bits(tmp_path):
    out = simulated(tmp_path, CODE)
    J, U = out["J"], out["U"]
    states, weight = naive.law(J, U)
    z = []
    for order in ("random", "sequential"):
        s = out[order][:, 0]
        n = len(s)
        found = np.array([(s == x).all(axis=1).sum() for x in states])
        z.append((found - n * weight) / np.sqrt(n * weight * (1 - weight)))
        for row in range(0, n, 37):
            # An energy that follows from the fields that the device has kept.
            assert abs(out[order + " energy"][row, 0] - naive.energy(J, U, s[row])) < 1e-12
    s, H = out["paired"][:, 0], out["paired energy"][:, 0]
    _, weight = naive.law_of_pairs(out["h"], out["pairs"])
    found = np.array([(s == x).all(axis=1).sum() for x in states])
    z.append((found - len(s) * weight) / np.sqrt(len(s) * weight * (1 - weight)))
    # Couplings of 24 bits.
    assert abs(H[5] - naive.energy_of_pairs(out["h"], out["pairs"], s[5])) < 1e-6
    # Probability 1e-4 that the largest of 24 exceeds it by chance.
    assert np.abs(z).max() < -special.ndtri(0.5e-4 / np.size(z))
    np.testing.assert_array_equal(out["whole"], out["parts"])
    assert len(np.unique(out["whole"].reshape(-1, 3), axis=0)) > 4
