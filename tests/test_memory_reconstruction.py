"""Reconstruction of patterns: synapses, message passing against slow loops and theory."""

import tracemalloc
from functools import partial

import numpy as np
import pytest
from scipy import integrate, stats

import tsphys
from tests.naive import memory_reconstruction as naive
from tests.refusal import refuses
from tsphys import MemoryReconstruction
from tsphys.physics.inference import pattern_priors
from tsphys.physics.inference.pattern_priors import exact, pattern_prior
from tsphys.sims import memory_reconstruction as simulation
from tsphys.sims.engines.inference import low_rank_amp, synapses
from tsphys.sims.memory_reconstruction import reconstruct

KINDS = [("binary", 1.0), ("sparse", 0.3), ("tsodyks", 0.3), ("gauss", 0.2), ("gauss", 1.0)]
CHANNELS = [
    MemoryReconstruction(noise=0.7),
    MemoryReconstruction(channel="rectified", noise=0.4, threshold=0.5),
    MemoryReconstruction(channel="rectified", noise=1.0, threshold=-0.7),
    MemoryReconstruction(channel="clipped", noise=0.6),
    MemoryReconstruction(channel="diluted", noise=0.6, connectivity=0.3),
]


@pytest.mark.parametrize("model", CHANNELS, ids=lambda m: m.channel)
def test_scores_are_slopes_of_the_log_likelihood(model):
    """Fourth-order differences of step 1e-3: error below 1e-9; and J itself gives the scores that the fields give."""
    rng = np.random.default_rng(6)
    field = model.noise * rng.standard_normal((5, 5))
    field = np.triu(field, 1) + np.triu(field, 1).T
    seen = {"clipped": np.sign(field), "rectified": np.maximum(0, field - model.threshold)}.get(model.channel, field)
    scores = field.copy()
    synapses.scores(model, scores)
    for i in range(5):
        for j in range(i):
            slope = naive.score(model.channel, seen[i, j], model.noise, model.threshold)
            assert scores[i, j] == pytest.approx(slope, rel=1e-8)
    again = synapses.observed(model, seen, np.dtype("float64")).dense()
    off = ~np.eye(5, dtype=bool)
    np.testing.assert_allclose(again[off], scores[off], rtol=1e-14)
    assert (np.diag(again) == 0).all()


@pytest.mark.parametrize("model", CHANNELS, ids=lambda m: m.channel)
def test_information_of_the_scores_is_one_over_delta(model):
    """At x = 0, over M = N(N − 1)/2 pairs; five standard errors of the mean of S², std(S²)/√M."""
    S = synapses.stored(model, np.zeros((700, 1)), np.dtype("float64"), (1, 0, "test"))
    square = S.dense()[np.triu_indices(700, 1)] ** 2
    assert S.mean(2) == pytest.approx(square.mean(), rel=1e-12)
    assert abs(square.mean() - 1 / model.Delta) < 5 * square.std() / np.sqrt(square.size) + 1e-14


@pytest.mark.parametrize("P", [1, 2, 3, 6, 7, 8, 11])
def test_products_are_those_with_the_whole_matrix(P):
    """Blocks of 512 and less; in single precision sums of 515 terms of order 10 round by 10·√515·2⁻²⁴ each time."""
    model, rng = MemoryReconstruction(P=2, noise=0.4), np.random.default_rng(P)
    x = rng.standard_normal((1030, P))
    for dtype, error in (("float64", 1e-11), ("float32", 1e-2)):
        S = synapses.stored(model, np.zeros((1030, 2)), np.dtype(dtype), (1, 0, "test"))
        found = S.product(x)
        assert found.dtype == np.float64
        assert found.flags.c_contiguous
        np.testing.assert_allclose(found, S.dense().astype(float) @ x, rtol=0, atol=error)


