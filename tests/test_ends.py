"""Parameters of static models at their ends, where the right value is known: nothing seen, no noise, only noise."""

import numpy as np
import pytest
from scipy import integrate
from scipy.special import expit

import tsphys
from tests.refusal import refuses
from tsphys import GLM, DenseHebbian, Hopfield, KernelRidge, MemoryReconstruction, PottsAttention, RandomFeatures
from tsphys.replica import potts_attention as theory
from tsphys.replica.saddles import classes


def values(model):
    found = tsphys.solve(model)
    return {k: float(found[k][0]) for k in found.observables}


def has(model, rel=1e-9, floor=1e-12, **expected):
    found = values(model)
    assert {k: found[k] for k in expected} == pytest.approx(expected, rel=rel, abs=floor)


def alike(one, other):
    assert values(one) == pytest.approx(values(other), rel=1e-9, abs=1e-12)


def test_kernel_ridge():
    """The target has the norm 1; errors are linear in the variance of the labels' noise."""
    has(KernelRidge(ridge=1e100), eps_g=0.5, train_loss=0.5)
    for least in (5e-324, 1e-300, 1e-250):
        alike(KernelRidge(ridge=least), KernelRidge(ridge=0.0))
        alike(KernelRidge(ridge=least, k=37), KernelRidge(ridge=0.0, k=37))
    alike(KernelRidge(k=2**63 - 1), KernelRidge())
    has(KernelRidge(n=2**63 - 1, ridge=0.0), eps_g=0.0, train_loss=0.0)
    slope = values(KernelRidge(noise=1.0))["eps_g"] - values(KernelRidge())["eps_g"]
    has(KernelRidge(noise=1e100), eps_g=slope * 1e200)
    has(KernelRidge(decay=1e308, target_decay=1e308, ridge=0.0), eps_g=0.0)
    for far in ({"noise": 1e308}, {"ridge": 1e101}, {"eigenvalues": [1e-200, 1e-300], "target": [1.0, 1.0]}):
        with pytest.raises(tsphys.ModelError):
            KernelRidge(**far)


def test_random_features():
    for blind in ({"ridge": 1e100}, {"width": 1e-100}, {"alpha": 1e-100}):
        has(RandomFeatures(**blind), eps_g=0.5, m=0.0, q=0.0)
    for least in (5e-324, 1e-300):
        alike(RandomFeatures(ridge=least), RandomFeatures(ridge=0.0))
    slope = values(RandomFeatures(noise=1.0))["eps_g"] - values(RandomFeatures())["eps_g"]
    has(RandomFeatures(noise=1e100), eps_g=slope * 1e200)
    # No more examples help: what is left is what features cannot say, the same for all of them.
    has(RandomFeatures(alpha=1e100), **values(RandomFeatures(alpha=1e100, ridge=0.0)))
    logistic = {"teacher": "sign", "loss": "logistic"}
    has(RandomFeatures(ridge=1e100, **logistic), m=0.0, train_loss=np.log(2))
    refuses(lambda: RandomFeatures(ridge=1e-13, **logistic), "ridge")
    refuses(lambda: tsphys.solve(RandomFeatures(alpha=1e-100, **logistic)), "width")


@pytest.mark.parametrize("estimator", ["ridge", "logistic", "hinge"])
def test_glm_risks(estimator):
    """A weight of order 1/λ learns y x by its mean: the overlap √(2α/π)/√(1 + 2α/π) of Hebb's rule at any loss."""
    hebb = np.sqrt(4 / np.pi / (1 + 4 / np.pi))
    has(
        GLM(estimator=estimator, regularization=1e100),
        m=0.0,
        q=0.0,
        mse=1.0,
        overlap=hebb,
        eps_g=np.arccos(hebb) / np.pi,
    )
    has(GLM(estimator=estimator, alpha=1e-100), m=0.0, q=0.0, mse=1.0, eps_g=0.5)
    has(GLM(estimator=estimator, noise=1e16), floor=1e-7, m=0.0, overlap=0.0, eps_g=0.5)
    most = 1e6 if estimator == "hinge" else 1e100
    has(GLM(estimator=estimator, alpha=most), rel=1e-5, floor=1e-3, overlap=1.0, eps_g=0.0)
    if estimator == "hinge":
        refuses(lambda: tsphys.solve(GLM(estimator=estimator, alpha=2 * most)), "alpha")


