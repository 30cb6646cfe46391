"""Streams and draws: against a slow generator, and their law.

Every test of a law has a fixed seed and asks for a p-value above ALPHA; there are about 150 of them, so a right
generator would fail one choice of seeds in seventy, and a wrong one fails at every choice.
"""

from __future__ import annotations

import hashlib
import math
import pickle
from itertools import product

import numpy as np
import pytest
from scipy import special, stats

from tests.naive.random import Lane, normal_pair32
from tsphys._jit import njit
from tsphys.errors import ModelError
from tsphys.numerics.box_muller import pair32, pair64
from tsphys.numerics.random import (
    BUFFER,
    LANES,
    chi2,
    fill_normals,
    gamma,
    generator,
    normal,
    normals,
    signs,
    source,
    stream,
    streams,
    uniform,
    uniforms,
    words,
)

ALPHA = 1e-4


@njit(cached=False)
def many_gammas(src, a, chi_square, out):
    for i in range(out.size):
        out[i] = chi2(src, a) if chi_square else gamma(src, a)


@njit(cached=False)
def mixed(src, z, out, flat):
    """Normals in groups and one by one, with uniforms in between."""
    n = 0
    while n + z.size + 1 <= out.size:
        fill_normals(src, z)
        for x in z:
            out[n] = x
            n += 1
        out[n] = normal(src)
        flat[n] = uniform(src)
        n += 1
    return n


@njit(cached=False)
def beyond(state, out, repeats, levels, counts):
    """counts[i] of |x| > levels[i] among out.size · repeats normals."""
    for _ in range(repeats):
        normals(state, out)
        for x in out:
            for i in range(levels.size):
                if abs(x) > levels[i]:
                    counts[i] += 1
                else:
                    break


@njit(cached=False)
def pairs(v, w, out):
    for i in range(v.size):
        out[i, 0], out[i, 1] = pair64(v[i], w[i])


@njit(cached=False)
def pairs32(v, w, out):
    for i in range(v.size):
        out[i, 0], out[i, 1] = pair32(v[i], w[i])


def draw(state, n, dtype=np.float64, how=normals):
    out = np.empty(n, dtype)
    how(state, out)
    return out


def two_sided(z):
    return 2 * stats.norm.sf(abs(z))


# --- The generator and the transform, number by number


def test_reference_outputs_of_the_authors():
    """The first outputs of their C code from the state (1, 2, 3, 4)."""
    lane = Lane((1, 2, 3, 4))
    assert [lane.plus() for _ in range(6)] == [
        5, 211106232532999, 211106635186183, 9223759065350669058, 9250833439874351877, 13862484359527728515,
    ]  # fmt: skip
    lane = Lane((1, 2, 3, 4))
    assert [lane.plus_plus() for _ in range(6)] == [
        41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205, 9973669472204895162,
    ]  # fmt: skip


@pytest.mark.parametrize("n", [LANES * 8, LANES * 8 + 5])
def test_words_and_uniforms_are_those_of_the_lanes(n):
    first = stream(3, 1)
    lanes = [Lane(first[:, i]) for i in range(LANES)]
    assert draw(first.copy(), n, np.uint64, words).tolist() == [lanes[i % LANES].plus_plus() for i in range(n)]
    lanes = [Lane(first[:, i]) for i in range(LANES)]
    assert draw(first.copy(), n, how=uniforms).tolist() == [lanes[i % LANES].uniform() for i in range(n)]


@pytest.mark.parametrize("n", [2 * LANES * 20, 2 * LANES * 20 + 7])
def test_normals_are_those_of_the_lanes(n):
    """To 1e-14 of the radius, which is what the transform claims."""
    first = stream(5, 2, "x")
    expected = []
    lanes = [Lane(first[:, i]) for i in range(LANES)]
    while len(expected) < n:
        both = [lane.normal_pair() for lane in lanes]
        expected += [c for c, _ in both] + [s for _, s in both]
    np.testing.assert_allclose(draw(first, n), expected[:n], rtol=0, atol=1e-14 * 8.6)