def test_effective_noise_by_quadrature_and_published_values():
    """1/Δ is also ∫ φ(u) S(νu)² du, split at the threshold."""
    for (noise, threshold), value in {(0.4, 0.5): 0.43096166, (1, 0): 1.22203094, (1, 1): 2.12667881}.items():
        model = MemoryReconstruction(channel="rectified", noise=noise, threshold=threshold)
        assert model.Delta == pytest.approx(value, abs=1e-8)
        a = threshold / noise
        above = integrate.quad(lambda u, s=noise: stats.norm.pdf(u) * (u / s) ** 2, a, np.inf)[0]
        assert 1 / model.Delta == pytest.approx(above + stats.norm.cdf(a) * synapses.below(model) ** 2, rel=1e-9)
    # Nothing is below a threshold that is low enough.
    lowest = MemoryReconstruction(channel="rectified", noise=0.1, threshold=-1e8)
    assert lowest.Delta == pytest.approx(0.01, rel=1e-14)
    assert np.isfinite(synapses.below(lowest))
    assert MemoryReconstruction(channel="clipped", noise=0.6).Delta == pytest.approx(np.pi * 0.18, rel=1e-14)
    assert MemoryReconstruction(channel="diluted", noise=0.6, connectivity=0.3).Delta == pytest.approx(1.2, rel=1e-14)


def test_blocks_hold_the_whole_matrix():
    """Over a boundary of blocks: products, symmetry, the stored field, and the same synapses in both precisions."""
    model = MemoryReconstruction(P=2, noise=0.5)
    rng = np.random.default_rng(7)
    N = synapses.BLOCK + 37
    x, y = np.sign(rng.standard_normal((N, 2))), rng.standard_normal((N, 3))
    S = {d: synapses.stored(model, x, np.dtype(d), (3, 0, "test")) for d in ("float32", "float64")}
    dense = S["float64"].dense()
    np.testing.assert_array_equal(dense, dense.T)
    np.testing.assert_allclose(S["float64"].product(y), dense @ y, atol=1e-11 * N)
    # Sums of N products of order 1/ν², each rounded to 6e-8.
    np.testing.assert_allclose(S["float32"].product(y), dense @ y, atol=6e-8 * 4 * N)
    off = ~np.eye(N, dtype=bool)
    noise = (dense * 0.25 - x @ x.T / np.sqrt(N))[off] / 0.5
    assert abs(noise.mean()) < 5 * np.sqrt(2) / N
    assert abs(noise.std() - 1) < 5 / N


@pytest.mark.parametrize("kind, rho", KINDS[:3])
def test_message_passing_is_that_of_a_plain_loop(kind, rho):
    model = MemoryReconstruction(patterns=kind, rho=rho, P=2, noise=0.5 * pattern_prior(kind, rho).second_moment)
    rng = np.random.default_rng(8)
    truth = model.prior.draw(rng, (30, 2))
    S = synapses.stored(model, truth, np.dtype("float64"), (8, 0, "test"))
    start = 0.3 * truth + 0.1 * rng.standard_normal(truth.shape)
    plain = naive.amp(naive.ATOMS[kind](rho), S.dense(), model.Delta, start, 5)
    steps = low_rank_amp.amp(S.product, model.Delta, partial(exact, model.prior), start)
    # 30 neurons amplify rounding little in five steps.
    np.testing.assert_allclose([next(steps).x for _ in range(5)], plain, atol=1e-10)


def test_free_energy_is_stationary_at_a_fixed_point():
    """Bethe's free energy of a state whose fields were moved by ε from the fixed point differs by O(ε²)."""
    model = MemoryReconstruction(P=2, noise=0.5)
    rng = np.random.default_rng(9)
    truth = model.prior.draw(rng, (300, 2))
    S = synapses.stored(model, truth, np.dtype("float64"), (9, 0, "test"))
    for state in low_rank_amp.amp(S.product, model.Delta, partial(exact, model.prior), truth):
        if state.moved < 1e-14:
            break
    at = low_rank_amp.bethe(S.product, model.Delta, state)
    direction = rng.standard_normal(state.B.shape)

    def moved(eps):
        B = state.B + eps * direction
        log_z, x, V = exact(model.prior, state.A, B)
        A = x.T @ x / (len(x) * model.Delta)
        B = S.product(x) / np.sqrt(len(x)) - x @ V / model.Delta
        log_z = exact(model.prior, A, B).log_z
        return low_rank_amp.bethe(S.product, model.Delta, low_rank_amp.Iterate(x, V, A, B, log_z.sum(), 0.0))

    slope = (moved(1e-3) - moved(-1e-3)) / 2e-3
    assert abs(slope) < 1e-6
    assert abs(moved(1e-1) - at) > 1e-5


