"""Monte Carlo kernels: every form of the field against energies summed as they are defined, spin by spin."""

from math import factorial

import numpy as np
import pytest
from scipy.stats import chi2

from tests.naive import spins as naive
from tsphys.models.dense_hebbian import DenseHebbian
from tsphys.models.hopfield import Hopfield
from tsphys.numerics.random import generator, stream, uniforms
from tsphys.sims import dense_hebbian, hopfield
from tsphys.sims.engines.spins import carry_save, parallel, stored
from tsphys.sims.engines.spins import updates as spins
from tsphys.sims.engines.spins.drive import FORMS

N, P = 10, 3


def patterns(rng, count=P, sparse=False):
    return rng.integers(0, 2, (count, N)) if sparse else rng.choice([-1, 1], (count, N))


def pairwise_case(method="overlap", **parameters):
    def make(rng):
        model = Hopfield(**parameters)
        f = model.activity or 0.0
        values = (1, 0) if model.activity else (1, -1)
        X = patterns(rng, sparse=model.activity is not None)
        net = hopfield.network(model, stored.given(X, N, values[::-1]), P, method, 1, 1, generator(1, 2, "bonds"))
        scale = 1.0 / (N * f * (1 - f)) if model.activity else 1.0 / N
        J = naive.hebb(X, (scale, f))
        if model.coupling == "clipped":
            J = np.sign(J) * np.sqrt(np.pi * P / 2) / N
        if model.coupling == "diluted":
            bonds = net.attach(np.ones(N, np.int8))[0] != 0
            assert (bonds == bonds.T).all()
            J = np.where(bonds, J, 0.0) / model.connectivity
        return net, naive.pairwise(J, model.threshold), values

    return make


def dense_case(F=None, **parameters):
    def make(rng):
        model = DenseHebbian(**parameters)
        X = patterns(rng)
        key = (int(rng.integers(1000)), 0, "examples")
        net = dense_hebbian.network(model, stored.given(X, N), P, 1, F, key)
        p, M, r = model.P, model.M, model.r
        c, vectors = 1.0, X
        if model.storage != "given":
            vectors = stored.examples(stored.given(X, N), P, r, M, False, *key)[:, : P * M].T.astype(float)
            c = 1.0 / (M * r**p * np.sqrt(1 + (1 - r ** (2 * p)) / (M * r ** (2 * p))))
        if model.storage == "supervised":
            vectors = vectors.reshape(P, M, N).mean(axis=1) / np.sqrt(r**2 + (1 - r**2) / M)
            c = 1.0
        if model.interaction == "exponential":
            return net, naive.logarithm(vectors), (1, -1)
        if model.interaction == "distinct":
            return net, naive.distinct(vectors, p, c), (1, -1)
        return net, naive.of_overlaps(vectors, F or (lambda m: m**p / p), c), (1, -1)

    return make


CASES = {
    "hebb": pairwise_case(),
    "hebb stored": pairwise_case("matrix"),
    "clipped": pairwise_case("matrix", coupling="clipped"),
    "diluted": pairwise_case("matrix", coupling="diluted", connectivity=0.6),
    "sparse": pairwise_case(activity=0.3, threshold=0.2),
    "distinct 2": dense_case(P=2),
    "distinct 3": dense_case(P=3),
    "distinct 4": dense_case(P=4),
    "distinct 5": dense_case(P=5),
    "power 3": dense_case(P=3, interaction="power"),
    "power 4": dense_case(P=4, interaction="power"),
    "custom": dense_case(lambda m: abs(m) ** 1.5 + 0.3 * m, interaction="custom"),
    "exponential": dense_case(interaction="exponential"),
    "supervised 2": dense_case(P=2, storage="supervised", r=0.6, M=4),
    "supervised 3": dense_case(P=3, storage="supervised", r=0.6, M=5),
    "supervised 4": dense_case(P=4, storage="supervised", r=0.8, M=3),
    "supervised power 2": dense_case(P=2, storage="supervised", r=0.6, M=4, interaction="power"),
    "supervised power 3": dense_case(P=3, storage="supervised", r=0.6, M=5, interaction="power"),
    # Powers beyond 53 bits.
    "supervised power 5": dense_case(P=5, storage="supervised", r=0.6, M=127, interaction="power"),
    "supervised custom": dense_case(
        lambda m: max(m, 0.0) ** 2.5, storage="supervised", r=0.6, M=4, interaction="custom"
    ),
    "supervised exponential": dense_case(storage="supervised", r=0.6, M=5, interaction="exponential"),
    "unsupervised 3": dense_case(P=3, storage="unsupervised", r=0.7, M=3),
    "unsupervised 4": dense_case(P=4, storage="unsupervised", r=0.7, M=2, interaction="power"),
}
PARALLEL = {
    "hebb": pairwise_case(dynamics="parallel"),
    "hebb stored": pairwise_case("matrix", dynamics="parallel"),
    "sparse": pairwise_case(activity=0.3, threshold=0.2, dynamics="parallel"),
    "diluted": pairwise_case("matrix", coupling="diluted", connectivity=0.6, dynamics="parallel"),
}