def test_signs_are_the_bits_of_the_words():
    first = stream(7, 0)
    for n, dtype in product((64 * LANES * 2, 64 * LANES + 333), (np.float64, np.float32, np.int8)):
        lanes = [Lane(first[:, i]) for i in range(LANES)]
        expected = []
        while len(expected) < n:
            word = [lane.plus_plus() for lane in lanes]
            expected += [1 if w >> j & 1 else -1 for j in range(64) for w in word]
        assert draw(first.copy(), n, dtype, signs).tolist() == expected[:n]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [1, 8, 15, 17, 488, 512, 1000, 1024, 1500])
def test_signs_apart_are_those_of_a_call_for_each_part(n, dtype):
    states, found = [stream(7, 1), stream(7, 1)], np.empty((2, n), dtype)
    signs(states[0], found[0], 512)
    for low in range(0, n, 512):
        signs(states[1], found[1, low : low + 512])
    np.testing.assert_array_equal(*found)
    np.testing.assert_array_equal(*states)


def test_transform_is_accurate_up_to_the_end_of_the_tail():
    """Words of every size, so that u runs over all decades down to 2^-53; 1e-14 r is the docstring's claim."""
    rng = np.random.default_rng(0)
    v = rng.integers(0, 2**64, 40000, np.uint64, endpoint=False) >> rng.integers(0, 64, 40000).astype(np.uint64)
    v[:4] = 0, 2**64 - 1, 2**63, 2**63 - 1
    w = rng.integers(0, 2**64, 40000, np.uint64, endpoint=False)
    out = np.empty((40000, 2))
    pairs(v, w, out)
    u = ((v >> np.uint64(12)).astype(float) + 0.5) / 2**52
    r = np.sqrt(-2 * np.where(u > 0.5, np.log1p(-(1 - u)), np.log(u)))
    # sin and cos of π y are taken on |y| <= 1/4, where rounding π y costs nothing.
    y = ((w >> np.uint64(12)).astype(float) + 0.5) / 2**52 - 0.5
    cos = np.where(abs(y) < 0.25, np.cos(np.pi * y), np.sin(np.pi * (0.5 - abs(y))))
    sin = np.where(abs(y) < 0.25, np.sin(np.pi * y), np.sign(y) * np.cos(np.pi * (0.5 - abs(y))))
    cos *= np.where((w >> np.uint64(11)) & np.uint64(1), -1, 1)
    assert (abs(out[:, 0] - r * cos) < 1e-14 * r).all()
    assert (abs(out[:, 1] - r * sin) < 1e-14 * r).all()
    assert math.hypot(*out[0]) == pytest.approx(math.sqrt(106 * math.log(2)), rel=1e-14)


def test_transform32_is_accurate():
    """5e-7 r and, near r = 0, the rounding of u to 2^-24, which is 2^-25/r in r."""
    rng = np.random.default_rng(1)
    v = (rng.integers(0, 2**31, 20000) >> rng.integers(0, 31, 20000)).astype(np.uint32)
    v |= (rng.integers(0, 2, 20000) << 31).astype(np.uint32)
    w = rng.integers(0, 2**32, 20000).astype(np.uint32)
    v[:3], w[:1] = (0, 2**31, 2**31 - 1), 0
    out = np.empty((20000, 2), np.float32)
    pairs32(v, w, out)
    cos, sin, r = np.array([normal_pair32(int(a), int(b)) for a, b in zip(v, w, strict=True)]).T
    # u = coarse + fine is rounded three times at most.
    rounding = np.where(r < 1, np.minimum(3 * 2.0**-25 / np.maximum(r, 1e-30), 3 * 2.0**-12), 0)
    assert (abs(out[:, 0] - cos) < 5e-7 * r + rounding).all()
    assert (abs(out[:, 1] - sin) < 5e-7 * r + rounding).all()
    assert np.hypot(*out[0].astype(float)) == pytest.approx(math.sqrt(82 * math.log(2)), rel=1e-6)


