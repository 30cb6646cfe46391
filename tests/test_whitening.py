"""The first layer of linear nets: published numbers, the closed form of one run, laws, and sampled spectra."""

import numpy as np
import pytest

import tsphys
from tests.refusal import refuses
from tests.wide import each
from tsphys import Whitening
from tsphys.odes.whitening import learned, profile
from tsphys.sims.engines.gradient import TwoLayer, descend
from tsphys.sims.whitening import covariance, examples, readouts, trained

PATCHES = Whitening(d=5, n=40, F=7, patches=3, correlation=0.4, pooling=0.3, teacher=0.5, start=0.2, readout=0.8)


def hessian(model, X, A):
    """Eigenvalues and vectors of (G^½ ⊗ 1) Ĉ (G^½ ⊗ 1), and G^½."""
    values, vectors = np.linalg.eigh(A @ A.T)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    mixed = np.einsum("pq,nqd->npd", root, X).reshape(len(X), -1)
    return *np.linalg.eigh(mixed.T @ mixed / len(X)), root


def test_published_numbers():
    model = Whitening(d=3, n=100, start=0, lr=0.1)
    found = profile(model, [1, 0.25, 0.04], [20, 10**5])
    np.testing.assert_allclose(found, [[0.00771628, 0.00631428, 0.00148347], [0.01, 0.04, 0.25]], atol=1e-8)


@pytest.mark.parametrize("model", [Whitening(d=6, n=50, F=4), PATCHES, Whitening(d=4, n=5, F=3, patches=2, lr=0.1)])
def test_one_run_is_the_closed_form(model):
    """W(t) of the network on its own examples, by their eigenvectors: to rounding over 1000 steps."""
    rng = np.random.default_rng(0)
    X, A = examples(model, rng), readouts(model, rng)
    np.testing.assert_allclose(A @ A.T, model.gram(), atol=1e-12)
    again = np.random.default_rng(1)
    teacher = A @ (model.teacher * again.standard_normal((model.F, model.d)))
    y = np.einsum("npd,pd->n", X, teacher) + model.noise * again.standard_normal(model.n)
    W0 = model.start * again.standard_normal(model.F * model.d).reshape(model.F, model.d)
    values, vectors, root = hessian(model, X, A)
    pull = np.einsum("n,npd->pd", y - np.einsum("pf,fd,npd->n", A, W0, X), X) / model.n
    steps = [1, 30, 1000]
    for t, W in zip(steps, trained(model, X, covariance(X), A, np.random.default_rng(1), np.array(steps)), strict=True):
        # Σ_s (1 − ηH)^s of t steps; t η where H has no slope.
        with np.errstate(divide="ignore", invalid="ignore"):
            sums = np.where(values > 1e-10, (1 - (1 - model.lr * values) ** t) / values, model.lr * t)
        x = vectors @ (sums * (vectors.T @ (root @ pull).ravel()))
        u = np.linalg.solve(root, x.reshape(model.patches, model.d))
        np.testing.assert_allclose(W, W0 + A.T @ u, atol=1e-10)


@pytest.mark.parametrize("teacher", each([0.0, 0.5], fast=[0.5]))
def test_nets_on_given_examples(teacher):
    """Energies in the components of the examples, the mean of 40 draws of labels: of each, χ² of at most 40 degrees."""
    model, t = Whitening(teacher=teacher), np.array([10, 100, 1000, 20_000])
    rng = np.random.default_rng(2)
    X, A = examples(model, rng), readouts(model, rng)
    variances, vectors, _ = hessian(model, X, A)
    draws = [
        [np.sum((W @ vectors) ** 2, axis=0) for W in trained(model, X, covariance(X), A, rng, t)] for _ in range(40)
    ]
    ratio = np.mean(draws, axis=0) / profile(model, variances / model.readout, t)
    assert np.abs(ratio - 1).max() < 4.5 * np.sqrt(2 / 40)
    assert np.abs(ratio.mean(axis=1) - 1).max() < 4 * np.sqrt(2 / 40 / model.d)


def test_random_labels_whiten():
    """The energy learned is ∝ λt² at first, ∝ 1/λ at last."""
    model = Whitening(start=0)
    log = np.log(model.variances())
    early, later, late = profile(model, model.variances(), [1, 2, 10**5])
    np.testing.assert_allclose(np.diff(np.log(early)) / np.diff(log), 1, atol=1e-12)
    # (1 − m) is 2ηλ to first order.
    np.testing.assert_allclose(later / early, 4, rtol=2 * model.lr)
    np.testing.assert_allclose(np.diff(np.log(late)) / np.diff(log), -1, atol=1e-9)


def test_small_steps_are_a_flow():
    slow = Whitening(lr=1e-5, teacher=0.3)
    s, t = slow.variances(), 10**6
    gone = 1 - np.exp(-slow.lr * t * s)
    expected = (0.3**2 + 0.05**2 + 1 / (400 * s)) * gone**2 - 2 * 0.05**2 * gone
    np.testing.assert_allclose(learned(slow, s, t), expected, rtol=10 * slow.lr)


