"""A neuron that looks for spikes: equations against averages by sampling and quadrature, simulation on theory."""

import numpy as np
import pytest

import tsphys
from tests.refusal import refuses
from tests.test_engine_law import p_values, sample
from tsphys.models.spiked_cumulant import KURTOSIS, LATENTS
from tsphys.odes import learning_rule
from tsphys.odes.spiked_cumulant import components, drift, escape_time, field_averages, latent, leading_drift
from tsphys.physics.activations import code, dg
from tsphys.rules import spikes
from tsphys.sims.engines.online import direct, exact

MIXED = {"task": "mixed", "lr": 0.3, "beta_m": 1.0, "beta_u": 5.0}
FAR = (0.1, 0.2, 0.3)
POINTS = {
    "rademacher": (tsphys.SpikedCumulant(lr=0.1), (0.5,), 200.0),
    "laplace": (tsphys.SpikedCumulant(lr=0.3, latent="laplace", beta=4.0), (-0.7,), 60.0),
    "mixed, independent": (tsphys.SpikedCumulant(**MIXED), FAR, 20.0),
    "mixed, correlated": (tsphys.SpikedCumulant(**MIXED, correlated=True), FAR, 20.0),
    "mixed, uniform, he2": (
        tsphys.SpikedCumulant(**{**MIXED, "lr": 0.05}, latent="uniform", activation="he2"),
        FAR,
        20.0,
    ),
}


def at(m):
    return tsphys.OrderParameters(R=[m], Q=np.eye(1), T=np.eye(len(m)))


def test_reference_numbers():
    """From an independent integration; given to six digits."""
    model = tsphys.SpikedCumulant(lr=1.0)
    for m, value, leading in ((0.1, 5.38996e-5, 5.3319e-5), (0.3, 1.46292e-3, None)):
        assert drift(model, np.array([m]), noise=False)[0] == pytest.approx(value, rel=2e-6)
        if leading:
            assert leading_drift(model, m) == pytest.approx(leading, rel=2e-5)
    found = tsphys.solve(tsphys.SpikedCumulant(), start=at([0.5]), t=[100, 300])["R"][:, 0, 0]
    np.testing.assert_allclose(found, [0.508892, 0.528803], atol=6e-7)


@pytest.mark.parametrize("law", LATENTS)
def test_latent_variables_have_unit_variance_and_their_kurtosis(law):
    mean, var, w = components(tsphys.SpikedCumulant(latent=law, beta=1e8))
    g = mean[:, 0]
    # The rest of the variance is 1e-8.
    np.testing.assert_allclose([w.sum(), w @ g, w @ g**2 + var[0, 0]], [1, 0, 1], atol=1e-10)
    assert w @ g**4 - 3 == pytest.approx(KURTOSIS[law], abs=1e-6)
    z = np.array([-8.0, -0.3, 0.2, 5.0])
    compiled = [spikes.latent(LATENTS.index(law), x) for x in z]
    np.testing.assert_allclose(latent(law, z), compiled, rtol=1e-12)
    draws = {
        "uniform": lambda r: r.uniform(-np.sqrt(3), np.sqrt(3), 4000),
        "laplace": lambda r: r.laplace(0, 0.5**0.5, 4000),
    }
    if law in draws:
        from scipy.stats import ks_2samp

        rng = np.random.default_rng(2)
        assert ks_2samp(latent(law, rng.standard_normal(4000)), draws[law](rng)).pvalue > 1e-3


@pytest.mark.parametrize("activation", ["relu", "erf", "he2", "linear"])
def test_averages_over_a_field(activation):
    """The derivative is jump-free on each half of the line of the field, where Gauss-Legendre is good to rounding."""
    mean, v = 0.4, 0.7
    x, w = np.polynomial.legendre.leggauss(200)
    lam = np.concatenate([-6 * (x + 1), 6 * (x + 1)])
    weight = 6 * np.tile(w, 2) * np.exp(-0.5 * (lam - mean) ** 2 / v) / np.sqrt(2 * np.pi * v)
    slope = np.array([dg(code(activation), y) for y in lam])
    z = (lam - mean) / np.sqrt(v)
    expected = [weight @ slope, weight @ (slope * z), weight @ slope**2]
    np.testing.assert_allclose([float(a) for a in field_averages(activation, mean, v)], expected, atol=1e-12)


@pytest.mark.parametrize("name", POINTS)
def test_equations_are_averages_of_the_rule(name):
    model, m, end = POINTS[name]
    t = [0.25 * end, 0.5 * end]
    other = learning_rule.solve(model.learning_rule(), start=at(m), t=t, points=2**16)
    bound = 5 * other.meta["quadrature_error"]["R"] + 1e-7
    np.testing.assert_allclose(tsphys.solve(model, start=at(m), t=t)["R"], other["R"], atol=bound)
    assert bound < 0.05


@pytest.mark.parametrize("name", POINTS)
def test_simulation_lies_on_theory(name):
    model, m, end = POINTS[name]
    t = np.linspace(0, end, 9)
    sim = tsphys.simulate(model, N=1000, start=at(m), t=t, replicas=24)
    comparison = tsphys.compare(sim, tsphys.solve(model, start=at(m), t=t), observables=["R"])
    assert sim.meta["engine"] == "exact"
    assert comparison.ok, comparison


def test_weights_lie_on_theory():
    model, m, end = POINTS["mixed, correlated"]
    t = np.linspace(0, end, 6)
    sim = tsphys.simulate(model, N=400, start=at(m), t=t, replicas=16, engine="direct")
    comparison = tsphys.compare(sim, tsphys.solve(model, start=at(m), t=t), observables=["R"])
    assert comparison.ok, comparison


