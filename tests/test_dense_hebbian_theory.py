"""Replica theory of dense Hebbian networks: reference numbers, its own free energy, identities, limits, one step."""

from itertools import product
from math import factorial

import numpy as np
import pytest
from scipy import stats

from tests.naive import hebbian_free_energy as naive
from tsphys.errors import ModelError
from tsphys.models.dense_hebbian import DenseHebbian
from tsphys.models.hopfield import Hopfield
from tsphys.replica import dense_hebbian as theory
from tsphys.replica import hopfield


def point(**parameters):
    """Theory at one point, as plain numbers."""
    F = parameters.pop("F", None)
    branch = parameters.pop("branch", "retrieval")
    result = theory.solve(DenseHebbian(**parameters), F=F, branch=branch)
    return {k: float(result[k][0]) for k in result.observables}


EXAMPLES = [
    {"P": 3, "alpha": 0.08, "T": 0.3},
    {"P": 4, "alpha": 0.01, "T": 0.3},
    {"P": 3, "alpha": 0.02, "T": 0.2, "M": 5, "r": 0.7, "storage": "supervised"},
    {"P": 3, "alpha": 0.02, "T": 0.2, "M": 5, "r": 0.7, "storage": "unsupervised"},
    {"P": 5, "alpha": 0.001, "T": 0.15, "M": 30, "r": 0.5, "storage": "supervised"},
]
PAIRS = [
    {"P": 2, "alpha": 0.02, "T": 0.3, "M": 10, "r": 0.6, "storage": "supervised"},
    {"P": 2, "alpha": 0.03, "T": 0.2, "M": 5, "r": 0.7, "storage": "unsupervised"},
]
POWERS = [
    {"P": 3, "alpha": 0.4, "T": 1.0, "branch": "paramagnetic", "interaction": "power"},
    {"P": 3, "alpha": 0.03, "T": 0.2, "interaction": "power"},
    {"P": 2, "alpha": 0.03, "T": 0.3, "interaction": "power"},
    {"P": 3, "alpha": 0.01, "T": 0.2, "M": 5, "r": 0.7, "storage": "unsupervised", "interaction": "power"},
    {"alpha": 0.02, "T": 0.4, "M": 5, "r": 0.7, "storage": "supervised", "interaction": "exponential"},
]


# Reference numbers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "P, load, m",
    [(3, 0.1260952, 0.838482), (4, 0.0329767, 0.917922), (5, 0.00719886, None), (6, 0.00131400, None)],
)
def test_capacity(P, load, m):
    found = theory.spinodal_load(DenseHebbian(P=P, T=0))
    assert found == pytest.approx(load, rel=1e-5)
    if m is not None:
        # m − m_c ~ √(1 − α/α_c).
        assert point(P=P, alpha=found * (1 - 1e-12), T=0)["m"] == pytest.approx(m, abs=5e-6)
    # In its own form: α_c = max_y [erf(y)^(P−1)/y]²/2/(P − 1)!.
    from scipy.special import erf, factorial

    y = np.linspace(0.5, 3, 400_001)
    own = 0.5 * np.max((erf(y) ** (P - 1) / y) ** 2) / factorial(P - 1)
    assert found == pytest.approx(own, rel=1e-9)


def test_temperatures_without_load():
    for P, end, transition in ((3, 0.582583, 0.495969), (4, 0.495786, 0.362949), (5, 0.451204, 0.288962)):
        assert theory.spinodal_temperature(DenseHebbian(P=P, alpha=0)) == pytest.approx(end, abs=1e-6)
        assert theory.transition_temperature(P) == pytest.approx(transition, abs=1e-6)


