"""Potts sequences and the attention that learns them: sampler, gradients, minima, descent, and what is refused."""

import dataclasses

import numpy as np
import pytest
from scipy import special

import tsphys
from tests.naive import potts as naive
from tests.refusal import refuses
from tests.wide import each
from tsphys.errors import ConvergenceError
from tsphys.models.potts_attention import PottsAttention, zero_sum
from tsphys.numerics.autocorrelation import autocorrelation, autocovariance
from tsphys.numerics.random import stream
from tsphys.runs.frames import Replica
from tsphys.sims.engines.potts import masked
from tsphys.sims.engines.potts import sampler as potts

#: The first one of a run with seed 0.
REPLICA = Replica(0, 0, lambda fraction: None, None)


def couplings(N, C, seed=0, strength=1.0):
    """Symmetric J and U, at random."""
    rng = np.random.default_rng(seed)
    J, U = strength * rng.standard_normal((N, N)), rng.standard_normal((C, C))
    return np.triu(J, 1) + np.triu(J, 1).T, zero_sum(U + U.T)


def bound(count, level=1e-4):
    """|z| that the largest of `count` exceeds by chance with probability `level`."""
    return -special.ndtri(-np.expm1(np.log1p(-level) / count) / 2)


def test_normalised_couplings_have_the_strength_that_is_told():
    J = PottsAttention(beta=1.7, couplings="binary").draw(40, 3, 1)
    np.testing.assert_allclose((J**2).sum(axis=1), 1.7**2, rtol=1e-12)
    assert (J == J.T).all()
    J = PottsAttention(beta=1.7, inputs="uniform", symmetric=False).draw(400, 3, 1)
    # The mean of 400·399 squares has the relative standard error √(2/(400·399)) = 0.0035.
    assert (J**2).sum() / 400 == pytest.approx(1.7**2, rel=5 * 0.0035)
    assert abs(np.mean(J * J.T)) < 5 * 1.7**2 / 399 / 400
    assert not np.diagonal(J).any()


@pytest.mark.parametrize("order", potts.ORDERS)
@pytest.mark.parametrize("colours", ["potts", "random"])
def test_sampler_has_the_law_of_the_enumerated_states(order, colours):
    """All marginals and pair probabilities of N = 5, C = 3, each held against its own autocorrelation time."""
    N, C = 5, 3
    J, U = couplings(N, C, seed=1)
    if colours == "potts":
        U = np.eye(C)
    s, energies = potts.sample(J, U, chains=8, samples=8000, burn_in=50, order=order, seed=2, threads=1)
    all_states, weight = naive.law(J, U)
    one_hot, exact = np.eye(C)[s], np.eye(C)[all_states]
    z = []
    for i in range(N):
        for j in range(i + 1):
            for a in range(C):
                for b in range(a + 1 if i == j else C):
                    if i == j and a != b:
                        continue
                    found = one_hot[..., i, a] * one_hot[..., j, b]
                    p = weight @ (exact[:, i, a] * exact[:, j, b])
                    z.append((found.mean() - p) / np.sqrt(p * (1 - p) / autocorrelation(found).ess))
    H = np.array([naive.energy(J, U, x) for x in all_states])
    z.append((energies.mean() - weight @ H) / np.sqrt(weight @ (H - weight @ H) ** 2 / autocorrelation(energies).ess))
    assert len(z) == 3 * 5 + 9 * 10 + 1
    assert np.abs(z).max() < bound(len(z))


def test_sequences_are_independent_samples():
    """Pair probabilities of chains of their own, with the error of independent samples."""
    N, C, n = 4, 3, 20000
    J, U = couplings(N, C, seed=3, strength=0.3)
    s = np.eye(C)[potts.sequences(potts.couplings(J, U), n, 30, stream(5, 0, "test"))]
    all_states, weight = naive.law(J, U)
    exact = np.eye(C)[all_states]
    z = []
    for i in range(N):
        for j in range(i):
            p = np.einsum("n,na,nb->ab", weight, exact[:, i], exact[:, j])
            found = np.einsum("na,nb->ab", s[:, i], s[:, j]) / n
            z.append((found - p) / np.sqrt(p * (1 - p) / n))
    assert np.abs(z).max() < bound(np.size(z))


