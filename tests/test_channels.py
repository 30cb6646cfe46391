"""Priors and output channels: derivatives against differences, tails, identities of Bayes, sampling, bad input."""

from fractions import Fraction

import numpy as np
import pytest

from tsphys.errors import ModelError
from tsphys.physics.inference import channels, priors
from tsphys.physics.inference.channels import Interval, Kinked, Logistic

CHANNELS = {
    "sign": Interval(),
    "noisy sign": Interval(noise=0.3),
    "threshold": Interval(edge=0.7),
    "noisy threshold": Interval(edge=0.7, noise=0.2),
    "linear": Kinked(noise=0.2),
    "relu": Kinked(1, 0),
    "noisy relu": Kinked(1, 0, 0.3),
    "abs": Kinked(1, -1),
    "noisy abs": Kinked(1, -1, 0.1),
    "leaky relu": Kinked(1, 0.3, 0.05),
    "logistic": Logistic(),
}
PRIORS = {
    "gaussian": priors.gaussian(),
    "rademacher": priors.rademacher(),
    "gauss_bernoulli": priors.gauss_bernoulli(0.2),
    "sparse_rademacher": priors.sparse_rademacher(0.3),
}


def derivative(f, x, h):
    """Fourth order; with values of order one its error is ~h⁴ + 1e-16/h."""
    return (f(x - 2 * h) - 8 * f(x - h) + 8 * f(x + h) - f(x + 2 * h)) / (12 * h)


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)
def test_derivatives_of_channels(channel):
    rng = np.random.default_rng(1)
    omega = np.concatenate([rng.normal(size=12), [4.0, -6.0]])
    for V in (1.0, 0.3, 0.05):
        y = channel.draw(rng, omega + np.sqrt(V) * rng.normal(size=omega.size))
        h = 1e-3 * np.sqrt(V)
        g, slope = channel.moments(y, omega, V)
        # Values of ln Z up to ~100 leave 1e-14/h to rounding.
        assert g == pytest.approx(derivative(lambda x: channel.log_partition(y, x, V), omega, h), rel=1e-8, abs=1e-9)  # noqa: B023
        assert slope == pytest.approx(derivative(lambda x: channel.moments(y, x, V)[0], omega, h), rel=1e-8, abs=1e-8)  # noqa: B023


@pytest.mark.parametrize("prior", PRIORS.values(), ids=PRIORS)
def test_derivatives_of_priors(prior):
    b = np.linspace(-6, 6, 25)
    for A in (0.0, 0.5, 8.0):
        mean, variance = prior.moments(A, b)
        assert mean == pytest.approx(derivative(lambda x: prior.log_partition(A, x), b, 1e-3), abs=1e-9)  # noqa: B023
        assert variance == pytest.approx(derivative(lambda x: prior.moments(A, x)[0], b, 1e-3), abs=1e-9)  # noqa: B023


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)
def test_channels_are_normalised_and_obey_bayes(channel):
    """∫Z dy = 1, hence E g = 0 and E(g² + g') = 0 for every ω."""
    omega = np.array([-3.0, -0.4, 0.0, 0.3, 2.0])
    for V in (1.0, 0.2, 0.01):
        y, weight = channel.outcomes(omega, V)
        g, slope = channel.moments(y, omega, V)
        assert weight.sum(axis=0) == pytest.approx(1, abs=1e-9)
        assert (weight * g).sum(axis=0) == pytest.approx(0, abs=1e-8)
        assert (weight * (g * g + slope)).sum(axis=0) == pytest.approx(0, abs=1e-8 / V)
        assert (weight * y).sum(axis=0) == pytest.approx(channel.mean(omega, V), abs=1e-9)


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)
def test_information_is_the_slope_of_the_free_entropy(channel):
    """−2 dΨ/dV = E g², which holds for the Bayes-optimal law only."""
    for V in (0.9, 0.3, 0.02):
        slope = derivative(channel.free_entropy, V, 1e-3 * V)
        assert -2 * slope == pytest.approx(channel.information(V), rel=1e-7)


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)
def test_outputs_are_drawn_by_their_law(channel):
    rng = np.random.default_rng(2)
    n, omega, V = 200_000, 0.4, 0.6
    y = channel.draw(rng, omega + np.sqrt(V) * rng.normal(size=n))
    nodes, weight = channel.outcomes(np.array([omega]), V)
    for f in (lambda y: y, np.abs, lambda y: y**2 * (y > 0)):
        # 5 standard errors.
        assert abs(f(y).mean() - (weight * f(nodes)).sum()) < 5 * f(y).std() / np.sqrt(n) + 1e-12
    g, _ = channel.moments(y, omega, V)
    expected = channel.moments(nodes, np.array([omega]), V)[0]
    assert abs((g * g).mean() - (weight * expected**2).sum()) < 5 * (g * g).std() / np.sqrt(n)


@pytest.mark.parametrize("prior", PRIORS.values(), ids=PRIORS)
def test_weights_are_drawn_by_their_law(prior):
    rng = np.random.default_rng(3)
    n, snr = 200_000, 3.0
    w = prior.draw(rng, n)
    assert abs((w * w).mean() - prior.second_moment) < 5 * (w * w).std() / np.sqrt(n) + 1e-12
    mean, variance = prior.moments(snr, snr * w + np.sqrt(snr) * rng.normal(size=n))
    error = (mean - w) ** 2
    assert abs(error.mean() - prior.mmse(snr)) < 5 * error.std() / np.sqrt(n)
    assert abs(variance.mean() - prior.mmse(snr)) < 5 * variance.std() / np.sqrt(n) + 1e-12