def test_lines():
    for T, load in ((0.1, 0.139527), (0.3, 0.154793), (0.5, 0.077462)):
        assert theory.spinodal_load(DenseHebbian(P=3, T=T)) == pytest.approx(load, abs=1e-6)
    assert theory.transition_load(DenseHebbian(P=3, T=0.3)) == pytest.approx(0.140595, abs=1e-6)
    assert theory.transition_load(DenseHebbian(P=4, T=0.3)) == pytest.approx(0.018462, abs=1e-6)
    assert theory.spinodal_temperature(DenseHebbian(P=3, alpha=0.077461711)) == pytest.approx(0.5, abs=1e-4)
    for storage, load in (("supervised", 0.0853), ("unsupervised", 0.0139)):
        model = DenseHebbian(P=3, T=0.02, M=20, r=0.4, storage=storage)
        assert theory.spinodal_load(model) == pytest.approx(load, abs=1e-4)


def test_states():
    names = ("m", "q", "free_energy", "energy")
    s = point(**EXAMPLES[0])
    assert [s[k] for k in names] == pytest.approx([0.949369, 0.926155, -0.341728, -0.321770], abs=1e-6)
    assert point(**EXAMPLES[1])["m"] == pytest.approx(0.989567, abs=1e-6)
    s = point(**EXAMPLES[2])
    assert [s[k] for k in ("m", "n", "q")] == pytest.approx([0.894931, 0.993671, 0.916841], abs=1e-6)
    s = point(**EXAMPLES[3])
    assert [s[k] for k in ("m", "n", "q")] == pytest.approx([0.874664, 0.980121, 0.888739], abs=1e-6)
    s = point(**PAIRS[0])
    assert [s[k] for k in ("m", "n", "q")] == pytest.approx([0.8960, 0.9685, 0.8821], abs=1e-4)
    assert point(**PAIRS[1])["m"] == pytest.approx(0.8686, abs=1e-4)


# The free energy and its derivatives ----------------------------------------------------------------------------------


@pytest.mark.parametrize("given", EXAMPLES)
def test_stationary(given):
    """The naive free energy of (n, q) is flat at the solution; its grid of z resolves 1e-13, the steps 1e-10."""
    s = point(**given)
    r, M, P = given.get("r", 1.0), given.get("M", 1), given["P"]
    k = np.arange(M + 1)
    v, weights = (2 * k - M) / (M * r), stats.binom.pmf(k, M, (1 + r) / 2)
    scale = {
        "given": 1.0,
        "supervised": (1 + (1 - r**2) / (M * r**2)) ** (P / 2),
        "unsupervised": np.sqrt(1 + (1 - r ** (2 * P)) / (M * r ** (2 * P))),
    }[given.get("storage", "given")]
    f = lambda x: naive.dense(*x, given["alpha"], given["T"], P, scale, v, weights)  # noqa: E731
    assert np.abs(naive.gradient(f, (s["n"], s["q"]))).max() < 1e-8
    assert f((s["n"], s["q"])) == pytest.approx(s["free_energy"], abs=1e-11)


@pytest.mark.parametrize("given", [
    *EXAMPLES, *PAIRS,
    {"P": 3, "alpha": 0.4, "T": 1.0, "branch": "paramagnetic"}, *POWERS,
])  # fmt: skip
def test_thermodynamics(given):
    """energy = ∂(βf)/∂β by differences of fourth order in T, entropy = β(e − f)."""
    given = dict(given)
    T, branch = given.pop("T"), given.pop("branch", "retrieval")
    h = 1e-3 * T
    s = theory.solve(DenseHebbian(**given), T=T + h * np.array([-2, -1, 0, 1, 2]), branch=branch)
    f = s["free_energy"]
    slope = (8 * (f[3] - f[1]) - f[4] + f[0]) / (12 * h)
    assert s["energy"][2] == pytest.approx(f[2] - T * slope, abs=2e-9)
    np.testing.assert_allclose(s["entropy"], (s["energy"] - f) / s["T"], atol=1e-12)


