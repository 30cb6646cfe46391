"""Potts models and alignments of one's own: fields, a matrix a pair, weights, files, and what is learned from them."""

import numpy as np
import pytest

import tsphys
from tests.command import call
from tests.naive import potts as naive
from tests.refusal import refuses
from tsphys.models.potts_attention import PottsAttention
from tsphys.numerics.random import stream
from tsphys.physics.potts import zero_sum
from tsphys.sims import potts_attention as sims
from tsphys.sims.engines.potts import alignment, masked
from tsphys.sims.engines.potts import sampler as potts


def instance(N, C, seed=0, strength=0.5):
    """Fields and a symmetric matrix for each pair, at random and in no gauge."""
    rng = np.random.default_rng(seed)
    J = strength * rng.standard_normal((N, N, C, C))
    J[np.arange(N), np.arange(N)] = 0.0
    return 0.3 * rng.standard_normal((N, C)), 0.5 * (J + J.transpose(1, 0, 3, 2))


def sampled(N, C, n, seed=0, strength=0.5):
    h, J = instance(N, C, seed, strength)
    return h, J, potts.sequences(potts.couplings(J, None, h), n, 30, stream(seed, 0, "test"))


def test_conditional_of_a_given_model():
    """Fields and matrices as the attention sees them, against the energies of states that differ at a site."""
    N, C = 4, 3
    h, J = instance(N, C)
    model = PottsAttention(couplings="given", J=J, h=h)
    source = sims.Sequences(model, sims.Options(N=N), model.draw(N, 0, 0))
    s = np.random.default_rng(1).integers(0, C, (5, N)).astype(np.int8)
    found = source.conditional(s)
    for mu in range(5):
        for i in range(N):
            states = np.array([[a if j == i else s[mu, j] for j in range(N)] for a in range(C)])
            weight = np.exp([-naive.energy_of_pairs(h, J, x) for x in states])
            np.testing.assert_allclose(found[mu, :, i], weight / weight.sum(), rtol=1e-12)


@pytest.mark.parametrize("learn", masked.LEARNERS)
def test_gradient_with_fields_and_weights(learn):
    N, C, n = 4, 3, 6
    rng = np.random.default_rng(2)
    U = PottsAttention().colour_matrix()
    learner = masked.Biased(masked.LEARNERS[learn](U), N)
    s = rng.integers(0, C, (n, N)).astype(np.int8)
    weights = rng.random(n) + 0.5
    X, y = learner.features(s), np.moveaxis(np.eye(C)[s], -1, 1)
    value = masked.objective(learner, "cross_entropy", 0.4, X, y, weights)
    x = rng.standard_normal(learner.size(N))
    free = learner.pull(x, X, rng.standard_normal((n, C, N))) != 0
    x[~free] = 0.0
    # The loss of each site by its logits, h_i + Σ_j W_ij s̃_j, term by term.
    h, W = learner.fields(x), learner.inner.tensor(learner.split(x)[0], N)
    expected = 0.0
    for mu in range(n):
        for i in range(N):
            z = h[i] + sum(W[i, j] @ (np.eye(C)[s[mu, j]] - 1 / C) for j in range(N) if j != i)
            expected += weights[mu] * (np.log(np.exp(z).sum()) - z[s[mu, i]])
    expected += 0.2 * ((N - 1) * np.sum(W**2) + np.sum(h**2)) / np.sum(U**2)
    if learn == "factored":
        V = learner.inner.split(learner.split(x)[0])[1]
        expected += n * N * 0.5 * (np.sum(V**2) / np.sum(U**2) - 1) ** 2
    E, slope = value(x)
    assert pytest.approx(expected, rel=1e-11) == E
    v = rng.standard_normal(x.size) * free
    d = 1e-5
    # The next term is d² = 1e-10 times a third derivative.
    assert slope @ v == pytest.approx((value(x + d * v)[0] - value(x - d * v)[0]) / (2 * d), rel=1e-7)


