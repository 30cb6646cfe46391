"""Deep wide nets: published numbers, closed forms and quadrature, nets of every law of weights, training, processes."""

import dataclasses

import numpy as np
import pytest
from scipy import integrate
from scipy.special import erf, ndtr

import tsphys
from tests.refusal import refuses
from tsphys import DeepKernels
from tsphys.benchmarks.kernels import plain_numpy
from tsphys.numerics.random import generator
from tsphys.physics.kernels import Ensemble, Kernel, Layer, kernels, posterior, stack, student
from tsphys.physics.kernels.averages import hermite, moments, over
from tsphys.physics.kernels.layers import empirical_ntk, forward, kernels_of, through
from tsphys.physics.kernels.widths import derivatives
from tsphys.replica.deep_kernels import depth_scales, edge_of_chaos, layer_by_layer, lazily_trained
from tsphys.sims.deep_kernels import train

PLAIN = {"weight_variance": 1.5, "bias_variance": 0.0, "length": 1 / 1.5, "width": 64}


@pytest.mark.parametrize("b, w, q", [
    (0.01, 1.424205, 0.273301), (0.05, 1.760955, 0.570048), (0.1, 1.986073, 0.805799), (0.5, 2.843167, 1.971031),
    (1, 3.443210, 3.036396),
])  # fmt: skip
def test_published_edge_of_chaos(b, w, q):
    assert edge_of_chaos("tanh", b) == pytest.approx((w, q), abs=2e-6)


@pytest.mark.parametrize("activation, b", [("tanh", 0.05), ("erf", 0.2), ("erf", 0.3)])
def test_depth_scales_next_to_the_edge_of_chaos(activation, b):
    """At the edge ξ_c is infinite, whatever is rounded; χ(c*) = 2 − χ_1 to first order, on both sides of NEAR."""
    w = edge_of_chaos(activation, b).weight_variance
    at = [DeepKernels(activation=activation, bias_variance=b, weight_variance=w * (1 + d)) for d in (0, 1e-9, 1e-5)]
    edge, close, far = map(depth_scales, at)
    assert (edge.xi_c, edge.c) == (np.inf, 1)
    assert close.xi_c * (close.chi - 1) == pytest.approx(1, rel=1e-7)
    assert far.xi_c * (far.chi - 1) == pytest.approx(1, rel=1e-4)
    assert (1 - close.c) / (close.chi - 1) == pytest.approx((1 - far.c) / (far.chi - 1), rel=3e-4)


def test_a_series_too_coarse_for_the_edge_of_chaos_is_no_depth_scale():
    def hard(u):
        return np.clip(u, -1, 1)

    w = edge_of_chaos(hard, 0.05).weight_variance
    for d in (1e-9, 1e-4):
        with pytest.raises(tsphys.ConvergenceError, match="kinks"):
            depth_scales(DeepKernels(activation=hard, bias_variance=0.05, weight_variance=w * (1 + d)))


def test_edge_of_chaos_at_its_ends():
    assert edge_of_chaos("relu", 0) == pytest.approx((2, np.nan), nan_ok=True)
    assert edge_of_chaos("tanh", 0) == pytest.approx((1, 0), abs=1e-9)
    for activation, b in (("relu", 0.1), ("linear", 0.1), ("quad", 0.1), ("sign", 0.0)):
        refuses(lambda: edge_of_chaos(activation, b), "activation")  # noqa: B023
    refuses(lambda: edge_of_chaos("tanh", -1), "bias_variance")
    # A function of one's own, whose corners are not at 0.
    hard = lambda u: np.clip(u, -1, 1)  # noqa: E731
    found = edge_of_chaos(hard, 0.05)
    scales = depth_scales(DeepKernels(activation=hard, weight_variance=found.weight_variance, bias_variance=0.05))
    assert (scales.q, scales.chi) == pytest.approx((found.q, 1), rel=1e-9)