@pytest.mark.parametrize("P, alpha, T", [(3, 0.03, 0.25), (4, 0.001, 0.2), (5, 1e-4, 0.25)])
@pytest.mark.parametrize("storage", ["given", "supervised", "unsupervised"])
def test_powers_are_stationary(P, alpha, T, storage):
    """Coincident indices and all: Gaussian couplings of every order, from moments of Gaussians."""
    r, M = (1.0, 1) if storage == "given" else (0.8, 5)
    alpha = alpha if storage == "given" else alpha / 3
    s = theory.solve(DenseHebbian(P=P, alpha=alpha, T=T, interaction="power", storage=storage, r=r, M=M))
    k = np.arange(M + 1)
    v, weights = (2 * k - M) / (M * r), stats.binom.pmf(k, M, (1 + r) / 2)
    own = r ** (2 * P) + (1 - r ** (2 * P)) / M
    pairs, scale = ((1.0, 1.0),), (1 + (1 - r**2) / (M * r**2)) ** (P / 2)
    if storage == "unsupervised":
        pairs, scale = ((1 / M / own, 1.0), ((1 - 1 / M) / own, r**2)), np.sqrt(own) / r**P
    f = lambda x: naive.powers(*x, alpha, T, P, scale, v, weights, pairs)  # noqa: E731
    at = float(s["n"][0]), float(s["q"][0])
    assert np.abs(naive.gradient(f, at)).max() < 1e-8
    # At even P all states have an energy in common that grows with N.
    assert ("energy" in s.observables) == bool(P % 2)
    if P % 2:
        assert f(at) == pytest.approx(s["free_energy"][0], abs=1e-11)
    assert s["m"][0] < theory.solve(DenseHebbian(P=P, alpha=alpha, T=T, storage=storage, r=r, M=M))["m"][0]


def test_random_fields_of_coincident_indices_align_a_paramagnet():
    """P = 3: fields (1/N) Σ ξ_i of variance α, on which q = E tanh² follows; P = 4 has none, and q = 0."""
    model = DenseHebbian(P=3, alpha=0.3, T=1.2, interaction="power")
    q = float(theory.solve(model, branch="paramagnetic")["q"][0])
    assert q == pytest.approx(naive.gauss(np.tanh(np.sqrt(0.3 * (1 + 2 * q**2)) * naive.Z / 1.2) ** 2), abs=1e-12)
    assert not theory.solve(DenseHebbian(P=4, alpha=0.1, T=2.0, interaction="power"), branch="paramagnetic")["q"][0]
    f = [float(theory.solve(model, T=[1.2], branch="paramagnetic")[k][0]) for k in ("free_energy", "energy", "entropy")]
    assert f[0] == pytest.approx(naive.powers(0.0, q, 0.3, 1.2, 3, 1.0, (1.0,), (1.0,)), abs=1e-12)
    assert f[0] == pytest.approx(f[1] - 1.2 * f[2], abs=1e-12)


def test_the_load_of_the_model_does_not_matter_for_its_spinodal():
    for alpha in (0.0, 0.01):
        found = theory.spinodal_load(DenseHebbian(P=3, T=0.3, alpha=alpha, interaction="power"))
        assert 0.05 < found < 0.6 * theory.spinodal_load(DenseHebbian(P=3, T=0.3))


# Limits ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha, T", [(0.05, 0.3), (0.1, 0.0), (0.002, 0.85)])
def test_pairs_are_hopfields_network(alpha, T):
    """Also with M examples of quality 1, taught or not."""
    expected = hopfield.solve(Hopfield(alpha=alpha), T=T)
    for more in ({}, {"storage": "supervised", "M": 4}, {"storage": "unsupervised", "M": 4}):
        s = point(P=2, alpha=alpha, T=T, **more)
        for name in ("m", "q", "free_energy", "energy", "entropy"):
            assert s[name] == pytest.approx(float(expected[name][0]), abs=1e-11)
    assert theory.transition_load(DenseHebbian(P=2, T=0.3)) == pytest.approx(0.045031, abs=1e-6)


def test_a_single_example_needs_no_teacher():
    """With M = 1 both rules store the same vectors: the same network."""
    for P in (2, 3, 4):
        given = {"P": P, "alpha": 0.001, "T": 0.05, "r": 0.9}
        taught, alone = (point(**given, storage=s) for s in ("supervised", "unsupervised"))
        assert taught == pytest.approx(alone, abs=1e-11)


