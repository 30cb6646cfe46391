"""Simulation of Hopfield's network: laws, limits, published numbers, and what it refuses."""

import subprocess
import sys
from math import comb

import numpy as np
import pytest
from scipy.stats import ks_2samp

import tsphys
from tests.naive import spins as naive
from tests.refusal import refuses
from tsphys.models.hopfield import Hopfield
from tsphys.runs import memory
from tsphys.sims.hopfield import choose_method


def simulate(model, **options):
    return tsphys.simulate(model, **{"N": 200, "sweeps": 10, "equilibration": 0, **options})


def same(a, b):
    assert a.observables == b.observables
    assert all(np.array_equal(a[k], b[k]) for k in a.observables)


MODELS = {
    "hebb": Hopfield(alpha=0.1, T=0.4),
    "clipped": Hopfield(alpha=0.1, T=0.4, coupling="clipped"),
    "diluted": Hopfield(alpha=0.1, T=0.4, coupling="diluted", connectivity=0.5),
    "sparse": Hopfield(alpha=0.1, T=0.1, activity=0.2, threshold=0.4),
    "parallel": Hopfield(alpha=0.1, T=0.4, dynamics="parallel"),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_threads_do_not_change_a_bit(model):
    one, two = (simulate(model, alpha=[0.05, 0.1], replicas=4, seed=3, threads=n) for n in (1, 2))
    same(one, two)
    assert one["m"].shape == (4, 2)
    assert len(np.unique(one["energy"])) == 8


@pytest.mark.parametrize("dynamics", ["sequential", "parallel"])
def test_overlaps_and_stored_couplings_give_the_same_bits(dynamics):
    model = Hopfield(alpha=0.2, dynamics=dynamics)
    a, b = (simulate(model, T=[0.0, 0.7], replicas=3, start="random", method=m) for m in ("overlap", "matrix"))
    same(a, b)
    assert (a.meta["method"], b.meta["method"]) == ("overlap", "matrix")


def many_patterns(dead):
    """40 000 patterns of 64 spins, of which so many are up in all of them: couplings among these exceed 16 bits."""
    X = np.random.default_rng(11).choice([-1, 1], (40_000, 64))
    X[:, :dead] = 1
    return X


@pytest.mark.parametrize("dead", [20, 64])
@pytest.mark.parametrize("dynamics", ["sequential", "parallel"])
@pytest.mark.parametrize(("coupling", "method"), [("hebb", "overlap"), ("hebb", "matrix"), ("clipped", "matrix"),
                                                  ("diluted", "matrix")])  # fmt: skip
def test_many_patterns_do_not_overflow(coupling, method, dynamics, dead):
    X, s = many_patterns(dead), np.where(np.arange(64) < 40, 1, -1)
    model = Hopfield(T=0.5, coupling=coupling, dynamics=dynamics, connectivity=1.0)
    run = simulate(model, N=64, patterns=X, method=method, start=s, t=[0, 1], replicas=1, keep_spins=True)
    # Sums of 40 000 signs are exact as floats, whose products are a hundred times as fast.
    signs = X.astype(float)
    J = signs.T @ signs
    np.fill_diagonal(J, 0)
    if coupling == "clipped":
        J = np.sign(J) * np.sqrt(0.5 * np.pi * len(X))
    spins = run["spins"][0].astype(float)
    np.testing.assert_allclose(run["energy"][0], -0.5 * np.einsum("ti,ij,tj->t", spins, J, spins) / 64**2, rtol=1e-12)
    assert (run["spins"][0, 1, :20] == 1).all()


def test_the_method_is_the_cheaper_one():
    # Long runs of small cold networks pay for their couplings; hot ones flip too often, large ones do not fit.
    cold, hot = Hopfield(T=0.1), Hopfield(T=2.0)
    assert choose_method(cold, "auto", 2000, 400, 0.1, 1e8) == "matrix"
    assert choose_method(cold, "auto", 2000, 400, 0.1, 1e4) == "overlap"
    assert choose_method(hot, "auto", 2000, 400, 2.0, 1e8) == "overlap"
    assert choose_method(cold, "auto", 50000, 2500, 0.1, 1e12) == "overlap"


@pytest.mark.parametrize("values", [(1, -1), (1, 0)])
def test_energy_and_overlaps_are_those_of_the_spins(values):
    rng = np.random.default_rng(1)
    sparse = values[1] == 0
    X = rng.choice(values, (15, 120))
    model = Hopfield(T=0.3, **({"activity": 0.5, "threshold": 0.1} if sparse else {}))
    run = simulate(model, N=120, patterns=X, t=[7], replicas=2, start="random", keep_spins=True, mixture=15)
    scale = 4 / 120 if sparse else 1 / 120
    J = naive.hebb(X, (scale, 0.5 if sparse else 0.0))
    for replica in range(2):
        s = run["spins"][replica, 0].astype(float)
        energy = naive.pairwise(J, model.threshold)(s)
        assert run["energy"][replica, 0] == pytest.approx(energy / 120, rel=1e-12)
        assert run["overlaps"][replica, 0] == pytest.approx(scale * (X - (0.5 if sparse else 0)) @ s, abs=1e-12)


@pytest.mark.parametrize("coupling", ["hebb", "clipped", "diluted"])
def test_at_zero_temperature_the_energy_never_rises(coupling):
    model = Hopfield(alpha=0.3, coupling=coupling, connectivity=0.7 if coupling == "diluted" else 1.0)
    run = simulate(model, t=np.arange(40), replicas=4, start="random")
    assert (np.diff(run["energy"]) <= 1e-12).all()
    assert (run["flips"][:, -1] == 0).all()


@pytest.mark.parametrize("model", [tsphys.Hopfield(), tsphys.DenseHebbian(P=2)], ids=["pairs", "dense"])
def test_loads_of_one_pattern_and_of_two_in_one_run(model):
    """One overlap is followed at the first load, two at the second; the bits are those of runs of their own."""
    options = {"N": 40, "replicas": 2, "seed": 4, "sweeps": 4, "equilibration": 2}
    load = 0.03 if model.name == "hopfield" else 0.02
    both = tsphys.simulate(model, alpha=[load, 0.06], **options)["overlaps"]
    alone = tsphys.simulate(model, alpha=[load], **options)["overlaps"]
    assert alone.shape == (2, 1, 1)
    np.testing.assert_array_equal(both[:, :1, :1], alone)
    np.testing.assert_array_equal(np.isnan(both), [[[False, True], [False, False]]] * 2)


def test_little_dynamics_at_zero_temperature_ends_in_a_cycle_of_at_most_two():
    run = simulate(Hopfield(alpha=0.5, dynamics="parallel"), t=np.arange(200), replicas=8, start="random", N=150)
    assert np.array_equal(run["overlaps"][:, -1], run["overlaps"][:, -3])


def test_starts():
    X = np.random.default_rng(2).choice([-1, 1], (5, 400))
    at = {"N": 400, "patterns": X, "t": [0], "replicas": 3, "mixture": 5}
    assert simulate(Hopfield(), **at)["m"] == pytest.approx(1)
    assert simulate(Hopfield(), start="noisy", overlap=0.3, **at)["m"] == pytest.approx(0.3, abs=1e-12)
    mixed = simulate(Hopfield(), start="mixture", **at)["overlaps"]
    majority = np.where(X.sum(axis=0) > 0, 1, -1)
    assert mixed == pytest.approx(np.broadcast_to(X @ majority / 400, mixed.shape))
    given = simulate(Hopfield(), start=X[2], **at)["overlaps"]
    assert given[:, 0, 2] == pytest.approx(1)
    # Overlap of random spins: standard deviation 1/√400 = 0.05, five of them.
    assert np.abs(simulate(Hopfield(), start="random", **at)["m"]).max() < 0.25


def test_an_overlap_is_that_of_a_noisy_start():
    """Other starts would not look at it."""
    for start in ("pattern", "random", "mixture", np.ones(40, np.int8)):
        at = {"N": 40, "start": start, "n_patterns": 3, "t": [0], "replicas": 1}
        refuses(lambda at=at: simulate(Hopfield(), overlap=-1.0, **at), "overlap")
        simulate(Hopfield(), overlap=1, **at)
    refuses(lambda: tsphys.simulate(tsphys.DenseHebbian(), N=40, overlap=0.5), "overlap")


def curie_weiss(N, T):
    """⟨H⟩/N and ⟨m²⟩ of −(N/2) m² + ½, by the sum over all numbers of up spins."""
    m = (2 * np.arange(N + 1) - N) / N
    energy = -0.5 * N * m**2 + 0.5
    log = np.array([float(np.log(float(comb(N, k)))) for k in range(N + 1)]) - energy / T
    p = np.exp(log - log.max())
    p /= p.sum()
    return p @ energy / N, p @ m**2


@pytest.mark.parametrize("protocol", ["quench", "tempering", "anneal"])
def test_one_pattern_is_the_curie_weiss_magnet(protocol):
    N, T = 60, [1.4, 1.0, 0.8]
    run = tsphys.simulate(
        Hopfield(), N=N, T=T, n_patterns=1, mixture=1, protocol=protocol, sweeps=400, equilibration=100, replicas=16,
        start="random", seed=4,
    )  # fmt: skip
    exact = [curie_weiss(N, x)[0] for x in T]
    # 16 replicas, 3 temperatures: |t| < 5 has a false alarm below 1e-3 with 15 degrees of freedom.
    assert (np.abs(run.mean("energy") - exact) < 5 * run.sem("energy")).all()
    if protocol == "tempering":
        assert (run["exchanges"][:, np.argsort(T)[:-1]] > 0.2).all()


def test_exchange_of_replicas_equilibrates_what_a_quench_does_not():
    """Two patterns that are mirror images share a broken symmetry: only exchange finds both signs at low T."""
    N = 40
    at = {"N": N, "n_patterns": 1, "mixture": 1, "sweeps": 1000, "equilibration": 200, "replicas": 12, "seed": 5}
    T = [0.5, 0.7, 0.9, 1.2, 1.6]
    m = {
        p: np.abs(tsphys.simulate(Hopfield(), T=T, protocol=p, **at)["m"][:, 0]).mean() for p in ("quench", "tempering")
    }
    assert m["quench"] > 0.9
    assert m["tempering"] < 0.5


def test_the_exact_engine_has_the_law_of_the_spins():
    model = Hopfield(T=0.5, dynamics="parallel")
    at = {"N": 120, "n_patterns": 3, "t": [1, 3, 8], "start": "noisy", "overlap": 0.2, "replicas": 400}
    a, b = (tsphys.simulate(model, engine=e, **at) for e in ("exact", "direct"))
    for name in ("m", "energy", "flips"):
        for k in range(3):
            # Nine tests, false alarm 1e-4 each.
            assert ks_2samp(a[name][:, k], b[name][:, k]).pvalue > 1e-4
    a, b = (
        tsphys.simulate(model, N=120, n_patterns=2, mixture=2, engine=e, replicas=40, start="mixture", seed=2)
        for e in ("exact", "direct")
    )
    for name in ("m", "q", "energy", "m_max"):
        gap = a.mean(name) - b.mean(name)
        assert np.abs(gap) < 5 * np.hypot(a.sem(name), b.sem(name)) + 1e-12


def test_auto_takes_the_exact_engine_where_it_may():
    model = Hopfield(dynamics="parallel")
    assert simulate(model, n_patterns=2, mixture=1).meta["engine"] == "exact"
    assert simulate(model, n_patterns=10).meta["engine"] == "direct"
    assert simulate(Hopfield(), n_patterns=2, mixture=1).meta["engine"] == "direct"


def test_a_run_goes_on_where_it_was_stopped():
    at = {"alpha": [0.05, 0.1], "T": 0.3, "replicas": 5, "seed": 7}
    whole = simulate(Hopfield(), **at)
    part = simulate(Hopfield(), **{**at, "replicas": 2})
    same(simulate(Hopfield(), resume=part, **at), whole)
    with pytest.raises(tsphys.ModelError, match="another run"):
        simulate(Hopfield(), resume=part, **{**at, "seed": 8})


def test_a_run_with_other_patterns_or_spins_is_another_run():
    X = np.random.default_rng(3).choice([-1, 1], (4, 200))
    at = {"patterns": X, "start": X[0], "T": 0.3}
    part = simulate(Hopfield(), **at)
    same(simulate(Hopfield(), resume=part, **at), part)
    for changed in ({"patterns": -X}, {"start": X[1]}):
        with pytest.raises(tsphys.ModelError, match="another run"):
            simulate(Hopfield(), resume=part, **{**at, **changed})


def test_progress_rises_to_one():
    seen = []
    simulate(Hopfield(), T=[0.2, 0.4], replicas=2, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1)


BAD = {
    "T": {"T": -0.1},
    "alpha": {"alpha": -1.0},
    "axis": {"alpha": [0.1, 0.2], "T": [0.1, 0.2]},
    "t": {"t": [0.5, 1.5]},
    "N": {"N": 10**7, "alpha": 1.0},
    "patterns": {"patterns": np.full((3, 200), 0.5)},
    "overlap": {"overlap": 1.5},
    "mixture": {"start": "mixture", "n_patterns": 2, "mixture": 3},
    "start": {"start": "nowhere"},
    "protocol": {"protocol": "tempering", "alpha": [0.1, 0.2]},
    "method": {"method": "fast"},
    "engine": {"engine": "exact"},
    "n_patterns": {"n_patterns": 0},
    "sweeps": {"sweeps": 1},
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_clear_line(name):
    with pytest.raises(tsphys.ModelError) as error:
        simulate(Hopfield(), **BAD[name])
    assert error.value.name == name
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("T", {"T": float("nan")}),
        ("coupling", {"coupling": "spin"}),
        ("connectivity", {"connectivity": 0.5}),
        ("activity", {"activity": 1.0}),
        ("threshold", {"threshold": 0.3}),
        ("coupling", {"activity": 0.2, "coupling": "clipped"}),
    ],
)
def test_bad_models_are_refused(name, parameters):
    with pytest.raises(tsphys.ModelError) as error:
        Hopfield(**parameters)
    assert error.value.name == name


