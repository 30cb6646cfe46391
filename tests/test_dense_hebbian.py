"""Simulation of dense Hebbian networks: laws, limits, published numbers, and what it refuses."""

from dataclasses import replace
from math import comb, factorial, sqrt

import numpy as np
import pytest

import tsphys
from tests.naive import spins as naive
from tsphys.models.dense_hebbian import DenseHebbian
from tsphys.models.hopfield import Hopfield
from tsphys.sims.dense_hebbian import Options, number_of_patterns
from tsphys.sims.engines.spins import tables


def simulate(model, **options):
    return tsphys.simulate(model, **{"N": 40, "sweeps": 10, "equilibration": 0, **options})


def same(a, b, names=None):
    for name in names or a.observables:
        assert np.array_equal(a[name], b[name])


MODELS = {
    "distinct": DenseHebbian(P=3, alpha=0.05, T=0.3),
    "power": DenseHebbian(P=4, alpha=0.005, T=0.3, interaction="power"),
    "exponential": DenseHebbian(alpha=0.1, T=0.5, interaction="exponential"),
    "supervised": DenseHebbian(P=3, alpha=0.05, T=0.3, storage="supervised", r=0.6, M=4),
    "unsupervised": DenseHebbian(P=3, alpha=0.02, T=0.3, storage="unsupervised", r=0.6, M=4),
    "powers of averages": DenseHebbian(P=3, alpha=0.02, T=0.3, interaction="power", storage="supervised", r=0.6, M=4),
    "exponentials of averages": DenseHebbian(
        alpha=0.1, T=0.5, interaction="exponential", storage="supervised", r=0.6, M=4
    ),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_threads_do_not_change_a_bit(model):
    one, two = (simulate(model, T=[0.2, 0.4], replicas=4, seed=3, threads=n) for n in (1, 2))
    same(one, two)
    assert len(np.unique(one["energy"])) > 4 or model.interaction == "exponential"


def test_two_body_interactions_are_hopfield():
    """Every spin agrees for both forms of the energy, which is that of pairwise couplings."""
    X = np.random.default_rng(1).choice([-1, 1], (8, 40))
    at = {"patterns": X, "t": [5], "T": 0.4, "replicas": 4, "start": X[:4], "keep_spins": True}
    a = simulate(DenseHebbian(P=2, interaction="distinct"), **at)
    same(a, simulate(DenseHebbian(P=2, interaction="power"), **at), ["spins"])
    J = naive.hebb(X, (1 / 40, 0.0))
    for replica in range(4):
        energy = naive.pairwise(J)(a["spins"][replica, 0].astype(float))
        assert a["energy"][replica, 0] == pytest.approx(energy / 40, rel=1e-12)


def test_two_body_interactions_have_the_law_of_hopfield():
    at = {"N": 300, "T": 0.5, "alpha": 0.05, "replicas": 24, "sweeps": 60, "equilibration": 20}
    a, b = tsphys.simulate(DenseHebbian(P=2), **at), tsphys.simulate(Hopfield(), **at)
    for name in ("m", "q", "energy"):
        gap = np.abs(a.mean(name) - b.mean(name))
        assert (gap < 5 * np.hypot(a.sem(name), b.sem(name))).all()


@pytest.mark.parametrize("interaction", ["distinct", "power"])
@pytest.mark.parametrize("P", [3, 4])
def test_one_example_makes_teacher_and_no_teacher_the_same_network(P, interaction):
    """M = 1: both rules store the one example, with the same prefactor, so that the energies agree."""
    X = np.random.default_rng(2).choice([-1, 1], (6, 40))
    at = {"patterns": X, "t": [0, 4], "T": 0.3, "r": 0.8, "M": 1, "replicas": 3, "keep_spins": True}
    runs = [
        simulate(DenseHebbian(P=P, storage=rule, interaction=interaction), **at)
        for rule in ("supervised", "unsupervised")
    ]
    same(*runs, ["spins"])
    assert runs[0]["energy"] == pytest.approx(runs[1]["energy"], rel=1e-10)


@pytest.mark.parametrize("rule", ["supervised", "unsupervised"])
def test_perfect_examples_are_the_archetypes(rule):
    X = np.random.default_rng(3).choice([-1, 1], (6, 40))
    at = {"patterns": X, "t": [0, 6], "T": 0.4, "replicas": 3, "keep_spins": True, "start": "random"}
    clean = simulate(DenseHebbian(P=3), **at)
    learned = simulate(DenseHebbian(P=3, storage=rule, r=1.0, M=3), **at)
    same(clean, learned, ["spins"])
    assert learned["energy"] == pytest.approx(clean["energy"], rel=1e-10)
    assert learned["n"] == pytest.approx(learned["m"], rel=1e-12)


@pytest.mark.parametrize("interaction", ["power", "exponential"])
def test_averages_of_perfect_examples_are_the_archetypes(interaction):
    X = np.random.default_rng(3).choice([-1, 1], (6, 40))
    at = {"patterns": X, "t": [0, 6], "T": 0.4, "replicas": 3, "keep_spins": True, "start": "random"}
    clean = simulate(DenseHebbian(P=3, interaction=interaction), **at)
    learned = simulate(DenseHebbian(P=3, interaction=interaction, storage="supervised", r=1.0, M=3), **at)
    same(clean, learned, ["spins"])
    assert learned["energy"] == pytest.approx(clean["energy"], rel=1e-10)


def test_a_function_of_the_user_gives_the_same_bits_as_ours():
    at = {"N": 60, "T": 0.3, "alpha": 0.02, "replicas": 3, "start": "random"}
    a = tsphys.simulate(DenseHebbian(P=3, interaction="power"), **at)
    b = tsphys.simulate(DenseHebbian(P=3, interaction="custom"), F=lambda m: m**3 / 3, **at)
    same(a, b, ["m", "q", "flips"])
    assert b["energy"] == pytest.approx(a["energy"], rel=1e-10)
    examples = {"storage": "supervised", "r": 0.7, "M": 4}
    a = tsphys.simulate(DenseHebbian(P=3, interaction="power", **examples), **at)
    b = tsphys.simulate(DenseHebbian(P=3, interaction="custom", **examples), F=lambda m: m**3 / 3, **at)
    same(a, b, ["m", "n", "q", "flips"])
    assert b["energy"] == pytest.approx(a["energy"], rel=1e-10)


def test_squares_have_the_same_energy_beyond_pairs_in_theory_and_networks():
    """−α/2 of archetypes, exactly at any N; of averages of mean square 1 up to the fluctuations of N·K squares."""
    for examples, error in (({}, 1e-12), ({"storage": "unsupervised"}, 1e-12), ({"storage": "supervised"}, 3e-4)):
        more = examples and {"r": 0.7, "M": 4, **examples}
        models = [DenseHebbian(P=2, alpha=0.02, interaction=kind, **more) for kind in ("power", "distinct")]
        simulated, solved = ([run["energy"][..., 0] for run in runs] for runs in (
            [tsphys.simulate(model, N=400, t=[0], replicas=8) for model in models], map(tsphys.solve, models),
        ))  # fmt: skip
        assert np.mean(simulated[0] - simulated[1]) == pytest.approx(solved[0] - solved[1], abs=error)
        assert solved[1] - solved[0] > 0.009


def test_powers_at_a_load_have_the_noise_of_coincident_indices():
    """P = 3: overlaps of networks of N = 200 are those of the theory, and not those of distinct indices."""
    model = DenseHebbian(P=3, alpha=0.04, T=0.3, interaction="power")
    sim = tsphys.simulate(model, N=200, replicas=24, sweeps=40, equilibration=40, seed=3)
    m, other = (float(tsphys.solve(x)["m"][0]) for x in (model, replace(model, interaction="distinct")))
    assert abs(sim.mean("m")[0] - m) < 4 * sim.sem("m")[0]
    assert sim.mean("m")[0] < other - 4 * sim.sem("m")[0]


@pytest.mark.parametrize(("N", "P"), [(9, 3), (10, 4), (8, 5)])
def test_distinct_indices_are_counted_as_sets(N, P):
    """a_P = P! Σ over sets of P spins, which depends on the sum of the signs only."""
    g, scale = tables.distinct(N, P), 1 / (P * N ** (P - 1))
    for ups in range(N + 1):
        s = np.where(np.arange(N) < ups, 1.0, -1.0)
        sets = naive.distinct(np.ones((1, N)), P)(s)
        assert -scale * g[int(s.sum()) + N + 2] == pytest.approx(sets, rel=1e-12, abs=1e-12)


def one_pattern(P, N, T, distinct):
    """⟨H⟩/N of a single pattern, by the sum over all numbers of up spins."""
    up = np.arange(N + 1)
    if distinct:
        sets = [sum((-1) ** j * comb(N - k, j) * comb(k, P - j) for j in range(P + 1)) for k in range(N + 1)]
        energy = -factorial(P - 1) / N ** (P - 1) * np.array(sets, dtype=float)
    else:
        energy = -N / P * ((2 * up - N) / N) ** P
    log = np.array([np.log(float(comb(N, k))) for k in range(N + 1)]) - energy / T
    p = np.exp(log - log.max())
    return p @ energy / N / p.sum()


@pytest.mark.parametrize("interaction", ["distinct", "power"])
@pytest.mark.parametrize("P", [3, 4])
def test_one_pattern_is_a_magnet(P, interaction):
    N, T = 24, [1.2, 0.7]
    run = tsphys.simulate(
        DenseHebbian(P=P, interaction=interaction), N=N, T=T, n_patterns=1, mixture=1, sweeps=1500, equilibration=100,
        replicas=12, start="random", seed=4,
    )  # fmt: skip
    exact = [one_pattern(P, N, x, interaction == "distinct") for x in T]
    # |t| < 6 with 11 degrees of freedom: false alarm 1e-4.
    assert (np.abs(run.mean("energy") - exact) < 6 * run.sem("energy")).all()


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_at_zero_temperature_the_energy_never_rises(model):
    run = simulate(model, T=0.0, t=np.arange(30), replicas=4, start="random")
    assert (np.diff(run["energy"]) <= 1e-12).all()
    assert (run["flips"][:, -1] == 0).all()


def test_an_example_has_the_quality_that_was_asked_for():
    N, M, r = 2000, 20, 0.3
    run = tsphys.simulate(
        DenseHebbian(P=2, storage="supervised", r=r, M=M), N=N, n_patterns=1, mixture=1, t=[0], replicas=8
    )
    # At the archetype n is the mean of v, which is 1 with variance ρ/N, ρ = (1 − r²)/(M r²).
    rho = (1 - r**2) / (M * r**2)
    assert np.abs(run["n"][:, 0] - 1).max() < 5 * sqrt(rho / N)
    assert run["n"].std() > 0.2 * sqrt(rho / N)


def test_majority_of_examples_at_low_load():
    """α → 0, T = 0: σ = sign(v), m = 1 − 2P(v < 0) − P(v = 0) with binomial v, for odd M."""
    N, M, r = 3000, 5, 0.3
    p = [comb(M, k) * ((1 + r) / 2) ** k * ((1 - r) / 2) ** (M - k) for k in range(M + 1)]
    wanted = 1 - 2 * sum(p[k] for k in range(M + 1) if 2 * k < M)
    run = tsphys.simulate(
        DenseHebbian(P=3, storage="supervised", r=r, M=M), N=N, n_patterns=1, mixture=1, replicas=8, equilibration=20
    )
    # The spread of m over samples is that of N signs.
    assert np.abs(run["m"][:, 0] - wanted).max() < 5 * sqrt((1 - wanted**2) / N)


def test_exponential_interactions_hold_what_pairs_cannot():
    """α = ln K/N = 0.2 is below 1 − ln cosh 1 = 0.566 (Lucibello & Mézard): 40 spins hold 3000 patterns."""
    run = simulate(DenseHebbian(interaction="exponential", alpha=0.2), replicas=4, start="noisy", overlap=0.9)
    assert run["m"] == pytest.approx(1)
    assert run["energy"] == pytest.approx(-1, abs=1e-3)


def test_exponential_interactions_of_images():
    """784 pixels, e^784 beyond floats: noisy patterns come back, with the energy of one pattern alone."""
    run = {"N": 784, "n_patterns": 50, "replicas": 3, "start": "noisy", "overlap": 0.5, "sweeps": 4, "equilibration": 4}
    quiet = tsphys.simulate(DenseHebbian(interaction="exponential"), **run)
    np.testing.assert_allclose(quiet["m"], 1)
    # Of the others e^{−784(1 − m)} is left.
    np.testing.assert_allclose(quiet["energy"], -1, rtol=1e-12)
    # Alone its energy is −Nm, that of spins in fields of 1; five standard deviations of 12 sweeps.
    warm = tsphys.simulate(DenseHebbian(interaction="exponential", T=0.7), **run)
    m = np.tanh(1 / 0.7)
    assert warm["m"] == pytest.approx(m, abs=5 * ((1 - m**2) / (784 * 4)) ** 0.5)


BAD = {
    "n_patterns": {"n_patterns": 2.5},
    "alpha": {"alpha": 1e-9},
    "F": {"F": lambda m: m},
    "r": {"r": 0.5},
    "T": {"T": -1},
    "patterns": {"patterns": [[1, 0] * 20]},
    "t": {"t": [2, 1]},
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_clear_line(name):
    with pytest.raises(tsphys.ModelError) as error:
        simulate(DenseHebbian(), **BAD[name])
    assert error.value.name == name
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "model", "options"),
    [
        ("N", DenseHebbian(P=4, alpha=1.0), {"N": 5000}),
        ("alpha", DenseHebbian(P=9, alpha=1.0), {"N": 5000}),
        ("N", DenseHebbian(P=5), {"N": 4}),
        ("M", DenseHebbian(storage="supervised", r=0.5, M=200), {}),
        (
            "P",
            DenseHebbian(P=300, interaction="power", storage="supervised", r=0.01, M=100),
            {"N": 300, "n_patterns": 1},
        ),
        ("F", DenseHebbian(interaction="custom", storage="supervised", r=0.5, M=4), {"F": lambda m: (1 - m) ** 0.5}),
        ("F", DenseHebbian(interaction="custom"), {}),
        ("F", DenseHebbian(interaction="custom"), {"F": 3}),
        ("F", DenseHebbian(interaction="custom"), {"F": lambda m: float("nan")}),
    ],
)
def test_what_cannot_be_simulated_is_refused(name, model, options):
    with pytest.raises(tsphys.ModelError) as error:
        simulate(model, **options)
    assert error.value.name == name


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("P", {"P": 1}),
        ("r", {"r": 0.0, "storage": "supervised"}),
        ("M", {"M": 3}),
        ("interaction", {"interaction": "exponential", "storage": "unsupervised"}),
        ("storage", {"storage": "mine"}),
    ],
)
def test_bad_models_are_refused(name, parameters):
    with pytest.raises(tsphys.ModelError) as error:
        DenseHebbian(**parameters)
    assert error.value.name == name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "N", "m"),
    [
        (DenseHebbian(P=3, alpha=0.08, T=0.3), 400, 0.949369),
        (DenseHebbian(P=3, alpha=0.02, T=0.2, storage="supervised", r=0.7, M=5), 300, 0.894931),
        (DenseHebbian(P=3, alpha=0.02, T=0.2, storage="unsupervised", r=0.7, M=5), 300, 0.874664),
        (DenseHebbian(P=3, alpha=0.05, T=0.3, interaction="power"), 400, 0.950545),
        (DenseHebbian(P=3, alpha=0.02, T=0.2, interaction="power", storage="supervised", r=0.7, M=5), 300, 0.879409),
        (DenseHebbian(P=2, alpha=0.02, T=0.3, storage="supervised", r=0.6, M=10), 1000, 0.8960),
        (DenseHebbian(P=2, alpha=0.03, T=0.2, storage="unsupervised", r=0.7, M=5), 1000, 0.8686),
    ],
)
def test_replica_symmetric_order_parameters(model, N, m):
    """Overlaps of the theory at N → ∞, which those at N differ from by less than 3/N (from runs at 200 and 400)."""
    run = tsphys.simulate(model, N=N, replicas=8, sweeps=40, equilibration=40, seed=5)
    assert abs(run.mean("m")[0] - m) < 5 * run.sem("m")[0] + 3 / N