def test_many_examples_are_clean():
    """ρ ~ 1/M: at M = 4000 and r = 0.8 it is 1.4e-4, and observables differ by a few times that."""
    clean = point(P=3, alpha=0.05, T=0.2)
    for storage in ("supervised", "unsupervised"):
        noisy = point(P=3, alpha=0.05, T=0.2, r=0.8, M=4000, storage=storage)
        assert noisy["m"] == pytest.approx(clean["m"], abs=2e-3)
        assert noisy["m"] != clean["m"]


def test_low_load_is_the_majority_vote():
    for M, r in ((1, 0.3), (4, 0.5), (9, 0.2)):
        wins = sum(stats.binom.pmf(k, M, (1 + r) / 2) for k in range(M + 1) if 2 * k > M)
        losses = sum(stats.binom.pmf(k, M, (1 + r) / 2) for k in range(M + 1) if 2 * k < M)
        assert theory.majority(r, M) == pytest.approx(wins - losses, abs=1e-12)
        assert point(P=3, alpha=0, T=0, r=r, M=M, storage="supervised")["m"] == pytest.approx(wins - losses, abs=1e-12)
    # Gaussian law of v: erf(1/√(2ρ)) up to the discreteness of the vote, of order 1/√M.
    from scipy.special import erf

    r, M = 0.02, 10_001
    rho = theory.dataset_entropy(r, M)
    assert theory.majority(r, M) == pytest.approx(erf(1 / np.sqrt(2 * rho)), abs=0.01)


def test_low_temperature_limit_is_smooth():
    for given in ({"P": 3, "alpha": 0.1}, {"P": 3, "alpha": 0.02, "M": 5, "r": 0.7, "storage": "supervised"}):
        cold = point(**given, T=0)
        near = [point(**given, T=T)["m"] - cold["m"] for T in (1e-4, 1e-5, 1e-6)]
        assert abs(near[2]) < 1e-5
        assert near[1] / near[0] == pytest.approx(0.1, rel=0.05)


def test_a_teacher_saves_load():
    """Loads scale as α/Λ²: at fixed law of v the spinodals of both rules differ by Λ² only, here at T = 0."""
    given = {"P": 4, "T": 0.0, "r": 0.5, "M": 20}
    taught, alone = (theory.spinodal_load(DenseHebbian(**given, storage=s)) for s in ("supervised", "unsupervised"))
    rho, rho_P = theory.dataset_entropy(0.5, 20), theory.dataset_entropy(0.5**4, 20)
    assert taught / alone == pytest.approx((1 + rho_P) / (1 + rho) ** 4, rel=1e-8)
    assert taught > 5 * alone


def test_learned_load():
    """At that load the state has that overlap, unless the state ends before."""
    model = {"P": 4, "T": 0.1, "r": 0.6, "M": 12, "storage": "unsupervised"}
    load = theory.learned_load(DenseHebbian(**model), 0.95)
    assert 0 < load < theory.spinodal_load(DenseHebbian(**model))
    assert point(**model, alpha=load)["m"] == pytest.approx(0.95, abs=1e-9)
    assert theory.learned_load(DenseHebbian(P=4)) == theory.spinodal_load(DenseHebbian(P=4))
    assert theory.learned_load(DenseHebbian(**{**model, "M": 1})) == 0


# One step -------------------------------------------------------------------------------------------------------------


def test_one_step():
    noisy = {"P": 3, "alpha": 0.1, "M": 5, "r": 0.7}
    assert theory.one_step(DenseHebbian(P=3, alpha=0.3)) == pytest.approx(0.803294, abs=1e-6)
    assert theory.one_step(DenseHebbian(**noisy, storage="supervised")) == pytest.approx(0.809878, abs=1e-6)
    assert theory.one_step(DenseHebbian(**noisy, storage="unsupervised")) == pytest.approx(0.761688, abs=1e-6)
    for P, N, K, m in ((3, 300, 9000, 0.932111), (3, 300, 18000, 0.803295), (4, 100, 25000, 0.897530)):
        model = DenseHebbian(P=P, alpha=K / N ** (P - 1), interaction="power")
        assert theory.one_step(model) == pytest.approx(m, abs=1e-6)
    assert theory.noisy_tensor_step(160, 160, 0.4 * np.sqrt(160)) == pytest.approx(0.96880, abs=1e-5)