def test_patterns_cost_a_byte_each():
    """N = 50 000, P = 2 500 in less than 1 GiB, all of Python and Numba included; N² couplings would take 20."""
    code = (
        "import tsphys\n"
        "r = tsphys.simulate(tsphys.Hopfield(alpha=0.05, T=0.3), N=50000, t=[1], replicas=1)\n"
        "assert r['m'][0, 0] > 0.98, r['m']\n"
        "status = open('/proc/self/status').read()\n"
        "print(int(status.split('VmHWM:')[1].split()[0]) / 2**20)"
    )
    # Not ru_maxrss, which a process inherits from the one that starts it.
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1.0


def test_packed_patterns_are_asked_for_too(monkeypatch):
    """Parallel dynamics keeps patterns as bytes and as bits."""
    monkeypatch.setattr(memory, "memory", lambda: 1.06 * 2000 * 1600)
    given = {"N": 2000, "n_patterns": 1600, "t": [0], "replicas": 1, "method": "overlap"}
    tsphys.simulate(Hopfield(), **given)
    refuses(lambda: tsphys.simulate(Hopfield(dynamics="parallel"), **given), "N")


#: Order parameters of the replica-symmetric theory, and exact first steps of parallel dynamics (Amit, Gutfreund &
#: Sompolinsky 1987; Gardner, Derrida & Mottishaw 1987; Tsodyks & Feigel'man 1988), to six digits.
PUBLISHED = [
    (Hopfield(alpha=0.05, T=0.3), {"sweeps": 60, "equilibration": 40},
     {"m": 0.991165, "q": 0.982961, "r": 1.104907, "energy": -0.494278}),
    (Hopfield(alpha=0.03, T=0.5), {"sweeps": 60, "equilibration": 40}, {"m": 0.936049, "energy": -0.448350}),
    (Hopfield(alpha=0.1, T=0.0), {"sweeps": 10, "equilibration": 40}, {"m": 0.99799927, "energy": -0.50015421}),
    (Hopfield(alpha=0.1, dynamics="parallel"), {"t": [1], "start": "noisy", "overlap": 0.5}, {"m": 0.886154}),
    (Hopfield(alpha=0.1, dynamics="parallel"), {"t": [2], "start": "noisy", "overlap": 0.5}, {"m": 0.950469}),
    (Hopfield(alpha=0.2, dynamics="parallel"), {"t": [1], "start": "noisy", "overlap": 0.6}, {"m": 0.820288}),
    (Hopfield(alpha=0.2, dynamics="parallel"), {"t": [2], "start": "noisy", "overlap": 0.6}, {"m": 0.817991}),
    (Hopfield(alpha=0.3, T=0.05, activity=0.1, threshold=0.5), {"sweeps": 40, "equilibration": 40},
     {"p1": 0.970382, "p0": 0.001993}),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("model", "options", "wanted"), PUBLISHED)