def test_two_colours_are_ising_spins():
    """On an open chain ⟨σ_i σ_j⟩ is the product of tanh(J/2) between: δ_ab = (1 + σσ')/2."""
    K = np.array([0.8, -1.2, 0.5, 1.6, -0.4])
    J = np.diag(K, 1) + np.diag(K, -1)
    s, _ = potts.sample(J, np.eye(2), chains=8, samples=5000, burn_in=50, seed=4, threads=1)
    spins = 2.0 * s - 1.0
    z = []
    for i in range(6):
        for j in range(i):
            mean = np.prod(np.tanh(K[j:i] / 2))
            found = spins[..., i] * spins[..., j]
            z.append((found.mean() - mean) / np.sqrt((1 - mean**2) / autocorrelation(found).ess))
    assert np.abs(z).max() < bound(len(z))


def test_fields_that_follow_are_fields_that_are_summed():
    N, C = 20, 4
    J, U = couplings(N, C, seed=5, strength=0.4)
    noise = stream(1, 0, "chain")
    chain = potts.Chain(potts.couplings(J, U), potts.start(N, C, noise), noise)
    kept, energies = chain.run(200, 2)
    moved = (kept[1:] != kept[:-1]).sum()
    assert moved > 500
    M = np.einsum("ij,ja->ai", J, np.eye(C)[chain.s])
    # A change adds a rounding of 1e-16 times the field, and the largest is a few units.
    np.testing.assert_allclose(chain.G, M, atol=5e-15 * np.sqrt(moved))
    for row in (0, 77, 199):
        assert energies[row] == pytest.approx(naive.energy(J, U, kept[row]), rel=1e-12, abs=1e-12)


def test_chains_do_not_depend_on_threads_or_on_their_number():
    J, U = couplings(6, 3)
    one, two, few = (potts.sample(J, U, chains=n, samples=20, seed=7, threads=t) for n, t in ((5, 1), (5, 2), (3, 1)))
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_array_equal(one[0][:3], few[0])
    assert len(np.unique(one[0][:, -1], axis=0)) > 2


def test_autocovariance_is_a_mean_over_pairs():
    x = np.random.default_rng(2).standard_normal((3, 7)) + 5.0
    y = x - x.mean()
    expected = [np.mean(y[:, : 7 - t] * y[:, t:]) for t in range(7)]
    np.testing.assert_allclose(autocovariance(x), expected, rtol=1e-10, atol=1e-14)


def test_autocorrelation_time_of_a_known_process():
    """x_t = φ x_{t−1} + noise has τ = (1 + φ)/(1 − φ); white noise has 1."""
    rng = np.random.default_rng(0)
    for phi in (0.0, 0.5, 0.9, -0.4):
        x = rng.standard_normal((4, 20000))
        for t in range(1, x.shape[1]):
            x[:, t] = phi * x[:, t - 1] + x[:, t]
        found = autocorrelation(x)
        # The stated error, and what the window leaves out.
        rest = 2 * abs(phi) ** (found.window + 1) / (1 - abs(phi))
        assert abs(found.tau - (1 + phi) / (1 - phi)) < 4 * found.error + rest
        assert found.ess == pytest.approx(x.size / found.tau)


def test_short_and_constant_series_have_no_autocorrelation_time():
    with pytest.raises(ConvergenceError, match="too short"):
        autocorrelation(np.cumsum(np.random.default_rng(1).standard_normal(500)))
    for series in (np.ones(100), np.full(7, np.nan), np.ones((2, 1)), "words", [[1.0], [1.0, 2.0]]):
        with pytest.raises(tsphys.ModelError, match="series"):
            autocorrelation(series)
    for name in ("width", "shortest"):
        with pytest.raises(tsphys.ModelError, match=name):
            autocorrelation(np.arange(100) % 7, **{name: np.nan})


