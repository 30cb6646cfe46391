"""Theory of the hidden manifold: against its own slow form, other models, published and independent numbers."""

import dataclasses

import numpy as np
import pytest
from scipy import special
from scipy.linalg import hadamard

import tsphys
from tests.naive.hidden_manifold import density, derivatives
from tsphys.models.hidden_manifold import instance, sizes
from tsphys.numerics.hadamard import transform
from tsphys.odes.equations import modes
from tsphys.odes.hidden_manifold import in_the_limit, linear_floor, of_instance
from tsphys.physics.activations import code
from tsphys.physics.committee.integrals import I2, I3
from tsphys.physics.committee.motion import Rates
from tsphys.physics.kernels.spectra import marchenko_pastur
from tsphys.physics.nonlinearities import attainable_information, moments

MODEL = tsphys.HiddenManifold(
    T=[[1, 0.1], [0.1, 1]], v_star=[1, 0.8], v=[0.9, 0.7], A=[[0.3, 0.1], [-0.1, 0.4]],
    W_xi=[[0.3, 0.05], [0.05, 0.2]], lr=0.5, lr_v=0.3, noise=0.1,
)  # fmt: skip
#: f, δ: eps_g at t = 0, 1, 3, 8; Q11, Q12, Q22 and R at t = 8, from the equations integrated in S = wF/√N.
REFERENCE = {
    ("sign", 0.25): (
        [0.1990843320, 0.1192799273, 0.0817234476, 0.0660710837],
        [0.998696, 0.260744, 0.795105],
        [0.845407, 0.252573, 0.187912, 0.732401],
    ),
    ("tanh", 0.5): (
        [0.2044246400, 0.1529300166, 0.1009082016, 0.0554674932],
        [0.410178, 0.166255, 0.302573],
        [0.533807, 0.239212, 0.180709, 0.441106],
    ),
    ("relu", 2.0): (
        [0.2802772683, 0.2676588260, 0.2510529036, 0.2322383705],
        [0.188265, 0.041339, 0.148563],
        [0.186390, 0.076662, 0.037466, 0.163471],
    ),
}


def of(f, delta, **change):
    return dataclasses.replace(MODEL, f=f, delta=delta, **change)


@pytest.mark.parametrize("point", REFERENCE)
def test_trajectories_are_those_of_the_published_form(point):
    eps_g, Q, R = REFERENCE[point]
    theory = tsphys.solve(of(*point), t=[0, 1, 3, 8], spectrum="limit")
    # Ten digits were kept; the tolerance of the solution is 1e-9 a step.
    np.testing.assert_allclose(theory["eps_g"], eps_g, rtol=2e-9)
    np.testing.assert_allclose(theory["Q"][-1][[0, 0, 1], [0, 1, 1]], Q, atol=6e-7)
    np.testing.assert_allclose(theory["R"][-1].ravel(), R, atol=6e-7)
    assert theory.meta["nodes_error"] < 1e-10


@pytest.mark.parametrize("point", REFERENCE)
def test_the_equations_are_those_of_the_projected_weights(point):
    """At the start; averages by Gauss-Hermite quadrature, whose error is below what a quarter of its nodes changes."""
    model = of(*point, minibatch=3)
    A, T, W_xi, delta = np.array(model.A), np.array(model.T), np.array(model.W_xi), model.delta
    rho, p = density(delta)
    at = rho[:, None, None]
    r, s = at * (A @ T) / np.sqrt(delta), at**2 * (A @ T @ A.T) / delta + at * W_xi
    W = A @ T @ A.T + W_xi
    expected, rough = (derivatives(model, W, r, s, rho, p, np.array(model.v), nodes) for nodes in (24, 18))
    start = in_the_limit(model)
    y = np.concatenate([start.r.ravel(), start.q.ravel(), model.v])
    dy = np.empty_like(y)
    rates = np.array(Rates(model.lr, model.lr_v, model.noise**2, model.minibatch))
    memory = np.zeros((4, 4)), np.zeros(4), np.zeros((2, 2)), np.zeros((2, 2)), np.zeros((2, 2))
    t, T = np.ascontiguousarray(start.t), np.ascontiguousarray(start.T)
    seen = np.ones((len(start.e), 2))
    modes._kernel("erf")(
        y, dy, 0, start.e, start.weight, t, T, seen, np.ones((2, 4)), 1.0, np.array(model.v_star), rates, *memory
    )
    dr, dq = dy[: start.r.size].reshape(start.r.shape), dy[start.r.size : -2].reshape(start.q.shape)
    found = (
        np.einsum("i,ikl->kl", start.weight * start.e, dq),
        np.einsum("i,ikm->km", start.weight, dr),
        np.einsum("i,ikl->kl", start.weight, dq),
        dy[-2:],
    )
    for a, b, c in zip(found, expected, rough, strict=True):
        error = np.abs(b - c).max() + 1e-12
        assert error < 2e-6
        np.testing.assert_allclose(a, b, atol=error)


