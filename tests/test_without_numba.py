"""``NUMBA_DISABLE_JIT=1`` runs everything as plain Python, so that a debugger steps through a rule or a kernel."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tsphys
from tests.walk import LITTLE

ROOT = Path(__file__).resolve().parents[1]
START = tsphys.OrderParameters(R=[[0.1]], Q=[[0.5]], T=[[1.0]])

WALK = """
import dataclasses, sys, warnings
import numpy as np, tsphys
from tests.test_without_numba import LITTLER, runs
from tests.walk import run_of
from tsphys.registry import MODELS, model_class
from tsphys.studies import configuration

warnings.simplefilter("error")
for name in list(MODELS)[:: int(sys.argv[2])]:
    for verb in ("simulate", "solve") if MODELS[name].theory else ("simulate",):
        options = run_of(name, verb)
        times = [0, 0.25] if issubclass(model_class(name), tsphys.Online) else [0, 1]
        small = {"t": times, **({"N": 12, "replicas": 2} if verb == "simulate" else {})}
        small = {k: small[k] for k in small if k in options}
        takes = configuration.run_options(name, verb)
        known = {*options, *takes, *(field.name for field in dataclasses.fields(model_class(name)))}
        fewer = {k: v for k, v in LITTLER.get(name, {}).items() if k in known}
        model, options = configuration.describe(name, verb, {**options, **small, **fewer})
        result = getattr(tsphys, verb)(model, **options)
        assert all(np.isfinite(result[k]).all() for k in result.observables), (name, verb)
np.savez(sys.argv[1], **runs())
"""

#: Parameters at which plain Python takes little time too.
LITTLER = {
    **LITTLE,
    "weight_theft": {"K": 1, "M": 1},
    "removed_layers": {"layers": 2},
    "active_fraction": {"K": 1, "M": 1},
    "quadratic_feature": {"inputs": 3, "examples": 6},
    "xor_clusters": {"n": 20, "K": 10},
    "simplicity_bias": {"K": 1, "trained_on": "isotropic", "t": [0, 0.01]},
    "spin_chain_states": {"N": 4, "features": 1, "units": 1, "steps": 2},
    "two_students": {"K": 1, "M": 1},
    "hidden_manifold": {"K": 1, "M": 1},
    "pruned": {"K": 1, "M": 1},
    "task_masks": {"K": 1, "M": 1},
    "two_layer": {"K": 1, "M": 1},
    "zeroth_order": {"K": 1, "M": 1, "fraction": 0.3},
}


def margin(lam, nu, v, v_star, noise, p, c, dv):
    y = 1.0 if nu[0] > 0.0 else -1.0
    c[0] = p[0] * (p[1] - y * lam[0]) * y if y * lam[0] < p[1] else 0.0


def runs():
    """What is compared with the same runs by compiled kernels."""
    rule = tsphys.LearningRule(margin, params=(0.5, 0.3))
    theory = tsphys.solve(rule, start=START, t=[0.1], points=64)
    exact, direct = (
        tsphys.simulate(rule, N=20, start=START, t=[0.1], replicas=2, engine=engine) for engine in ("exact", "direct")
    )
    spins = tsphys.simulate(tsphys.Hopfield(alpha=0.2, T=0.5), N=16, t=[0, 2], replicas=2)
    return {
        "theory": theory["Q"],
        "exact": exact["Q"],
        "direct": direct["Q"],
        "spins": spins["overlaps"],
        "z": tsphys.compare(exact, theory).z["Q"],
    }


@pytest.mark.parametrize("each", [pytest.param(4, marks=pytest.mark.wide), pytest.param(1, marks=pytest.mark.slow)])
def test_all_models_run_as_plain_python(each, tmp_path):
    """In the fast tests every fourth of them."""
    file = tmp_path / "runs.npz"
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", WALK, str(file), str(each)], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    with np.load(file) as plain:
        for name, values in runs().items():
            # Sums in another order; the dynamics of so few steps does not make more of it.
            np.testing.assert_allclose(plain[name], values, rtol=1e-9, atol=1e-12, err_msg=name)
