"""Simulated random features: against a slow solver, against the theory, and what a run records."""

import numpy as np
import pytest

import tsphys
from tests.command import exit_code
from tests.refusal import refuses
from tsphys import RandomFeatures
from tsphys.physics.kernels.hermite import parts
from tsphys.sims import random_features


@pytest.mark.parametrize("name", ["relu", "erf", "tanh"])
def test_features_have_the_moments_of_their_gaussian_equivalent(name):
    """Over 40000 fresh inputs: mean, overlap with the inputs, covariance."""
    rng = np.random.default_rng(3)
    model = RandomFeatures(activation=name)
    F = rng.standard_normal((4, 1000))
    _, slope, rest = parts(name)
    omega = slope**2 * F @ F.T / 1000 + rest * np.eye(4)
    n = 10_000
    for covariates in ("features", "gaussian"):
        v, nu = random_features.drawn(model, F, n, covariates, rng)
        # Five standard errors, and the norms of rows of F, which differ by 1/√N and shift mean and variance.
        allowed = 5 * np.sqrt(2 / n) + 3 / np.sqrt(1000)
        assert np.abs(v.mean(axis=0)).max() < allowed
        assert np.abs(v.T @ v / n - omega).max() < 2 * allowed
        np.testing.assert_allclose(v.T @ nu / n, slope * F[:, 0] / np.sqrt(1000), atol=allowed)


CASES = {
    "over features": (RandomFeatures(noise=0.3, ridge=0.03), {"width": [0.5, 2, 5]}),
    "over examples": (RandomFeatures(activation="erf", noise=0.3, ridge=0.1), {"alpha": [0.5, 2, 5]}),
    "over ridges, signs": (RandomFeatures(activation="relu", noise=0.3, teacher="sign"), {"ridge": [1e-3, 0.1, 10]}),
    "over noise": (RandomFeatures(activation="sign"), {"noise": [0.0, 0.3, 1.0]}),
    "logistic loss": (
        RandomFeatures(noise=0.3, teacher="sign", loss="logistic", ridge=0.03),
        {"width": [0.5, 2, 4]},
    ),
    "without a ridge": (RandomFeatures(noise=0.2, ridge=0.0, alpha=2), {"width": [0.5, 1, 4, 8]}),
}


@pytest.mark.parametrize("case", CASES)
def test_simulation_lies_on_the_theory(case):
    model, axis = CASES[case]
    sim = tsphys.simulate(model, N=100, replicas=24, seed=1, covariates="gaussian", **axis)
    found = tsphys.compare(sim, tsphys.solve(model, **axis))
    assert set(found.z) == {"eps_g", "train_loss", "m", "q"}
    assert found.ok, str(found)


def test_simulated_nonlinear_features_lie_on_the_theory():
    model, axis = RandomFeatures(activation="tanh", noise=0.3, ridge=0.03), {"width": [0.5, 2, 5]}
    found = tsphys.compare(tsphys.simulate(model, N=100, replicas=24, **axis), tsphys.solve(model, **axis))
    assert found.ok, str(found)


def test_noise_of_the_teacher_is_no_error_of_signs():
    """A linear layer has no rest that a finite size would leave a trace of."""
    model, axis = RandomFeatures(activation="linear", noise=1.0, teacher="sign", ridge=0.1), {"width": [0.5, 2]}
    found = tsphys.compare(tsphys.simulate(model, N=100, replicas=12, seed=2, **axis), tsphys.solve(model, **axis))
    assert found.ok, str(found)


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["tanh", "relu", "erf", "sign", "linear"])
def test_nonlinear_features_of_larger_size_lie_on_the_theory(activation):
    model, axis = RandomFeatures(activation=activation, noise=0.3, ridge=0.02), {"width": [0.4, 1, 3, 6]}
    found = tsphys.compare(tsphys.simulate(model, N=200, replicas=24, **axis), tsphys.solve(model, **axis))
    assert found.ok, str(found)


def test_a_path_of_ridges_is_one_instance():
    model = RandomFeatures(noise=0.3)
    ridges = [0.0, 1e-2, 1.0]
    path = tsphys.simulate(model, N=40, ridge=ridges, replicas=2)
    for i, value in enumerate(ridges):
        alone = tsphys.simulate(model, N=40, ridge=[value], replicas=2)
        for name in path.observables:
            if name != "floor":
                np.testing.assert_allclose(path[name][:, i], alone[name][:, 0], rtol=1e-12, atol=1e-14)


def test_runs_follow_from_seed_and_replica_alone():
    model, options = RandomFeatures(), {"N": 30, "width": [1, 2], "seed": 4}
    whole = tsphys.simulate(model, replicas=4, threads=1, **options)
    again = tsphys.simulate(model, replicas=4, threads=3, **options)
    np.testing.assert_array_equal(whole["eps_g"], again["eps_g"])
    assert len(np.unique(whole["eps_g"])) == 8
    part = tsphys.simulate(model, replicas=2, **options)
    np.testing.assert_array_equal(tsphys.simulate(model, replicas=4, resume=part, **options)["q"], whole["q"])
    with pytest.raises(tsphys.ModelError, match="holds another run"):
        tsphys.simulate(model, replicas=4, resume=part, covariates="gaussian", **options)


BAD = {
    "activation": (lambda: RandomFeatures(activation="gelu"), "activation"),
    "no features": (lambda: RandomFeatures(width=0), "width"),
    "negative ridge": (lambda: RandomFeatures(ridge=-1), "ridge"),
    "noise": (lambda: RandomFeatures(noise=float("nan")), "noise"),
    "logistic regression of numbers": (lambda: RandomFeatures(loss="logistic"), "loss"),
    "logistic without a ridge": (lambda: RandomFeatures(loss="logistic", teacher="sign", ridge=0), "ridge"),
    "two axes": (lambda: tsphys.solve(RandomFeatures(), width=[1, 2], alpha=[1, 2]), "axis"),
    "peak": (lambda: tsphys.solve(RandomFeatures(ridge=0, width=2, alpha=2)), "ridge"),
    "covariates": (lambda: tsphys.simulate(RandomFeatures(), N=10, covariates="real"), "covariates"),
    "no features at this size": (lambda: tsphys.simulate(RandomFeatures(width=0.01), N=10), "width"),
    "no examples at this size": (lambda: tsphys.simulate(RandomFeatures(alpha=0.01), N=10), "alpha"),
    "beyond memory": (lambda: tsphys.simulate(RandomFeatures(width=1e9), N=1000), "width"),
    "beyond any memory": (lambda: tsphys.simulate(RandomFeatures(width=1e300), N=1000), "width"),
    "test": (lambda: tsphys.simulate(RandomFeatures(), N=10, test=0), "test"),
    "N": (lambda: tsphys.simulate(RandomFeatures(), N=1), "N"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_line(case):
    refuses(*BAD[case])


def test_command_line(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["random_features", "--width", "0.5,2", "--noise", "0.3", "-a", "2"]
    assert exit_code(["compare", *words, "-N", "60", "-r", "8", "-q"]) == 0
    assert "agree" in capsys.readouterr().out
    assert exit_code(["solve", "random_features", "--ridge", "0", "-w", "2", "-a", "2", "-q"]) == 2
    assert "the error is infinite" in capsys.readouterr().err