def test_squeeze_of_the_gamma_accepts_only_what_the_test_accepts():
    """d (1-u) > 0.0115 x⁴ implies log u < x²/2 + d (1-v+log v), whatever d: divided by d y⁴, and in x² = 9 d y²."""
    y = np.concatenate([np.linspace(-0.2, -1e-3, 4000), np.linspace(1e-3, 0.2, 4000)]).astype(np.longdouble)
    test = 4.5 * y**2 + 1 - (1 + y) ** 3 + 3 * np.log1p(y)
    # 4 ulp of the O(1) terms that cancel, over y⁴ at its smallest.
    rounding = 4 * np.finfo(np.longdouble).eps / 1e-12
    assert (-test / y**4 < 81 * 0.0115 - rounding).all()


# --- Streams


def test_a_stream_goes_on_where_it_stopped():
    for dtype, group in ((np.float64, 2 * LANES), (np.float32, 4 * LANES)):
        whole = draw(stream(1, 1), 10 * group, dtype)
        state = stream(1, 1)
        assert np.array_equal(np.concatenate([draw(state, k * group, dtype) for k in (3, 1, 6)]), whole)
        state = stream(1, 1)
        parts = [draw(state, n, dtype) for n in (1, group + 1, group - 1, 0, 2 * group)]
        starts = (0, 1, 3, 4, 4)
        for part, start in zip(parts, starts, strict=True):
            assert np.array_equal(part, whole[start * group :][: part.size])


def test_same_arguments_same_bits_and_other_arguments_others():
    seen = {}
    seeds = (0, 1, 2, 2**32, 2**32 + 1, 2**64, 2**127)
    replicas = (0, 1, 2, 2**32, 2**32 + 1)
    for key in product((stream, source, generator), seeds, replicas, ("", "exact", "direct")):
        make, *rest = key
        first = make(*rest)
        if make is generator:
            state = first.bit_generator.state["state"]["state"].tobytes()
            assert state == make(*rest).bit_generator.state["state"]["state"].tobytes()
        else:
            assert np.array_equal(first, make(*rest))
            state = first.reshape(-1)[: 4 * LANES].tobytes()
        assert seen.setdefault(state, key) == key
    assert len(seen) == 3 * 7 * 5 * 3


def test_seed_words_are_fixed_for_ever():
    """A changed derivation of the state would change every published run; the first word of a stream and its normal."""
    assert hex(int(stream(0, 0, "direct inputs")[0, 0])) == "0x7d68bec8bf26a168"
    assert draw(stream(12345, 7, "x"), 1)[0] == pytest.approx(-0.9638861593155034, abs=1e-13)


@pytest.mark.parametrize(
    "seed, replica", [(0, 0), (1, 5), (2**32, 7), (2**63 - 1, 2**40 + 3), (2**127 + 12345, 2**64 - 1)]
)
def test_seeds_are_those_of_numpy(seed, replica):
    digest = hashlib.sha256(b"generator\0use").digest()
    words = [int.from_bytes(digest[k : k + 4], "little") for k in range(0, 32, 4)]
    sequence = np.random.SeedSequence(seed, spawn_key=(replica % 2**32, replica >> 32, *words))
    numpy, ours = np.random.Generator(np.random.SFC64(sequence)), generator(seed, replica, "use")
    np.testing.assert_array_equal(ours.standard_normal(9), numpy.standard_normal(9))
    # Before version 2 NumPy's own generators forget their seeds in a pickle.
    ours = ours if np.__version__.startswith("1.") else pickle.loads(pickle.dumps(ours))
    for _ in range(2):
        for child, other in zip(ours.spawn(2), numpy.spawn(2), strict=True):
            assert child.integers(2**63) == other.integers(2**63)