def test_one_step_against_networks():
    """P = 3, N = 150, 60 networks: h_i = Σ_a η_i [u² − (N − 1)] with u the overlap without i; bias a few 1/N."""
    rng = np.random.default_rng(11)
    N, K, power = 150, 4500, []
    distinct = []
    for _ in range(60):
        x = rng.choice([-1, 1], (K, N))
        x *= x[0]  # the archetype is all ones by the gauge symmetry
        u = x.sum(1)[:, None] - x
        distinct.append(np.sign((x * (u**2 - (N - 1))).sum(0)).mean())
        power.append(np.sign(((u + x) ** 3 - (u - x) ** 3).sum(0)).mean())
    for values, interaction in ((distinct, "distinct"), (power, "power")):
        expected = theory.one_step(DenseHebbian(P=3, alpha=K / N**2, interaction=interaction))
        sem = np.std(values, ddof=1) / np.sqrt(60)
        assert np.mean(values) == pytest.approx(expected, abs=4 * sem + 2 / N)


def test_one_step_of_powers_of_averages_against_networks():
    """N = 150, 30 networks: averages of mean square 1 have the noise α(2P − 3)!! of archetypes; bias a few 1/N."""
    rng, N, K, M, r, out = np.random.default_rng(12), 150, 1500, 5, 0.7, []
    size = M * np.sqrt(r**2 + (1 - r**2) / M)
    for _ in range(30):
        x = (2 * rng.binomial(M, (1 + r) / 2, (K, N)) - M) / size * rng.choice([-1, 1], (K, N))
        x[0] = (2 * rng.binomial(M, (1 + r) / 2, N) - M) / size
        u = x.sum(1)[:, None] - x
        out.append(np.sign(((u + x) ** 3 - (u - x) ** 3).sum(0)).mean())
    model = DenseHebbian(P=3, alpha=K / N**2, interaction="power", storage="supervised", r=r, M=M)
    assert np.mean(out) == pytest.approx(theory.one_step(model), abs=4 * np.std(out, ddof=1) / np.sqrt(30) + 2 / N)
    assert theory.one_step(DenseHebbian(P=3, alpha=K / N**2, storage="supervised", r=r, M=M)) > np.mean(out) + 0.03


def test_error_free_storage():
    """At that K a spin is wrong with probability about 1/N·1/√(4π ln N): 1 − m = 2 P(wrong)."""
    N = 10**6
    K = theory.error_free_patterns(N, 4)
    m = theory.one_step(DenseHebbian(P=4, alpha=K / N**3))
    assert (1 - m) / 2 == pytest.approx(1 / (N * np.sqrt(4 * np.pi * np.log(N))), rel=0.05)
    ratio = theory.error_free_patterns(N, 4) / theory.error_free_patterns(N, 4, "power")
    assert ratio == pytest.approx(15 / 6)


# Exponential and any other interaction --------------------------------------------------------------------------------


def test_exponential():
    """Capacity 1 − ln cosh 1 at T = 0; the largest of K random overlaps solves ln 2 − H((1 + m)/2) = α."""
    assert theory.exponential_load(0.0) == pytest.approx(1 - np.log(np.cosh(1)), abs=1e-15)
    s = point(interaction="exponential", alpha=0.3, T=0.4)
    assert s["m"] == pytest.approx(np.tanh(2.5), abs=1e-14)
    assert s["free_energy"] == pytest.approx(-0.4 * np.log(2 * np.cosh(2.5)), abs=1e-13)
    with pytest.raises(ModelError, match=r"alpha = 0.57: must be < 0.56621"):
        point(interaction="exponential", alpha=0.57)
    m = theory.largest_random_overlap(0.2)
    p = (1 + m) / 2
    assert np.log(2) + p * np.log(p) + (1 - p) * np.log(1 - p) == pytest.approx(0.2, abs=1e-12)
    # Continuous where the others freeze, and where T takes the pattern's overlap below that of the frozen ones.
    edge = np.tanh(1) - np.log(np.cosh(1))
    assert theory.exponential_noise(edge - 1e-9) == pytest.approx(theory.exponential_noise(edge), abs=1e-8)
    assert theory.exponential_load(1 - 1e-9) == pytest.approx(theory.exponential_load(1 + 1e-9), abs=1e-8)


