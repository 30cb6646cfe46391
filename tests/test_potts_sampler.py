"""The Potts sampler with fields and a matrix for each pair: its law, its fields, its bits, and what is refused."""

import numpy as np
import pytest
from scipy import special

from tests.naive import potts as naive
from tests.refusal import refuses
from tsphys.numerics.autocorrelation import autocorrelation
from tsphys.numerics.exponential import exp
from tsphys.numerics.random import stream
from tsphys.sims.engines.potts import sampler as potts


def instance(N, C, seed=0, strength=0.8):
    """Fields (N, C) and a matrix for each pair (N, N, C, C), at random."""
    rng = np.random.default_rng(seed)
    J = strength * rng.standard_normal((N, N, C, C))
    J[np.arange(N), np.arange(N)] = 0.0
    return rng.standard_normal((N, C)), 0.5 * (J + J.transpose(1, 0, 3, 2))


@pytest.mark.parametrize("form", ["pairs", "factored", "steep"])
def test_law_of_the_enumerated_states(form):
    """Frequencies of the states with the error of their own autocorrelation times, and the energies of a few."""
    N, C = 4, 3
    h, J = instance(N, C, seed=3, strength=0.4)
    given = (J, None)
    if form == "factored":
        U = np.array([[1.0, 0.3, -0.5], [0.3, 0.2, 0.4], [-0.5, 0.4, -0.7]])
        given = (J[:, :, 0, 1] + J[:, :, 0, 1].T, U)
        J = np.einsum("ij,ab->ijab", *given)
    # Fields that are the same for all colours change nothing but the form of the exponentials.
    h = h + (1000.0 if form == "steep" else 0.0)
    states, weight = naive.law_of_pairs(h, J)
    s, energies = potts.sample(*given, h, chains=8, samples=3000, burn_in=50, seed=2, threads=1)
    z = []
    # Those that are seen so often that their number is a normal one.
    for x, p in zip(states[weight > 3e-3], weight[weight > 3e-3], strict=True):
        found = (s == x).all(axis=2).astype(float)
        z.append((found.mean() - p) / np.sqrt(p * (1 - p) / autocorrelation(found).ess))
    assert len(z) > 25
    # Probability 1e-4 that the largest exceeds it by chance.
    assert np.abs(z).max() < -special.ndtri(0.5e-4 / len(z))
    for row in (0, 1777):
        expected = naive.energy_of_pairs(h, J, s[3, row])
        # Couplings of 24 bits.
        assert energies[3, row] == pytest.approx(expected, rel=1e-6, abs=1e-5)


def test_fields_of_pairs_follow():
    N, C = 12, 5
    h, J = instance(N, C, seed=1, strength=0.3)
    model = potts.couplings(J, h=h)
    noise = stream(1, 0, "chain")
    chain = potts.Chain(model, potts.start(N, C, noise), noise)
    kept, _ = chain.run(200, 2)
    moved = int((kept[1:] != kept[:-1]).sum())
    assert moved > 500
    expected = h + sum(model.A[j, chain.s[j]].astype(float) for j in range(N))
    # A change adds a rounding of 1e-16 times the field, and the largest is a few units.
    np.testing.assert_allclose(chain.G, expected, atol=5e-15 * np.sqrt(moved))


def test_a_product_is_a_matrix_for_each_pair():
    """Both forms visit the same sites with the same uniforms, and their logits differ by rounding to 24 bits."""
    h, J = instance(10, 4, seed=5, strength=0.5)
    U = np.diag([2.0, 2.0, 2.0, 2.0]) - 0.3
    K = J[:, :, 0, 1] + J[:, :, 0, 1].T
    one = potts.sample(K, U, h, samples=50, seed=1, threads=1)
    two = potts.sample(np.einsum("ij,ab->ijab", K, U), None, h, samples=50, seed=1, threads=1)
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_allclose(one[1], two[1], rtol=1e-5)


def test_multiples_of_the_identity_are_found():
    for U, kappa in (
        (np.eye(3) - 1 / 3, 1.0),
        (-2 * np.eye(4) + 5, -2.0),
        (np.diag([1.0, 2.0]), 0.0),
        (np.ones((2, 2)), 0.0),
    ):
        assert potts.couplings(np.zeros((2, 2)), U).kappa == pytest.approx(kappa)


def test_exponential():
    from tsphys._jit import njit

    @njit(cached=False)
    def fill(x, out):
        for i in range(x.shape[0]):
            out[i] = exp(x[i])

    x = np.concatenate([np.linspace(-700, 700, 20001), np.linspace(-1, 1, 20001)])
    found = np.empty_like(x)
    fill(x, found)
    expected = np.exp(x)
    assert np.max(np.abs(found - expected) / np.spacing(expected)) <= 2


ZERO = np.zeros((2, 2, 3, 3))
BAD = {
    "J of three axes": (lambda: potts.sample(np.zeros((2, 2, 3))), "J"),
    "J of words": (lambda: potts.sample("J"), "J"),
    "U beside matrices": (lambda: potts.sample(ZERO, np.eye(3)), "U"),
    "no U": (lambda: potts.sample(np.zeros((2, 2))), "U"),
    "pairs not square": (lambda: potts.sample(np.zeros((2, 2, 3, 2))), "J"),
    "sites not square": (lambda: potts.sample(np.zeros((2, 3, 3, 3))), "J"),
    "pairs not symmetric": (lambda: potts.sample(ZERO + np.arange(3) * (1 - np.eye(2))[:, :, None, None]), "J"),
    "pairs with a diagonal": (lambda: potts.sample(ZERO + 1), "J"),
    "fields of another shape": (lambda: potts.sample(ZERO, h=np.zeros((3, 2))), "h"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_calls_raise_one_clear_line(case):
    refuses(*BAD[case])