@pytest.mark.parametrize("phi", ["tanh", np.tanh, lambda u: np.tanh(300 * u)])
@pytest.mark.parametrize("q", [1e4, 1e6, 1e8])
def test_a_step_among_large_fields_is_seen(phi, q):
    """⟨tanh'²⟩ = ∫sech⁴/√(2πq): the step lies at an end of panels far longer than it."""
    steep = 300 if getattr(phi, "__name__", "") == "<lambda>" else 1
    assert moments(phi, q).slope == pytest.approx(4 / 3 * steep / np.sqrt(2 * np.pi * q), rel=1e-4)
    assert moments(phi, q).square == pytest.approx(1 - 2 / steep / np.sqrt(2 * np.pi * q), rel=1e-6)


def test_activations_may_vanish_far_out():
    """exp(−u²) and its kin pass through numbers without digits before they are 0."""
    for q in (1.0, 300.0, 1e6):
        assert moments(lambda u: np.exp(-u * u), q).square == pytest.approx((1 + 4 * q) ** -0.5, rel=1e-10)
    # ⟨φ'²⟩ = χ_1/σ_w² = 4q(1 + 4q)^(−3/2), and q = σ_w²(1 + 4q)^(−1/2) there without bias.
    gauss = edge_of_chaos(lambda u: np.exp(-u * u), 0.0)
    assert gauss == pytest.approx((0.25 / gauss.q * (1 + 4 * gauss.q) ** 1.5, (1 + 2**0.5) / 2), rel=1e-9)


def test_edges_of_chaos_of_functions_of_ones_own():
    """sin has an edge at small fields, though it cannot be averaged over huge ones; a scale moves σ_w² alone."""
    for b in (0.05, 1.0):
        found = edge_of_chaos(np.sin, b)
        fall = np.exp(-2 * found.q)
        assert found == pytest.approx((2 / (1 + fall), (1 - fall) / (1 + fall) + b), rel=1e-9)
    assert edge_of_chaos(lambda u: 50 * np.tanh(u), 0.0) == pytest.approx((4e-4, 0), rel=1e-6)
    # Of u Φ(u), ⟨φ²⟩ + b⟨φ'²⟩ = q⟨φ'²⟩ once only, at lengths that are not stable.
    refuses(lambda: edge_of_chaos(lambda u: u * ndtr(u), 0.05), "activation")


def test_published_depth_scales():
    """Those at σ_w² = 6.25 are of 201 Gauss–Hermite nodes, 2e-6 off the integral; ξ_c has 1e-4 of that."""
    near = depth_scales(DeepKernels(weight_variance=1.69))
    assert near == pytest.approx((0.527087, 1, 0.984512, 1.564439, 64.0656), rel=2e-6)
    far = depth_scales(DeepKernels(weight_variance=6.25))
    assert far == pytest.approx((4.026778, 0.0719059, 1.594753, 0.696248, 5.31002), rel=2e-4)

    def mean(f):
        density = lambda z: f(np.tanh(np.sqrt(far.q) * z)) * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)  # noqa: E731
        return integrate.quad(density, -12, 12, epsabs=1e-13, epsrel=1e-12, limit=200)[0]

    assert far.q == pytest.approx(6.25 * mean(lambda y: y**2) + 0.05, rel=1e-11)
    assert far.chi == pytest.approx(6.25 * mean(lambda y: (1 - y**2) ** 2), rel=1e-11)
    refuses(lambda: depth_scales(DeepKernels(activation="relu", weight_variance=2.5)), "weight_variance")
    refuses(lambda: depth_scales(DeepKernels(activation="sign")), "activation")