@pytest.mark.parametrize("delta", [0.25, 2.0])
@pytest.mark.parametrize("features", ["gaussian", "hadamard"])
def test_modes_of_an_instance_are_those_of_its_covariance(features, delta):
    """Sums over modes, with powers of the eigenvalues, are products of matrices."""
    model = of("tanh", delta, features=features)
    N, D = sizes(model, 32)
    drawn = instance(model, N, D, 3, 0)
    start, m = of_instance(model, drawn), model.moments
    # The fields of unit vectors are the columns of F/√D.
    F = drawn.features.fields(np.eye(D)).T * np.sqrt(D)
    omega, seen = m.kappa2 * np.eye(N) + m.b**2 * F @ F.T / D, m.b * F @ drawn.theta.T / D
    for power in range(3):
        weight, between = start.weight * start.e**power, np.linalg.matrix_power(omega, power)
        for found, expected in (
            (start.q, drawn.W @ between @ drawn.W.T / N),
            (start.r, drawn.W @ between @ seen / np.sqrt(N)),
            (start.t, seen.T @ between @ seen),
        ):
            np.testing.assert_allclose(np.einsum("i,ikl->kl", weight, found), expected, atol=1e-11)


@pytest.mark.parametrize("activation", ["erf", "relu"])
def test_without_a_manifold_it_is_the_two_layer_network(activation):
    """Linear f and F = 1: the inputs are the latent variables."""
    N = 8
    model = of("linear", 1.0, activation=activation, lr=0.3)
    t = [0, 0.5, 2, 6]
    found = tsphys.solve(model, t=t, N=N, F=np.sqrt(N) * np.eye(N), rtol=1e-11, atol=1e-13)
    drawn = instance(model, N, N, 0, 0)
    W = np.array(model.A) @ drawn.theta + model.draw_weights(N, _weights_stream())
    start = tsphys.OrderParameters(R=W @ drawn.theta.T / N, Q=W @ W.T / N, T=drawn.theta @ drawn.theta.T / N)
    plain = tsphys.TwoLayer(
        activation=activation, lr=0.3, lr_v=model.lr_v, noise=model.noise, v=model.v, v_star=model.v_star
    )
    theory = tsphys.solve(plain, t=t, start=start, rtol=1e-11, atol=1e-13)
    for name in ("eps_g", "R", "Q", "v"):
        np.testing.assert_allclose(found[name], theory[name], atol=1e-9)


def _weights_stream():
    from tsphys.models.latent_teacher import purpose

    return purpose(0, 0, "weights")


@pytest.mark.parametrize("activation", ["erf", "relu", "linear"])
def test_mean_gradients_obey_stein(activation):
    """⟨c_k x_b⟩ = Σ_a ⟨∂c_k/∂x_a⟩ C_ab, with the left side by the third integral; ⟨dv⟩ by the second."""
    C = np.array([[1, 0.3, 0.2, 0.1], [0.3, 0.8, -0.25, 0.15], [0.2, -0.25, 0.9, 0.2], [0.1, 0.15, 0.2, 1.1]])
    alpha, g = np.array([0.9, 0.7, -1.0, -0.8]), code(activation)
    p = Rates(0.5, 0.3, 0.01, 2.0)
    gamma, lam, E, dv = np.zeros((2, 2)), np.zeros((2, 2)), np.zeros((2, 2)), np.zeros(2)
    modes.mean_gradients(g, C, alpha, np.ones((2, 4)), 1.0, 2, np.array(p), gamma, lam, E, dv)
    both = np.hstack([gamma, lam]) @ C
    for k in range(2):
        for b in range(4):
            direct = sum(alpha[a] * I3(g, g, C[k, k], C[k, b], C[k, a], C[a, b], C[a, a]) for a in range(4))
            assert both[k, b] == pytest.approx(-p.lr * alpha[k] * direct, abs=1e-14)
        mean = sum(alpha[a] * I2(g, g, C[k, k], C[k, a], C[a, a]) for a in range(4))
        assert dv[k] == pytest.approx(-p.lr_v * mean, abs=1e-14)
    # Singular for a linear student, whose g' is one.
    assert np.linalg.eigvalsh(E).min() > -1e-15


