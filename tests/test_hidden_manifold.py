"""The hidden manifold: simulation on theory, on its clone, and on a slow reference."""

import dataclasses

import numpy as np
import pytest

import tsphys
from tests.naive.hidden_manifold import steps
from tests.refusal import refuses
from tests.test_hidden_manifold_theory import MODEL, of
from tsphys.cli import main
from tsphys.models.hidden_manifold import instance, sizes
from tsphys.numerics.random import generator, stream
from tsphys.sims.engines.online.latent import normal_rows
from tsphys.sims.hidden_manifold import source

T = [0, 0.5, 1, 2, 3, 5, 8]
RUNS = {
    "sign": (of("sign", 0.25), 400),
    "tanh": (of("tanh", 0.5), 300),
    "relu": (of("relu", 2.0), 200),
    "Hadamard": (of("sign", 0.25, features="hadamard"), 512),
    "erf, many latent variables": (of("erf", 4.0, features="hadamard", minibatch=3), 128),
    "clone": (of("relu", 2.0, inputs="clone"), 200),
    "function": (of(lambda u: u + 0.5 * np.sin(3 * u) + 0.4 * u * u, 0.5), 300),
}


@pytest.mark.parametrize("name", RUNS)
def test_simulation_lies_on_the_theory_of_its_instance(name):
    model, N = RUNS[name]
    sim = tsphys.simulate(model, N=N, t=T, replicas=10, seed=1)
    comparison = tsphys.compare(sim, tsphys.solve(model, t=T, N=N, seed=1))
    assert comparison.ok, comparison
    assert set(comparison.z) == {"eps_g", "R", "Q", "W", "Sigma", "v"}
    # Error on fresh inputs against that of Gaussian fields: equal but for corrections of O(1/√N) (Goldt et al. 2022),
    # here averaged over the times, whose test examples are independent.
    ratio = (sim["eps_test"] / sim["eps_g"]).mean(axis=1)
    assert abs(ratio.mean() - 1) < 4 * ratio.std(ddof=1) / np.sqrt(10) + 0.3 / np.sqrt(N)


def test_average_over_the_disorder_lies_on_the_limit():
    model = of("sign", 0.25)
    sim = tsphys.simulate(model, N=256, t=T, replicas=16, disorder="each", n_test=0)
    assert "eps_test" not in sim
    comparison = tsphys.compare(sim, tsphys.solve(model, t=T, spectrum="limit"))
    assert comparison.ok, comparison


@pytest.mark.parametrize("change", [{"delta": 0.28}, {"f": "tanh"}])
def test_the_comparison_sees_another_model(change):
    sim = tsphys.simulate(of("sign", 0.25), N=256, t=T, replicas=24, disorder="each", n_test=0)
    assert not tsphys.compare(sim, tsphys.solve(of(**{"f": "sign", "delta": 0.25, **change}), t=T, spectrum="limit")).ok


def test_the_comparison_sees_a_learning_rate_that_is_ten_per_cent_off():
    model, options = of("sign", 0.25, features="hadamard"), {"N": 1024, "t": T, "seed": 1}
    sim = tsphys.simulate(model, replicas=16, n_test=0, **options)
    assert tsphys.compare(sim, tsphys.solve(model, **options)).ok
    assert not tsphys.compare(sim, tsphys.solve(dataclasses.replace(model, lr=0.55), **options)).ok


def test_clone_and_manifold_have_the_same_errors():
    """Also on fresh inputs, each with its own law."""
    pair = [
        tsphys.simulate(of("relu", 0.5, inputs=inputs), N=200, t=T, replicas=12, seed=2)
        for inputs in ("manifold", "clone")
    ]
    for name in ("eps_g", "eps_test", "Q", "R"):
        difference = pair[0].mean(name) - pair[1].mean(name)
        error = np.hypot(pair[0].sem(name), pair[1].sem(name))
        # Some sixty numbers, of which one exceeds five errors of twelve replicas each by chance with probability 2e-3;
        # 1/N for what is not equivalent.
        assert (np.abs(difference) < 5 * error + 1 / 200).all()


