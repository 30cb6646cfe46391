"""Local kernels: published numbers, spectra by counting, exponents, instances by their Gram matrix, universality."""

import dataclasses

import numpy as np
import pytest

import tsphys
from tests.refusal import refuses
from tsphys import LocalKernels
from tsphys.numerics.random import generator
from tsphys.physics.kernels import eigenframework
from tsphys.physics.kernels.torus import new_shells, shells, waves
from tsphys.replica.local_kernels import cut, exponent, spectrum

N = [64, 128, 256, 512]
CURVES = {
    "two patches": ({"modes": 1500}, (0.183697, 0.0939818, 0.0467167, 0.0226126)),
    "shared": ({"modes": 1500, "kernel": "convolutional"}, (0.0954518, 0.0470880, 0.0227043, 0.0104657)),
    "four patches": ({"modes": 1500, "dimension": 4}, (0.330485, 0.181039, 0.0932615, 0.0465328)),
    "one patch of two": ({"modes": 24, "patch": [2]}, (0.423335, 0.290266, 0.185287, 0.105686)),
    "target of two": (
        {"modes": 24, "patch": [2], "dimension": 4, "target_patch": 2}, (0.694810, 0.540666, 0.388337, 0.257503)
    ),
}  # fmt: skip
SIMULATED = {
    "two patches": (0.0501, 0.0014), "shared": (0.0241, 0.0007), "four patches": (0.0948, 0.0036),
    "one patch of two": (0.1913, 0.0104), "target of two": (0.3801, 0.0085),
}  # fmt: skip


@pytest.mark.parametrize("case", CURVES)
def test_published_curves(case):
    """Mean squared errors, twice eps_g."""
    parameters, expected = CURVES[case]
    np.testing.assert_allclose(2 * tsphys.solve(LocalKernels(**parameters), n=N)["eps_g"], expected, rtol=5e-6)


@pytest.mark.parametrize("ridge, variance, expected", [(0.05, 0.2, 0.17771), (0.3, 0.05, 0.069327)])
def test_published_ridge_and_noise(ridge, variance, expected):
    model = LocalKernels(modes=1000, n=300, ridge=ridge, noise=variance**0.5)
    assert 2 * tsphys.solve(model)["eps_g"][0] == pytest.approx(expected, rel=3e-5)


def slopes(model, n):
    """From one n to the next, with waves up to 2e5 along one axis."""
    modes = spectrum(model, 200_000)
    log = np.log([eigenframework.errors(modes, many, 1e-10, 0.0)["eps_g"] for many in n])
    return -np.diff(log) / np.diff(np.log(n))


def test_published_slopes():
    """Those of one patch size tend to α_t/s, and of two sizes to what is between."""
    np.testing.assert_allclose(slopes(LocalKernels(modes=10), [1e3, 1e4]), 1.0, atol=0.02)
    two = LocalKernels(patch=[2], modes=700)
    np.testing.assert_allclose(slopes(two, [300, 1000, 3000, 10_000]), [0.486, 0.495, 0.498], atol=6e-4)
    both = LocalKernels(patch=[1, 2], modes=700)
    np.testing.assert_allclose(slopes(both, [300, 1000, 3000, 10_000]), [0.674, 0.717, 0.742], atol=6e-4)
    assert exponent(two) == 0.5
    assert exponent(both) == 0.75


def test_exponents():
    """α_t/s whatever d and t; a floor under that of ever larger patches beside the target's; saturation at κ²."""
    for d, t in ((2, 1), (2, 2), (6, 1), (6, 2)):
        assert exponent(LocalKernels(dimension=d, patch=[2], target_patch=t, modes=5)) == 0.5
    many = [exponent(LocalKernels(dimension=2**i, patch=[1, 2**i], modes=1)) for i in range(1, 9)]
    assert (np.diff(many) < 0).all()
    assert many[-1] > 1 / (1 + 1)
    assert exponent(LocalKernels(target_smoothness=100)) == 4.0


def test_waves_are_counted():
    """Against all wave numbers one by one."""
    for axes, most in ((1, 5), (2, 4), (3, 3), (4, 2)):
        k = waves(axes, most)
        assert len(np.unique(np.vstack([k, -k, 0 * k[:1]]), axis=0)) == (2 * most + 1) ** axes == 2 * len(k) + 1
        squares, count = shells(axes, most)
        found, times = np.unique((k**2).sum(axis=1), return_counts=True)
        np.testing.assert_array_equal(squares[1:], found)
        np.testing.assert_array_equal(count, [1, *2 * times])
    k = waves(4, 2)
    k = k[(k[:, :2] != 0).any(axis=1) & (k[:, 2:] != 0).any(axis=1)]
    found, times = np.unique((k**2).sum(axis=1), return_counts=True)
    np.testing.assert_array_equal(np.array(new_shells(4, 2, 2)), [found, 2 * times])


@pytest.mark.parametrize("more", [{"patch": [2]}, {"patch": [1, 2], "weights": [0.3, 0.9]},
                                  {"patch": [2], "kernel": "convolutional", "target_patch": 2}])  # fmt: skip