def test_order_signs_and_rotations_are_matched():
    rng = np.random.default_rng(10)
    truth = np.sign(rng.standard_normal((200, 4)))
    shuffled = truth[:, [2, 0, 3, 1]] * [1, -1, -1, 1]
    np.testing.assert_array_equal(low_rank_amp.matched(shuffled, truth, True, False), truth)
    np.testing.assert_array_equal(low_rank_amp.matched(truth[:, ::-1], truth, False, False), truth)
    turn = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    np.testing.assert_allclose(low_rank_amp.matched(truth @ turn, truth, True, True), truth, atol=1e-12)


def test_principal_components_are_those_of_the_dense_matrix():
    model = MemoryReconstruction(P=2, noise=0.4)
    truth = model.prior.draw(np.random.default_rng(11), (300, 2))
    S = synapses.stored(model, truth, np.dtype("float64"), (11, 0, "test"))
    found = low_rank_amp.principal(S.product, 300, 2, np.random.default_rng(0))
    vectors = np.linalg.eigh(S.dense())[1][:, :-3:-1]
    np.testing.assert_allclose(np.abs(np.diag(found.T @ vectors)), 1, atol=1e-6)


SIMULATED = [
    # Model, overlap of the start, N, error of a run at N = 2000 as published with the method, their spread as scale.
    (MemoryReconstruction(noise=0.7), None),
    (MemoryReconstruction(channel="rectified", noise=0.4, threshold=0.5), None),
    (MemoryReconstruction(channel="clipped", noise=0.6), None),
    (MemoryReconstruction(channel="diluted", noise=0.4, connectivity=0.5), None),
    (MemoryReconstruction(P=3, noise=0.6), None),
    (MemoryReconstruction(patterns="sparse", rho=0.3, noise=0.2), None),
    (MemoryReconstruction(patterns="tsodyks", rho=0.3, noise=0.12, P=2), None),
    (MemoryReconstruction(patterns="gauss", rho=0.2, noise=0.1, P=2), None),
    (MemoryReconstruction(patterns="gauss", rho=1.0, noise=0.5, P=2), None),
]


@pytest.mark.parametrize(
    "model, overlap", SIMULATED, ids=lambda m: getattr(m, "patterns", "") + getattr(m, "channel", "")
)
def test_message_passing_ends_on_state_evolution(model, overlap):
    """Eight networks of N = 1000; the bias of order 1/N is allowed for as `compare` does, s²/σ², s the spread."""
    sim = tsphys.simulate(model, N=1000, overlap=overlap, replicas=8, seed=1, threads=1)
    theory = tsphys.solve(model, overlap=overlap)
    assert (sim["moved"] <= 1e-6).all()
    sigma2 = model.prior.second_moment
    for name, size in {"mse": sigma2, "mse_pca": sigma2, "overlap": 1.0, "overlap_pca": 1.0}.items():
        s, n = sim.std(name)[0], 8
        error = np.hypot(s / np.sqrt(n), s**2 / size + 1 / 1000 * size)
        score = (sim.mean(name)[0] - theory[name][0]) / error
        # Student's t with 7 degrees of freedom exceeds 6.1 with probability 5e-4; 36 scores.
        assert abs(score) < 6.1, (name, sim.mean(name), theory[name], score)


def test_message_passing_follows_state_evolution_step_by_step():
    """Twelve networks of N = 1500 from the overlap 0.2; deviations are of order 1/√N in a run, 1/N in the mean."""
    model = MemoryReconstruction(P=2, noise=0.6)
    t = [0, 1, 2, 3, 5, 8, 12]
    sim = tsphys.simulate(model, N=1500, t=t, overlap=0.2, replicas=12, seed=2, threads=1)
    result = tsphys.compare(sim, tsphys.solve(model, t=t, overlap=0.2))
    assert result.ok, str(result)
    # √(E x⁴/N P) ~ 0.018 is the deviation of the start's overlap; the map amplifies it by less than four.
    assert sim.std("mse").max() < 4 / np.sqrt(1500)


@pytest.mark.slow
@pytest.mark.parametrize("kind, rho, share", [("binary", 1.0, 0.36), ("sparse", 0.1, 0.5), ("tsodyks", 0.3, 0.6)])
def test_state_evolution_at_ten_thousand_neurons(kind, rho, share):
    sigma2 = pattern_prior(kind, rho).second_moment
    model = MemoryReconstruction(patterns=kind, rho=rho, P=2, noise=np.sqrt(share) * sigma2)
    t = np.arange(0, 16)
    sim = tsphys.simulate(model, N=10_000, t=t, overlap=0.3, replicas=12, seed=3)
    result = tsphys.compare(sim, tsphys.solve(model, t=t, overlap=0.3))
    assert result.ok, str(result)
    # Overlaps of two patterns fluctuate by √(E x⁴/2N)/σ², at the transient's largest amplified by less than two.
    own = np.sqrt(pattern_priors.fourth_moment(model.prior) / 20_000) / sigma2
    assert result.error["overlap"].max() < min(0.01, 2 * own / np.sqrt(12))


