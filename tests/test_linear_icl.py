"""Regression in context by linear attention: published numbers, ends, plain least squares, errors on fresh prompts."""

from dataclasses import replace

import numpy as np
import pytest

import tsphys
from tests.checking import passes
from tests.command import call
from tests.refusal import refuses
from tsphys import LinearICL
from tsphys.replica.linear_icl import bayes, best_ridge, endless, of_few_dimensions
from tsphys.sims.linear_icl import contexts, left_by_bayes, remembered, sphere


def at(tau, alpha, kappa, variance, ridge):
    return LinearICL(tau=tau, alpha=alpha, kappa=kappa, noise=variance**0.5, ridge=ridge)


def squared(model):
    """Mean squared errors with noise, as papers have them."""
    found, variance = tsphys.solve(model), model.noise**2
    return [2 * found[name][0] + variance for name in ("eps_in", "eps_out")]


@pytest.mark.parametrize("model, expected", [
    (at(0.5, 1, 0.5, 0.1, 0.2), (0.89865, 1.31687)), (at(2, 1, 0.5, 0.1, 0.2), (0.63225, 1.17488)),
    (at(2, 1, 4, 0.1, 0), (1.18289, 1.28405)), (at(1, 2, 1, 0.1, 1), (0.62337, 0.88133)),
    (at(2, 1, 0.5, 0.1, 0), (0.82251, 1.47105)), (at(0.5, 1, 0.5, 0.1, 0), (1.028296, 1.482944)),
    (at(4, 2, 3, 0.05, 0), (0.489069, 0.572410)), (at(0.3, 2, 0.5, 0.2, 0), (0.952228, 1.294485)),
    (at(1.5, 0.5, 10, 0.3, 0), (3.023736, 3.067757)), (at(1e6, 1, 0.25, 0.1, 0), (0.30550, 1.02498)),
    (at(1e6, 1, 0.5, 0.1, 0), (0.41126, 0.90808)), (at(1e6, 1, 0.9, 0.1, 0), (0.49054, 0.79691)),
    (at(1e6, 1, 1.1, 0.1, 0), (0.51223, 0.76557)), (at(1e6, 1, 2, 0.1, 0), (0.56008, 0.69898)),
    (at(1e6, 1, 8, 0.1, 0), (0.60754, 0.64092)), (at(1e6, 1, 100, 0.1, 0), (0.62250, 0.62512)),
    (at(1e6, 1, None, 0.1, 0), (0.62381, 0.62381)),
])  # fmt: skip
def test_published_numbers(model, expected):
    np.testing.assert_allclose(squared(model), expected, atol=6e-6)


@pytest.mark.parametrize("model, ridge, error", [
    (at(2, 1, 0.5, 0.1, 0), 2.786, 0.964387), (at(2, 1, 4, 0.1, 0), 1.490, 0.868717),
    (at(0.5, 1, 0.5, 0.1, 0), 6.906, 1.030318), (at(1, 1, 4, 0.1, 0), 2.890, 0.949089),
])  # fmt: skip
def test_published_best_ridges(model, ridge, error):
    found = best_ridge(model)
    assert found == pytest.approx(ridge, abs=6e-4)
    assert squared(replace(model, ridge=found))[1] == pytest.approx(error, abs=6e-7)


def test_bayes():
    assert 2 * bayes(1, 0.1**0.5) + 0.1 == pytest.approx(0.370156, abs=6e-7)
    # Half a missing dimension without noise; nothing but the noise of as many examples as one likes.
    assert bayes(0.3, 0) == pytest.approx(0.35)
    assert bayes(2, 0) == 0
    assert 2 * bayes(1e8, 3.0) == pytest.approx(9e-8, rel=1e-6)
    few = tsphys.solve(at(1e8, 1e-3, None, 0.1, 0))
    assert few["eps_in"][0] == pytest.approx(few["bayes"][0], rel=1e-3)


@pytest.mark.parametrize("alpha, noise", [(1, 0.3), (2, 0.5), (0.5, 0.3), (1, 0.0), (0.5, 0.0)])
def test_bayes_of_few_dimensions(alpha, noise):
    """To first order in 1/N at N = 24; four standard errors, and the second order."""
    rng = np.random.default_rng(0)
    found = np.array([0.5 * left_by_bayes(24, round(24 * alpha), noise**2, rng) for _ in range(60)])
    expected = bayes(alpha, noise) + of_few_dimensions(alpha, noise) / 24
    if noise > 0:
        assert found.mean() == pytest.approx(expected, abs=4 * found.std() / np.sqrt(60) + 1 / 24**2)
    else:
        assert found.mean() == pytest.approx(bayes(alpha, noise), abs=1e-12)


