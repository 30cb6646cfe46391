"""Engine cuda of spins in Numba's simulator: Boltzmann's law by enumeration, descent, bits, and what it refuses."""

import itertools
from pathlib import Path

import numpy as np
import pytest

import tsphys
import tsphys.sims.engines.spins.stored
from tests import simulator

ROOT = Path(__file__).resolve().parents[1]
N, T = 5, 1.3
X = np.array([[1, 1, -1, 1, -1], [1, -1, -1, 1, 1], [-1, 1, 1, 1, -1]])

HEAD = """
import sys, warnings
import numpy as np, tsphys
from tests.test_cuda_spins import N, T, X
from tsphys.sims.engines.spins import cuda_spins
# Words wrap around, which NumPy's scalars, unlike machines, complain about.
warnings.filterwarnings("ignore", message=".*encountered in scalar")
# Fewer threads than a warp: the simulator's are threads of Python.
cuda_spins.THREADS = 2

def run(**options):
    return tsphys.simulate(tsphys.Hopfield(), N=N, engine="cuda", **options)

out = {}
"""


def simulated(tmp_path, code):
    return simulator.simulated(tmp_path, HEAD, code)


def boltzmann():
    """Means of H/N and of the overlap with the first pattern by enumeration of all 2^N states."""
    s = np.array(list(itertools.product((-1, 1), repeat=N)))
    m = s @ X.T / N
    energy = -0.5 * (m**2).sum(axis=1) + 0.5 * len(X) / N
    weight = np.exp(-N * energy / T)
    weight /= weight.sum()
    return {"energy": weight @ energy, "m": weight @ m[:, 0]}


EQUILIBRIUM = """
cuda_spins.THREADS = 1
r = run(patterns=X, start="random", T=[T], replicas=30, seed=1, equilibration=3, sweeps=2, mixture=1)
out = {k: r[k][:, 0] for k in ("energy", "m")}
"""


@pytest.mark.slow
def test_replicas_have_the_law_of_boltzmann(tmp_path):
    out = simulated(tmp_path, EQUILIBRIUM)
    for name, mean in boltzmann().items():
        z = (out[name].mean() - mean) / (out[name].std(ddof=1) / np.sqrt(len(out[name])))
        # Student's t of 29 degrees of freedom passes 4.8 with probability 5e-5.
        assert abs(z) < 4.8, (name, z)


DESCENT = """
r = run(T=0.0, n_patterns=3, start="noisy", overlap=0.4, t=[0, 1, 2, 4], replicas=6, seed=3, keep_spins=True)
q = run(T=0.0, n_patterns=3, start="noisy", overlap=0.4, t=[0, 4], replicas=3, seed=3, keep_spins=True)
cuda_spins.PIECE, cuda_spins.fitting = 1, lambda size: 2
p = run(T=0.0, n_patterns=3, start="noisy", overlap=0.4, t=[0, 4], replicas=3, seed=3, keep_spins=True)
out = {"spins": r["spins"], "energy": r["energy"], "m": r["m"], "few": q["spins"], "pieces": p["spins"]}
"""


@pytest.mark.wide
def test_descent_ends_in_stable_states_and_bits_follow_from_the_seed(tmp_path):
    out = simulated(tmp_path, DESCENT)
    assert (np.diff(out["energy"], axis=1) <= 1e-12).all()
    cpu = tsphys.simulate(tsphys.Hopfield(T=0.0), N=N, n_patterns=3, start="noisy", overlap=0.4, t=[0], replicas=6,
                          seed=3, keep_spins=True)  # fmt: skip
    # Both engines draw the same patterns and starts.
    np.testing.assert_array_equal(cpu["spins"][:, 0], out["spins"][:, 0])
    np.testing.assert_allclose(cpu["energy"][:, 0], out["energy"][:, 0], atol=1e-12)
    np.testing.assert_allclose(cpu["m"][:, 0], out["m"][:, 0], atol=1e-12)
    # A stable state does not move under the CPU's engine either.
    for replica, s in enumerate(out["spins"][:, -1]):
        patterns = tsphys.sims.engines.spins.stored.drawn(N, 3, 3, replica, "patterns 0")[:, :3].T
        still = tsphys.simulate(tsphys.Hopfield(T=0.0), N=N, patterns=patterns, start=s, t=[3], keep_spins=True)
        np.testing.assert_array_equal(still["spins"][0, 0], s)
    np.testing.assert_array_equal(out["few"], out["spins"][:3, [0, 3]])
    np.testing.assert_array_equal(out["pieces"], out["few"])


@pytest.mark.parametrize("model", [{"dynamics": "parallel"}, {"coupling": "clipped"}, {"activity": 0.1}])
def test_what_it_does_not_run_is_refused(model):
    with pytest.raises(tsphys.ModelError, match="must be direct") as error:
        tsphys.simulate(tsphys.Hopfield(**model), N=50, alpha=0.1, engine="cuda")
    assert error.value.name == "engine"