@pytest.mark.parametrize("M", [4, 6, 9])
def test_large_networks_without_a_teacher_end_where_theory_says(M):
    """For M = 4 in one example, else with equal ones; networks of a few hundred spins end in one of six too."""
    N, r, T = 12800, 0.6, 0.12
    model = DenseHebbian(P=4, alpha=0.0, T=T, storage="unsupervised", r=r, M=M)
    m = tsphys.solve(model)["m"][0]
    cold = replace(model, T=T * np.prod(1 - np.arange(1, 4) / N))
    run = tsphys.simulate(cold, N=N, n_patterns=1, replicas=12, sweeps=30, equilibration=60)
    # The example that wins is the largest of M at the start, by 1.03 standard deviations for M = 4.
    bias = 1.03 * sqrt((1 - r**2) / N) if M == 4 else 0.0
    assert abs(run.mean("m")[0] - m - bias) < 4 * run.sem("m")[0]
    if M == 6:
        small = tsphys.simulate(model, N=160, n_patterns=1, replicas=48, sweeps=30, equilibration=60)
        assert 0.2 < (small["m"] < 0.65).mean() < 0.8


def test_with_few_examples_and_no_teacher_the_network_falls_into_one_of_them():
    """At the load, temperature and quality of the figure: examples of one archetype do not stay equal for M = 4."""
    N, M, r, T = 100, 4, 0.6, 0.12
    rng = np.random.default_rng(0)
    archetypes = rng.choice(np.array([-1, 1], np.int8), (1500, N))
    examples = np.where(rng.random((1500, M, N)) < (1 + r) / 2, archetypes[:, None], -archetypes[:, None])
    # Stored as they are, without the factor c of unsupervised learning, which rescales the temperature.
    entropy = (1 - r**8) / (M * r**8)
    model = tsphys.DenseHebbian(P=4, T=T * M * r**4 * np.sqrt(1 + entropy))
    run = tsphys.simulate(
        model, N=N, patterns=examples.reshape(-1, N), start=archetypes[0], mixture=1, equilibration=50, sweeps=50,
        keep_spins=True,
    )  # fmt: skip
    overlaps = np.sort(examples[0] @ run["spins"][0, 0].astype(float) / N)
    assert overlaps[-1] > 0.9
    # The others are independent of it given the archetype: r² = 0.36 ± 1/√N each.
    assert abs(overlaps[:-1].mean() - r**2) < 4 / np.sqrt(N * (M - 1))


def test_a_run_without_options_is_one_of_seconds():
    """Of N spins at 10⁻² N³ patterns a sweep sees 10⁻² N⁴ products."""
    N = Options().N
    assert number_of_patterns(DenseHebbian(), N) * N < 1e8