def test_exponential_noise_against_samples():
    """N = 24, all K = e^(αN) overlaps drawn: (1/N) ln Σ exp(N m); its bias is (ln N)/N at most, its spread 1/N."""
    rng = np.random.default_rng(5)
    N = 24
    for alpha in (0.2, 0.45):
        m = 2 * rng.binomial(N, 0.5, (40, round(np.exp(alpha * N)))) / N - 1
        value = np.mean(np.log(np.exp(N * m).sum(1)) / N)
        assert value == pytest.approx(theory.exponential_noise(alpha), abs=np.log(N) / N / 2)


def test_exponentials_of_averages():
    """Perfect examples are patterns; noise against overlaps of averages, whose mean of exponentials is E cosh(v)^N."""
    examples = {"interaction": "exponential", "storage": "supervised"}
    for alpha, T in ((0.3, 0.4), (0.1, 0.0)):
        clean = point(interaction="exponential", alpha=alpha, T=T)
        assert point(**examples, alpha=alpha, T=T, M=3) == pytest.approx(clean, abs=1e-12)
    rng, N, M, r = np.random.default_rng(6), 24, 5, 0.6
    law = theory.stored(DenseHebbian(**examples, M=M, r=r))
    for alpha in (0.2, 0.3):
        sums = 2 * rng.binomial(M, (1 + r) / 2, (40, round(np.exp(alpha * N)), N)) - M
        m = (sums * rng.choice([-1, 1], sums.shape)).mean(-1) / (M * np.sqrt(r**2 + (1 - r**2) / M))
        value = np.mean(np.log(np.exp(N * m).sum(1)) / N)
        assert value == pytest.approx(theory.exponential_noise(alpha, law), abs=np.log(N) / N / 2)
    # Where it does not freeze, the mean over all examples, one by one.
    signs = np.array(list(product((-1, 1), repeat=M)))
    likely = np.prod((1 + r * signs) / 2, axis=1)
    mean = likely @ np.cosh(signs.mean(axis=1) / np.sqrt(r**2 + (1 - r**2) / M))
    assert theory.exponential_noise(0.6, law) == pytest.approx(0.6 + np.log(mean), abs=1e-12)
    model = DenseHebbian(**examples, M=M, r=r)
    assert theory.spinodal_load(model) < theory.exponential_load(0.0)
    assert theory.one_step(model) == pytest.approx(theory.majority(r, M), abs=1e-12)


def test_any_interaction_of_averages():
    """A power of the user's is ours, without load."""
    given = {"alpha": 0.0, "T": 0.3, "storage": "supervised", "r": 0.7, "M": 5}
    cubic, known = point(interaction="custom", F=lambda m: m**3 / 3, **given), point(P=3, interaction="power", **given)
    for name in ("m", "n", "q", "energy", "free_energy", "entropy"):
        assert cubic[name] == pytest.approx(known[name], abs=1e-8)


def test_any_interaction():
    """F = m²/2 without load is Hopfield's network; a cubic one is P = 3."""
    assert point(interaction="custom", alpha=0, T=0.4, F=lambda m: m**2 / 2)["m"] == pytest.approx(
        point(P=2, alpha=0, T=0.4)["m"], abs=1e-8
    )
    cubic, known = point(interaction="custom", alpha=0, T=0.3, F=lambda m: m**3 / 3), point(P=3, alpha=0, T=0.3)
    for name in ("m", "energy", "free_energy", "entropy"):
        assert cubic[name] == pytest.approx(known[name], abs=1e-8)


# Examples without a teacher -------------------------------------------------------------------------------------------