@pytest.mark.parametrize("prior", PRIORS.values(), ids=PRIORS)
def test_mutual_information_of_priors(prior):
    """Its slope is mmse/2; it is ρA/2 − E ln Z, here summed plainly; it ends at the entropy of points."""
    for snr in (0.3, 2.0, 30.0):
        assert derivative(prior.information, snr, 1e-3 * snr) == pytest.approx(0.5 * prior.mmse(snr), rel=1e-7)
        z = np.linspace(-12, 12, 20_001)
        phi = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
        plain = sum(
            p * phi @ prior.log_partition(snr, snr * m + np.sqrt(snr * (1 + snr * s)) * z)
            for p, m, s in zip(prior.weights, prior.means, prior.variances)
        )
        assert prior.information(snr) == pytest.approx(0.5 * snr * prior.second_moment - plain, rel=1e-7)
        assert prior.snr(prior.second_moment - prior.mmse(snr)) == pytest.approx(snr, rel=1e-9)
    if max(prior.variances) == 0:
        entropy = -sum(p * np.log(p) for p in prior.weights)
        assert prior.information(1e3) == pytest.approx(entropy, rel=1e-12)


def test_known_closed_forms():
    A = np.array([0.5, 2.0])
    b = np.array([0.3, -1.0])
    assert PRIORS["rademacher"].log_partition(A, b) == pytest.approx(-A / 2 + np.log(np.cosh(b)), rel=1e-13)
    assert PRIORS["rademacher"].moments(A, b)[0] == pytest.approx(np.tanh(b), rel=1e-13)
    assert PRIORS["gaussian"].moments(A, b)[0] == pytest.approx(b / (1 + A), rel=1e-13)
    assert PRIORS["gaussian"].information(3.0) == pytest.approx(0.5 * np.log(4), rel=1e-13)
    # Noiseless absolute value: g = (y tanh(ωy/V) − ω)/V.
    y, omega, V = np.array([0.2, 1.5]), np.array([0.7, -0.4]), 0.3
    assert CHANNELS["abs"].moments(y, omega, V)[0] == pytest.approx((y * np.tanh(omega * y / V) - omega) / V, rel=1e-12)
    assert Kinked(noise=0.2).moments(y, omega, V)[0] == pytest.approx((y - omega) / 0.5, rel=1e-12)
    assert Kinked(noise=0.2).information(V) == pytest.approx(Kinked(1, 1 - 1e-14, 0.2).information(V), rel=1e-9)
    assert Kinked(noise=0.2).free_entropy(V) == pytest.approx(Kinked(1, 1 - 1e-14, 0.2).free_entropy(V), rel=1e-9)


def test_relu_is_the_limit_of_little_noise():
    """Parts of y away from the kink; the atom at 0 becomes a density."""
    y, omega, V = np.array([0.8, 1.5]), np.array([0.2, -0.3]), 0.4
    for clean, noisy in ((Kinked(1, 0), Kinked(1, 0, 1e-10)), (Kinked(1, -1), Kinked(1, -1, 1e-10))):
        assert clean.log_partition(y, omega, V) == pytest.approx(noisy.log_partition(y, omega, V), abs=1e-8)
        assert np.array(clean.moments(y, omega, V)) == pytest.approx(np.array(noisy.moments(y, omega, V)), abs=1e-7)


@pytest.mark.parametrize("u", [-1e6, -300, -51, -49, -30, -9])
def test_hazard_in_the_tail(u):
    """Against the continued fraction of Laplace, r = a + 1/(a + 2/(a + 3/…)) at u = −a."""
    a = Fraction(-u)
    inner = a
    for k in range(300, 1, -1):
        inner = (a + k / inner).limit_denominator(10**30)
    r, d = channels.hazard(np.array(float(u)))
    exact = 1 / inner
    assert float(r) == pytest.approx(float(a + exact), rel=1e-15)
    assert abs(Fraction(float(d)) - (a + exact) * exact) < 1e-12


def test_tails_stay_finite():
    for channel in CHANNELS.values():
        y = 1.0 if channel.labels else 0.0
        for omega in (-300.0, 300.0):
            log, g, slope = channels.combine(*channel.pieces(y, omega, 1e-4))
            assert np.isfinite([log, g, slope]).all()
            assert slope <= 0 or channel.labels is False or getattr(channel, "edge", None) is not None
    # Curvature of ln Z cannot exceed that of a point: 0 ≤ Var(z | y) = V + V² g'.
    for name in ("sign", "threshold", "relu", "abs"):
        slope = CHANNELS[name].moments(1.0, np.linspace(-30, 30, 301), 0.5)[1]
        assert (0.5 + 0.25 * slope > -1e-12).all()


BAD = {
    "prior": lambda: priors.prior("laplace"),
    "density": lambda: priors.gauss_bernoulli(0.0),
    "variance": lambda: priors.gaussian(-1.0),
    "overlap": lambda: priors.rademacher().snr(1.0),
    "channel": lambda: channels.channel("probit"),
    "noise": lambda: channels.channel("logistic", 0.1),
    "edge": lambda: channels.channel("threshold"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name):
    with pytest.raises(ModelError) as error:
        BAD[name]()
    assert error.value.name == name