def tensor(learner, x, N, C):
    """W (N, C, N, C) from the logits of sequences that differ in one colour."""
    W = np.zeros((N, C, N, C))
    rest = np.zeros((1, N), np.int8)
    base = learner.logits(x, learner.features(rest))[0]
    for j in range(N):
        for b in range(C):
            s = rest.copy()
            s[0, j] = b
            W[:, :, j, b] = (learner.logits(x, learner.features(s))[0] - base).T
    return W - W.mean(axis=3, keepdims=True)


@pytest.mark.parametrize("loss", ["cross_entropy", "square"])
@pytest.mark.parametrize("learn", masked.LEARNERS)
def test_loss_and_gradient(learn, loss):
    """The loss by loops over sequences and sites, its gradient by numerical differentiation."""
    N, C, n, ridge = 5, 3, 7, 0.7
    rng = np.random.default_rng(8)
    U = couplings(N, C)[1]
    learner = masked.LEARNERS[learn](U)
    s, y = rng.integers(0, C, (2, n, N)).astype(np.int8)
    x = rng.standard_normal(learner.size(N))
    # The diagonal is no parameter.
    flat = learner.pull(x, learner.features(s), rng.standard_normal((n, C, N)))
    x[flat == 0] = 0.0
    value = masked.objective(learner, loss, ridge, learner.features(s), np.moveaxis(np.eye(C)[y], -1, 1))
    W = tensor(learner, x, N, C)
    expected = naive.loss(loss, W, s, y) + 0.5 * ridge * (N - 1) * np.sum(W**2) / np.sum(U**2)
    if learn == "factored":
        V = zero_sum(x[-C * C :].reshape(C, C))
        expected += n * N * 0.5 * (np.sum(V**2) / np.sum(U**2) - 1) ** 2
    assert value(x)[0] == pytest.approx(expected, rel=1e-11)
    slope = value(x)[1]
    for _ in range(6):
        v = rng.standard_normal(x.size) * (flat != 0)
        h = 1e-4
        steps = [(value(x + k * h * v)[0] - value(x - k * h * v)[0]) / (2 * k * h) for k in (1, 2)]
        # Fourth order; the next term is of order h⁴ = 1e-16 times a fifth derivative, rounding 1e-16/h times the value.
        numerical = (4 * steps[0] - steps[1]) / 3
        assert slope @ v == pytest.approx(numerical, rel=1e-8, abs=1e-9 * abs(expected))
    J = couplings(N, C)[0]
    assert np.sum(learner.couplings(x, N) * J) == pytest.approx(
        np.einsum("iajb,ij,ab->", W, J, U) / np.sum(U**2), rel=1e-11
    )


def test_attention_with_the_couplings_is_the_conditional():
    N, C = 6, 3
    J, U = couplings(N, C, seed=2)
    learner = masked.Positions(U)
    s = np.random.default_rng(3).integers(0, C, (4, N))
    z = learner.logits(np.sqrt(N - 1) * J.ravel(), learner.features(s))
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    for mu in range(4):
        for i in range(N):
            np.testing.assert_allclose(p[mu, :, i], naive.conditional(J, U, s[mu], i), rtol=1e-12)


@pytest.mark.parametrize("inputs", each(["potts", "uniform"], fast=["potts"]))
def test_couplings_are_recovered_at_the_rate_of_fisher(inputs):
    """E‖A − J‖² = Σ_i tr F_i⁻¹/n for the maximum of the pseudo-likelihood, F by enumeration."""
    N, C, replicas = 4, 3, 60
    J, _ = couplings(N, C, seed=9, strength=0.7)
    U = zero_sum(np.eye(C))
    alpha = np.array([150.0, 600.0])
    model = PottsAttention(C=C, couplings="given", J=J, inputs=inputs, ridge=0.0)
    sim = tsphys.simulate(model, alpha=alpha, replicas=replicas, burn_in=20, n_test=10, seed=1, threads=1)
    s, weight = naive.law(J if inputs == "potts" else 0 * J, U)
    F = [naive.fisher(J, U, i, s, weight) for i in range(N)]
    n = alpha * (N - 1)
    expected = sum(np.trace(np.linalg.inv(f)) for f in F) / n / np.sum(J**2)
    error, spread = sim.mean("error"), sim.sem("error")
    # The next order is 1/n relative to the first, with a factor of order ten at these couplings.
    assert (np.abs(error - expected) < 4 * spread + 10 / n * expected).all()
    assert (spread / expected < 0.1).all()