def of_examples(x, q, P, alpha, T, r):
    """One step of the overlaps x (M,) with examples and of q, and m, energy and free energy there: all 2^M columns."""
    M = len(x)
    chi = np.array(list(np.ndindex(*[2] * M))) * 2 - 1
    p = np.prod((1 + r * chi) / 2, axis=1)
    size = M * r**P * np.sqrt(1 + (1 - r ** (2 * P)) / (M * r ** (2 * P)))
    A = alpha * factorial(P - 1)
    h = (chi @ x ** (P - 1) / size)[:, None] + np.sqrt(A * q ** (P - 1)) * naive.Z
    spin = np.tanh(h / T)
    mean, square = spin @ naive.WEIGHT, spin**2 @ naive.WEIGHT
    power = np.sum(x**P) / size
    free = (P - 1) / P * power - A / (2 * P * T) * (1 - P * q ** (P - 1) + (P - 1) * q**P)
    free -= T * p @ (naive.log2cosh(h / T) @ naive.WEIGHT)
    return (p * mean) @ chi, p @ square, p @ mean, -power / P - A / (P * T) * (1 - q**P), free


@pytest.mark.parametrize("alpha, M, leads", [(0.0, 4, True), (0.0015, 3, True), (0.0015, 5, False)])
def test_examples_without_a_teacher_stay_equal_or_one_draws_ahead(alpha, M, leads):
    at = {"P": 4, "alpha": alpha, "T": 0.12, "r": 0.6}
    s, equal = (
        theory.solve(DenseHebbian(**at, M=M, storage="unsupervised"), branch=b) for b in ("retrieval", "symmetric")
    )
    x, q, tiny = np.full(M, 0.6 * equal["n"][0]), equal["q"][0], 1e-5
    apart = tiny * np.eye(M)[0] - tiny * np.eye(M)[1]
    up, down = (of_examples(x + sign * apart, q, **at)[0] for sign in (1, -1))
    # Central differences: tiny² times a third derivative of order 100.
    assert (up - down)[0] / (2 * tiny) == pytest.approx(s.meta["breaking"][0], rel=1e-6)
    assert (s.meta["breaking"][0] > 1) == leads == (abs(s["m"][0] - equal["m"][0]) > 0.1)
    x = x + 1e-3 * np.eye(M)[0]
    for _ in range(400):
        x, q = of_examples(x, q, **at)[:2]
    _, q, m, energy, free = of_examples(x, q, **at)
    found = [s[k][0] for k in ("m", "n", "q", "energy", "free_energy")]
    assert found == pytest.approx([m, np.mean(x) / 0.6, q, energy, free], abs=1e-8)
    assert free == pytest.approx(s["energy"][0] - 0.12 * s["entropy"][0], abs=1e-8)


# Bad input ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parameters, options, words",
    [
        ({"P": 4, "alpha": 0.05}, {}, r"alpha = 0.05: must be <= 0.03297\d+, the spinodal"),
        ({"P": 4, "alpha": 0.01}, {"T": [0.1, 0.49]}, r"T = 0.49: must be <= 0.4567\d+"),
        ({"P": 3, "T": 0.6}, {"alpha": [0.0]}, r"T = 0.6: must be <= 0.58258\d+"),
        (
            {"P": 4, "interaction": "power", "T": 0.1, "alpha": 0.02},
            {},
            r"alpha = 0.02: must be <= 0.0136\d+, the spinodal",
        ),
        ({"interaction": "custom", "alpha": 0.0}, {}, "F = None"),
        ({"P": 3}, {"F": np.square}, "only then"),
        ({"P": 3}, {"branch": "glass"}, "must be one of retrieval"),
        ({"P": 3}, {"branch": "paramagnetic"}, "T = 0.0: must be > 0"),
        ({"P": 3}, {"alpha": [0.1], "T": [0.1]}, "must be one sequence"),
        ({"P": 3, "storage": "supervised"}, {"M": [1.5]}, "M = 1.5: must be an integer"),
    ],
)
def test_bad_input(parameters, options, words):
    with pytest.raises(ModelError, match=words) as caught:
        theory.solve(DenseHebbian(**parameters), **options)
    assert "\n" not in str(caught.value)