@pytest.mark.parametrize("fields", [False, True])
def test_coordinates_lead_to_the_same_minimum(fields):
    N, C = 5, 3
    *_, s = sampled(N, C, 60)
    inner = masked.Tensor(PottsAttention().colour_matrix())
    learner = masked.Biased(inner, N) if fields else inner
    X, y = learner.features(s), masked.one_hot(s, C) + 1 / C
    x = sims.minimum(learner, "cross_entropy", 0.2, X, y, learner.start(N, None))
    value = masked.objective(learner, "cross_entropy", 0.2, X, y)
    assert np.abs(value(x)[1]).max() <= sims.TOLERANCE * np.abs(value(0 * x)[1]).max()
    to, back = learner.coordinates(X, 0.2, None)
    rng = np.random.default_rng(0)
    u = rng.standard_normal(back(x).size)
    # One is the transpose of the other, and no site is coupled to itself.
    assert to(u) @ value(0 * x)[1] == pytest.approx(u @ back(value(0 * x)[1]), rel=1e-10)
    own = inner.tensor(to(u)[: inner.size(N)], N)
    assert not own[np.arange(N), np.arange(N)].any()


@pytest.mark.slow
def test_planted_couplings_and_fields_are_recovered_at_the_rate_of_fisher():
    """E‖W − J‖² = Σ_i tr F_i⁻¹/n over the couplings of the pseudo-likelihood, F by enumeration; so of the fields."""
    N, C, d = 4, 3, 2
    h, J = instance(N, C, seed=3, strength=0.6)
    g, K = zero_sum(h, J)
    E = masked.helmert(C)
    states, weight = naive.law_of_pairs(h, J)
    parts = np.zeros(2)
    for i in range(N):
        others = [j for j in range(N) if j != i]
        F = 0.0
        for x, w in zip(states, weight, strict=True):
            z = g[i] + sum(K[i, j][:, x[j]] for j in others)
            p = np.exp(z) / np.exp(z).sum()
            # Parameters of a site: a component of its logits times one of another's colour, or times one.
            seen = np.concatenate([*(E[x[j]] for j in others), [1.0]])
            F = F + w * np.kron(np.outer(seen, seen), E.T @ (np.diag(p) - np.outer(p, p)) @ E)
        variance = np.diag(np.linalg.inv(F))
        parts += variance[:-d].sum(), variance[-d:].sum()
    alpha = np.array([200.0, 800.0])
    model = PottsAttention(couplings="given", J=J, h=h, learn="tensor", fields=True, ridge=0.0)
    sim = tsphys.simulate(model, alpha=alpha, replicas=60, burn_in=20, n_test=10, seed=1, threads=1)
    n = alpha * (N - 1)
    for name, expected in (("error", parts[0] / n / np.sum(K**2)), ("h_error", parts[1] / n / N)):
        found, spread = sim.mean(name), sim.sem(name)
        # The next order is 1/n relative to the first, with a factor of order the 14 parameters of a site.
        assert (np.abs(found - expected) < 4 * spread + 30 / n * expected).all(), name
        assert (spread / expected < 0.1).all()


def test_repeated_sequences_are_weights():
    *_, s = sampled(5, 3, 40)
    counts = np.arange(40) % 3 + 1
    model = PottsAttention(learn="tensor", fields=True, ridge=0.5)
    options = {"replicas": 1, "held_out": 0.0, "threads": 1, "keep_couplings": True}
    # Weights have mean one, so that the ridge is smaller in units of the loss than that of all repeats.
    one = tsphys.simulate(model, sequences=s, weights=counts, **options)
    two = tsphys.simulate(
        PottsAttention(learn="tensor", fields=True, ridge=0.5 * counts.mean()),
        sequences=np.repeat(s, counts, axis=0), **options,
    )  # fmt: skip
    # Two minima whose slopes vanish to 1e-6 of those at the start.
    for name in ("W", "h", "scores"):
        np.testing.assert_allclose(one[name], two[name], atol=1e-4)
    assert one["train_loss"][0, 0] == pytest.approx(two["train_loss"][0, 0], rel=1e-6)
    np.testing.assert_allclose(one["W"][0, 0].sum(axis=-1), 0.0, atol=1e-10)
    np.testing.assert_allclose(one["h"][0, 0].sum(axis=-1), 0.0, atol=1e-10)