@pytest.mark.parametrize("learn, lr", [("positions", 4.0), ("tensor", 4.0), ("factored", 6.0)])
def test_descent_on_the_whole_training_set_ends_at_the_minimum(learn, lr, monkeypatch):
    from tsphys.sims import potts_attention as sims

    # A gradient of 1e-6 at the minimum would leave 1e-5 of R.
    monkeypatch.setattr(sims, "TOLERANCE", 1e-8)
    model = PottsAttention(alpha=2.0, ridge=0.5, lr=lr, minibatch=22, learn=learn)
    options = {"N": 12, "seed": 4, "burn_in": 20, "n_test": 50, "threads": 1}
    minimum, path = tsphys.simulate(model, **options), tsphys.simulate(model, t=[0, 1, 60], **options)
    for name in ("test_loss", "train_loss", "Q", "R", "error", "accuracy"):
        assert path[name][0, -1] == pytest.approx(minimum[name][0, 0], rel=5e-6), name
    if learn != "factored":
        assert path["test_loss"][0, 0] == pytest.approx(np.log(3), rel=1e-12)
    assert path["train_loss"][0, 0] > minimum["train_loss"][0, 0] + 0.05


@pytest.mark.parametrize("alpha, several", [(0.5, True), (2.0, False)])
def test_minima_of_a_learned_V(alpha, several):
    """From six starts; few sequences leave more than one minimum."""
    from tsphys.sims import potts_attention as sims

    model = PottsAttention(learn="factored", alpha=alpha, ridge=0.3)
    trial = sims.Trial(model, sims.Options(N=20, n_test=5, burn_in=20), REPLICA)
    s, y, _ = trial.training(round(alpha * 19))
    learner, X, target = trial.learner, trial.learner.features(s), masked.one_hot(y, 3) + 1 / 3
    value = masked.objective(learner, model.loss, model.ridge, X, target)
    starts = [learner.start(20, np.random.default_rng(k)) for k in range(6)]
    found = [value(sims.minimum(learner, model.loss, model.ridge, X, target, x))[0] for x in starts]
    assert (max(found) > 1.01 * min(found)) == several
    # A gradient of 1e-6 leaves the square of that, over the smallest curvature.
    assert several or max(found) == pytest.approx(min(found), rel=1e-9)


def test_minibatches_and_fresh_sequences_learn():
    model = PottsAttention(ridge=0.0, alpha=None, minibatch=4, lr=1.0)
    fresh = tsphys.simulate(model, N=15, t=[0, 2, 40], burn_in=20, n_test=200, seed=1, threads=1)
    assert (np.diff(fresh["excess"][0]) < 0).all()
    assert fresh["error"][0, -1] < 0.1
    assert "train_loss" not in fresh
    own = dataclasses.replace(model, learn="factored")
    assert tsphys.simulate(own, N=15, t=[40], burn_in=20, n_test=200, seed=1, threads=1)["error"][0, 0] < 0.2


@pytest.mark.parametrize("learn", masked.LEARNERS)
def test_descent_that_is_too_fast_is_told(learn):
    model = PottsAttention(ridge=0.0, alpha=None, loss="square", lr=100.0, learn=learn)
    with pytest.raises(tsphys.DivergedError, match="lr too large"):
        tsphys.simulate(model, N=10, t=[0, 50], burn_in=2, n_test=5, threads=1)


def test_what_is_known_of_the_structure_helps():
    """A known V needs fewest sequences, a matrix a pair most; a learned V is as good as a known one once n is large."""
    options = {"N": 20, "alpha": [8.0], "replicas": 6, "burn_in": 20, "n_test": 200, "threads": 1}
    known, both, none = (
        tsphys.simulate(PottsAttention(learn=learn, ridge=0.3), **options).mean("excess")[0]
        for learn in ("positions", "factored", "tensor")
    )
    assert known <= both * 1.02 < none
    assert both < 1.1 * known