def test_a_start_that_is_not_bayes_optimal_follows_two_parameters():
    """x = 0.3 x⁰ has the overlap 0.3 and the self-overlap 0.09; eight networks, as above."""
    from tsphys.replica.memory_reconstruction import state_evolution

    model = MemoryReconstruction(noise=0.7)
    M, Q, mse = state_evolution(model.prior, model.Delta, 0.3, 4, Q=0.09)
    found = []
    for seed in range(8):
        truth = model.prior.draw(np.random.default_rng(seed), (2000, 1))
        S = synapses.stored(model, truth, np.dtype("float32"), (seed, 0, "test"))
        steps = low_rank_amp.amp(S.product, model.Delta, partial(exact, model.prior), 0.3 * truth)
        states = [next(steps).x for _ in range(4)]
        found.append([(np.mean(x * truth), np.mean(x * x), np.mean((x - truth) ** 2)) for x in states])
    found = np.array(found)
    error = np.hypot(found.std(axis=0, ddof=1) / np.sqrt(8), 2 / 2000)
    assert (np.abs(found.mean(axis=0) - np.array([M, Q, mse]).T[1:]) < 5 * error).all()


def test_nishimori_identities_tell_a_wrong_mixture():
    """At little noise some starts of several patterns end in wrong mixtures; with more starts none does."""
    model = MemoryReconstruction(P=3, noise=0.15)
    single = tsphys.simulate(model, N=600, replicas=30, seed=4, threads=1, starts=1, pca=False)["mse"]
    several = tsphys.simulate(model, N=600, replicas=30, seed=4, threads=1, starts=10, pca=False)["mse"]
    assert 0 < (single > 0.1).sum() < 20
    assert (several < 1e-3).all()


def test_many_patterns_in_mean_field():
    """P = 16: the theory is that of one pattern; a correction of order P/N of the variance of a synapse remains."""
    model = MemoryReconstruction(P=16, noise=0.5)
    sim = tsphys.simulate(model, N=1500, replicas=1, seed=5, threads=1, pca=False)
    assert abs(sim["mse"][0, 0] - tsphys.solve(model)["mse"][0]) < 0.01


def test_signs_are_found_in_mean_field_where_their_law_has_too_many_configurations():
    """2^7 configurations of asymmetric patterns are enumerated, the 4^7 of the law of ±x are not."""
    model = MemoryReconstruction(patterns="tsodyks", rho=0.3, P=7, noise=0.1)
    sim = tsphys.simulate(model, N=60, denoiser="exact", iterations=3, starts=1, pca=False, seed=4)
    assert np.isfinite(sim["mse"]).all()


def test_exact_and_mean_field_end_at_the_same_error():
    model = MemoryReconstruction(P=4, noise=0.6)
    ends = [
        tsphys.simulate(model, N=1000, seed=6, threads=1, denoiser=d, pca=False)["mse"][0, 0]
        for d in ("exact", "mean_field")
    ]
    # The off-diagonal precision is of order 1/√N = 0.03, its square 1e-3.
    assert ends[0] == pytest.approx(ends[1], abs=2e-3)


def test_precision_of_the_matrix_does_not_matter():
    """Sums of N terms rounded to 6e-8 move an error of order 0.1 by far less than 1e-4."""
    model = MemoryReconstruction(P=2, noise=0.5)
    single, double = (
        tsphys.simulate(model, N=600, seed=7, threads=1, dtype=d, overlap=0.5, pca=False)["mse"][0, 0]
        for d in ("float32", "float64")
    )
    assert single == pytest.approx(double, abs=1e-4)