@pytest.mark.parametrize("seed", [0, 2**32, 2**127 + 5])
def test_seeds_of_many_at_once_are_those_of_each(seed):
    replicas = [*range(100), *(2**64 - 1 - i for i in range(100))]
    each = [stream(seed, replica, "use") for replica in replicas]
    np.testing.assert_array_equal(streams(seed, replicas, "use"), each)


@pytest.mark.parametrize("seed, replica", [(-1, 0), (2**128, 0), (0, -1), (0, 2**64)])
def test_seeds_out_of_range_are_refused(seed, replica):
    for make in (stream, source, generator):
        with pytest.raises(ModelError, match=r"^(seed|replica) = "):
            make(seed, replica)


# --- Laws


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_normals_have_the_moments_of_a_normal(dtype):
    """Mean of x^p minus its value in standard errors, Var x^p = (2p-1)!! - ((p-1)!!)²."""
    x = draw(stream(10, 0), 4_000_000, dtype).astype(np.float64)
    for p in range(1, 9):
        mean = special.factorial2(p - 1) if p % 2 == 0 else 0.0
        z = (np.mean(x**p) - mean) / math.sqrt((special.factorial2(2 * p - 1) - mean**2) / x.size)
        assert two_sided(z) > ALPHA, (p, z)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_normals_have_the_distribution_of_a_normal(dtype):
    x = draw(stream(11, 0), 2_000_000, dtype).astype(np.float64)
    assert stats.kstest(x, "norm").pvalue > ALPHA
    edges = stats.norm.ppf(np.arange(1, 1000) / 1000)
    assert stats.chisquare(np.bincount(np.searchsorted(edges, x), minlength=1000)).pvalue > ALPHA


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_radius_and_angle_of_a_pair(dtype):
    """r²/2 is exponential and the angle uniform, independently: 40 x 40 cells of equal probability."""
    x = (
        draw(stream(12, 0), 3_200_000, dtype)
        .astype(np.float64)
        .reshape(-1, 2, LANES * (2 if dtype == np.float32 else 1))
    )
    c, s = x[:, 0].ravel(), x[:, 1].ravel()
    u, turn = np.exp(-0.5 * (c * c + s * s)), np.arctan2(s, c) / (2 * np.pi) + 0.5
    cells = np.minimum(u * 40, 39).astype(int) * 40 + np.minimum(turn * 40, 39).astype(int)
    assert stats.chisquare(np.bincount(cells, minlength=1600)).pvalue > ALPHA


def tail_p_values(seed, dtype, repeats, levels):
    counts = np.zeros(len(levels), np.int64)
    size = 100_000
    beyond(stream(seed, 0), np.empty(size, dtype), repeats, np.array(levels), counts)
    return [
        stats.binomtest(int(k), size * repeats, 2 * stats.norm.sf(level)).pvalue
        for k, level in zip(counts, levels, strict=True)
    ]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_tail_to_five_sigma(dtype):
    """2e8 draws: 115 are expected beyond 5."""
    assert min(tail_p_values(13, dtype, 2000, (3.0, 4.0, 4.5, 5.0))) > ALPHA


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_tail_to_six_sigma(dtype):
    """1e10 draws: 380 are expected beyond 5.5, 20 beyond 6, 0.8 beyond 6.5."""
    assert min(tail_p_values(14, dtype, 100_000, (4.5, 5.0, 5.5, 6.0, 6.5))) > ALPHA


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_uniforms(dtype):
    x = draw(stream(15, 0), 3_000_000, dtype, uniforms).astype(np.float64)
    assert x.min() > 0.0
    assert x.max() < 1.0
    assert stats.kstest(x, "uniform").pvalue > ALPHA
    for power in range(1, 5):
        z = (np.mean(x**power) - 1 / (power + 1)) / math.sqrt((1 / (2 * power + 1) - 1 / (power + 1) ** 2) / x.size)
        assert two_sided(z) > ALPHA, power