def test_published_order_parameters(model, options, wanted):
    run = tsphys.simulate(model, N=4000, replicas=16, seed=11, **options)
    for name, value in wanted.items():
        # |t| < 5 with 15 degrees of freedom: false alarm 2e-4; finite-size shifts at N = 4000 are below 5e-4 (of 1/N).
        assert abs(run.mean(name)[0] - value) < 5 * run.sem(name)[0] + 5e-4


@pytest.mark.slow
def test_clipping_and_dilution_act_as_noise_of_the_stated_strength():
    """One parallel step from the pattern: m = erf(1/√(2(α + Δ²))), Δ² = α(π/2 − 1) clipped, α(1 − c)/c diluted."""
    from scipy.special import erf

    alpha, c = 0.3, 0.4
    cases = {"clipped": alpha * np.pi / 2, "diluted": alpha / c}
    for coupling, variance in cases.items():
        model = Hopfield(
            alpha=alpha, coupling=coupling, connectivity=c if coupling == "diluted" else 1.0, dynamics="parallel"
        )
        run = tsphys.simulate(model, N=2000, t=[1], replicas=32, seed=12)
        gap = run.mean("m")[0] - erf(1 / np.sqrt(2 * variance))
        # Five standard errors, and corrections of order 1/(αN) = 2e-3 of the Gaussian noise.
        assert abs(gap) < 5 * run.sem("m")[0] + 2e-3