def test_reconstruction_from_a_given_matrix():
    rng = np.random.default_rng(12)
    N, noise = 400, 0.4
    patterns = np.sign(rng.standard_normal((N, 2)))
    z = rng.standard_normal((N, N))
    J = patterns @ patterns.T / np.sqrt(N) + noise * (np.triu(z, 1) + np.triu(z, 1).T)
    x = reconstruct(MemoryReconstruction(P=2, noise=noise), J)
    overlap = np.abs(np.sign(x).T @ patterns) / N
    # State evolution has the error 0.017; a component in a hundred is wrong.
    assert np.sort(overlap.max(axis=0))[0] > 0.95
    hidden = np.where(np.triu(rng.random((N, N)) < 0.2, 1), np.nan, J)
    hidden = np.where(np.isnan(hidden) | np.isnan(hidden.T), np.nan, J)
    x = reconstruct(MemoryReconstruction(P=2, noise=noise, channel="diluted", connectivity=0.8), hidden)
    assert np.sort(np.abs(np.sign(x).T @ patterns).max(axis=0) / N)[0] > 0.9
    with pytest.raises(tsphys.ConvergenceError):
        reconstruct(MemoryReconstruction(P=2, noise=noise), J, iterations=2)
    # Estimates of size 1e-4 still grow where they move by less than the tolerance.
    with pytest.raises(tsphys.ConvergenceError):
        reconstruct(MemoryReconstruction(P=2, noise=noise), J, iterations=2, tol=1e-3)


def synapses_of(N=400, P=2, noise=0.4, law=np.sign, strength=1.0, mean=0.0, seed=13):
    """√N J of patterns law(z) z ~ N(0, 1), each times the root of its strength, with an offset."""
    rng = np.random.default_rng(seed)
    x = law(rng.standard_normal((N, P))) * np.sqrt(strength)
    z = np.triu(rng.standard_normal((N, N)), 1)
    return x @ x.T / np.sqrt(N) + noise * (z + z.T) + mean


@pytest.mark.parametrize("model", CHANNELS, ids=lambda m: m.channel)
@pytest.mark.parametrize("kind, rho", KINDS)
@pytest.mark.parametrize("N, P", [(20, 1), (100, 5)])
def test_synapses_of_the_model_fit_it(model, kind, rho, N, P):
    """Also with hardly any noise beside the patterns."""
    for noise in (model.noise, 0.3 if model.threshold > 0 else 0.01):
        here = MemoryReconstruction(**{**model.__dict__, "patterns": kind, "rho": rho, "P": P, "noise": noise})
        for seed in range(5):
            x = here.prior.draw(np.random.default_rng(seed), (N, P))
            synapses.check_fit(here, synapses.stored(here, x, np.dtype("float32"), (seed, 0, "test")))


def test_synapses_that_do_not_fit_the_model_are_refused():
    """Scatter, mean and share of bonds are told apart, and what is only a little off is not refused."""
    J = synapses_of()
    for noise in (0.2, 0.8):
        refuses(lambda noise=noise: reconstruct(MemoryReconstruction(P=2, noise=noise), J), "noise")
    with pytest.raises(tsphys.ModelError, match=r"it scatters by 0\.40"):
        reconstruct(MemoryReconstruction(P=2, noise=0.2), J)
    refuses(lambda: reconstruct(MemoryReconstruction(P=2, noise=0.4), J / np.sqrt(400)), "noise")
    refuses(lambda: reconstruct(MemoryReconstruction(P=2, noise=0.4), J + 0.1), "J")
    seen = np.maximum(0, J - 0.5)
    for tau in (0.3, 0.7):
        wrong = MemoryReconstruction(P=2, noise=0.4, channel="rectified", threshold=tau)
        with pytest.raises(tsphys.ModelError, match="scores"):
            reconstruct(wrong, seen)
    holes = np.where(np.triu(np.random.default_rng(1).random((400, 400)) < 0.3, 1), np.nan, J)
    holes = np.where(np.isnan(holes.T), np.nan, holes)
    diluted = MemoryReconstruction(P=2, noise=0.4, channel="diluted", connectivity=0.5)
    refuses(lambda: reconstruct(diluted, holes), "connectivity")
    for near in (0.385, 0.415):
        reconstruct(MemoryReconstruction(P=2, noise=near), J + 0.01)