def test_similar_sequences_share_their_weight():
    s = np.array([[0, 1, 2, 0, 1], [0, 1, 2, 0, 2], [0, 1, 2, 0, 1], [2, 0, 0, 1, 1], [2, 0, 0, 1, 0]])
    found = alignment.weights("similarity", s, 0.8)
    np.testing.assert_allclose(found, np.array([1 / 3, 1 / 3, 1 / 3, 1 / 2, 1 / 2]) * 5 / 2)
    np.testing.assert_allclose(alignment.weights("similarity", s, 0.9), np.array([1 / 2, 1, 1 / 2, 1, 1]) * 5 / 4)
    assert (alignment.weights("equal", s, 0.8) == 1).all()


def test_contacts_have_the_largest_scores():
    """Ten pairs among twelve sites; held-out sequences are better known than by their frequencies."""
    N, C = 12, 4
    rng = np.random.default_rng(5)
    J = np.zeros((N, N, C, C))
    touch = {(i, (5 * i + 3) % N) for i in range(N)}
    touch = sorted({(min(p), max(p)) for p in touch if p[0] != p[1]})
    for i, j in touch:
        J[i, j] = 1.2 * rng.standard_normal((C, C))
        J[j, i] = J[i, j].T
    h = 0.5 * rng.standard_normal((N, C))
    s = potts.sequences(potts.couplings(J, None, h), 1500, 40, stream(0, 0, "test"))
    model = PottsAttention(C=C, learn="tensor", fields=True, ridge=0.5)
    sim = tsphys.simulate(model, sequences=s, replicas=2, threads=1)
    for scores in sim["scores"][:, 0]:
        above = np.argsort(-scores[np.triu_indices(N, 1)])[: len(touch)]
        assert {(i, j) for i, j in np.transpose(np.triu_indices(N, 1))[above].tolist()} == set(touch)
    frequency = np.stack([(s == a).mean(axis=0) for a in range(C)])
    assert (sim["test_loss"] < -(frequency * np.log(frequency)).sum(axis=0).mean() - 0.05).all()
    assert sim["test_loss"][0, 0] != sim["test_loss"][1, 0]
    assert "excess" not in sim


def test_files(tmp_path):
    """FASTA of proteins and nucleotides, insertions left out; tables of numbers."""
    one = tmp_path / "one.fasta"
    one.write_text(">a\nACD\nEX-\n>b\nacdyw.\n\n")
    np.testing.assert_array_equal(alignment.read(str(one), 21), [[1, 2, 3, 4, 0, 0], [1, 2, 3, 20, 19, 0]])
    one.write_text(">a\nACdGT-\n>b\nAU.Gtt-C\n")
    np.testing.assert_array_equal(alignment.read(one, 5), [[1, 2, 3, 4, 0], [1, 4, 3, 0, 2]])
    s = np.array([[0, 1, 2], [2, 2, 0]], np.int8)
    np.save(tmp_path / "s.npy", s)
    np.savetxt(tmp_path / "s.csv", s, delimiter=",")
    np.savetxt(tmp_path / "s.txt", s)
    for suffix in ("npy", "csv", "txt"):
        found = alignment.read(str(tmp_path / f"s.{suffix}"), 3)
        assert found.dtype == np.int8
        np.testing.assert_array_equal(found, s)


