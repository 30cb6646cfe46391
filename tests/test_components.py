"""Patterns from the span of eigenvectors: steps that lift the evidence, what is found, and that noise holds nothing."""

import numpy as np
import pytest

import tsphys
from tests.test_memory_reconstruction import synapses_of
from tests.wide import each
from tsphys.physics.inference.pattern_priors import fourth_moment, pattern_prior
from tsphys.sims.engines.inference import components
from tsphys.sims.memory_reconstruction import reconstruct

KINDS = [("binary", 1.0), ("sparse", 0.1), ("sparse", 0.7), ("tsodyks", 0.3), ("gauss", 0.2)]


def seen(prior, share, N, P, seed):
    """Patterns, and orthonormal vectors of a random turn that overlap with them by √share."""
    rng = np.random.default_rng(seed)
    x = prior.draw(rng, (N, P))
    turn = np.linalg.qr(rng.standard_normal((P, P)))[0]
    noisy = np.sqrt(share / prior.second_moment) * x + np.sqrt(1 - share) * rng.standard_normal((N, P))
    return x, np.linalg.qr(noisy @ turn)[0]


def matches(found, x):
    """Cosines of estimates with patterns, and which pattern is the closest, signs counting."""
    cosines = found.T @ x / np.outer(np.linalg.norm(found, axis=0), np.linalg.norm(x, axis=0))
    return cosines.max(axis=1), cosines.argmax(axis=1)


def test_the_evidence_of_signs():
    """Of ±1, ln Z = ln cosh b − A/2 with b = u√s/(1 − s) and A = s/(1 − s), and ⟨x⟩ = tanh b; σ scales both."""
    u, s = components.NODES, 0.7
    law = components.law(pattern_prior("binary", 1.0), s, 0.5)
    b = u * np.sqrt(s) / (1 - s)
    # Tables are in single precision.
    np.testing.assert_allclose(law.mean, np.tanh(b), atol=1e-6)
    np.testing.assert_allclose(law.evidence, np.log(np.cosh(b)) - 0.5 * s / (1 - s), rtol=1e-6, atol=1e-5)
    # c is half the mean of d tanh b/du over normal numbers; Gauss and Hermite's rule, whose error is below 1e-6.
    z, w = np.polynomial.hermite_e.hermegauss(200)
    slope = np.sqrt(s) / (1 - s) / np.cosh(z * np.sqrt(s) / (1 - s)) ** 2
    assert law.shift == pytest.approx(0.5 * (w @ slope) / w.sum(), rel=1e-4)


@pytest.mark.parametrize("kind, rho", KINDS)
def test_means_are_slopes_of_the_evidence_at_the_channel_of_patterns(kind, rho):
    """ln Z' = (b/u)⟨x⟩; and where u is that of a pattern, ⟨x⟩ overlaps with it as Nishimori's identity has it."""
    prior, s = pattern_prior(kind, rho), 0.6
    law = components.law(prior, s, 0.0)
    slopes = np.gradient(law.evidence.astype(float), components.NODES)[1:-1]
    # Differences over 2h = .004 of single precision, 6e-8 of at most 60.
    np.testing.assert_allclose(slopes, law.slope * law.mean[1:-1], atol=5e-3 * law.slope * np.abs(law.mean).max())
    rng = np.random.default_rng(1)
    x = prior.draw(rng, 200_000)
    u = np.sqrt(s / prior.second_moment) * x + np.sqrt(1 - s) * rng.standard_normal(x.shape)
    mean = components._at(u, law.mean).astype(float)
    difference = mean * x - mean**2
    assert abs(difference.mean()) < 4 * difference.std() / np.sqrt(len(x)) + 1e-4 * prior.second_moment


def climbs(Y, law, steps):
    """Mean evidence along the steps from twenty orthogonal directions."""
    W = np.linalg.qr(np.random.default_rng(3).standard_normal((20, 20)))[0]
    for _ in range(steps):
        yield components._at(Y @ W, law.evidence).mean(axis=0)
        W = components._step(Y, W, law)


@pytest.mark.parametrize("kind, rho", KINDS)
def test_steps_lift_the_evidence(kind, rho):
    """Each of them does without a shift, to 1e-3 of 1000 nodes that are .002 apart.

    With one they get there sooner where it takes long, with patterns that are flatter than normal numbers, and
    elsewhere to within some percent.
    """
    prior = pattern_prior(kind, rho)
    Y = np.sqrt(1000) * seen(prior, 0.8, 1000, 20, 2)[1]
    for share in (0.4, 0.8):
        plain = np.array(list(climbs(Y, components.law(prior, share, 0.0), 30)))
        assert (np.diff(plain, axis=0) > -1e-3).all()
    weak = components.WEAK
    plain, shifted = (list(climbs(Y, components.law(prior, weak, c), 15))[-1] for c in (0.0, components.SHIFT))
    assert shifted.mean() > plain.mean() * (1.0 if fourth_moment(prior) < 3 * prior.second_moment**2 else 0.97)