NOT_RECONSTRUCTED = {
    "another law of patterns": ({"law": lambda z: z}, {}, "Nishimori|not reached"),
    "another law, one pattern": ({"law": lambda z: z, "P": 1}, {"P": 1}, "Nishimori|not reached"),
    "sparse patterns as dense ones": ({"law": lambda z: np.sign(z) * (abs(z) > 1)}, {}, "not reached|Nishimori"),
    "dense patterns as sparse ones": ({}, {"patterns": "sparse", "rho": 0.5}, "Nishimori"),
    "patterns of different strength": ({"P": 3, "strength": [2.0, 1.0, 1.0]}, {"P": 3}, "Nishimori"),
    "patterns that are larger": ({"strength": 2.0}, {}, "Nishimori"),
    "more patterns than are there": ({"P": 1}, {"P": 3}, "not reached|Nishimori"),
    "none at all": ({"P": 0}, {}, "not reached|Nishimori|none of 2"),
    "too much noise": ({"noise": 1.3}, {"noise": 1.3}, "none of 2 patterns found"),
}


@pytest.mark.parametrize("case", NOT_RECONSTRUCTED)
def test_what_is_no_pattern_is_not_returned(case):
    """The error says so, and has the estimates; a start of one's own changes nothing."""
    made, given, words = NOT_RECONSTRUCTED[case]
    model = MemoryReconstruction(**{"P": 2, "noise": 0.4, **given})
    for seed in (13, 14):
        J = synapses_of(**made, seed=seed)
        with pytest.raises(tsphys.ConvergenceError, match=words) as caught:
            reconstruct(model, J, iterations=150, starts=2)
        assert caught.value.last.shape == (400, model.P)
        with pytest.raises(tsphys.ConvergenceError):
            reconstruct(model, J, iterations=150, start=caught.value.last)


def test_a_column_of_zeros_is_no_pattern(monkeypatch):
    """It violates none of the identities, and message passing comes to rest with it; the next start finds it."""
    model, J = MemoryReconstruction(P=3, noise=0.4), synapses_of(P=3)
    x = reconstruct(model, J)
    with pytest.raises(tsphys.ConvergenceError, match="2 of 3 patterns found") as caught:
        reconstruct(model, J, start=x * [1, 1, 0])
    np.testing.assert_allclose(np.mean(caught.value.last**2, axis=0) > 0.5, [True, True, False])
    draw, drawn = simulation._small, []

    def small(*arguments):
        drawn.append(draw(*arguments))
        return drawn[-1] * ([1, 1, 0] if len(drawn) == 1 else 1)

    monkeypatch.setattr(simulation, "_small", small)
    again = reconstruct(model, J)
    assert len(drawn) == 2
    np.testing.assert_allclose(np.abs(again.T @ x / 400).max(axis=0), np.mean(x**2, axis=0), atol=1e-4)


def test_ends_of_message_passing_say_whether_they_are_consistent():
    sim = tsphys.simulate(
        MemoryReconstruction(P=3, noise=0.15), N=600, replicas=8, seed=4, threads=1, starts=1, pca=False
    )
    np.testing.assert_array_equal(sim["consistent"], sim["mse"] < 0.1)