def test_observables_are_what_they_say():
    """From the kept couplings, and from the loss over loops with the exact conditional."""
    model = PottsAttention(alpha=2.0, ridge=0.2, beta=1.3)
    sim = tsphys.simulate(model, N=10, keep_couplings=True, burn_in=20, n_test=50, seed=3, threads=1)
    J, A = sim["J"][0, 0], sim["learned"][0, 0]
    rho = np.sum(J**2) / 10
    assert sim["Q"][0, 0] == pytest.approx(np.sum(A**2) / 10)
    assert sim["R"][0, 0] == pytest.approx(np.sum(A * J) / 10)
    assert sim["error"][0, 0] == pytest.approx(np.sum((A - J) ** 2) / 10 / rho)
    s = potts.sequences(potts.couplings(J, model.colour_matrix()), 50, 20, stream(3, 0, "test"))
    p, z = (np.array([[naive.row(X, np.eye(3), x, i) for i in range(10)] for x in s]) for X in (J, A))
    assert sim["test_loss"][0, 0] == pytest.approx(-np.sum(p * np.log(z), axis=2).mean())
    assert sim["excess"][0, 0] == pytest.approx(np.sum(p * np.log(p / z), axis=2).mean())
    right = np.take_along_axis(p, z.argmax(axis=2)[..., None], axis=2)
    assert sim["accuracy"][0, 0] == pytest.approx(right.mean())


@pytest.mark.parametrize("options", [{"alpha": [0.5, 1.0]}, {"t": [1, 2]}])
def test_threads_do_not_change_a_bit(options):
    options = {"N": 12, "replicas": 3, "burn_in": 5, "n_test": 20, "seed": 2, **options}
    one, two = (tsphys.simulate(PottsAttention(), threads=n, **options) for n in (1, 2))
    for name in one.observables:
        np.testing.assert_array_equal(one[name], two[name])
    assert len(np.unique(one["Q"])) == 6


def test_larger_sets_begin_with_the_smaller_ones():
    options = {"N": 12, "burn_in": 5, "n_test": 20, "threads": 1}
    a = tsphys.simulate(PottsAttention(), alpha=[0.5, 2.0], **options)
    b = tsphys.simulate(PottsAttention(), ridge=[0.1, 0.2], alpha=2.0, **options)
    assert a["test_loss"][0, 1] == pytest.approx(b["test_loss"][0, 0], rel=1e-12)
    alone = tsphys.simulate(PottsAttention(), alpha=0.5, **options)
    assert a["test_loss"][0, 0] == pytest.approx(alone["test_loss"][0, 0], rel=1e-12)


def test_separable_data_have_no_minimum_without_a_ridge():
    with pytest.raises(tsphys.ConvergenceError):
        tsphys.simulate(PottsAttention(ridge=0.0, beta=2.9, alpha=0.2), N=20, burn_in=5, n_test=10)