@pytest.mark.parametrize("w", [1.69, 6.25])
def test_correlations_settle_over_the_depth_scale(w):
    model = DeepKernels(weight_variance=w)
    scales = depth_scales(model)
    depths = np.array([600, 700]) if w < 2 else np.array([40, 50])
    rows = tsphys.solve(model, depth=depths)
    off = np.log(np.abs(rows["K12"] / rows["K11"] - scales.c))
    # What is left of it at these depths, 1e-4, bends the line by as much; of digits ten remain.
    assert -np.diff(depths) / np.diff(off) == pytest.approx(scales.xi_c, rel=1e-3)


def test_published_kernels_of_relu():
    """c_0 = 0.3, σ_w² = 2, Θ¹ = x·x' = c_0, after 1, 2, 5, 10 nonlinear layers; ¼ of the diagonal in the end."""
    model = DeepKernels(activation="relu", weight_variance=2, bias_variance=0, length=0.5, correlation=0.3)
    found = tsphys.solve(model, depth=[2, 3, 6, 11])
    np.testing.assert_allclose(found["K12"] / found["K11"], [0.4827443, 0.5975485, 0.7743435, 0.8844294], atol=6e-8)
    np.testing.assert_allclose(found["ntk12"], [0.6618403, 1.0346013, 2.1190003, 3.7727778], atol=6e-8)
    np.testing.assert_allclose(found["ntk"], [2, 3, 6, 11], rtol=1e-12)
    # Logarithms of the depth over the depth are left.
    deep = tsphys.solve(dataclasses.replace(model, depth=400))
    assert deep["ntk12"][0] / deep["ntk"][0] == pytest.approx(0.25, abs=0.02)


def test_published_kernels_of_tanh():
    found = tsphys.solve(DeepKernels(depth=4))
    assert (found["K11"][0], found["K12"][0]) == pytest.approx((0.64130, 0.38731), abs=6e-6)


@pytest.mark.parametrize("name", ["relu", "erf"])
def test_kernels_are_the_plain_recursion(name):
    """Rounding near c = 1 is magnified by √ε on the diagonal of the plain one."""
    X = generator(1, 0, "X").standard_normal((40, 7))
    found = kernels(stack(11, Layer(name, 1.7, 0.05)), X)
    for one, other in zip(found, plain_numpy(name, X), strict=False):
        np.testing.assert_allclose(one, other, atol=1e-6 * np.abs(other).max())
    part = kernels(stack(11, Layer(name, 1.7, 0.05)), X[:3], X[5:9])
    np.testing.assert_allclose(part.ntk, found.ntk[:3, 5:9], rtol=1e-12)


@pytest.mark.parametrize("name, function", [
    ("erf", lambda u: erf(u / np.sqrt(2))), ("relu", lambda u: np.maximum(u, 0)), ("quad", np.square),
    ("he2", lambda u: (u**2 - 1) / np.sqrt(2)), ("sign", np.sign), ("tanh", np.tanh),
])  # fmt: skip
def test_functions_are_the_activations_with_names(name, function):
    X = generator(2, 0, "X").standard_normal((9, 60)) * np.linspace(0.2, 2, 9)[:, None]
    one, other = (kernels(stack(2, Layer(phi, 0.8, 0.1)), X) for phi in (name, function))
    np.testing.assert_allclose(other.nngp, one.nngp, rtol=1e-11)
    np.testing.assert_allclose(other.ntk, one.ntk, rtol=1e-9)
    assert np.isnan(one.ntk).all() == (name == "sign")


def test_series_tell_what_they_leave():
    """Of a jump, between inputs that are nearly the same: 1 − c = 5e-7."""
    X = np.array([[1.0, 0.0], [1.0, 1e-3]])
    jump = stack(2, Layer(lambda u: (u > 0) * 1.0))
    with pytest.raises(tsphys.ConvergenceError, match="left"):
        kernels(jump, X)
    found = kernels(jump, X, tolerance=1.0)
    exact = 0.25 + np.arcsin(1 / np.sqrt(1 + 1e-6)) / (2 * np.pi)
    assert 0 < exact - found.nngp[0, 1] < found.error


