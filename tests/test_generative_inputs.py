"""Inputs of a generator, of samples, of a covariance: simulation on theory, and the limits that other models are."""

import numpy as np
import pytest

import tsphys
from tests.refusal import refuses
from tsphys.models.generative_inputs import instance, random_generator
from tsphys.models.hidden_manifold import gaussian_features
from tsphys.models.hidden_manifold import instance as manifold_instance
from tsphys.numerics.random import generator as random_numbers
from tsphys.numerics.random import stream
from tsphys.sims.generative_inputs import source

T = [0, 1, 3, 8]
TASK = {"T": [[1, 0.1], [0.1, 1]], "v_star": [1, 0.8], "v": [0.9, 0.7], "init": 0.5, "lr": 0.5, "noise": 0.1}
N, D = 160, 60
DEEP = random_generator((D, 120, N), ("tanh", "relu"), seed=3)
LATENT = np.random.default_rng(0).standard_normal((20_000, D))
SAMPLES = DEEP(LATENT)
POWER = np.diag(2.0 / np.arange(1, 101) ** 0.7)
MODELS = {
    "generator": {"x": SAMPLES, "c": LATENT, "inputs": "generator", "generator": DEEP},
    "resampled": {"x": SAMPLES, "c": LATENT},
    "its Gaussian clone": {"x": SAMPLES, "c": LATENT, "inputs": "gaussian"},
    "teacher of the inputs": {"x": SAMPLES},
    "coloured inputs": {"covariance": POWER, "inputs": "gaussian"},
}


def model(**change):
    return tsphys.GenerativeInputs(**{**TASK, **change})


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("lr_v", [pytest.param(0.0, marks=pytest.mark.slow), 0.3])
def test_simulation_lies_on_theory(name, lr_v):
    # Weak inputs learn slowly: the last layer of this generator has the variance 0.07.
    this = model(lr_v=lr_v, **{**MODELS[name], "lr": 0.5 if name == "coloured inputs" else 2.0})
    sim = tsphys.simulate(this, t=T, replicas=10, seed=1)
    theory = tsphys.solve(this, t=T, seed=1)
    comparison = tsphys.compare(sim, theory)
    assert comparison.ok, comparison
    assert set(comparison.z) == {"eps_g", "R", "Q", "W", "v"}
    ratio = (sim["eps_test"] / sim["eps_g"]).mean(axis=1)
    assert abs(ratio.mean() - 1) < 4 * ratio.std(ddof=1) / np.sqrt(10) + 0.5 / np.sqrt(N)
    assert theory["eps_g"][-1] < 0.8 * theory["eps_g"][0]


def test_white_inputs_are_those_of_the_two_layer_network():
    this = model(covariance=np.eye(20), inputs="gaussian", lr=0.3, lr_v=0.2)
    drawn = instance(this, 0, 0)
    start = tsphys.OrderParameters(R=drawn.W @ drawn.theta.T / 20, Q=drawn.W @ drawn.W.T / 20, T=drawn.T)
    plain = tsphys.TwoLayer(lr=0.3, lr_v=0.2, noise=0.1, v=[0.9, 0.7], v_star=[1, 0.8])
    found, theory = tsphys.solve(this, t=T, rtol=1e-10, atol=1e-12), tsphys.solve(plain, t=T, start=start)
    for key in ("eps_g", "R", "Q", "v"):
        # Both are solved to 1e-10 a step or finer.
        np.testing.assert_allclose(found[key], theory[key], atol=1e-9)


def test_one_layer_is_the_hidden_manifold():
    """The covariances that the hidden manifold knows, from samples: they converge like the root of their number."""
    manifold = tsphys.HiddenManifold(f="tanh", delta=0.5, **{**TASK, "init": 0.5})
    drawn = manifold_instance(manifold, 60, 30, 4, 0)
    c = np.random.default_rng(1).standard_normal((200_000, 30))
    this = model(x=np.tanh(drawn.features.fields(c)), c=c)
    same = instance(this, 4, 0)
    np.testing.assert_array_equal(same.theta, drawn.theta)
    np.testing.assert_array_equal(same.W, drawn.W)
    found, theory = tsphys.solve(this, t=T, seed=4), tsphys.solve(manifold, t=T, N=60, seed=4)
    # Sampling adds N/P = 3e-4 to the spectrum and 1/√P = 2e-3 to sums over it; the finite size D^(−3/2) = 6e-3.
    np.testing.assert_allclose(found["eps_g"], theory["eps_g"], rtol=0.02)
    assert theory["eps_g"][-1] < 0.8 * theory["eps_g"][0]


