"""Exact sums of small Potts models, their gauge, contact scores, and the Curie–Weiss Potts model."""

import numpy as np
import pytest

from tests.naive import potts as naive
from tests.refusal import refuses
from tsphys.physics import potts
from tsphys.sims.engines.potts import sample


def instance(N, C, seed=0, strength=0.5):
    """Fields and a matrix for each pair, at random and in no gauge."""
    rng = np.random.default_rng(seed)
    J = strength * rng.standard_normal((N, N, C, C))
    J[np.arange(N), np.arange(N)] = 0.0
    return rng.standard_normal((N, C)) + 2.0, J + J.transpose(1, 0, 3, 2)


def enumerated(h, J):
    """ln Z, ⟨H⟩ and pair probabilities, all energies at once."""
    s = naive.states(*h.shape)
    N, C = h.shape
    H = -h[np.arange(N), s].sum(axis=1) - sum(J[i, j, s[:, i], s[:, j]] for i in range(N) for j in range(i))
    log_Z = np.log(np.exp(-H).sum())
    p = np.exp(-H - log_Z)
    one_hot = np.eye(C)[s].reshape(len(s), -1)
    return log_Z, p @ H, ((one_hot * p[:, None]).T @ one_hot).reshape(N, C, N, C).transpose(0, 2, 1, 3)