def test_many_variances_are_few():
    q = np.geomspace(0.03, 3, 500)
    np.testing.assert_allclose(
        over(q, lambda x: hermite("tanh", x, 40).coefficients)[:, ::83],
        np.stack([hermite("tanh", x, 40).coefficients for x in q[::83].tolist()], axis=1), atol=1e-12,
    )  # fmt: skip


@pytest.mark.parametrize("phi", ["tanh", "erf", "relu"])
def test_derivatives_of_averages(phi):
    """Against differences of the maps; c = 0.5, where also the series of ReLU has converged."""
    q, c, h = 0.8, 0.5, 1e-3
    g = derivatives(phi, q, c)

    def f(one, both, other):
        return kernels_of((Layer(phi),), np.array([[both]]), np.array([one]), np.array([other])).nngp[0, 0]

    k = c * q
    at = {(i, j, l): f(q + i * h, k + j * h, q + l * h) for i in (-1, 0, 1) for j in (-1, 0, 1) for l in (-1, 0, 1)}
    assert g.mean == pytest.approx(at[0, 0, 0], rel=1e-12)
    first = [(at[1, 0, 0] - at[-1, 0, 0]) / (2 * h), (at[0, 1, 0] - at[0, -1, 0]) / (2 * h)]
    second = [
        (at[1, 0, 0] - 2 * at[0, 0, 0] + at[-1, 0, 0]) / h**2,
        (at[0, 1, 0] - 2 * at[0, 0, 0] + at[0, -1, 0]) / h**2,
    ]
    mixed = [
        (at[1, 1, 0] - at[1, -1, 0] - at[-1, 1, 0] + at[-1, -1, 0]) / (4 * h * h),
        (at[1, 0, 1] - at[1, 0, -1] - at[-1, 0, 1] + at[-1, 0, -1]) / (4 * h * h),
    ]
    found = (g.first_1, g.first_12, g.second_11, g.second_12, g.second_1_12, g.second_1_2)
    # Differences err by h² of higher derivatives and by rounding over h².
    assert found == pytest.approx((*first, *second, *mixed), rel=1e-5, abs=2e-6)


def test_averages_of_four_fields():
    """Covariances of φ_aφ_b by two Gauss–Hermite sums."""
    z, w = np.polynomial.hermite_e.hermegauss(80)
    w, (x, y) = np.outer(w, w) / w.sum() ** 2, np.meshgrid(z, z, indexing="ij")
    a, b = np.tanh(np.sqrt(0.7) * x), np.tanh(np.sqrt(0.7) * (0.4 * x + np.sqrt(1 - 0.16) * y))

    def cov(f, g):
        return np.sum(w * f * g) - np.sum(w * f) * np.sum(w * g)

    expected = cov(a * a, a * a), cov(a * a, b * b), cov(a * a, a * b), cov(a * b, a * b)
    assert derivatives("tanh", 0.7, 0.4).covariances == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("model, expected", [
    (DeepKernels(activation="relu", weight_variance=2, bias_variance=0, depth=3), 10),
    (DeepKernels(activation="relu", weight_variance=2, bias_variance=0, depth=3, ensemble="orthogonal"), 4),
    (DeepKernels(activation="relu", weight_variance=2, bias_variance=0, depth=3, ensemble="low_rank"), 28),
    (DeepKernels(depth=5, **{**PLAIN, "length": 1}), 1.414),
    (DeepKernels(depth=5, ensemble="orthogonal", **{**PLAIN, "length": 1}), -1.754),
])  # fmt: skip
def test_published_covariances(model, expected):
    found = tsphys.solve(model)
    # −1.754 is that of 201 nodes from K_1 = 1; digits as given.
    assert found["V"][0] / found["K11"][0] ** 2 == pytest.approx(expected, abs=6e-4 * max(1, abs(expected)))