def test_glm_margin_and_bayes():
    """The margin without a ridge: hinge at a small one; at small loads it is 1/√α, and the overlap √(2α/π)."""
    has(GLM(estimator="hinge", regularization=1e-12), overlap=values(GLM(estimator="max_margin"))["overlap"])
    has(GLM(estimator="max_margin", alpha=1e-100), margin=1e50, overlap=np.sqrt(2e-100 / np.pi))
    for blind in (
        {"alpha": 1e-100, "prior": "gauss_bernoulli", "density": 1e-12},
        {"noise": 1e16, "prior": "rademacher"},
    ):
        has(GLM(**blind), mse=1.0, eps_g=0.5)
    # Below 1e-100 noise is none, in every channel.
    for channel in ("sign", "linear"):
        alike(GLM(channel=channel, noise=5e-324, alpha=0.4), GLM(channel=channel, alpha=0.4))
    # A channel that gives one label: its average is that label, and nothing is learned.
    has(GLM(channel="threshold", edge=25.0), mse=1.0, eps_g=0.0)
    for edge in (1e-300, 43.0):
        refuses(lambda: GLM(channel="threshold", edge=edge, noise=1.0), "edge")  # noqa: B023


def test_memory_reconstruction():
    has(MemoryReconstruction(noise=1e-3), mse=0.0, overlap=1.0, mse_pca=1e-6)
    has(MemoryReconstruction(noise=1e3), mse=1.0, overlap=0.0, overlap_pca=0.0)
    alike(MemoryReconstruction(channel="rectified", threshold=-1e100), MemoryReconstruction())
    for kind in ("sparse", "tsodyks", "gauss"):
        has(MemoryReconstruction(patterns=kind, rho=1e-12), floor=1e-20, mse=1e-12, overlap=0.0)
    for unseen in ({"channel": "rectified", "threshold": 1e100}, {"channel": "diluted", "connectivity": 1e-12}):
        with pytest.raises(tsphys.ModelError, match="no signal"):
            tsphys.solve(MemoryReconstruction(**unseen))
    sim = tsphys.simulate(MemoryReconstruction(patterns="sparse", rho=1e-12), N=20, threads=1)
    assert (sim["mse"] < 1e-12).all()
    assert (sim["overlap_pca"] == 0).all()


def test_networks_at_ends_of_load_and_temperature():
    for model in (Hopfield, DenseHebbian):
        for least in ({"alpha": 5e-324}, {"alpha": 5e-324, "T": 5e-324}, {"alpha": 0.0, "T": 1e-300}):
            has(model(**least), m=1.0, q=1.0, entropy=0.0)
    m = values(Hopfield(alpha=0.0, T=0.5))["m"]
    assert m == pytest.approx(np.tanh(m / 0.5), abs=1e-12)
    for T in (1.0, 1e308):
        with pytest.raises(tsphys.ModelError, match="must be < 1 for retrieval"):
            tsphys.solve(Hopfield(alpha=0.0, T=T))
    # Close to the transition m² = 3(1 − T).
    has(Hopfield(alpha=0.0, T=1 - 1e-9), rel=1e-3, m=np.sqrt(3e-9))
    for f in (1e-100, 1 - 1e-16):
        sim = tsphys.simulate(Hopfield(activity=f), N=30, sweeps=2, equilibration=1, threads=1)
        assert all(np.isfinite(sim[k]).all() for k in sim.observables)


def test_examples_at_ends_of_quality_and_number():
    for storage in ("supervised", "unsupervised"):
        # The more examples, the closer to the archetypes themselves.
        for M in (10**9, 2**63 - 1):
            has(DenseHebbian(storage=storage, r=0.5, M=M), rel=1e-6, **values(DenseHebbian()))
        for r in (1e-320, 1e-160, 1e-103):
            refuses(lambda: tsphys.solve(DenseHebbian(storage=storage, r=r, M=3)), "P")  # noqa: B023