@pytest.mark.parametrize("N, C", [(6, 3), (5, 5), (4, 20), (1, 2)])
def test_exact_sums_are_those_of_enumeration(N, C):
    h, J = instance(N, C)
    found = potts.exact(J, h)
    log_Z, energy, pairs = enumerated(h, J)
    assert found.log_Z == pytest.approx(log_Z, rel=1e-12)
    assert found.energy == pytest.approx(energy, rel=1e-11)
    np.testing.assert_allclose(found.pairs, pairs, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(found.marginals, np.einsum("iiaa->ia", pairs), rtol=1e-10)
    assert found.entropy == pytest.approx(log_Z + energy, abs=1e-10)
    assert found.correlations[0, 0].sum() == pytest.approx(0.0, abs=1e-12)


def test_a_small_one_term_by_term():
    h, J = instance(3, 2, seed=4)
    s, weight = naive.law_of_pairs(h, J)
    H = np.array([naive.energy_of_pairs(h, J, x) for x in s])
    assert potts.exact(J, h).energy == pytest.approx(weight @ H, rel=1e-12)
    assert potts.exact(J, h).entropy == pytest.approx(-weight @ np.log(weight), rel=1e-12)


def test_the_gauge_changes_no_probability():
    h, J = instance(5, 3, seed=2)
    g, K = potts.zero_sum(h, J)
    for sums in (g.sum(axis=1), K.sum(axis=2), K.sum(axis=3)):
        np.testing.assert_allclose(sums, 0.0, atol=1e-12)
    np.testing.assert_allclose(K, K.transpose(1, 0, 3, 2), atol=1e-14)
    one, two = potts.exact(J, h), potts.exact(K, g)
    np.testing.assert_allclose(one.pairs, two.pairs, rtol=1e-11, atol=1e-15)
    assert one.entropy == pytest.approx(two.entropy, rel=1e-11)
    assert np.sum(K**2) < np.sum(J**2)


def test_scores_find_the_pairs_that_touch():
    """Norms by loops; a matrix that is all field is no contact, and the correction takes off what sites have alike."""
    N, C = 6, 4
    rng = np.random.default_rng(1)
    J = np.zeros((N, N, C, C))
    J[1, 4] = rng.standard_normal((C, C))
    J[2, 3] = np.outer(np.ones(C), rng.standard_normal(C))
    J = J + J.transpose(1, 0, 3, 2)
    P = np.eye(C) - 1 / C
    F = np.array([[np.linalg.norm(P @ J[i, j] @ P) for j in range(N)] for i in range(N)])
    each = F.sum(axis=1) / (N - 1)
    found = potts.contact_scores(J)
    expected = F - np.outer(each, each) / (F.sum() / N / (N - 1))
    np.testing.assert_allclose(found[~np.eye(N, dtype=bool)], expected[~np.eye(N, dtype=bool)], atol=1e-12)
    assert np.unravel_index(found.argmax(), found.shape) == (1, 4)
    assert abs(found[2, 3]) < 1e-12
    assert potts.contact_scores(np.ones((3, 3, 2, 2))).max() == 0.0


@pytest.mark.parametrize(
    "C, ordered, transition, jump", [(3, 2.74564358, 4 * np.log(2), 0.5), (4, 3.21874109, 3 * np.log(3), 2 / 3)]
)
def test_curie_weiss_lines(C, ordered, transition, jump):
    """β_c = 2(C − 1) ln(C − 1)/(C − 2) and its jump; at the spinodal the state is doubly a root."""
    lines = potts.curie_weiss_lines(C)
    assert lines.ordered == pytest.approx(ordered, abs=1e-8)
    assert (lines.transition, lines.jump, lines.disordered) == pytest.approx((transition, jump, C), rel=1e-12)

    def free_energy(m, beta):
        x = np.array([(1 + (C - 1) * m) / C] + [(1 - m) / C] * (C - 1))
        return -0.5 * np.sum(x**2) + np.sum(x * np.log(x)) / beta

    # The free energy has two equal minima at the transition, and a flat point of inflection at the spinodal.
    assert free_energy(jump, transition) == pytest.approx(free_energy(0.0, transition), abs=1e-12)
    m, _ = potts.curie_weiss(C, lines.ordered + 1e-9)
    d = 1e-3
    slope = (free_energy(m + d, lines.ordered) - free_energy(m - d, lines.ordered)) / (2 * d)
    bend = (
        free_energy(m + d, lines.ordered) - 2 * free_energy(m, lines.ordered) + free_energy(m - d, lines.ordered)
    ) / d**2
    # Both are of order d² times the third and fourth derivative.
    assert abs(slope) < 10 * d**2
    assert abs(bend) < 1e-3
    assert potts.curie_weiss(C, lines.ordered - 1e-6)[0] == 0.0
    assert potts.curie_weiss(C, 1e4) == (1.0, -0.5)


def test_curie_weiss_chains():
    """Beyond the transition, at N = 200: a chain from random colours orders."""
    C, N, beta = 3, 200, 3.3
    m, energy = potts.curie_weiss(C, beta)
    J = beta / N * (np.ones((N, N)) - np.eye(N))
    s, H = sample(J, np.eye(C), chains=4, samples=300, burn_in=200, seed=1, threads=1)
    share = np.stack([(s == a).mean(axis=2) for a in range(C)]).max(axis=0)
    # Corrections are of order 1/N; the terms i = j that H leaves out are 1/(2N) of the energy.
    assert ((C * share - 1) / (C - 1)).mean() == pytest.approx(m, abs=5 / N)
    assert H.mean() / (beta * N) == pytest.approx(energy + 0.5 / N, abs=5 / N)


BAD = {
    "too many states": (lambda: potts.exact(np.zeros((12, 12, 4, 4))), "J"),
    "not symmetric": (lambda: potts.exact(np.arange(36.0).reshape(3, 3, 2, 2) * (1 - np.eye(3))[..., None, None]), "J"),
    "with a diagonal": (lambda: potts.exact(np.ones((2, 2, 2, 2))), "J"),
    "no matrices": (lambda: potts.exact(np.zeros((3, 3))), "J"),
    "fields of another size": (lambda: potts.exact(np.zeros((3, 3, 2, 2)), np.zeros((2, 3))), "h"),
    "scores of one site": (lambda: potts.contact_scores(np.zeros((1, 1, 2, 2))), "J"),
    "one colour": (lambda: potts.curie_weiss_lines(1), "C"),
    "beta negative": (lambda: potts.curie_weiss(3, -1.0), "beta"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_calls_raise_one_clear_line(case):
    refuses(*BAD[case])