@pytest.mark.parametrize("model", [
    Whitening(n=48, teacher=0.2), PATCHES, Whitening(n=12, F=4), Whitening(d=24, n=24),
    Whitening(patches=4, pooling=1, n=60, lr=0.1), Whitening(exponent=0, d=5, patches=2),
])  # fmt: skip
def test_averages_over_examples(model):
    """Against 100 sampled matrices: to four errors and the order 1/n that is left, 2/n of what is learned."""
    t, rng, rows = [1, 10, 100, 1000], np.random.default_rng(3), []
    for _ in range(100):
        values, vectors, _ = hessian(model, examples(model, rng), readouts(model, rng))
        there = values > 1e-10 * values.max()
        f = np.array([learned(model, np.where(there, values, 1.0), step) * there for step in t])
        rows.append((f @ (vectors**2).T).reshape(len(t), model.patches, model.d).sum(axis=1))
    energy = tsphys.solve(model, t=t)["energy"] - model.F * model.start**2
    error = np.std(rows, axis=0) / 10
    assert (np.abs(np.mean(rows, axis=0) - energy) < 4.5 * error + 2 / model.n * np.abs(energy).max()).all()


@pytest.mark.parametrize("n", [12, 30, 400])
def test_steps_close_to_the_largest(n):
    """Averages at late times do not depend on the step, up to where steps diverge, at 2 over the largest curvature."""
    bound = 2 / float(Whitening(n=n, lr=1e-3).data().z(np.array(Whitening(n=n, lr=1e-3).data().edges()[1])))
    late = [tsphys.solve(Whitening(n=n, lr=share * bound), t=[10**6])["energy"][0] for share in (0.5, 0.95, 0.999)]
    for found in late[1:]:
        np.testing.assert_allclose(found, late[0], rtol=1e-6)
    # Modes at the upper edge go to and fro, with signs that this average has.
    slow, fast = (tsphys.solve(Whitening(n=n, lr=share * bound), t=[200])["power"][0] for share in (0.9, 0.99))
    assert 0.9 < fast / slow < 1.5


def test_averages_in_parts_are_the_same(monkeypatch):
    """Of many components few nodes at once, so that none take more memory than others."""
    whole = tsphys.solve(Whitening(n=48), t=[30])["energy"]
    monkeypatch.setattr("tsphys.physics.flows.resolvents.ROOM", 500)
    np.testing.assert_allclose(tsphys.solve(Whitening(n=48), t=[30])["energy"], whole, rtol=1e-12)


def test_few_examples_whiten_more():
    """⟨1/λ̂⟩ = 1/(λ(1 − d/n)); that of finite samples, 1/(λ(1 − (d + 1)/n)), in simulation."""
    model = Whitening(n=48, start=0, exponent=1.0, F=4, lr=0.5)
    found = tsphys.solve(model, t=[10**5])["energy"][0]
    np.testing.assert_allclose(found * model.variances() * (48 - 24), 1, rtol=1e-7)
    sim = tsphys.simulate(model, t=[10**4], replicas=16, draws=16, seed=1)
    z = (sim.mean("power") - 24 / (48 - 24 - 1)) / sim.sem("power")
    assert np.abs(z) < 4


@pytest.mark.parametrize("model", [Whitening(F=8), Whitening(F=8, teacher=0.5, n=100), PATCHES])
def test_simulation_on_theory(model):
    t = [0, 10, 300]
    sim = tsphys.simulate(model, t=t, replicas=12, draws=16, seed=2)
    found = tsphys.compare(sim, tsphys.solve(model, t=t))
    assert found.ok, found


def test_progress_does_not_go_back():
    told = []
    tsphys.simulate(Whitening(n=20), t=[0, 10, 5000], draws=3, replicas=1, threads=1, progress=told.append)
    assert np.all(np.diff(told) >= 0)
    assert told[-1] == 1


def test_readouts_that_learn_change_little():
    """At a_f = ±√(A/F) and rates 1/F of the filters', in NTK parametrisation: O(F^(−1/2)), but for w0²/A of the kernel.

    At equal rates it is not so: the readouts' share of the kernel, F w0²/A, grows with F.
    """
    model, off = Whitening(d=6, n=60, noise=0.5), []
    for F, rate in ((1000, 1 / 1000), (1000, 1.0)):
        rng = np.random.default_rng(4)
        X = examples(model, rng)[:, 0]
        y = X @ rng.standard_normal(6) + 0.5 * rng.standard_normal(60)
        W, a = 0.05 * rng.standard_normal((F, 6)), rng.choice([-1.0, 1.0], F) / np.sqrt(F)
        ends = []
        for rates in ((1.0, 0.0), (1.0, rate)):
            net = TwoLayer(X, y, F, rates=rates)
            (w,) = descend(net, net.pack(W, a), np.array([100]), 0.1)
            ends.append(np.sum((net.layers(w)[0] - W) ** 2, axis=0))
        off.append(np.abs(ends[1] / ends[0] - 1).max())
    assert off[0] < 2 / np.sqrt(1000)
    assert off[1] > 0.5


def test_refusals():
    with pytest.raises(tsphys.ModelError, match=r"lr = 2\.0: must be < 1\.\d+, 2 over the largest curvature"):
        Whitening(lr=2)
    refuses(lambda: Whitening(F=2, patches=3), "F")
    refuses(lambda: Whitening(correlation=1), "correlation")
    refuses(lambda: tsphys.solve(Whitening(), t=[0.5]), "t")
    refuses(lambda: profile(Whitening(), [1.0, -0.5], [1]), "variances")
    # Where examples have no variance weights stay as they are.
    assert profile(Whitening(F=2, start=0.5), [1.0, 0.0], [0, 1000])[:, 1] == pytest.approx(0.5)
    refuses(lambda: tsphys.simulate(Whitening(n=10**12), t=[1]), "n")