def test_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    *_, s = sampled(6, 5, 60)
    letters = ["".join(alignment.ALPHABETS[5][a] for a in row) for row in s]
    (tmp_path / "own.fasta").write_text("".join(f">{i}\n{row}\n" for i, row in enumerate(letters)))
    words = "simulate potts_attention -C 5 --learn tensor --fields --sequences own.fasta --weights similarity -r 2"
    code, _, err = call(capsys, *words.split(), "-o", "own.npz")
    assert code == 0, err
    kept = tsphys.load(tmp_path / "own.npz")
    assert kept["scores"].shape == (2, 1, 6, 6)
    same = tsphys.simulate(
        PottsAttention(C=5, learn="tensor", fields=True), sequences=s, weights="similarity", replicas=2, threads=1
    )
    np.testing.assert_array_equal(kept["scores"], same["scores"])


def test_descent_on_sequences_of_ones_own():
    *_, s = sampled(6, 3, 50)
    model = PottsAttention(learn="tensor", fields=True, lr=4.0, minibatch=50, ridge=0.5)
    options = {"sequences": s, "replicas": 1, "held_out": 0.0, "threads": 1, "weights": np.arange(50) % 2 + 1.0}
    path, minimum = (tsphys.simulate(model, **options, **more) for more in ({"t": [0, 100]}, {}))
    assert path["train_loss"][0, 0] == pytest.approx(np.log(3))
    assert path["train_loss"][0, 1] == pytest.approx(minimum["train_loss"][0, 0], rel=1e-5)


GIVEN = {"couplings": "given", "C": 2}
S = np.zeros((20, 4), int)
BAD = {
    "fields without couplings": (lambda: PottsAttention(h=np.zeros((3, 3))), "h"),
    "fields of another shape": (lambda: PottsAttention(**GIVEN, J=1 - np.eye(3), h=np.zeros((3, 3))), "h"),
    "matrices of other colours": (lambda: PottsAttention(**GIVEN, J=np.zeros((3, 3, 3, 3))), "J"),
    "matrices that are fields": (
        lambda: PottsAttention(**GIVEN, J=np.ones((3, 3, 2, 2)) * (1 - np.eye(3))[..., None, None]), "J",
    ),
    "colours beyond C": (lambda: tsphys.simulate(PottsAttention(), sequences=S + 3), "sequences"),
    "no file": (lambda: tsphys.simulate(PottsAttention(C=5), sequences="none.fasta"), "sequences"),
    "no table": (lambda: tsphys.simulate(PottsAttention(), sequences="none.npy"), "sequences"),
    "another N": (lambda: tsphys.simulate(PottsAttention(), sequences=S, N=5), "N"),
    "along alpha": (lambda: tsphys.simulate(PottsAttention(), sequences=S, alpha=[1, 2]), "alpha"),
    "all held out": (lambda: tsphys.simulate(PottsAttention(), sequences=S, held_out=0.99), "held_out"),
    "weights without sequences": (lambda: tsphys.simulate(PottsAttention(), weights="similarity"), "weights"),
    "weights of another number": (lambda: tsphys.simulate(PottsAttention(), sequences=S, weights=[1, 2]), "weights"),
    "unknown weights": (lambda: tsphys.simulate(PottsAttention(), sequences=S, weights="some"), "weights"),
    "own ones and a law": (lambda: tsphys.simulate(PottsAttention(inputs="uniform"), sequences=S), "inputs"),
    "fresh ones": (lambda: tsphys.simulate(PottsAttention(alpha=None, ridge=0), sequences=S, t=[1]), "alpha"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_calls_raise_one_clear_line(case):
    refuses(*BAD[case])


@pytest.mark.parametrize(
    "text, word",
    [("ACD\n", "begins with >"), (">a\nACD\n>b\nAC\n", "one length"), (">a\nAC1\n", "1 is none"), ("", "one length")],
)
def test_files_that_are_no_alignment(text, word, tmp_path):
    (tmp_path / "x.fa").write_text(text)
    with pytest.raises(tsphys.ModelError, match=word):
        alignment.read(tmp_path / "x.fa", 21)
    with pytest.raises(tsphys.ModelError, match="C = 3: must be 21"):
        alignment.read(tmp_path / "x.fa", 3)