def test_published_mean_at_finite_width():
    found = tsphys.solve(DeepKernels(depth=5, **{**PLAIN, "length": 1}))
    assert (found["K11"][0], found["q"][0]) == pytest.approx((0.36295, 0.36062), abs=6e-6)


def test_two_inputs_that_are_one():
    """Without an angle all of the first order is that of one input."""
    for kind in ("iid", "orthogonal", "sparse"):
        for row in layer_by_layer(DeepKernels(ensemble=kind, correlation=1), 6):
            assert row["k12"] == pytest.approx(row["q"], rel=1e-9)


@pytest.mark.parametrize("kind", ["iid", "orthogonal", "low_rank", "sparse"])
def test_nets_on_the_recursion(kind):
    """n = 256 on K itself to z of chance; n = 64 on V and K1 with their sign."""
    wide = DeepKernels(ensemble=kind, width=256)
    sim = tsphys.simulate(wide, depth=[2, 4], replicas=4, nets=4, seed=3)
    assert tsphys.compare(sim, tsphys.solve(wide, depth=[2, 4])).ok
    here = DeepKernels(ensemble=kind, **PLAIN)
    sim, theory = tsphys.simulate(here, depth=[2, 4], replicas=8, nets=96, seed=4), tsphys.solve(here, depth=[2, 4])
    found = tsphys.compare(sim, theory)
    assert found.ok, found
    # The law of weights is seen: V of another one is not agreed on.
    other = "iid" if kind != "iid" else "orthogonal"
    if kind != "sparse":
        held = tsphys.compare(sim, tsphys.solve(dataclasses.replace(here, ensemble=other), depth=[2, 4]))
        assert held.verdict == "disagree"


@pytest.mark.slow
@pytest.mark.parametrize("kind, sign", [("iid", -1), ("orthogonal", 1), ("low_rank", -1), ("sparse", -1)])
def test_sign_of_the_shift(kind, sign):
    here = DeepKernels(ensemble=kind, depth=5, **PLAIN)
    sim, theory = tsphys.simulate(here, replicas=16, nets=2500, seed=5), tsphys.solve(here)
    shift = 64 * (sim.mean("q") - theory["K11"])[0], 64 * sim.sem("q")[0]
    expected = 64 * (theory["q"] - theory["K11"])[0]
    # Of the next order in 1/n, up to a fifth of this one, and four standard errors.
    assert abs(shift[0] - expected) < 4 * shift[1] + 0.2 * abs(expected)
    assert np.sign(expected) == sign
    assert sign * shift[0] > 2 * shift[1]


def test_fields_beyond_all_numbers_are_refused_on_both_sides():
    model = DeepKernels(activation="quad", weight_variance=1.76, width=20)
    refuses(lambda: tsphys.simulate(model, depth=[1, 30], replicas=1), "depth")
    refuses(lambda: tsphys.solve(model, depth=[1, 30]), "depth")


def test_a_law_of_the_users_own():
    def signs(rng, n_out, n_in):
        return rng.choice([-1.0, 1.0], (n_out, n_in)) / np.sqrt(n_in)

    model = DeepKernels(ensemble=signs, width=100)
    theory = tsphys.solve(model, depth=[2, 4])
    assert "V" not in theory.observables
    assert tsphys.compare(tsphys.simulate(model, depth=[2, 4], replicas=4, nets=8), theory).ok
    refuses(lambda: tsphys.simulate(DeepKernels(ensemble=lambda rng, a, b: np.ones(3)), replicas=1), "ensemble")
    refuses(lambda: Ensemble(lambda rng: 0), "ensemble")
    refuses(lambda: Ensemble("gauss"), "ensemble")


@pytest.mark.parametrize("kind", ["iid", "orthogonal", "low_rank", "sparse"])
def test_weights_have_their_variance(kind):
    for n_out, n_in in ((24, 24), (8, 32), (32, 8)):
        W = Ensemble(kind).draw(generator(1, 0, "W"), 400, n_out, n_in)
        # A mean of 400·256 squares at least, of kurtosis up to 3·8; units of one net hang together.
        assert np.mean(W**2) * n_in == pytest.approx(1, abs=0.05)
        assert np.abs(W.mean()) * np.sqrt(n_in) < 0.02