def test_an_instance_by_its_gram_matrix(more):
    """The kernel as it is defined, cosines of differences of patches; its fit at other points of the torus."""
    model = LocalKernels(dimension=4, modes=3, n=12, ridge=0.05, noise=0.3, smoothness=1.5, **more)
    found = tsphys.simulate(model, seed=5, replicas=1)
    rng = generator(5, 0, "instance 0")
    from tsphys.sims.local_kernels import functions, strengths

    k = waves(2, 3)
    copies = 1 if model.kernel == "convolutional" else 2
    power = np.append(0.0, np.tile(strengths(model, k)[1], 2 * copies))
    target = np.sqrt(power / power.sum()) * rng.standard_normal(len(power))
    x = rng.random((12, 4))
    y = functions(model, x, k) @ target + 0.3 * rng.standard_normal(12)

    def kernel(a, b):
        total = 0.0
        for s, weight in model.scales():
            grid = np.stack(np.meshgrid(*[np.arange(-3, 4)] * s), axis=-1).reshape(-1, s)
            lam = (1 + (0.2 * np.pi) ** 2 * (grid**2).sum(axis=1)) ** (-(1.5 + s) / 2)
            m = 4 // s
            for j in range(m):
                for i in range(m) if model.kernel == "convolutional" else [j]:
                    gap = a[:, None, j * s : (j + 1) * s] - b[None, :, i * s : (i + 1) * s]
                    scale = m**2 if model.kernel == "convolutional" else m
                    total = total + weight / scale * np.cos(2 * np.pi * gap @ grid.T) @ lam
        return total

    a = np.linalg.solve(kernel(x, x) + 0.05 * np.eye(12), y)
    assert found["train_loss"][0, 0] == pytest.approx(0.5 * np.mean((y - kernel(x, x) @ a) ** 2), rel=1e-9)
    # Waves up to 3 are integrated exactly by 7 points along each axis.
    axis = np.arange(7) / 7
    fresh = np.stack(np.meshgrid(*[axis] * 4, indexing="ij"), axis=-1).reshape(-1, 4)
    off = kernel(fresh, x) @ a - functions(model, fresh, k) @ target
    assert found["eps_g"][0, 0] == pytest.approx(0.5 * np.mean(off**2), rel=1e-9)


@pytest.mark.parametrize("case", ["two patches", "shared", "one patch of two"])
def test_simulation_near_the_theory(case):
    """Within 12 % of it, and within errors of the published simulation, at n = 256."""
    parameters, _ = CURVES[case]
    model = LocalKernels(**{**parameters, "modes": min(parameters["modes"], 700)})
    sim, theory = tsphys.simulate(model, n=[256], replicas=8), tsphys.solve(model, n=[256])
    assert sim.mean("eps_g") == pytest.approx(theory["eps_g"], rel=0.12 + 4 * (sim.sem("eps_g") / theory["eps_g"])[0])
    published, error = SIMULATED[case]
    assert abs(2 * sim.mean("eps_g")[0] - published) < 4 * np.hypot(error, 2 * sim.sem("eps_g")[0])


@pytest.mark.parametrize("more", [{}, {"kernel": "convolutional"}, {"patch": [1, 2], "modes": 8}])
def test_gaussian_waves_on_the_theory(more):
    model = LocalKernels(**{"modes": 150, "noise": 0.3, "ridge": 0.02, **more})
    sim = tsphys.simulate(model, n=[40, 100, 200], covariates="gaussian", replicas=24)
    found = tsphys.compare(sim, tsphys.solve(model, n=[40, 100, 200]))
    assert found.max_abs_z < found.threshold, found
    other = dataclasses.replace(model, smoothness=1.3)
    assert tsphys.compare(sim, tsphys.solve(other, n=[40, 100, 200])).verdict == "disagree"


def test_sharing_is_as_good_as_more_examples():
    """With m patches and no sharing the same waves need m times as many; without ridge by the equations exactly."""
    # But for the constant, which is one of n.
    n = np.array([100, 200])
    local, shared = (LocalKernels(modes=300, dimension=5, kernel=kind) for kind in ("local", "convolutional"))
    np.testing.assert_allclose(tsphys.solve(local, n=5 * n)["eps_g"], tsphys.solve(shared, n=n)["eps_g"], rtol=1 / 50)


def test_refusals():
    refuses(lambda: LocalKernels(patch=[3], dimension=4), "patch")
    refuses(lambda: LocalKernels(patch=[2, 1]), "patch")
    refuses(lambda: LocalKernels(patch=[]), "patch")
    refuses(lambda: LocalKernels(patch=[1, 2], kernel="convolutional"), "patch")
    refuses(lambda: LocalKernels(patch=[1, 2], weights=[1.0]), "weights")
    refuses(lambda: LocalKernels(target_patch=2), "target_patch")
    refuses(lambda: LocalKernels(patch=[3], dimension=6, target_patch=2), "target_patch")
    refuses(lambda: LocalKernels(patch=[8], dimension=8, modes=1000), "modes")
    refuses(lambda: tsphys.simulate(LocalKernels(patch=[3], dimension=3, modes=400)), "modes")


def test_too_few_waves_for_a_precision_are_refused():
    """What is said of the rest holds: it is as large as what many more waves change."""
    model = LocalKernels(n=256, modes=800)
    refuses(lambda: tsphys.solve(model, precision=1e-3), "modes")
    there = tsphys.solve(dataclasses.replace(model, modes=100_000), precision=1e-2)["eps_g"]
    off = abs(tsphys.solve(model)["eps_g"] / there - 1)[0]
    assert off == pytest.approx(cut(model), rel=0.15)