def test_sgd_is_that_of_the_slow_reference():
    """From the same streams of random numbers, example by example; three chunks of them."""
    N, seed, t = 8, 5, [10.0, 24.0]
    sim = tsphys.simulate(MODEL, N=N, t=t, seed=seed, n_test=0, replicas=1)
    D = sizes(MODEL, N)[1]
    drawn = instance(MODEL, N, D, seed, 0)
    there = source(MODEL, drawn, np.dtype("float64"))
    x = np.empty((round(N * t[-1]), N))
    nu = there.draw(stream(seed, 0, "latent inputs"), generator(seed, 0, "latent scalars"), x)
    zeta = generator(seed, 0, "latent noise").standard_normal(len(x))
    for i, n in enumerate((80, 192)):
        W, v = steps(MODEL, drawn.W, np.array(MODEL.v), x[:n], nu[:n], zeta[:n])
        np.testing.assert_allclose(sim["v"][0, i], v, atol=1e-12)
        for name, value in there.overlaps(W).items():
            np.testing.assert_allclose(sim[name][0, i], value, atol=1e-12)


def test_inputs_are_made_as_the_model_says():
    """x_i = sign(F_i·c), ν = θ·c/√D from the same c; overlaps by the covariance of very many inputs."""
    model = of("sign", 0.5)
    drawn = instance(model, 6, 3, 0, 0)
    np.testing.assert_allclose(drawn.theta @ drawn.theta.T / 3, model.T, atol=1e-14)
    np.testing.assert_allclose((drawn.features.F**2).sum(axis=1), 3, rtol=1e-14)
    there = source(model, drawn, np.dtype("float64"))
    x = np.empty((100_000, 6))
    nu = there.draw(stream(0, 0), generator(0, 0), x)
    assert set(x.ravel()) == {-1.0, 1.0}
    # Exact at any size: ⟨x_i ν_m⟩ = b F_i·θ_m/D.
    expected = np.sqrt(2 / np.pi) * drawn.features.F @ drawn.theta.T / 3
    np.testing.assert_allclose(x.T @ nu / len(x), expected, atol=5 / np.sqrt(len(x)))
    np.testing.assert_allclose(nu.T @ nu / len(x), model.T, atol=7 / np.sqrt(len(x)))


def test_signs_are_those_of_fields_in_double_precision():
    """Sums of D products in single precision are off by √D·2⁻²⁵ at most on average, near zero as elsewhere."""
    model, N, D = of("sign", 0.5), 1024, 512
    drawn, x, c = instance(model, N, D, 0, 0), np.empty((1000, N)), np.empty((1000, D))
    source(model, drawn, np.dtype("float64")).draw(stream(0, 0), generator(0, 0), x)
    normal_rows(stream(0, 0), c)
    wrong = (x != np.sign(c @ drawn.features.F.T)).sum()
    # A sign is wrong where |u| is below that: with the normal density of u, twice it over √(2π), of each of 10⁶ inputs.
    assert wrong <= 2 * np.sqrt(D) * 2.0**-25 / np.sqrt(2 * np.pi) * x.size + 5


def test_q_is_that_of_the_inputs_of_an_instance():
    """κ²W + b²Σ against w⟨xxᵀ⟩wᵀ/N with the exact covariance of signs."""
    model = of("sign", 0.5)
    drawn = instance(model, 1000, 500, 0, 0)
    F, W = drawn.features.F, drawn.W
    omega = 2 / np.pi * np.arcsin(np.clip(F @ F.T / 500, -1, 1))
    found = source(model, drawn, np.dtype("float64")).overlaps(W)
    # What differs is of order u³ in the covariances u = O(1/√D) of the fields.
    np.testing.assert_allclose(found["Q"], W @ omega @ W.T / 1000, atol=0.01)
    assert np.abs(W @ W.T / 1000 - found["Q"]).max() > 0.03


def test_threads_times_and_resuming():
    model, options = of("tanh", 0.5), {"N": 40, "t": [1, 3], "replicas": 3, "n_test": 50}
    one, two = (tsphys.simulate(model, threads=n, **options) for n in (1, 2))
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
    finer = tsphys.simulate(model, **{**options, "t": [0.5, 1, 2, 3]})
    np.testing.assert_allclose(finer["Q"][:, [1, 3]], one["Q"], rtol=1e-10)
    kept = []
    part = tsphys.simulate(model, **{**options, "replicas": 2})
    again = tsphys.simulate(model, resume=part, checkpoint=kept.append, **options)
    np.testing.assert_array_equal(again["eps_test"], one["eps_test"])
    with pytest.raises(tsphys.ModelError, match="another run"):
        tsphys.simulate(model, resume=part, **{**options, "disorder": "each"})


@pytest.mark.slow
def test_single_precision_lies_on_theory():
    model, N = RUNS["tanh"]
    sim = tsphys.simulate(model, N=N, t=T, replicas=10, seed=1, dtype="float32")
    comparison = tsphys.compare(sim, tsphys.solve(model, t=T, N=N, seed=1))
    assert comparison.ok, comparison