def test_ntk_of_nets_is_that_of_their_gradient():
    """By differences of every weight and bias, in units of their standard deviation; wide nets have the limit's."""
    rng, layers = generator(6, 0, "nets"), stack(3, Layer("erf", 1.4, 0.3))
    X = rng.standard_normal((1, 3, 2))
    net = forward(layers, X, [4, 5, 1], rng, 1)
    found = empirical_ntk(layers, X, net)[0]
    expected = np.zeros((2, 2))
    for l, layer in enumerate(layers):
        for part, scale in ((net.weights[l], layer.weight_variance / net.weights[l].shape[2]), (net.biases[l], 0.3)):
            for i in np.ndindex(part.shape):
                ends = []
                for step in (1e-5, -2e-5):
                    part[i] += step
                    ends.append(through(layers, X, net).fields[-1][0, 0].copy())
                part[i] += 1e-5
                g = (ends[0] - ends[1]) / 2e-5
                expected += scale * np.outer(g, g)
    np.testing.assert_allclose(found, expected, rtol=1e-7)
    wide = forward(layers, X, [1000, 1000, 1], rng, 2)
    limit = kernels(layers, X[0].T).ntk
    np.testing.assert_allclose(empirical_ntk(layers, X, wide).mean(axis=0), limit, rtol=0.08)


def test_nets_train_as_the_limit_does():
    rng, layers = generator(7, 0, "data"), stack(2, Layer("tanh", 1.5, 0.2))
    X, new = rng.standard_normal((4, 3)), rng.standard_normal((2, 3))
    y, steps = np.array([1.0, -0.5, 0.3, 0.8]), [0, 10, 150]
    found = train(layers, X, y, new, width=256, lr=0.2, t=steps, nets=64, rng=rng)
    theory = lazily_trained(layers, X, y, new, lr=0.2, t=steps)
    z = (found.new.mean(axis=1) - theory.mean) / np.sqrt(theory.variance / 64)
    assert np.abs(z).max() < 4
    np.testing.assert_allclose(found.new.var(axis=1), theory.variance, rtol=4 * np.sqrt(2 / 64))
    # In the end all of them say y, and on average what kernel regression with the NTK says.
    last = lazily_trained(layers, X, y, np.concatenate([X, new]), lr=0.2, t=[10**9])
    np.testing.assert_allclose(last.mean[0, :4], y, atol=1e-9)
    np.testing.assert_allclose(last.mean[0, 4:], posterior(Kernel(layers, ntk=True), X, y, new).mean, rtol=1e-9)
    refuses(lambda: lazily_trained(layers, X, y, new, lr=10.0, t=[1]), "lr")
    with pytest.raises(tsphys.DivergedError):
        train(layers, X, y, new, width=8, lr=1e200, t=[9], nets=1, rng=rng)


class Given:
    """A kernel by its matrix; inputs are its indices."""

    K = np.array([[1, 0.5, 0.2], [0.5, 1.2, 0.3], [0.2, 0.3, 0.9]])

    def __call__(self, X, Y=None):
        i, j = (np.asarray(x, dtype=int).ravel() for x in (X, X if Y is None else Y))
        return self.K[np.ix_(i, j)]


