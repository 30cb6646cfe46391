"""Engine cuda in Numba's simulator, against exact means, the CPU's engines and itself; and its refusal of no device."""

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from tests import simulator
from tsphys.physics.order_parameters import OrderParameters

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
START = OrderParameters(R=[[0.12, 0.02], [-0.05, 0.1]], Q=[[0.3, 0.05], [0.05, 0.25]], T=[[1, 0.2], [0.2, 1]])

HEAD = """
import sys, warnings
import numpy as np, tsphys
from tests.test_cuda import START
from tsphys.sims.engines.online import cuda, cuda_chain, cuda_weights
# Words wrap around, which NumPy's scalars, unlike machines, complain about.
warnings.filterwarnings("ignore", message=".*encountered in scalar")
# Fewer threads than a warp: the simulator's are threads of Python.
cuda_weights.WARP, cuda_weights.MOST_THREADS, cuda_weights.PARTS = 1, 2, 2

def run(model, N, t, replicas, **options):
    return tsphys.simulate(model, N=N, t=t, replicas=replicas, engine="cuda", seed=5, **options)

out = {}
"""


def simulated(tmp_path, code):
    return simulator.simulated(tmp_path, HEAD, code)


LAWS = """
cuda_weights.SUMS = 32
models = {
    "exact": (tsphys.TwoLayer(lr=0.8, lr_v=0.5, noise=0.2, weight_decay=0.1), 250),
    "exact b=3": (tsphys.TwoLayer(lr=1.5, minibatch=3, noise=0.1), 200),
    "direct": (tsphys.TwoLayer(lr=0.8, lr_v=0.5, noise=0.2, inputs="binary"), 40),
    "direct b=2": (tsphys.TwoLayer(lr=0.8, noise=0.2, weight_decay=0.1, minibatch=2), 25),
    "direct optimal": (tsphys.Perceptron(rule="optimal"), 40),
}
for name in NAMES:
    model, n = models[name]
    cuda.kernel_of = lambda rule, kernel=name.split()[0]: kernel
    start = START if model.learning_rule().M == 2 else None
    cpu = "exact" if model.learning_rule().inputs == "gaussian" else "direct"
    for side, r in (
        ("cuda", run(model, 8, [0.5], n, start=start)),
        ("cpu", tsphys.simulate(model, N=8, t=[0.5], replicas=2000, seed=6, start=start, engine=cpu)),
    ):
        parts = [r[key][:, 0].reshape(len(r["R"]), -1) for key in ("R", "Q", "v")]
        out[f"{name} {side}"] = np.hstack(parts)
"""


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("exact b=3", "direct b=2"), marks=pytest.mark.wide),
        pytest.param(("exact", "direct", "direct optimal"), marks=pytest.mark.slow),
    ],
)
def test_both_kernels_have_the_law_of_the_cpu(tmp_path, names):
    out = simulated(tmp_path, f"NAMES = {names}\n{LAWS}")
    for name in {key.rsplit(" ", 1)[0] for key in out}:
        a, b = out[f"{name} cuda"], out[f"{name} cpu"]
        moving = b.std(axis=0) > 1e-9
        p = [stats.ks_2samp(x, y).pvalue for x, y in zip(a[:, moving].T, b[:, moving].T, strict=True)]
        p += stats.ttest_ind(a[:, moving], b[:, moving], equal_var=False).pvalue.tolist()
        # Bonferroni over the entries: a true pair fails with probability 1e-3.
        assert min(p) * len(p) > 1e-3, f"{name}: smallest p = {min(p):.2g} of {len(p)}"


MEAN = """
cuda_weights.SUMS = 32
start = tsphys.OrderParameters(R=START.R, Q=START.Q, T=START.T, v=[0.9, 1.1], v_star=[1.0, 1.0])
for kernel, b, n in (("exact", 1, 250), ("exact", 3, 250), ("direct", 2, 40)):
    cuda.kernel_of = lambda rule: kernel
    model = tsphys.TwoLayer(activation="linear", lr=0.3, noise=0.5, minibatch=b)
    r = run(model, 6, [0.0, 1.0], n, start=start)
    out[f"{kernel} {b}"] = r["eps_g"]
"""


@pytest.mark.slow
def test_linear_networks_have_their_exact_mean(tmp_path):
    """⟨eps_g⟩ after m steps is ε₀fᵐ + a(1 − fᵐ)/(1 − f), for any K and M: only W = Σ v_k w_k matters."""
    N, lr, sigma, s = 6, 0.3, 0.5, 0.9**2 + 1.1**2
    for key, eps_g in simulated(tmp_path, MEAN).items():
        b, e = int(key.split()[1]), lr * s / N
        f, a = 1 - 2 * e + e**2 * (N + b + 1) / b, lr**2 * s**2 * sigma**2 / (2 * b * N)
        mean = eps_g[0, 0] * f**N + a * (1 - f**N) / (1 - f)
        z = (eps_g[:, 1].mean() - mean) / (eps_g[:, 1].std(ddof=1) / np.sqrt(len(eps_g)))
        # Student's t of 39 degrees of freedom passes 4.5 with probability 6e-5.
        assert abs(z) < 4.5, (key, z)
        np.testing.assert_allclose(eps_g[:, 0], eps_g[0, 0], rtol=1e-12)