def test_a_mean_of_the_inputs_or_of_what_they_come_from_changes_nothing():
    F = np.random.default_rng(4).standard_normal((30, 12))
    c = np.random.default_rng(5).standard_normal((400, 12))
    linear, shifted = (lambda c: c @ F.T), (lambda c: c @ F.T + 7.0)
    for inputs in ("generator", "resample", "gaussian"):
        one = model(x=linear(c), c=c, generator=linear, inputs=inputs)
        other = model(x=shifted(c), c=c if inputs == "generator" else c - 3.0, generator=shifted, inputs=inputs)
        a, b = (tsphys.simulate(m, t=[0, 1], n_test=50, threads=1, replicas=1) for m in (one, other))
        for name in ("eps_test", "eps_g", "R", "Q"):
            # Rounding of 7 + x, which SGD may enlarge.
            np.testing.assert_allclose(a[name], b[name], rtol=1e-9, atol=1e-12)


def test_a_run_of_another_generator_is_not_taken_over():
    first, other = (random_generator((D, N), ("tanh",), seed=seed) for seed in (1, 2))
    x = first(LATENT[:400])
    options = {"t": [0], "n_test": 10, "threads": 1}
    this = {"x": x, "c": LATENT[:400], "inputs": "generator"}
    run = tsphys.simulate(model(**this, generator=first), **options)
    again = tsphys.simulate(model(**this, generator=first), resume=run, **options)
    np.testing.assert_array_equal(again["eps_test"], run["eps_test"])
    with pytest.raises(tsphys.ModelError, match="resume"):
        tsphys.simulate(model(**this, generator=other), resume=run, **options)


def test_covariances_are_those_of_what_is_drawn():
    """Ω, ⟨xν⟩ and ⟨νν⟩ of the Gaussian clone, with the errors of 100 000 inputs."""
    this = model(**MODELS["its Gaussian clone"])
    drawn = instance(this, 0, 0)
    x = np.empty((100_000, N))
    nu = source(this, drawn, np.dtype("float64")).draw(stream(0, 0), random_numbers(0, 0), x)
    scale = np.sqrt(np.diag(this.covariances[0]).max())
    np.testing.assert_allclose(x.T @ x / len(x), this.covariances[0], atol=7 * scale**2 / np.sqrt(len(x)))
    np.testing.assert_allclose(x.T @ nu / len(x), drawn.seen, atol=7 * scale / np.sqrt(len(x)))
    np.testing.assert_allclose(nu.T @ nu / len(x), drawn.T, atol=7 / np.sqrt(len(x)))


BAD = {
    "neither samples nor covariance": (lambda: model(), "x"),
    "both": (lambda: model(x=SAMPLES, covariance=POWER), "x"),
    "covariance with a negative eigenvalue": (lambda: model(covariance=-POWER, inputs="gaussian"), "covariance"),
    "covariance, but samples wanted": (lambda: model(covariance=POWER), "inputs"),
    "latent variables of other samples": (lambda: model(x=SAMPLES, c=LATENT[:-1]), "c"),
    "no generator": (lambda: model(x=SAMPLES, c=LATENT, inputs="generator"), "generator"),
    "one sample": (lambda: model(x=SAMPLES[:1]), "x"),
    "a generator of other inputs": (
        lambda: tsphys.simulate(model(**{**MODELS["generator"], "generator": lambda c: c}), t=[1]),
        "generator",
    ),
    "a generator without numbers": (
        lambda: tsphys.simulate(
            model(**{**MODELS["generator"], "generator": lambda c: np.full((len(c), SAMPLES.shape[1]), np.nan)}), t=[1]
        ),
        "generator",
    ),
    "a layer of no width": (lambda: random_generator((2, 0), ("tanh",)), "widths"),
    "unknown layer": (lambda: random_generator((2, 3), ("cube",)), "nonlinearities"),
    "more teachers than latent variables": (lambda: tsphys.solve(model(x=SAMPLES, c=LATENT[:, :1]), t=[1]), "M"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_calls_raise_one_clear_line(case):
    refuses(*BAD[case])


def test_features_are_normalised():
    F = gaussian_features(30, 7, np.random.default_rng(0)).F
    np.testing.assert_allclose((F**2).sum(axis=1), 7, rtol=1e-13)


def test_a_random_generator_takes_lists_and_counts_them():
    network = random_generator((3, 4), ("relu",))
    np.testing.assert_array_equal(network([[1, 2, 3]]), network(np.array([[1.0, 2.0, 3.0]])))
    refuses(lambda: network(np.zeros((2, 4))), "c")
