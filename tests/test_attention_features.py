"""Frozen attention: published eigenvalues, curves and staircase; kernel and heads; what is not learned at any n."""

import numpy as np
import pytest

import tsphys
from tests.refusal import refuses
from tsphys import AttentionFeatures
from tsphys.numerics.random import generator
from tsphys.physics.kernels import eigenframework
from tsphys.physics.kernels.sphere import harmonics, nodes, on_sphere, relu_kernel, zonal
from tsphys.replica.attention_features import attention, learned_at, perceptron, spectrum, weights
from tsphys.sims.attention_features import features, kernel, target


def eigenvalue(found, a, b):
    return found.eigenvalues[np.all(found.degrees == (a, b), axis=1)][0]


def test_published_weights():
    """c_ab at N = 16, and their sums: Σ c_ab = κ(1) = ½ with the degrees beyond."""
    expected = {
        0.0: {(0, 1): 0.159987, (1, 0): 1 / 64, (1, 2): 0.234375, (2, 1): 0.012514, (2, 3): 0.062911, (1, 1): 0.0},
        1.0: {(0, 0): 0.115950, (0, 1): 0.150573, (1, 0): 0.039218, (1, 1): 0.078692, (1, 2): 0.044020},
    }
    for bias, table in expected.items():
        c, constant = weights(16, bias)
        for degrees, value in table.items():
            assert c[degrees] == pytest.approx(value, abs=1e-6)
        assert (c > -1e-14).all()
        # Beyond degree 10 there is little, and none of it negative.
        assert 0.5 - 0.005 < c.sum() <= 0.5
        assert constant - 1e-4 < c[:, 0].sum() <= constant + 1e-12


def test_published_eigenvalues():
    """N = 6, L = 3, which were also found by applying the kernel to harmonic functions."""
    free, biased = attention(6, 3, 0.0), attention(6, 3, 1.0)
    for (a, b), value in {(0, 1): 0.0091230, (1, 0): 0.0069444, (1, 2): 5.787e-4, (1, 1): 0.0}.items():
        assert eigenvalue(free, a, b) == pytest.approx(value, abs=6e-8)
    for (a, b), value in {(0, 1): 0.0084523, (1, 0): 0.0073604, (1, 1): 7.411e-4, (1, 2): 1.095e-4}.items():
        assert eigenvalue(biased, a, b) == pytest.approx(value, abs=6e-8)


CURVES = [
    ({"noise": 0.1**0.5}, [20, 60, 200], [0.57991, 0.23446, 0.04510]),
    ({"query_degree": 1, "token_degree": 2, "ridge": 1e-3}, [200, 800], [1.02253, 0.71940]),
    ({"query_degree": 2, "token_degree": 1, "ridge": 1e-3}, [200, 800], [1.14251, 1.18766]),
    ({"bias": 1, "noise": 0.1**0.5}, [60, 200], [0.22926, 0.04366]),
    ({"bias": 1, "query_degree": 1, "ridge": 1e-3, "noise": 0.05**0.5}, [100, 300, 900], [1.08521, 0.61107, 0.15676]),
    ({"student": "mlp", "noise": 0.1**0.5}, [60, 300], [0.47524, 0.05061]),
    ({"student": "mlp", "query_degree": 1, "ridge": 1e-3, "noise": 0.05**0.5}, [900], [0.84051]),
]


@pytest.mark.parametrize("parameters, n, expected", CURVES)
def test_published_curves(parameters, n, expected):
    """Mean squared errors, twice eps_g, at N = 16 and L = 4."""
    np.testing.assert_allclose(2 * tsphys.solve(AttentionFeatures(**parameters), n=n)["eps_g"], expected, atol=6e-6)


def test_published_heads():
    model = AttentionFeatures(n=100, noise=0.1**0.5)
    np.testing.assert_allclose(
        2 * tsphys.solve(model, heads=[2, 5, 20])["eps_g"], [0.88563, 0.86491, 0.26377], atol=6e-6
    )
    assert 2 * tsphys.solve(model)["eps_g"][0] == pytest.approx(0.12125, abs=6e-6)
    more = AttentionFeatures(n=400, query_degree=1, token_degree=2, heads=40)
    assert 2 * tsphys.solve(more)["eps_g"][0] == pytest.approx(1.51230, abs=6e-6)
    assert tsphys.solve(model, heads=[10**9])["eps_g"] == pytest.approx(tsphys.solve(model)["eps_g"], rel=1e-6)


def test_a_perceptron_that_learns_no_third_degree():
    """What is refused as a model, as published: all of the target is noise for the rest."""
    found = perceptron(80)
    assert eigenvalue(found, 0, 3) == 0
    modes = eigenframework.Modes(found.eigenvalues, (found.degrees[:, 1] == 3).astype(float), found.count)
    row = eigenframework.errors(modes, 800, 1e-3, 0.0)
    assert 2 * row["eps_g"] == pytest.approx(1.31283, abs=6e-6)