RULES = """
models = [tsphys.Perceptron(rule=rule) for rule in ("hebb", "rosenblatt", "adatron", "optimal")]
for g in ("erf", "relu", "linear", "tanh", "quad", "he2"):
    models.append(tsphys.TwoLayer(activation=g, teacher_activation="sign", lr=0.05, lr_v=0.02, noise=0.1))

def own(lam, nu, v, v_star, noise, p, c, dv):
    c[0] = p[0] * max(nu[0] - lam[0], 0.0) + p[1] * noise[0]

models.append(tsphys.LearningRule(own, params=(0.5, 0.1), n_noise=1))
models.append(tsphys.TwoLayer(lr=0.3, noise=0.3, alpha=0.5, minibatch=2))
models.append(tsphys.Perceptron(rule="adatron", inputs="binary"))
for i, model in enumerate(models):
    r = run(model, 6, [0.5], 2)
    law = model.learning_rule()
    assert r.meta["kernel"] == ("exact" if law.alpha is None and law.inputs == "gaussian" else "direct")
    assert np.isfinite(r["R"]).all() and np.isfinite(r["Q"]).all() and r["v"].shape == (2, 1, len(law.v))
    out[str(i)] = np.linalg.eigvalsh(r["Q"])
"""


@pytest.mark.slow
def test_every_rule_runs(tmp_path):
    out = simulated(tmp_path, RULES)
    assert len(out) == 13
    for i, values in out.items():
        assert (values > -1e-12).all(), i


BITS = """
fractions = []
for kernel in ("exact", "direct"):
    cuda.kernel_of = lambda rule: kernel
    model = tsphys.TwoLayer(lr=0.8, noise=0.2, weight_decay=0.2, minibatch=2)
    a = run(model, 8, [0.5, 1.0, 1.5], 5, progress=fractions.append)
    cuda.FIRST, cuda.PIECE, cuda_chain.MOST, cuda_weights.fitting = 3, 0.0, 2, lambda size: 2
    b = run(model, 8, [1.5], 3)
    cuda.FIRST, cuda.PIECE = 16, 0.1
    for name in ("R", "Q", "v"):
        out[f"{kernel} {name} a"], out[f"{kernel} {name} b"] = a[name][:3, -1], b[name][:, -1]
out["fractions"] = fractions
"""


@pytest.mark.wide
def test_bits_follow_from_seed_and_replica_alone(tmp_path):
    out = simulated(tmp_path, BITS)
    assert out["fractions"].max() == 1.0
    for name in {key[:-2] for key in out if key != "fractions"}:
        np.testing.assert_array_equal(out[f"{name} a"], out[f"{name} b"])


DIVERGENCE = """
start = tsphys.OrderParameters(R=[[0.1]], Q=[[1.0]], T=[[1.0]], v=[1.0], v_star=[1.0])
for inputs in ("gaussian", "binary"):
    model = tsphys.TwoLayer(K=1, M=1, activation="quad", lr=20.0, inputs=inputs)
    try:
        run(model, 6, [0.0, 50.0], 2, start=start)
    except tsphys.DivergedError as error:
        out[inputs], out[inputs + " t"] = error.partial["Q"], error.t
"""


@pytest.mark.slow
def test_divergence_is_told(tmp_path):
    out = simulated(tmp_path, DIVERGENCE)
    for inputs in ("gaussian", "binary"):
        Q = out[inputs][..., 0, 0]
        np.testing.assert_allclose(Q[:, 0], 1.0, rtol=1e-12)
        assert np.isnan(Q[:, 1]).all()
        assert 0.0 < out[inputs + " t"] < 50.0


def without_device(code):
    environment = {k: v for k, v in os.environ.items() if k != "NUMBA_ENABLE_CUDASIM"}
    # Where there is a device, this hides it.
    environment["CUDA_VISIBLE_DEVICES"] = "-1"
    return subprocess.run([sys.executable, *code], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_no_device_is_one_clear_line():
    done = without_device(["-m", "tsphys", "simulate", "two_layer", "--engine", "cuda", "-N", "20", "-t", "1"])
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "engine = 'cuda': needs an NVIDIA GPU" in done.stderr


@pytest.mark.slow
def test_the_script_for_a_device_runs_in_the_simulator():
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    command = [sys.executable, "-W", "ignore", "-m", "tsphys.benchmarks.device", "--little"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("bits of a replica stay") == done.stdout.count("that of engine") == 4