def test_endless_prompts_at_finite_size():
    for N, examples, variance, expected in ((10, 15, 0.2, 0.664286), (20, 20, 0.1, 0.634884)):
        assert 2 * endless(N, examples, variance**0.5) + variance == pytest.approx(expected, abs=6e-7)
    for ridge in (0.0, 0.7):
        found = tsphys.solve(at(1e8, 2, None, 0.2, ridge))
        # To 1/τ, and 1/l.
        assert found["eps_out"][0] == pytest.approx(endless(10**7, 2 * 10**7, 0.2**0.5, ridge), rel=1e-6)


def test_ends_and_order():
    """Nothing is learned under a large ridge; errors are ordered; the best ridge takes the peak away."""
    assert squared(at(2, 1, 0.5, 0.1, 1e12)) == pytest.approx([1.1, 1.1])
    for kappa in (0.3, 1.0, 4.0):
        found = tsphys.solve(LinearICL(kappa=kappa), tau=[0.3, 0.7, 1, 2, 5])
        assert (found["eps_in"] < found["eps_out"]).all()
        assert (found["eps_in"] > 0).all()
    assert squared(at(3, 1, None, 0.1, 0.1)) == pytest.approx(squared(at(3, 1, 1e8, 0.1, 0.1)), rel=1e-6)
    best = [squared(at(tau, 1, 1, 0.1, best_ridge(at(tau, 1, 1, 0.1, 0))))[1] for tau in (0.5, 0.8, 1, 1.3, 2)]
    assert (np.diff(best) < 0).all()


@pytest.mark.parametrize("model, expected", [
    (at(2, 1, 0.5, 0.1, 0.2), ((0.715, 0.008), (1.237, 0.017))),
    (at(1, 2, 1, 0.1, 1), ((0.641, 0.009), (0.898, 0.008))),
    (at(2, 1, 4, 0.1, 0), ((1.500, 0.036), (1.616, 0.036))),
    (at(2, 1, 0.5, 0.1, 2.786), ((0.622, 0.010), (0.975, 0.008))),
])  # fmt: skip
def test_published_simulations(model, expected):
    """At N = 12, by four standard errors of both."""
    sim = tsphys.simulate(model, N=12, replicas=24, seed=1)
    for name, (mean, error) in zip(("eps_in", "eps_out"), expected):
        assert 2 * sim.mean(name)[0] + 0.1 == pytest.approx(mean, abs=4 * np.hypot(error, 2 * sim.sem(name)[0]))


def test_attention_is_least_squares_and_its_error_that_of_fresh_prompts():
    """By NumPy on the same draws; the error on 20,000 fresh prompts to four standard errors."""
    model, N = at(1.5, 1.5, 0.75, 0.2, 0.3), 8
    sim = tsphys.simulate(model, N=N, replicas=1, seed=5)
    rng = tsphys.numerics.random.generator(5, 0, "instance 0")
    tasks = sphere(rng, 6, N)
    own = tasks[rng.integers(6, size=96)]
    query = rng.standard_normal((96, N))
    y = np.sum(query * own, axis=1) / np.sqrt(N) + model.noise * rng.standard_normal(96)
    ((_, X, labels),) = contexts(own, 12, model.noise, rng)
    H = np.stack([np.outer(query[p], X[p].T @ labels[p] / 12).ravel() for p in range(96)])
    gamma = np.linalg.solve(H.T @ H + 0.3 * 96 / N * np.eye(64), H.T @ y)
    assert sim["train_loss"][0, 0] == pytest.approx(0.5 * np.mean((y - H @ gamma) ** 2), rel=1e-9)
    for name, fresh in (("eps_in", tasks[rng.integers(6, size=20_000)]), ("eps_out", rng.standard_normal((20_000, N)))):
        query = rng.standard_normal((20_000, N))
        seen = np.concatenate([np.einsum("pl,pli->pi", y, X) for _, X, y in contexts(fresh, 12, model.noise, rng)])
        off = np.sum(fresh * query, axis=1) / np.sqrt(N) - np.einsum(
            "pi,ij,pj->p", query, gamma.reshape(N, N), seen / 12
        )
        error = 0.5 * np.std(off**2) / np.sqrt(20_000)
        assert sim[name][0, 0] == pytest.approx(0.5 * np.mean(off**2), abs=4 * error)