def test_given_features_are_used():
    F = np.random.default_rng(0).standard_normal((20, 10))
    F *= np.sqrt(10 / (F**2).sum(axis=1))[:, None]
    model = of("sign", 0.5)
    sim = tsphys.simulate(model, N=20, t=[0, 1], replicas=2, F=F)
    np.testing.assert_allclose(sim["Q"][0, 0], tsphys.solve(model, t=[0, 1], N=20, F=F)["Q"][0], rtol=1e-12)
    assert np.abs(sim["Q"] - tsphys.simulate(model, N=20, t=[0, 1], replicas=2)["Q"]).max() > 0.01


def test_a_large_learning_rate_diverges():
    with pytest.raises(tsphys.DivergedError) as caught:
        tsphys.simulate(
            of("sign", 0.5, activation="linear", lr=30.0, lr_v=0.0), N=50, t=[0, 1, 50], replicas=2, n_test=10
        )
    assert 0 < caught.value.t < 50
    assert np.isnan(caught.value.partial["Q"][:, -1]).all()
    assert np.isfinite(caught.value.partial["Q"][:, 0]).all()


def run(model=MODEL, **options):
    return tsphys.simulate(model, **{"N": 20, "replicas": 1, "t": [0, 0.1], **options})


BAD = {
    "f of another shape": (lambda: tsphys.HiddenManifold(f=lambda u: u[:1, :1]), "f"),
    "f that is constant": (lambda: tsphys.HiddenManifold(f=np.zeros_like), "f"),
    "f without averages": (lambda: tsphys.HiddenManifold(f=lambda u: 1 / (u - 1)), "f"),
    "f that is complex": (lambda: tsphys.HiddenManifold(f=lambda u: u + 1j), "f"),
    "f that fails": (lambda: tsphys.HiddenManifold(f=lambda u: u.nothing), "f"),
    "unknown f": (lambda: tsphys.HiddenManifold(f="cube"), "f"),
    "delta = 0": (lambda: tsphys.HiddenManifold(delta=0), "delta"),
    "tanh student": (lambda: tsphys.HiddenManifold(activation="tanh"), "activation"),
    "A of the wrong shape": (lambda: tsphys.HiddenManifold(A=[[1.0]]), "A"),
    "W_xi with a negative eigenvalue": (lambda: tsphys.HiddenManifold(W_xi=[[1, 2], [2, 1]]), "W_xi"),
    "T with a negative eigenvalue": (lambda: tsphys.HiddenManifold(T=[[1, 2], [2, 1]]), "T"),
    "fewer latent variables than teachers": (lambda: run(of("sign", 0.05)), "N"),
    "Hadamard features of no power of two": (lambda: run(of("sign", 0.5, features="hadamard")), "N"),
    "features of another shape": (lambda: run(F=np.ones((20, 3))), "F"),
    "features that are not normalised": (lambda: run(F=2 * np.ones((20, 10))), "F"),
    "unknown disorder": (lambda: run(disorder="none"), "disorder"),
    "n_test negative": (lambda: run(n_test=-1), "n_test"),
    "features that do not fit": (lambda: run(N=10**8), "N"),
    "more replicas than fit": (lambda: run(replicas=10**12), "replicas"),
    "unknown spectrum": (lambda: tsphys.solve(MODEL, t=[1], spectrum="flat"), "spectrum"),
    "too few nodes": (lambda: tsphys.solve(MODEL, t=[1], nodes=1), "nodes"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_calls_raise_one_clear_line(case):
    refuses(*BAD[case])


def test_command_line(tmp_path, capsys):
    def call(verb, *arguments):
        with pytest.raises(SystemExit) as caught:
            main([verb, "hidden_manifold", *arguments, "-t", "0,1", "-o", str(tmp_path / verb), "-q"])
        return caught.value.code

    start = ("-f", "tanh", "--delta", "0.25", "--A", "[[0.3, 0.1], [0, 0.4]]", "-N", "64")
    names = {"eps_g", "R", "Q", "W", "Sigma", "v"}
    assert call("simulate", *start, "-r", "2") == 0
    assert set(tsphys.load(tmp_path / "simulate.npz").observables) == {*names, "eps_test"}
    assert call("solve", *start, "--spectrum", "limit") == 0
    assert set(tsphys.load(tmp_path / "solve.npz").observables) == names
    # Random starts too: simulation and theory share the instance.
    assert call("compare", *start[:4], "-N", "64", "-r", "8") == 0
    capsys.readouterr()
    assert call("simulate", "--features", "hadamard", "-N", "1000", "--force") == 2
    words = capsys.readouterr().err.strip().splitlines()
    assert len(words) == 1
    assert "power of two" in words[0]