@pytest.mark.parametrize("delta", [0.05, 0.5, 1.0, 2.0, 10.0])
def test_the_spectrum_is_that_of_marchenko_and_pastur(delta):
    y, w = marchenko_pastur(1 / delta, 40)
    # Moments of a Wishart matrix: Narayana's numbers.
    for k, moment in enumerate((1, 1, 1 + 1 / delta, 1 + 3 / delta + 1 / delta**2)):
        assert w @ y**k == pytest.approx(moment, rel=1e-12)
    if delta < 0.9:
        # The isolated node converges like δ^nodes.
        assert w[0] == pytest.approx(1 - delta, abs=1e-10)
        assert y[0] < 1e-10
    rho, p = density(delta)
    assert p.sum() == pytest.approx(1, abs=1e-10)
    # FᵀF/N has ρ = δy, on D = δN modes: the average of a smooth function that vanishes at 0.
    assert w @ (y / (1 + y)) == pytest.approx(delta * p @ (rho / (delta + rho)), abs=1e-9)


@pytest.mark.parametrize(
    ("f", "delta", "X"), [("sign", 0.25, 0.846728), ("tanh", 0.5, 0.934466), ("relu", 2, 0.325022)]
)
def test_attainable_information(f, delta, X):
    assert attainable_information(f, delta) == pytest.approx(X, abs=6e-7)
    y, w = marchenko_pastur(1 / delta, 60)
    m = moments(f)
    assert w @ (m.b**2 * y / (delta * (m.kappa2 + m.b**2 * y))) == pytest.approx(attainable_information(f, delta))


def test_attainable_information_has_its_limits():
    for f in ("sign", "tanh", "relu", "erf"):
        X = [attainable_information(f, d) for d in (1e-8, 0.1, 0.5, 1.0, 1.5, 4.0, 1e8)]
        assert (np.diff(X) < 0).all()
        assert X[0] == pytest.approx(1, abs=1e-7)
        assert X[-1] == pytest.approx(0, abs=1e-7)
    # A linear map loses nothing as long as there are more inputs than latent variables.
    assert attainable_information("linear", 0.7) == pytest.approx(1)
    assert attainable_information("linear", 2.0) == pytest.approx(0.5)


def test_least_squares_on_instances_finds_the_attainable_information():
    """The covariance of signs is known exactly, (2/π) asin of that of the fields: no Gaussian equivalence is used."""
    N, D, found = 400, 100, []
    for seed in range(20):
        drawn = instance(of("sign", 0.25), N, D, seed, 0)
        F, theta = drawn.features.F, drawn.theta[0]
        omega = 2 / np.pi * np.arcsin(np.clip(F @ F.T / D, -1, 1))
        seen = np.sqrt(2 / np.pi) * F @ theta / D
        found.append(seen @ np.linalg.solve(omega, seen))
    error = np.std(found, ddof=1) / np.sqrt(20)
    # Finite size moves the mean by some units of 1/N.
    assert np.mean(found) == pytest.approx(attainable_information("sign", 0.25), abs=3 * error + 2 / N)


def test_moments_of_the_nonlinearities():
    # Kinks leave the midpoint rule an error of the order of its step squared, jumps of its step times their height.
    z = (np.arange(4_000_000) + 0.5) / 4_000_000 * 24 - 12
    weight = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * 24 / 4_000_000
    from tsphys.physics.nonlinearities import NONLINEARITIES, apply

    for f in NONLINEARITIES:
        u = z.copy()
        apply(f, u)
        m = moments(f)
        assert weight @ u == pytest.approx(0, abs=1e-10)
        assert weight @ (z * u) == pytest.approx(m.b, abs=1e-10)
        assert weight @ (u * u) == pytest.approx(m.c2 - m.a**2, abs=1e-10)


def test_moments_of_functions():
    """Jumps and kinks anywhere: sign(u − h) in closed form (a partial expectation), and names given as functions."""
    h = 0.7
    m = moments(lambda u: np.sign(u - h))
    phi = np.exp(-h * h / 2) / np.sqrt(2 * np.pi)
    assert m == pytest.approx((-special.erf(h / np.sqrt(2)), 2 * phi, 1.0), abs=1e-9)
    assert moments(np.tanh) == pytest.approx(moments("tanh"), abs=1e-11)
    assert moments(lambda u: np.maximum(u, 0)) == pytest.approx(moments("relu"), abs=1e-11)
    assert attainable_information(lambda u: np.cos(u), 0.5) == 0
    given, named = of(lambda u: np.maximum(u, 0), 0.5), of("relu", 0.5)
    options = {"t": [0, 1, 3], "N": 40, "seed": 2}
    np.testing.assert_allclose(tsphys.solve(given, **options)["eps_g"], tsphys.solve(named, **options)["eps_g"], 1e-8)