def test_one_who_knows_the_tasks_by_heart():
    """The posterior over three tasks by hand; after more examples it is sure of a task, which it knows or is wrong."""
    rng = np.random.default_rng(0)
    tasks = sphere(rng, 3, 6)
    ((_, X, labels),) = contexts(tasks, 4, 0.5, rng)
    for p in range(3):
        likely = np.exp([-np.sum((labels[p] - X[p] @ w / np.sqrt(6)) ** 2) / 0.5 for w in tasks])
        np.testing.assert_allclose(remembered(tasks, X, labels, 0.25)[p], likely @ tasks / likely.sum(), rtol=1e-10)
    sim = tsphys.simulate(LinearICL(alpha=4, noise=0.1), N=16, replicas=2, prompts=50)
    # Two tasks that know nothing of each other are 2N apart, less what the nearest of eight has in common.
    assert sim.mean("memory_in")[0] < 1e-9
    assert 0.3 < sim.mean("memory_out")[0] < 1
    assert "memory_in" not in tsphys.simulate(LinearICL(), N=6, replicas=1).observables


def test_two_sizes_have_a_verdict_and_one_has_none():
    """A bias of order 1/N is as large as what runs fluctuate by: one size cannot tell, two tell a wrong noise."""
    model = LinearICL(ridge=0.5)
    large, small = (tsphys.simulate(model, N=n, replicas=r, seed=3) for n, r in ((20, 12), (10, 48)))
    theory = tsphys.solve(model)
    assert tsphys.compare(large, theory).verdict == "undecided"
    found = tsphys.compare(large, theory, smaller=small)
    assert found.max_abs_z < found.threshold, found
    wrong = tsphys.solve(replace(model, noise=0.6))
    assert tsphys.compare(large, wrong, smaller=small).verdict == "disagree"


def test_what_theory_says_is_none_is_none_at_two_sizes():
    model = at(0.4, 1, 1, 0.1, 0)
    large, small = (tsphys.simulate(model, N=n, replicas=4) for n in (12, 6))
    found = tsphys.compare(large, tsphys.solve(model), smaller=small)
    assert np.isfinite(found.error["train_loss"]).all()
    assert found.error["train_loss"][0] < 1e-6


def test_over_ridges_a_replica_keeps_its_prompts():
    model = at(1.2, 1, 0.5, 0.1, 0.3)
    several = tsphys.simulate(model, ridge=[0.3, 2.0], N=8, replicas=2)
    np.testing.assert_array_equal(several["bayes"][:, 0], several["bayes"][:, 1])
    np.testing.assert_allclose(several["eps_out"][:, 0], tsphys.simulate(model, N=8, replicas=2)["eps_out"][:, 0])


def test_noise_whose_square_is_no_number():
    for noise in (5e-324, 1e-300):
        found = tsphys.solve(LinearICL(alpha=1, noise=noise))
        np.testing.assert_allclose(found["eps_out"], tsphys.solve(LinearICL(alpha=1, noise=0))["eps_out"])
        assert found.meta["bias"]["bayes"] == [0.125]


def test_refusals(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    refuses(lambda: tsphys.solve(LinearICL(tau=1, ridge=0)), "ridge")
    refuses(lambda: LinearICL(kappa=0), "kappa")
    for arguments, name in (((0, 1, 0.1), "N"), ((10, 0, 0.1), "examples"), ((10, 5, -0.1), "noise")):
        refuses(lambda arguments=arguments: endless(*arguments), name)
    refuses(lambda: bayes(-1.0, 0.1), "alpha")
    refuses(lambda: bayes([1.0, 2.0], 0.1), "alpha")
    refuses(lambda: tsphys.simulate(LinearICL(tau=1e-3), N=8), "tau")
    refuses(lambda: tsphys.simulate(LinearICL(alpha=1e-3), N=8), "alpha")
    refuses(lambda: tsphys.simulate(LinearICL(kappa=1e-3), N=8), "kappa")
    refuses(lambda: tsphys.simulate(LinearICL(kappa=None), N=8, prompts=10), "prompts")
    refuses(lambda: tsphys.simulate(LinearICL(), N=10**5), "N")
    code, out, _ = call(capsys, "compare", "linear_icl", "--ridge", 1, "-N", 16, "-r", 8, "--sizes", 2)
    assert (code, "max |z|" in out) != (2, False)


def test_what_is_known_by_hand():
    passes("linear_icl", "by hand", "few dimensions")