@pytest.mark.parametrize("kind, rho", each([*KINDS, ("tsodyks", 0.45)], fast=["sparse", "gauss"]))
def test_all_patterns_are_found_once_with_their_signs(kind, rho):
    """Signs as far as the prior tells them; cosines of a posterior mean with a share of 0.8."""
    prior = pattern_prior(kind, rho)
    x, vectors = seen(prior, 0.8, 2000, 14, 4)
    found = components.components(vectors, prior, 0.8, np.random.default_rng(5))
    assert found.shape[1] >= 12
    if kind != "tsodyks":
        found = found * np.sign(np.take_along_axis(found.T @ x, np.abs(found.T @ x).argmax(axis=1)[:, None], 1).T)
    cosines, which = matches(found, x)
    assert len(set(which)) == found.shape[1]
    law = components.law(prior, 0.8, 0.0)
    best = np.sqrt(1 - prior.mmse(law.precision) / prior.second_moment)
    # Fourteen directions of 2000 numbers are known to √(14/2000) = 0.08, of which the cosine loses half the square.
    assert (cosines > best - 0.05).all()


def test_directions_are_judged_with_their_likelier_sign():
    """Also where only the wrong one was climbed to; as many as there are numbers on either side of it."""
    prior, rng = pattern_prior("tsodyks", 0.3), np.random.default_rng(6)
    x = prior.draw(rng, (2000, 3)) / np.sqrt(prior.second_moment)
    Y = np.sqrt(0.8) * x + np.sqrt(0.2) * rng.standard_normal(x.shape)
    law = components.law(prior, 0.8, 0.0)
    evidence, error, W = components._judged(Y, np.diag([1.0, -1.0, 1.0]), law)
    np.testing.assert_array_equal(W, np.eye(3))
    mean = prior.log_partition(law.precision, law.slope * Y)
    # Slopes of ln Z times half the .002 between nodes.
    np.testing.assert_allclose(evidence, mean.mean(axis=0), atol=1e-3 * law.slope)
    np.testing.assert_allclose(error, mean.std(axis=0) / np.sqrt(2000), rtol=1e-2)


@pytest.mark.parametrize("kind, rho", each([*KINDS, ("gauss", 0.9)], fast=["binary", "tsodyks"]))
def test_noise_holds_no_patterns(kind, rho):
    """Spans of normal numbers, eight times three rounds; none but by chance, three errors over √n above it."""
    total = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        vectors = np.linalg.qr(rng.standard_normal((200, 13 + seed)))[0]
        total += components.components(vectors, pattern_prior(kind, rho), 0.5, rng).shape[1]
    assert total <= 1


def test_dozens_of_patterns_are_reconstructed_from_nothing():
    """Forty patterns of 1500 neurons, which message passing alone leaves mixed; errors are P/N of theirs too high."""
    sim = tsphys.simulate(
        tsphys.MemoryReconstruction(P=40, noise=0.4), N=1500, replicas=2, seed=1, threads=1, pca=False
    )
    theory = tsphys.solve(tsphys.MemoryReconstruction(noise=0.4))["mse"][0]
    assert sim["consistent"].all()
    np.testing.assert_allclose(sim["mse"], theory, rtol=0.2)
    J = synapses_of(N=600, P=16)
    x = reconstruct(tsphys.MemoryReconstruction(P=16, noise=0.4), J)
    assert x.shape == (600, 16)


def test_eigenvectors_that_are_not_found_are_told(monkeypatch):
    from scipy.sparse import linalg

    def never(*_, **__):
        raise linalg.ArpackNoConvergence("no", np.zeros(3), np.zeros((40, 3)))

    monkeypatch.setattr(linalg, "eigsh", never)
    with pytest.raises(tsphys.ConvergenceError, match="3 of 13 eigenvectors"):
        tsphys.simulate(tsphys.MemoryReconstruction(P=13, noise=0.4), N=40, threads=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "given, N",
    [
        ({"P": 100, "noise": 0.4}, 3000),
        ({"P": 50, "noise": 0.08, "patterns": "tsodyks", "rho": 0.3}, 3000),
        ({"P": 50, "noise": 0.08, "patterns": "gauss", "rho": 0.2}, 3000),
        ({"P": 50, "noise": 0.04, "patterns": "sparse", "rho": 0.1}, 3000),
        ({"P": 50, "noise": 0.6}, 3000),
    ],
)
def test_many_patterns_of_every_law(given, N):
    """Errors of networks differ by their √(2 mse²/NP), and by P/N from the theory."""
    model = tsphys.MemoryReconstruction(**given)
    sim, theory = tsphys.simulate(model, N=N, seed=0, threads=1, pca=False), tsphys.solve(model)["mse"][0]
    assert sim["consistent"].all()
    assert sim["mse"][0, 0] == pytest.approx(theory, rel=0.1, abs=2e-4)