def gamma(values, T):
    return np.inf if T == 0 else (values[0] - values[1]) / T


@pytest.mark.parametrize("T", [0.0, 0.7])
@pytest.mark.parametrize("case", CASES)
def test_a_sweep_is_that_of_the_definition(case, T):
    for seed in range(12):
        rng = np.random.default_rng([seed, 3])
        net, energy, values = CASES[case](rng)
        s = rng.choice(values, N).astype(np.int8)
        slow = s.astype(float)
        arrays = net.attach(s)
        sweep, total, _ = FORMS[net.form]
        for _ in range(3):
            order, u = rng.permutation(N), rng.random(N)
            before = s.copy()
            flips = sweep(s, arrays, gamma(values, T), order, u)
            naive.sweep(energy, slow, values, T, order, u)
            assert s.tolist() == slow.tolist()
            # One flip of a spin a visit, but never more than one visit: flips are counted by comparing states.
            assert flips == (s != before).sum()
            assert total(s, arrays) == pytest.approx(energy(slow), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("T", [0.0, 0.7])
@pytest.mark.parametrize("case", PARALLEL)
def test_a_parallel_step_is_that_of_the_definition(case, T):
    for seed in range(12):
        rng = np.random.default_rng([seed, 4])
        net, energy, values = PARALLEL[case](rng)
        s = rng.choice(values, N).astype(np.int8)
        slow = s.astype(float)
        arrays = net.attach(s)
        sweep, total, _ = FORMS[net.form]
        for _ in range(3):
            u = rng.random(N)
            sweep(s, arrays, gamma(values, T), np.arange(N), u)
            naive.parallel(energy, slow, values, T, u)
            assert s.tolist() == slow.tolist()
            assert total(s, arrays) == pytest.approx(energy(slow), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("case", [
    "hebb", "sparse", "diluted", "distinct 3", "power 4", "exponential", "supervised 3", "supervised power 3",
    "supervised exponential",
])  # fmt: skip
def test_every_move_is_in_detailed_balance_with_the_gibbs_law(case):
    rng = np.random.default_rng(5)
    net, energy, values = CASES[case](rng)
    T = 0.8
    states, _, p = naive.gibbs(energy, N, values, T)
    index = {tuple(s): k for k, s in enumerate(states.tolist())}
    sweep = FORMS[net.form][0]
    for k in rng.choice(2**N, 40, replace=False):
        for i in rng.choice(N, 3, replace=False):
            up = [_up_probability(net, sweep, states[k], i, values, T)]
            other = naive.with_spin(states[k], i, values[0] + values[1] - states[k][i])
            up.append(_up_probability(net, sweep, other, i, values, T))
            # The heat bath does not look at the spin itself, and up to the bisection, 2^-40, it is balanced.
            assert up[0] == pytest.approx(up[1], abs=1e-11)
            high, low = (index[tuple(naive.with_spin(states[k], i, v).tolist())] for v in values)
            assert p[low] * up[0] == pytest.approx(p[high] * (1 - up[0]), rel=1e-9, abs=1e-12)


def _up_probability(net, sweep, state, i, values, T):
    """The largest u for which a visit of spin i makes it go up, by bisection of the kernel itself."""
    low, high = 0.0, 1.0
    for _ in range(40):
        u = 0.5 * (low + high)
        s = state.astype(np.int8)
        sweep(s, net.attach(s), gamma(values, T), np.full(N, i), np.full(N, u))
        low, high = (u, high) if s[i] == values[0] else (low, u)
    return 0.5 * (low + high)


@pytest.mark.parametrize(
    "case",
    ["hebb", "distinct 4", "unsupervised 3", "supervised 4", "supervised power 3", "supervised exponential", "sparse"],
)
def test_what_is_kept_equals_what_is_counted_anew(case):
    rng = np.random.default_rng(6)
    net, _, values = CASES[case](rng)
    s = rng.choice(values, N).astype(np.int8)
    arrays = net.attach(s)
    for _ in range(200):
        FORMS[net.form][0](s, arrays, gamma(values, 1.5), rng.permutation(N), rng.random(N))
    again = net.attach(s)
    kept = (2, 3) if case == "sparse" else (2,) if net.form == "overlap" else (1,)
    for k in kept:
        assert np.array_equal(arrays[k], again[k])


@pytest.mark.parametrize("sparse", [False, True])
def test_parallel_overlaps_are_the_matrix_product_along_both_ways(sparse):
    n, count = 700, 33
    rng = np.random.default_rng(7)
    X = rng.integers(0, 2, (count, n)) if sparse else rng.choice([-1, 1], (count, n))
    model = Hopfield(dynamics="parallel", **({"activity": 0.4} if sparse else {}))
    values = (1, 0) if sparse else (1, -1)
    net = hopfield.network(model, stored.given(X, n, values[::-1]), count, "overlap", 1, 1)
    for changed in (2, n // 2):
        s = X[0].astype(np.int8)
        where = rng.permutation(n)[:changed]
        s[where] = sum(values) - s[where]
        arrays = net.attach(s)
        for _ in range(3):
            J = naive.hebb(X, (1.0, model.activity or 0.0))
            field = J @ s
            wanted = np.where(np.abs(field) < 1e-9, s, np.where(field > 0, *values))
            FORMS[net.form][0](s, arrays, np.inf, np.arange(n), rng.random(n))
            assert np.array_equal(s, wanted)
            assert np.array_equal(arrays[2][:count], X @ s)


@pytest.mark.parametrize("both", [True, False])
def test_overlaps_and_fields_of_packed_patterns_are_sums_of_products(both):
    rng = np.random.default_rng(8)
    for n, count in ((130, 5), (1100, 40)):
        X = np.zeros((n, stored.padded(count)), np.int8)
        X[:, :count] = rng.choice([-1, 1] if both else [0, 1], (n, count))
        s = rng.choice([-1, 1] if both else [0, 1], n).astype(np.int8)
        table, ones = carry_save.aligned(carry_save.words_of(n), count + 1, 8), np.empty(n)
        state = carry_save.aligned(len(table), 8)
        parallel.pack_patterns(X, table, ones)
        parallel.pack(s, state.reshape(-1))
        A = np.zeros(X.shape[1], np.int16)
        parallel.packed_overlaps(table, state, n, both, A)
        assert A.tolist() == (X.T.astype(int) @ s).tolist()
        # Overlaps as far apart as they can be, and all the same.
        for some in (A, np.where(np.arange(len(A)) == 1, -n, n), np.full(len(A), -n)):
            M = some.astype(np.int16) * (np.arange(len(A)) < count)
            h = np.empty(n)
            low, total = parallel.sums_of_ones(table, carry_save.room(count, n, 2 * n * count), M, h)
            fields = [parallel.raw(h[i], ones[i], low, total, both) for i in range(n)]
            assert np.array_equal(fields, X.astype(int) @ M)


def test_the_order_of_visits_is_a_uniform_permutation():
    # 24 orders of 4 spins, 24000 draws: chi² with 23 degrees of freedom, false alarm 1e-6.
    state = stream(1, 0, "orders")
    order, u = np.arange(4), np.empty(4)
    count = {}
    for _ in range(24000):
        uniforms(state, u)
        spins.shuffle(order, u)
        count[tuple(order.tolist())] = count.get(tuple(order.tolist()), 0) + 1
    assert len(count) == 24
    assert sum((c - 1000) ** 2 / 1000 for c in count.values()) < chi2.isf(1e-6, 23)


def test_products_do_not_overflow_short_numbers():
    rng = np.random.default_rng(9)
    X = rng.choice([-1, 1], (3, 48)).astype(np.int8)
    most = 2**15 - 1
    big = np.full(48, most) * X[1]
    assert spins.dot(X, 1, big.astype(spins.narrowest(most))) == 48 * most
    assert spins.dot(X, 1, (big * 40000).astype(spins.narrowest(most * 40000))) == 48 * most * 40000
    assert spins.dot(X, 1, (big * 2**40).astype(spins.narrowest(most * 2**40))) == 48 * most * 2**40
    assert spins.dot(X, 1, big.astype(float)) == 48.0 * most


def test_integers_are_as_wide_as_their_bound_demands():
    widths = {2**15 - 1: np.int16, 2**15: np.int32, 2**31 - 1: np.int32, 2**31: np.int64}
    assert {most: spins.narrowest(most) for most in widths} == widths
    # The squares of overlaps of 10⁹ aligned spins with 16 patterns add up to more than 2⁶³.
    assert spins.squared(np.full(16, 10**9, np.int32)) == 1.6e19


def test_symmetric_sums_are_sums_over_sets():
    rng = np.random.default_rng(10)
    V = rng.integers(-3, 4, (N, 4)).astype(np.int8)
    s = rng.choice([-1, 1], N).astype(np.int8)
    E = np.empty((5, 4))
    spins.symmetric_sums(s, V, E)
    for k in range(1, 5):
        by_sets = -naive.distinct(V.T.astype(float)[:1], k)(s) * N ** (k - 1) / factorial(k - 1)
        assert E[k, 0] == pytest.approx(by_sets, abs=1e-9)


@pytest.mark.parametrize("dynamics", ["sequential", "parallel"])
def test_sweeps_after_the_last_flip_are_counted_without_being_done(dynamics):
    """At T = 0: means over so many sweeps one by one, of a state that settles after some of them."""
    X = stored.drawn(300, 12, 0, 0, "patterns")
    s = X[:, 0] * np.where(np.random.default_rng(0).random(300) < 0.2, -1, 1).astype(np.int8)

    def chain():
        network = hopfield.network(Hopfield(T=0.0, dynamics=dynamics), X, 12, "overlap", 1, 1)
        return network.chain(s.copy(), 0.0, (0, 0, "sweeps"))

    at_once, mean = chain().sweeps(12)
    one_by_one = chain()
    rows, states = [], []
    for _ in range(12):
        rows.append(one_by_one.sweeps(1)[0][0])
        states.append(one_by_one.s.copy())
    assert 0 < np.count_nonzero(np.array(rows)[:, 1]) < 11
    np.testing.assert_array_equal(at_once, rows)
    np.testing.assert_array_equal(mean, np.mean(states, axis=0))