def test_direct_and_exact_have_one_law():
    model = POINTS["mixed, correlated"][0]
    a, b = (sample(engine, model, 15, (0.4, 2.0), 900, start=at(FAR)) for engine in (direct, exact))
    p = p_values(a, b)
    assert p.min() * p.size > 1e-3, p


def test_what_is_invisible_is_not_found():
    """No fourth cumulant, or an activation without a fourth Hermite coefficient: the noise of SGD alone moves m."""
    for options in ({"latent": "normal"}, {"activation": "erf"}, {"activation": "he2"}, {"activation": "linear"}):
        model = tsphys.SpikedCumulant(**options)
        assert abs(drift(model, np.array([0.4]), noise=False)[0]) < 1e-15
        noise = drift(model, np.array([0.4]))[0]
        assert noise < 0
    with_noise = tsphys.SpikedCumulant(latent="normal", lr=0.3)
    # ⟨g'²⟩ = ½ for relu: m decays by η²/4.
    found = tsphys.solve(with_noise, start=at([0.4]), t=[10.0])["R"][0, 0, 0]
    assert found == pytest.approx(0.4 * np.exp(-0.25 * 0.09 * 10), rel=1e-8)


def test_leading_order():
    for law in ("rademacher", "uniform", "laplace"):
        model = tsphys.SpikedCumulant(latent=law, beta=4.0)
        wrong = [drift(model, np.array([m]), noise=False)[0] / leading_drift(model, m) - 1 for m in (0.1, 0.05)]
        # The next cumulant enters with m² more.
        assert np.log2(wrong[0] / wrong[1]) == pytest.approx(2, abs=0.2)


def test_correlated_latents_are_found_with_the_covariance():
    """The force on v is linear then, a covariance √(2 β_u β/(π (1 + β))) with u; without it, it is cubic."""
    together, apart = (tsphys.SpikedCumulant(task="mixed", beta_u=5.0, correlated=c) for c in (True, False))
    mean, _, w = components(together)
    assert w @ (mean[:, 1] * mean[:, 2]) == pytest.approx(np.sqrt(2 * 5 * 9 / (np.pi * 10)), rel=1e-12)
    m = np.array([0.0, 0.02, 0.0])
    assert drift(together, m, noise=False)[2] > 1e-4 * together.lr
    assert abs(drift(apart, m, noise=False)[2]) < 1e-12


def test_examples_that_are_needed():
    """Covariance: N ln N at fixed η. Fourth cumulant: N³ at η ~ 1/N, the only η that the noise allows."""
    sizes = np.array([1e3, 1e4, 1e5])
    quick = [escape_time(tsphys.SpikedCumulant(task="mixed", lr=0.1, beta=0, beta_u=5), [0, N**-0.5, 0], direction=1)
             for N in sizes]  # fmt: skip
    # ln N and a constant: equal differences, up to what is left of saturation at the first.
    np.testing.assert_allclose(np.diff(quick)[0], np.diff(quick)[1], rtol=0.01)
    slow = [N * escape_time(tsphys.SpikedCumulant(lr=0.05 / N), [1.5 * N**-0.5]) for N in sizes]
    np.testing.assert_allclose(np.diff(np.log10(slow)), 3, atol=0.01)
    assert escape_time(tsphys.SpikedCumulant(lr=1.0), [0.1]) == np.inf
    assert escape_time(tsphys.SpikedCumulant(), [0.6]) == 0


def test_an_escape_time_in_closed_form():
    """A linear neuron without noise and a mean alone: m = tanh(η β_m t/2), to the accuracy that is stated."""
    model = tsphys.SpikedCumulant(task="mixed", activation="linear", beta=0, beta_m=1.5, lr=0.2)
    for level in (0.3, 0.5, 0.9):
        found = escape_time(model, [0.0, 0.0, 0.0], level=level, direction=0, gradient_flow=True)
        assert found == pytest.approx(2 * np.arctanh(level) / (0.2 * 1.5), rel=1e-6)


def test_random_starts_lie_on_the_sphere():
    sim = tsphys.simulate(tsphys.SpikedCumulant(**MIXED), N=50, t=[0], replicas=400)
    np.testing.assert_allclose(sim["Q"], 1, atol=1e-12)
    # ⟨m²⟩ = 1/N; its mean over 1200 numbers is known to √(2/1200).
    assert np.mean(sim["R"] ** 2) * 50 == pytest.approx(1, abs=5 * np.sqrt(2 / 1200))


BAD = {
    "unknown task": (lambda: tsphys.SpikedCumulant(task="wishart"), "task"),
    "unknown latent": (lambda: tsphys.SpikedCumulant(latent="cauchy"), "latent"),
    "beta negative": (lambda: tsphys.SpikedCumulant(beta=-1), "beta"),
    "a mean without the task": (lambda: tsphys.SpikedCumulant(beta_m=1), "beta_m"),
    "correlated without the task": (lambda: tsphys.SpikedCumulant(correlated=True), "correlated"),
    "m of the wrong length": (lambda: tsphys.SpikedCumulant(m=[0.1, 0.1]), "m"),
    "m too long": (lambda: tsphys.SpikedCumulant(m=[1.1]), "m"),
    "a start off the sphere": (
        lambda: tsphys.solve(tsphys.SpikedCumulant(), start=tsphys.OrderParameters([[0.1]], [[0.9]], [[1]]), t=[1]),
        "start",
    ),
    "leading order of mixed": (lambda: leading_drift(tsphys.SpikedCumulant(task="mixed"), 0.1), "model"),
    "level 1": (lambda: escape_time(tsphys.SpikedCumulant(), [0.1], level=1), "level"),
    "a direction too many": (lambda: escape_time(tsphys.SpikedCumulant(), [0.1], direction=1), "direction"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_calls_raise_one_clear_line(case):
    refuses(*BAD[case])