SMALL = {"N": 8, "burn_in": 2, "n_test": 5}
BAD = {
    "one colour": (lambda: PottsAttention(C=1), "C"),
    "beta negative": (lambda: PottsAttention(beta=-1), "beta"),
    "unknown law": (lambda: PottsAttention(couplings="sparse"), "couplings"),
    "J without its law": (lambda: PottsAttention(J=np.zeros((3, 3))), "J"),
    "law without J": (lambda: PottsAttention(couplings="given"), "J"),
    "J asymmetric": (lambda: PottsAttention(couplings="given", J=[[0, 1], [2, 0]]), "J"),
    "J with a diagonal": (lambda: PottsAttention(couplings="given", J=np.eye(3)), "J"),
    "J flat": (lambda: PottsAttention(couplings="given", J=[0.0, 1.0]), "J"),
    "U of another size": (lambda: PottsAttention(colours="given", U=np.eye(2)), "U"),
    "U asymmetric": (lambda: PottsAttention(C=2, colours="given", U=[[1, 2], [0, 1]]), "U"),
    "U without effect": (lambda: PottsAttention(C=2, colours="given", U=np.ones((2, 2))), "U"),
    "Hamiltonian asymmetric": (lambda: PottsAttention(symmetric=False), "symmetric"),
    "ridge of fresh sequences": (lambda: PottsAttention(alpha=None), "ridge"),
    "alpha = 0": (lambda: PottsAttention(alpha=0), "alpha"),
    "lr = 0": (lambda: PottsAttention(lr=0), "lr"),
    "N of another J": (
        lambda: tsphys.simulate(PottsAttention(couplings="given", J=[[0, 1], [1, 0]]), N=5, alpha=5.0), "N",
    ),
    "no sequence": (lambda: tsphys.simulate(PottsAttention(), **SMALL, alpha=0.01), "alpha"),
    "two axes": (lambda: tsphys.simulate(PottsAttention(), **SMALL, alpha=[1, 2], t=[1]), "axis"),
    "fresh without t": (lambda: tsphys.simulate(PottsAttention(alpha=None, ridge=0), **SMALL), "t"),
    "minibatch beyond the set": (lambda: tsphys.simulate(PottsAttention(minibatch=9), **SMALL, t=[1]), "minibatch"),
    "unknown order": (lambda: tsphys.simulate(PottsAttention(), **SMALL, order="typewriter"), "order"),
    "beta of given couplings": (
        lambda: tsphys.simulate(PottsAttention(couplings="given", J=[[0, 1], [1, 0]]), beta=[1, 2], alpha=5.0), "beta",
    ),
    "too large": (lambda: tsphys.simulate(PottsAttention(), N=10**6), "N"),
    "no axis t for a theory": (lambda: tsphys.solve(PottsAttention(), t=[1]), "t"),
    "theory of a learned V": (lambda: tsphys.solve(PottsAttention(learn="factored")), "learn"),
    "theory of given couplings": (
        lambda: tsphys.solve(PottsAttention(couplings="given", J=[[0, 1], [1, 0]])), "couplings",
    ),
    "theory of fresh sequences": (lambda: tsphys.solve(PottsAttention(alpha=None, ridge=0)), "alpha"),
    "theory of a glass": (lambda: tsphys.solve(PottsAttention(beta=3.0)), "beta"),
    "theory of clocks that interact": (lambda: tsphys.solve(PottsAttention(C=4, colours="clock")), "colours"),
    "no strength": (lambda: PottsAttention(beta=0), "beta"),
    "J without couplings": (lambda: PottsAttention(couplings="given", J=np.zeros((3, 3))), "J"),
    "sample of no Hamiltonian": (lambda: potts.sample([[0, 1], [0, 0]], np.eye(2)), "J"),
    "sample without chains": (lambda: potts.sample([[0, 1], [1, 0]], np.eye(2), chains=0), "chains"),
    "sample on what is not there": (lambda: potts.sample([[0, 1], [1, 0]], np.eye(2), engine="tpu"), "engine"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_calls_raise_one_clear_line(case):
    refuses(*BAD[case])


@pytest.mark.parametrize(
    "arguments, code, word",
    [
        (["simulate", "potts_attention", "-N", "8", "-r", "1", "--n-test", "5", "--alpha", "1,2"], 0, "excess"),
        (["solve", "potts_attention", "--alpha", "1:3:2", "-o", "theory.npz"], 0, "excess"),
        (["simulate", "potts_attention", "-C", "1"], 2, "C = 1"),
        (["solve", "potts_attention", "--beta", "4"], 2, "beta = 4"),
        (
            ["simulate", "potts_attention", "-N", "20", "--ridge", "0", "-b", "2.9", "-a", "0.2", "-r", "1"],
            1,
            "minimum",
        ),
    ],
)
def test_command_line(arguments, code, word, tmp_path, monkeypatch, capsys):
    from tsphys.cli import main

    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    out, err = capsys.readouterr()
    assert caught.value.code == code, err
    assert word in (out if code == 0 else err)
    assert code == 0 or err.strip().count("\n") == 0