def test_memory_is_that_of_one_triangle():
    """A run of N = 3000 takes little more than half of the matrix in single precision, at no time a copy of it."""
    N = 3000
    model = MemoryReconstruction(P=2, noise=0.5)
    tsphys.simulate(model, N=600, overlap=1.0, iterations=2, threads=1)
    tracemalloc.start()
    tsphys.simulate(model, N=N, overlap=1.0, iterations=5, threads=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Vectors: a few of N·P numbers, and 2·P + 20 of N for the eigenvectors; two blocks at work.
    assert peak < synapses.bytes_of(N, 4) + 60 * 8 * N * model.P + 4 * 4 * synapses.BLOCK**2


def test_replicas_do_not_depend_on_threads_and_resume():
    model = MemoryReconstruction(P=2, noise=0.5)
    options = {"N": 300, "noise": [0.4, 0.7], "replicas": 4, "seed": 8}
    one = tsphys.simulate(model, threads=1, **options)
    two = tsphys.simulate(model, threads=2, **options)
    half = tsphys.simulate(model, threads=1, **{**options, "replicas": 2})
    rest = tsphys.simulate(model, threads=1, **options, resume=half)
    for name in one.observables:
        np.testing.assert_array_equal(one[name], two[name])
        np.testing.assert_array_equal(one[name], rest[name])


def model(**change):
    return MemoryReconstruction(**change)


def run(given=None, **options):
    return tsphys.simulate(given or model(), **{"N": 50, **options})


J = np.zeros((4, 4))
BAD = {
    "P = 0": (lambda: model(P=0), "P"),
    "unknown patterns": (lambda: model(patterns="ising"), "patterns"),
    "unknown channel": (lambda: model(channel="poisson"), "channel"),
    "no noise": (lambda: model(noise=0), "noise"),
    "so much noise": (lambda: model(noise=1e5), "noise"),
    "rho of binary": (lambda: model(rho=0.5), "rho"),
    "rho = 0": (lambda: model(patterns="sparse", rho=0), "rho"),
    "tsodyks without 0": (lambda: model(patterns="tsodyks"), "rho"),
    "threshold without rectified": (lambda: model(threshold=1), "threshold"),
    "threshold that hides all": (lambda: model(channel="rectified", threshold=40, noise=0.5), "threshold"),
    "connectivity without diluted": (lambda: model(connectivity=0.5), "connectivity"),
    "N too small": (lambda: run(N=1), "N"),
    "more patterns than neurons": (lambda: run(model(P=60)), "N"),
    "N that does not fit": (lambda: run(N=10**7), "N"),
    "overlap above 1": (lambda: run(overlap=1.5), "overlap"),
    "no iterations": (lambda: run(iterations=0), "iterations"),
    "tol negative": (lambda: run(tol=-1), "tol"),
    "no starts": (lambda: run(starts=0), "starts"),
    "unknown denoiser": (lambda: run(denoiser="tap"), "denoiser"),
    "exact for many": (lambda: run(model(P=13), denoiser="exact"), "denoiser"),
    "pca a word": (lambda: run(pca="maybe"), "pca"),
    "unknown dtype": (lambda: run(dtype="float16"), "dtype"),
    "two axes": (lambda: run(noise=[0.4, 0.5], t=[1, 2]), "axis"),
    "t fractional": (lambda: run(t=[0.5]), "t"),
    "t decreasing": (lambda: run(t=[2, 1]), "t"),
    "noise on the axis": (lambda: run(noise=[0.5, -1]), "noise"),
    "J no matrix": (lambda: reconstruct(model(), [1.0, 2.0]), "J"),
    "J asymmetric": (lambda: reconstruct(model(), np.arange(16.0).reshape(4, 4)), "J"),
    "J with NaN": (lambda: reconstruct(model(), J * np.nan), "J"),
    "J negative": (lambda: reconstruct(model(channel="rectified"), J - 1), "J"),
    "J not ±1": (lambda: reconstruct(model(channel="clipped"), J), "J"),
    "J of fewer neurons than patterns": (lambda: reconstruct(model(P=4), J), "J"),
    "seed of a reconstruction": (lambda: reconstruct(model(), J, seed=0.5), "seed"),
    "start of the wrong shape": (lambda: reconstruct(model(), J, start=np.zeros((3, 1))), "start"),
    "theory over t without overlap": (lambda: tsphys.solve(model(), t=[1, 2]), "overlap"),
    "theory, unknown branch": (lambda: tsphys.solve(model(), branch="best"), "branch"),
    "theory, two axes": (lambda: tsphys.solve(model(), noise=[0.4, 0.5], t=[1], overlap=0.5), "axis"),
    "theory, t fractional": (lambda: tsphys.solve(model(), t=[0.5], overlap=0.5), "t"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_calls_raise_one_clear_line(case):
    refuses(*BAD[case])


@pytest.mark.slow
def test_noise_does_not_outgrow_the_signal():
    """Below the transition both grow, the signal faster: starts a hundred times larger lose two more of these runs."""
    model = tsphys.MemoryReconstruction(patterns="sparse", rho=0.05)
    noise = np.sqrt(0.6) * model.rho
    sim = tsphys.simulate(model, N=3000, noise=[noise], replicas=40, seed=0, iterations=200, pca=False)
    assert (sim["mse"][:, 0] > 0.7 * model.rho).sum() <= 1


@pytest.mark.slow
def test_diluted_networks_come_to_their_theory_as_one_over_their_bonds():
    """The excess of the error halves as N doubles: 0.035 ± 0.0015 and 0.016 ± 0.002, whose ratio is known to 12 %."""
    model = MemoryReconstruction(P=3, channel="diluted", connectivity=0.1, noise=0.15)
    theory = tsphys.solve(model)["mse"][0]
    excess = [
        tsphys.simulate(model, N=N, replicas=64 * 600 // N, seed=1, pca=False).mean("mse")[0] - theory
        for N in (600, 1200)
    ]
    assert excess[0] / excess[1] == pytest.approx(2, abs=5 * 0.12 * 2)
    assert 0.2 < excess[1] / theory < 0.32