def test_polynomials_are_functions():
    f = np.polynomial.Polynomial([0, 1, 0.3])
    model = of(f, 0.5)
    # ⟨z²⟩ = 1, ⟨z⁴⟩ = 3; quadratures reach 1e-9.
    np.testing.assert_allclose(model.moments, [0.3, 1.0, 1.27], atol=1e-9)
    assert {model, of(f, 0.5)} == {model}


def test_a_linear_student_is_left_with_what_it_cannot_know():
    """The floor for η → 0; a finite η adds a term of order η, which two rates tell."""
    model = of("sign", 0.5, activation="linear", lr_v=0.0, noise=0.0, v=[1.0, 1.0], A=None)
    ends = [
        tsphys.solve(dataclasses.replace(model, lr=lr), t=[20 / lr], spectrum="limit")["eps_g"][0]
        for lr in (0.02, 0.01)
    ]
    floor = linear_floor(model)
    assert ends[1] == pytest.approx(floor, rel=0.03)
    # What is left after both is of order η².
    assert 2 * ends[1] - ends[0] == pytest.approx(floor, rel=1e-3)


@pytest.mark.slow
def test_the_limit_is_that_of_instances():
    """Instances of size N deviate from the limit by O(1/√N), in their mean by O(1/N)."""
    model, t = of("sign", 0.5), [0, 1, 4]
    limit = tsphys.solve(model, t=t, spectrum="limit")["eps_g"]
    found = np.array([tsphys.solve(model, t=t, N=300, seed=s, rtol=1e-5)["eps_g"] for s in range(16)])
    error = found.std(axis=0, ddof=1) / 4
    assert (np.abs(found.mean(axis=0) - limit) < 4 * error + 2 / 300).all()


@pytest.mark.parametrize("delta", [0.25, 1.0, 4.0])
def test_hadamard_features_are_treated_by_their_one_eigenvalue(delta):
    model = of("sign", delta, features="hadamard")
    N, D = sizes(model, 16, None)
    F = instance(model, N, D, 0, 0).features.fields(np.eye(D)).T * np.sqrt(D)
    assert set(np.abs(F.ravel()).round(12)) == {1.0}
    swift, slow = (tsphys.solve(model, t=[0, 1, 4], N=N, F=G) for G in (None, F.T.reshape(D, N).T))
    for name in ("eps_g", "R", "Q", "W", "Sigma"):
        np.testing.assert_allclose(swift[name], slow[name], atol=1e-8)
    limit = in_the_limit(model)
    many = of_instance(model, instance(model, 4096, round(4096 * delta), 0, 0))
    # A degenerate spectrum has no other fluctuation than that of the weights, 1/√N.
    np.testing.assert_allclose(many.q[0], limit.q[0], atol=6 / np.sqrt(4096) * np.abs(limit.q[0]).max())
    np.testing.assert_allclose(many.r[0], limit.r[0], atol=6 / np.sqrt(4096) * np.abs(limit.r[0]).max())
    np.testing.assert_allclose(many.t[0], limit.t[0], atol=6 / np.sqrt(4096) * np.abs(limit.t[0]).max())


def test_the_fast_transform_is_the_product():
    x = np.random.default_rng(0).standard_normal((3, 64))
    y = x.copy()
    transform(y)
    np.testing.assert_allclose(y, x @ hadamard(64), atol=1e-12)


def test_a_large_learning_rate_diverges():
    with pytest.raises(tsphys.DivergedError) as caught:
        tsphys.solve(of("sign", 0.5, activation="linear", lr=20.0, lr_v=0.0), t=[1, 100], spectrum="limit")
    assert 0 < caught.value.t < 100
    assert np.isnan(caught.value.partial["eps_g"][-1])


def test_few_nodes_are_told():
    t = [100.0]
    few, many = (tsphys.solve(of("sign", 0.5), t=t, spectrum="limit", nodes=n) for n in (6, 64))
    assert few.meta["nodes_error"] > 1e-6 > 1e-8 > many.meta["nodes_error"]
    assert abs(few["eps_g"][0] - many["eps_g"][0]) < 3 * few.meta["nodes_error"]