@pytest.mark.parametrize("N, L, biased, free, plain", [
    (16, 2, (17.1, 249.0, 1694), (19.3, 1004), (22.0, 456.5)), (16, 8, (22.5, 269.6, 1751), (22.0, 1005), (64.7, 3801)),
    (16, 32, (30.6, 313.4, 1827), (27.1, 1006), (234.9, 49576)),
    (64, 8, (87.1, 4052, 87647), (79.6, 59423), (256.2, 58943)),
])  # fmt: skip
def test_published_staircase(N, L, biased, free, plain):
    """The n at which a mode is half learned: N^(a + b)/(a! b!) hardly depends on L, and a perceptron's (LN)^p does."""
    size = {"dimension": N, "tokens": L, "ridge": 1e-6}
    found = [
        *[learned_at(AttentionFeatures(bias=1, query_degree=a, token_degree=b, **size))
          for a, b in ((0, 1), (1, 1), (1, 2))],
        *[learned_at(AttentionFeatures(query_degree=a, token_degree=b, **size)) for a, b in ((0, 1), (1, 2))],
        *[learned_at(AttentionFeatures(student="mlp", query_degree=p - 1, **size)) for p in (1, 2)],
    ]  # fmt: skip
    np.testing.assert_allclose(found, [*biased, *free, *plain], rtol=1e-3, atol=0.05)


def test_harmonic_functions():
    """Orthonormal over the sphere, of the number that polynomials leave, and as written out."""
    for N in (3, 6, 50):
        rho, w = nodes(N)
        values = zonal(N, rho, 6)
        np.testing.assert_allclose((values * w) @ values.T, np.eye(7), atol=1e-12)
        s = rho * np.sqrt(N)
        np.testing.assert_allclose(values[1], s, atol=1e-12 * N)
        np.testing.assert_allclose(values[2], (s**2 - 1) / np.sqrt(2 * (N - 1) / (N + 2)), atol=1e-11 * N)
        assert [harmonics(N, d) for d in (0, 1, 2)] == [1, N, N * (N + 1) / 2 - 1]


@pytest.mark.parametrize("bias", [0.0, 0.7])
def test_the_kernel_is_the_mean_of_heads(bias):
    rng = generator(0, 0, "test")
    model = AttentionFeatures(dimension=5, tokens=3, bias=bias, query_degree=0, heads=1500)
    x = on_sphere(rng, 6, 4, 5)
    phi = features(model, x, rng)
    parts = phi.reshape(6, 1500, -1) * np.sqrt(1500)
    each = np.einsum("imc,jmc->mij", parts, parts)
    error = each.std(axis=0) / np.sqrt(1500)
    # 36 numbers by chance.
    assert (np.abs(each.mean(axis=0) - kernel(model, x, x)) < 4.5 * error).all()
    swapped = x[:, [0, 2, 3, 1]]
    np.testing.assert_allclose(features(model, swapped, generator(1, 0, "t")), features(model, x, generator(1, 0, "t")))


def test_harmonic_products_are_eigenfunctions():
    """⟨K(X, X') f(X')⟩ = λ f(X) by drawn sequences, within errors."""
    for a, b, bias in ((0, 1, 0.0), (1, 1, 1.0), (1, 0, 0.0)):
        model = AttentionFeatures(dimension=6, tokens=3, bias=bias, query_degree=a, token_degree=b)
        rng = generator(a, b, "test")
        x, z = on_sphere(rng, 40, 4, 6), on_sphere(rng, 10_000, 4, 6)
        products = (kernel(model, x, z) * target(model, z)).T @ target(model, x) / 40
        scale = np.mean(target(model, x) ** 2)
        error = products.std() / np.sqrt(len(z))
        assert abs(products.mean() - eigenvalue(spectrum(model), a, b) * scale) < 4 * error


@pytest.mark.parametrize("parameters, published, error", [
    ({"n": 200, "noise": 0.1**0.5}, 0.0455, 0.0072),
    ({"n": 300, "bias": 1, "query_degree": 1, "ridge": 1e-3, "noise": 0.05**0.5}, 0.600, 0.015),
    ({"n": 100, "noise": 0.1**0.5, "heads": 20}, 0.251, 0.006),
    ({"n": 300, "noise": 0.1**0.5, "student": "mlp"}, 0.0552, 0.0025),
])  # fmt: skip
def test_simulation_near_theory_and_published(parameters, published, error):
    """Within errors of what was published, and 10 % of the theory."""
    model = AttentionFeatures(**parameters)
    sim = tsphys.simulate(model, replicas=6, seed=1)
    mean, sem = 2 * sim.mean("eps_g")[0], 2 * sim.sem("eps_g")[0]
    assert abs(mean - published) < 4 * np.hypot(error, sem)
    theory = 2 * tsphys.solve(model)["eps_g"][0]
    assert abs(mean - theory) < 0.1 * theory + 4 * sem


def test_one_token_is_a_product_kernel():
    model = AttentionFeatures(dimension=5, tokens=1)
    x = on_sphere(generator(0, 0, "test"), 7, 2, 5)
    r0, r = x[:, 0] @ x[:, 0].T / 5, x[:, 1] @ x[:, 1].T / 5
    np.testing.assert_allclose(kernel(model, x, x), relu_kernel(r0 * r) * r, atol=1e-14)


def test_refusals():
    refuses(lambda: AttentionFeatures(query_degree=1), "bias")
    refuses(lambda: AttentionFeatures(query_degree=3, token_degree=2), "bias")
    refuses(lambda: AttentionFeatures(token_degree=0), "token_degree")
    refuses(lambda: AttentionFeatures(student="mlp", query_degree=1, token_degree=2), "token_degree")
    refuses(lambda: AttentionFeatures(student="mlp", bias=1.0), "bias")
    refuses(lambda: AttentionFeatures(dimension=2), "dimension")
    refuses(lambda: tsphys.simulate(AttentionFeatures(n=10**8)), "n")