def test_softmax_of_noisy_logits():
    """Two labels against quadrature of the logistic function, more against Gauss–Hermite nodes at little noise."""
    B = classes.colour_basis(PottsAttention(C=2).colour_matrix())
    apart = float(B[0, 0] - B[1, 0])
    for mean, variance in ((0.7, 0.0), (-3.0, 4.0), (2.0, 900.0), (0.3, 1e12)):
        Z, slope = classes.teacher_of_equals(B, np.array([[mean]]), variance, 0)
        width = np.sqrt(variance) * abs(apart)
        zero = -mean * apart / width if width else 0.0
        turn = [x for x in (zero - 30 / width, zero, zero + 30 / width) if abs(x) < 12] if width else None
        for got, f in ((Z[0], expit), (slope[0, 0] / apart, lambda x: expit(x) * expit(-x))):
            average = lambda u: np.exp(-u * u / 2) / np.sqrt(2 * np.pi) * f(mean * apart + width * u)  # noqa: B023, E731
            expected = integrate.quad(average, -12, 12, epsabs=1e-13, limit=500, points=turn)[0]
            assert got == pytest.approx(expected, rel=1e-9, abs=1e-11)
    mean = 3 * np.random.default_rng(0).standard_normal((5, 3))
    B = classes.colour_basis(PottsAttention(C=4).colour_matrix())
    Z, slope = classes.teacher_of_equals(B, mean, 0.3, 1)
    Z0, slope0 = classes.teacher(B, mean, 0.3, 1)
    np.testing.assert_allclose(Z, Z0[:, 1], atol=1e-10)
    np.testing.assert_allclose(slope, slope0, atol=1e-10)


def test_attention_at_ends_of_strength_and_ridge(monkeypatch):
    strong = {"inputs": "uniform"}
    one, other = (values(PottsAttention(beta=b, **strong)) for b in (1e6, 1e8))
    for name in ("test_loss", "train_loss", "accuracy", "Q"):
        # Labels are as good as certain: with what is left of chance, 1/β, they cease to change.
        assert one[name] == pytest.approx(other[name], rel=1e-3)
    sim = tsphys.simulate(PottsAttention(beta=1e8, **strong), N=30, replicas=3, seed=1, threads=1)
    assert abs(sim.mean("accuracy")[0] - other["accuracy"]) < 5 * sim.sem("accuracy")[0] + 1 / 30
    monkeypatch.setattr(theory, "MOST_OFF", 1e-11)
    with pytest.raises(tsphys.ConvergenceError, match="averages"):
        tsphys.solve(PottsAttention(beta=1e6, **strong))
    monkeypatch.undo()
    for loss, blind in (("cross_entropy", np.log(3)), ("square", 1 / 3)):
        model = PottsAttention(loss=loss, ridge=1e100)
        has(model, rel=1e-7, Q=0.0, error=1.0, test_loss=blind, train_loss=blind)
        sim = tsphys.simulate(model, N=10, threads=1)
        np.testing.assert_allclose([sim[k][0, 0] for k in ("Q", "error", "test_loss")], [0, 1, blind], atol=1e-12)
    for beta in (1e-100, 1e-3):
        has(PottsAttention(beta=beta), rel=1e-5, Q=values(PottsAttention(beta=1e-6))["Q"], accuracy=1 / 3)
    for far in ({"beta": 1e-320}, {"beta": 1e9}, {"ridge": 1e300}, {"alpha": 1e300}):
        refuses(lambda: PottsAttention(**far), next(iter(far)))  # noqa: B023


def test_cosines_of_many_tasks_with_a_common_one_need_no_eigenvalues():
    """Of S tasks the least is min(1 − c, 1 + (S − 1) c), which the matrix itself has."""
    from tsphys.physics.similarity import cosines

    for S, c in ((2, -1.0), (3, -0.5), (5, 0.3), (4, -0.3)):
        assert np.linalg.eigvalsh(cosines("similarity", c, None, S))[0] == pytest.approx(min(1 - c, 1 + (S - 1) * c))
    for S, c in ((3, -0.51), (5, -0.26)):
        with pytest.raises(tsphys.ModelError, match="similarity"):
            cosines("similarity", c, None, S)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "model",
    [tsphys.LabelNoise(), tsphys.LinearNetwork(inputs=4), tsphys.NestedDropout(), tsphys.LinearEstimator()],
    ids=lambda model: model.name,
)
def test_long_after_the_end_all_is_as_at_the_end(model):
    found = tsphys.solve(model, t=[1e10, 1e300, 1.7e308])
    for name in found.observables:
        np.testing.assert_allclose(found[name][1:], found[name][[0, 0]], rtol=1e-9, atol=1e-12, err_msg=name)