def test_published_student_process():
    found = student(Given(), [[0], [1]], [0.7, -1.1], [[2]], 2.5, 1.5, 0.1)
    assert found[:3] == pytest.approx((-0.1491525, 0.6254297, 7), abs=6e-8)
    assert (found.scale2 * 7 / 5)[0] == pytest.approx(0.87560, abs=6e-6)
    # For a = b → ∞ the scale is known, and it is Gaussian.
    data = Given(), [[0], [1]], [0.7, -1.1], [[2]]
    sure, plain = student(*data, 1e8, 1e8, 0.1), posterior(*data, 0.1)
    np.testing.assert_allclose(sure[:2], plain[:2], rtol=1e-7)
    assert sure.log_evidence == pytest.approx(plain.log_evidence, abs=1e-5)
    assert sure.interval(0.95)[1] == pytest.approx(plain.mean + 1.959964 * np.sqrt(plain.variance), rel=1e-6)
    from scipy.stats import multivariate_normal, multivariate_t

    K = Given.K[:2, :2] + 0.1 * np.eye(2)
    assert plain.log_evidence == pytest.approx(multivariate_normal(cov=K).logpdf([0.7, -1.1]))
    assert found.log_evidence == pytest.approx(multivariate_t(shape=0.6 * K, df=5).logpdf([0.7, -1.1]))


def test_scikit_learn_takes_the_kernel():
    gaussian, ridge = (pytest.importorskip(f"sklearn.{m}") for m in ("gaussian_process", "kernel_ridge"))
    rng, kernel = generator(8, 0, "X"), Kernel(stack(3, Layer("relu", 2.0, 0.1)))
    X, y, new = rng.standard_normal((12, 4)), rng.standard_normal(12), rng.standard_normal((5, 4))
    own = posterior(kernel, X, y, new, 0.3)
    process = gaussian.GaussianProcessRegressor(kernel=kernel, alpha=0.3).fit(X, y)
    mean, spread = process.predict(new, return_std=True)
    np.testing.assert_allclose(mean, own.mean, rtol=1e-9)
    np.testing.assert_allclose(spread**2, own.variance, rtol=1e-9)
    assert process.log_marginal_likelihood_value_ == pytest.approx(own.log_evidence)
    np.testing.assert_allclose(ridge.KernelRidge(kernel=kernel, alpha=0.3).fit(X, y).predict(new), own.mean, rtol=1e-9)
    np.testing.assert_allclose(Kernel(kernel.layers, ntk=True).diag(X), np.diag(kernels(kernel.layers, X).ntk))


def test_refusals():
    X, kernel = np.ones((2, 3)), Kernel(stack(2, Layer("erf")))
    refuses(lambda: posterior(kernel, X, [1.0, 2.0], X), "ridge")
    refuses(lambda: posterior(kernel, X, [1.0], X), "y")
    # The same input twice, of which a series may leave a difference.
    twice = [[1.0, 0.0], [1.0, 0.0]]
    refuses(lambda: posterior(Kernel([Layer("tanh")]), twice, [1.0, 2.0], twice), "ridge")
    refuses(lambda: posterior(kernel, np.zeros((0, 2)), [], X), "X")
    refuses(lambda: posterior(kernel, [[1.0, 0.0]], [1.0], np.zeros((0, 2))), "new")
    refuses(lambda: kernels(stack(2, Layer("relu")), np.zeros((2, 0))), "X")
    refuses(lambda: kernels([], X), "layers")
    for depth in (0, -1, 1.5):
        refuses(lambda depth=depth: stack(depth, Layer("relu")), "depth")
    refuses(lambda: student(kernel, X, [1.0, 2.0], X, 0.0, 1.0, 0.1), "a")
    refuses(lambda: kernels(stack(2, Layer("erf")), X, np.ones((2, 4))), "Y")
    refuses(lambda: Layer("softmax"), "activation")
    refuses(lambda: tsphys.solve(DeepKernels(activation="quad", weight_variance=1e6, depth=100)), "depth")
    refuses(lambda: kernels(stack(2, Layer(np.log)), np.ones((1, 2))), "activation")
    refuses(lambda: moments(lambda u: np.sin(1e6 * u), 1.0), "activation")
    refuses(lambda: DeepKernels(width=2, correlation=0.5), "width")