def test_uniforms_are_symmetric_to_the_last_bit():
    """u and 1 - u have one law: the grid of u is symmetric, so no mean is off by half a grid step."""
    for dtype, step in ((np.float64, 2.0**-52), (np.float32, 2.0**-23)):
        x = draw(stream(16, 0), 4096, dtype, uniforms).astype(np.float64)
        k = (x - step / 2) / step
        assert np.array_equal(k, np.rint(k))


def test_bits_of_words():
    """Each of the 64 bits is fair, and so is each pair of neighbours."""
    w = draw(stream(17, 0), 400_000, np.uint64, words)
    bits = (w[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    for x in (bits, bits[:, 1:] ^ bits[:, :-1], bits[1:] ^ bits[:-1]):
        z = (x.sum(0, dtype=np.int64) - x.shape[0] / 2) / math.sqrt(x.shape[0] / 4)
        assert stats.chi2.sf(np.sum(z**2), z.size) > ALPHA


@pytest.mark.parametrize("dtype", [np.float64, np.int8])
def test_signs_are_fair_and_independent(dtype):
    x = draw(stream(18, 0), 64 * LANES * 1000, dtype, signs)
    assert set(np.unique(x)) == {-1, 1}
    up = (x > 0).astype(np.int64)
    assert two_sided((up.mean() - 0.5) * 2 * math.sqrt(x.size)) > ALPHA
    patterns = up.reshape(-1, 8) @ (1 << np.arange(8))
    assert stats.chisquare(np.bincount(patterns, minlength=256)).pvalue > ALPHA
    within_a_word = up.reshape(-1, 64, LANES)[:, :8].transpose(0, 2, 1).reshape(-1, 8) @ (1 << np.arange(8))
    assert stats.chisquare(np.bincount(within_a_word, minlength=256)).pvalue > ALPHA


def powers(x):
    """x and x² - 1 over their standard deviations."""
    return x, (x**2 - 1) / math.sqrt(2)


def pair_correlations_p_value(rows):
    """Sum over pairs of rows of n times the squared correlation, with known mean 0 and variance 1, is chi-square."""
    n = rows.shape[1]
    z = (rows @ rows.T)[np.triu_indices(len(rows), 1)] / math.sqrt(n)
    return stats.chi2.sf(np.sum(z**2), z.size)


@pytest.mark.parametrize("dtype, group", [(np.float64, 2 * LANES), (np.float32, 4 * LANES)])
def test_lanes_are_uncorrelated(dtype, group):
    x = draw(stream(19, 0), group * 60_000, dtype).astype(np.float64).reshape(-1, group).T
    for y in powers(x):
        assert pair_correlations_p_value(y) > ALPHA
        # The first lane now with all lanes at the next step.
        z = y[:, 1:] @ y[:, :-1].T / math.sqrt(y.shape[1] - 1)
        assert stats.chi2.sf(np.sum(z**2), z.size) > ALPHA


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_lags_are_uncorrelated(dtype):
    n, lags = 2**21, 4096
    x = draw(stream(20, 0), n, dtype).astype(np.float64)
    for y in powers(x):
        spectrum = np.abs(np.fft.rfft(y, 2 * n)) ** 2
        z = np.fft.irfft(spectrum)[1 : lags + 1] / np.sqrt(n - np.arange(1, lags + 1))
        assert stats.chi2.sf(np.sum(z**2), lags) > ALPHA


def test_streams_are_uncorrelated():
    """Neighbouring seeds, replicas and engines, and sources and streams of the same name."""
    states = [stream(*key) for key in product(range(6), range(6), ("", "a", "b"))]
    states += [source(*key)[: 4 * LANES].reshape(4, LANES) for key in product(range(4), range(4), ("", "a"))]
    x = np.array([draw(state, 20_000) for state in states])
    for y in powers(x):
        assert pair_correlations_p_value(y) > ALPHA
    assert stats.chi2.sf(np.sum(np.sum(x, 1) ** 2) / 20_000, len(x)) > ALPHA


def test_scalar_draws_have_the_law_of_the_blocks():
    """Groups of 7 out of a buffer of 1024 leave a rest unused each time: that must not depend on what it holds."""
    out, flat = np.empty(1_000_000), np.empty(1_000_000)
    n = mixed(source(21, 0), np.empty(7), out, flat)
    assert n > 999_000
    assert stats.kstest(out[:n], "norm").pvalue > ALPHA
    assert stats.kstest(flat[7:n:8], "uniform").pvalue > ALPHA
    group = out[:n].reshape(-1, 8).T
    for y in powers(group):
        assert pair_correlations_p_value(y) > ALPHA


def test_scalar_draws_are_those_of_the_blocks():
    src = source(22, 3)
    state = src[: 4 * LANES].reshape(4, LANES).copy()
    expected = draw(state, 2 * BUFFER)
    assert [normal(src) for _ in range(5)] == expected[:5].tolist()
    rest = np.empty(BUFFER - 5)
    fill_normals(src, rest)
    assert np.array_equal(rest, expected[5:BUFFER])
    assert normal(src) == expected[BUFFER]
    # Longer than the buffer: on through it, nothing left out.
    long = np.empty(3 * BUFFER + 1)
    fill_normals(src, long)
    expected = np.concatenate([expected[BUFFER + 1 :], draw(state, 3 * BUFFER)])
    assert np.array_equal(long, expected[: long.size])


SHAPES = (0.02, 0.3, 0.99, 1.0, 1.5, 7.0, 300.0)


@pytest.mark.parametrize("a", SHAPES)
def test_gamma(a):
    x = np.empty(400_000)
    many_gammas(source(23, SHAPES.index(a)), a, False, x)
    assert stats.kstest(x, stats.gamma(a).cdf).pvalue > ALPHA
    # Mean a and variance a, whose standard error follows from the fourth cumulant 6a.
    assert two_sided((x.mean() - a) / math.sqrt(a / x.size)) > ALPHA
    assert two_sided((np.mean((x - a) ** 2) - a) / math.sqrt((6 * a + 2 * a * a) / x.size)) > ALPHA


DEGREES = (1, 2, 3, 4, 10, 94, 994, 10**5, 10**9, 10**12)


@pytest.mark.parametrize("n", DEGREES)
def test_chi2(n):
    x = np.empty(400_000)
    many_gammas(source(24, DEGREES.index(n)), n, True, x)
    # Ties: at n = 1e12 the float64 grid is 1e-10 of a standard deviation.
    assert stats.kstest(x, stats.chi2(n).cdf).pvalue > ALPHA
    z = (x - n) / math.sqrt(2 * n)
    assert two_sided(z.mean() * math.sqrt(x.size)) > ALPHA
    assert two_sided((np.mean(z**2) - 1) / math.sqrt((2 + 12 / n) / x.size)) > ALPHA
    # Third cumulant 8n; its estimator's variance for a near-normal is 15 - 9 = 6, and grows with the skewness.
    skew = z**3 - 3 * z
    assert two_sided((skew.mean() - math.sqrt(8 / n)) / (skew.std() / math.sqrt(x.size))) > ALPHA


def test_chi2_of_nothing():
    assert chi2(source(0, 0), 0) == 0.0


@pytest.mark.parametrize("n", [2, 20, 994])
def test_tails_of_chi2(n):
    """Beyond the quantiles 1e-4 on both sides, 1000 expected in each."""
    x = np.empty(10_000_000)
    many_gammas(source(25, n), n, True, x)
    low, high = stats.chi2.ppf(1e-4, n), stats.chi2.isf(1e-4, n)
    for k in (np.count_nonzero(x < low), np.count_nonzero(x > high)):
        assert stats.binomtest(k, x.size, 1e-4).pvalue > ALPHA
