"""Reproducible random streams, and the fastest draws from them inside kernels.

A stream is a ``(4, LANES)`` array of uint64: `LANES` independent xoshiro256 generators (Blackman and Vigna 2021), one
a column, that step side by side in vector registers. Normals come in pairs from `tsphys.numerics.box_muller`, which
says where their tail ends. A draw of any length uses up whole steps of all lanes.

References
----------
G. Marsaglia and W. W. Tsang, ACM Trans. Math. Softw. 26, 363 (2000).
D. Blackman and S. Vigna, ACM Trans. Math. Softw. 47, 36 (2021).
"""

from __future__ import annotations

import hashlib
import math
import operator
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from itertools import repeat
from typing import Any

import numpy as np
from numba.extending import overload
from numpy.random.bit_generator import ISpawnableSeedSequence

from tsphys._jit import njit
from tsphys.errors import ModelError
from tsphys.numerics.box_muller import exact, inlined, pair32, pair64
from tsphys.numerics.lanes import WIDTH, side_by_side, signs_of

#: Generators side by side in a stream.
LANES = 16

#: Numbers in each buffer of a `source`.
BUFFER = 1024
#: Numbers side by side that the lanes are.
PARTS = LANES // WIDTH

# A `source` is one array: state, index of the next normal, of the next uniform, normals, uniforms.
_NEXT_NORMAL = 4 * LANES
_NEXT_UNIFORM = _NEXT_NORMAL + 1
_NORMALS = _NEXT_NORMAL + 2
_UNIFORMS = _NORMALS + BUFFER

_U = np.uint64
_F = np.float32
_S12, _S17, _S19, _S23, _S41, _S45 = (_U(k) for k in (12, 17, 19, 23, 41, 45))
_ONE = _U(0x3FF0000000000000)
_F_HALF_UP = _F(1.0 - 2.0**-24)


# Constants of NumPy's SeedSequence, whose words are promised to stay what they are.
_POOL = 4
_INIT_A, _MULT_A, _INIT_B, _MULT_B = (_U(k) for k in (0x43B0D7E5, 0x931E8875, 0x8B51F9DD, 0x58F38DED))
_MIX_L, _MIX_R = _U(0xCA01F9DD), _U(0x4973F715)
_WORD, _HALF, _HIGH = _U(0xFFFFFFFF), _U(16), _U(32)
#: Replicas up to which NumPy's own sequences, one by one, take less time than arrays of all.
FEW = 64
#: Words of state that NumPy's SFC64 asks for.
_SFC64 = 3


def _hashed(value: np.ndarray, constant: np.uint64, multiplier: np.uint64) -> tuple[np.ndarray, np.uint64]:
    value, constant = value ^ constant, (constant * multiplier) & _WORD
    value = (value * constant) & _WORD
    return value ^ (value >> _HALF), constant


def _many_states(entropy: np.ndarray, n: int) -> np.ndarray:
    """``SeedSequence(entropy[i]).generate_state(n, uint64)`` for each i, entropy (replicas, >= 4) of 32-bit words."""
    words, constant = list(entropy.astype(np.uint64).T), _INIT_A
    pool = []
    for word in words[:_POOL]:
        value, constant = _hashed(word, constant, _MULT_A)
        pool.append(value)
    for source in range(len(words)):
        for target in range(_POOL):
            if source != target:
                value, constant = _hashed(pool[source] if source < _POOL else words[source], constant, _MULT_A)
                # Less a multiple of 2³² below zero: unsigned numbers cannot be.
                value = (_MIX_L * pool[target] + (_WORD + _U(1) - ((_MIX_R * value) & _WORD))) & _WORD
                pool[target] = value ^ (value >> _HALF)
    out, constant = np.empty((len(entropy), n), np.uint64), _INIT_B
    for i in range(n):
        low, constant = _hashed(pool[2 * i % _POOL], constant, _MULT_B)
        high, constant = _hashed(pool[(2 * i + 1) % _POOL], constant, _MULT_B)
        out[:, i] = low | (high << _HIGH)
    return out


class _Seeds(ISpawnableSeedSequence):
    """The SeedSequence of some words, whose first state is known: a run has a few for each of its replicas."""

    def __init__(self, words: np.ndarray, replica: int, state: np.ndarray):
        self.words, self.replica, self.state = words, replica, state

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> np.ndarray:
        if dtype is np.uint64 and n_words == len(self.state):
            return self.state
        return self._numpy.generate_state(n_words, dtype)

    def spawn(self, n_children: int) -> list[Any]:
        return self._numpy.spawn(n_children)

    @cached_property
    def _numpy(self) -> np.random.SeedSequence:
        return _sequence(self.words, self.replica)


@lru_cache(maxsize=1024)
def _words(seed: int, kind: str, name: str) -> np.ndarray:
    digest = hashlib.sha256(f"{kind}\0{name}".encode()).digest()
    named = [int.from_bytes(digest[k : k + 4], "little") for k in range(0, 32, 4)]
    return np.array([seed >> k & 0xFFFFFFFF for k in (0, 32, 64, 96)] + [0, 0] + named, np.uint32)


def _entropy(seed: int, replicas: Sequence[int], kind: str, name: str) -> tuple[np.ndarray, list[int]]:
    """Words that are a fixed function of seed and names on every machine and in every version, and the replicas.

    NumPy joins the 32-bit words of seed and spawn key, so (2**32,) and (0, 1) are one key: every part has a fixed width
    here. The seed has four words, the replica two, and the names eight from SHA-256.
    """
    seed = operator.index(seed)
    if not 0 <= seed < 2**128:
        raise ModelError("seed", seed, "must be an integer from 0 to 2**128 - 1")
    for replica in replicas:
        if not 0 <= operator.index(replica) < 2**64:
            raise ModelError("replica", replica, "must be an integer from 0 to 2**64 - 1")
    return _words(seed, kind, name), list(map(operator.index, replicas))


def _states(words: np.ndarray, replicas: Sequence[int], n: int) -> np.ndarray:
    """The first n words of state of each replica."""
    if len(replicas) <= FEW:
        found = [_sequence(words, replica).generate_state(n, np.uint64) for replica in replicas]
        return np.array(found, np.uint64).reshape(len(replicas), n)
    entropy, ids = np.tile(words, (len(replicas), 1)), np.array(replicas, np.uint64)
    entropy[:, 4], entropy[:, 5] = ids & _WORD, ids >> _HIGH
    return _many_states(entropy, n)


def _sequence(words: np.ndarray, replica: int) -> np.random.SeedSequence:
    entropy = words.copy()
    entropy[4], entropy[5] = replica & 0xFFFFFFFF, replica >> 32
    return np.random.SeedSequence(entropy)


def streams(seed: int, replicas: Sequence[int], engine: str = "") -> np.ndarray:
    """`stream` of several replicas, (replicas, 4, LANES)."""
    return _states(*_entropy(seed, replicas, "stream", engine), 4 * LANES).reshape(-1, 4, LANES)


def stream(seed: int, replica: int, engine: str = "") -> np.ndarray:
    """The state of `LANES` independent generators, for `normals`, `uniforms`, `signs` and `words`.

    Parameters
    ----------
    seed : int
        0 to 2**128 - 1.
    replica : int
        0 to 2**64 - 1; each replica has a stream of its own.
    engine : str
        Each name has streams of its own.

    Returns
    -------
    ndarray of uint64, shape (4, LANES)
        Advanced in place by every draw.

    Raises
    ------
    ModelError
        If the seed or the replica is out of range.
    """
    return streams(seed, [replica], engine)[0]


def generators(seed: int, replicas: Sequence[int], purpose: str = "") -> list[np.random.Generator]:
    """`generator` of several replicas."""
    words, ids = _entropy(seed, replicas, "generator", purpose)
    # NumPy takes any ISeedSequence, which its types do not say.
    seeds: Any = map(_Seeds, repeat(words), replicas, _states(words, ids, _SFC64))
    return [np.random.Generator(np.random.SFC64(one)) for one in seeds]


def generator(seed: int, replica: int, purpose: str = "") -> np.random.Generator:
    """A NumPy generator for initial conditions and data, apart from every `stream` and `source`."""
    return generators(seed, [replica], purpose)[0]


class Generators:
    """Generators of several replicas in one: what a method draws has these as its first axis."""

    def __init__(self, each: Sequence[np.random.Generator]):
        self.each = each

    def __getattr__(self, name: str) -> Callable[..., np.ndarray]:
        return lambda *args, **options: np.array([getattr(one, name)(*args, **options) for one in self.each])


def source(seed: int, replica: int, engine: str = "") -> np.ndarray:
    """What `normal`, `uniform`, `gamma`, `chi2` and `fill_normals` draw from: a stream with its buffers.

    Parameters
    ----------
    seed, replica, engine
        As for `stream`; the two never overlap.

    Returns
    -------
    ndarray of uint64, shape (4 * LANES + 2 + 2 * BUFFER,)
        Advanced in place by every draw. One array, because kernels count references to each array that they take out of
        a tuple, atomically.
    """
    src = np.zeros(_UNIFORMS + BUFFER, np.uint64)
    src[: 4 * LANES] = _states(*_entropy(seed, [replica], "source", engine), 4 * LANES)[0]
    src[_NEXT_NORMAL], src[_NEXT_UNIFORM] = _NORMALS + BUFFER, _UNIFORMS + BUFFER
    return src


@inlined
def _step(s0, s1, s2, s3):
    t = s1 << _S17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= t
    return s0, s1, s2, (s3 << _S45) | (s3 >> _S19)


@inlined
def _plus_plus(s0, s3):
    """The word of xoshiro256++."""
    t = s0 + s3
    return ((t << _S23) | (t >> _S41)) + s0


@exact
def _copy(last, out):
    # An assignment of slices would pull in NumPy's error messages, two seconds of compilation.
    for i in range(out.size):
        out[i] = last[i]


@exact
def _normal_blocks64(state, out):
    s = state.reshape(4 * LANES)
    for start in range(0, out.size, 2 * LANES):
        block = out[start : start + 2 * LANES]
        for i in range(LANES):
            s0, s1, s2, s3 = s[i], s[LANES + i], s[2 * LANES + i], s[3 * LANES + i]
            v = s0 + s3
            s0, s1, s2, s3 = _step(s0, s1, s2, s3)
            w = s0 + s3
            s0, s1, s2, s3 = _step(s0, s1, s2, s3)
            s[i], s[LANES + i], s[2 * LANES + i], s[3 * LANES + i] = s0, s1, s2, s3
            block[i], block[LANES + i] = pair64(v, w)


@exact
def _normal_blocks32(state, out):
    s = state.reshape(4 * LANES)
    for start in range(0, out.size, 4 * LANES):
        block = out[start : start + 4 * LANES]
        # The words are put where the normals will be, so that they are read again as 32-bit lanes, twice as many.
        word, half = block.view(np.uint64), block.view(np.uint32)
        for i in range(LANES):
            s0, s1, s2, s3 = s[i], s[LANES + i], s[2 * LANES + i], s[3 * LANES + i]
            word[i] = s0 + s3
            s0, s1, s2, s3 = _step(s0, s1, s2, s3)
            word[LANES + i] = s0 + s3
            s[i], s[LANES + i], s[2 * LANES + i], s[3 * LANES + i] = _step(s0, s1, s2, s3)
        for i in range(2 * LANES):
            block[i], block[2 * LANES + i] = pair32(half[i], half[2 * LANES + i])


@njit
def _normals64(state, out):
    whole = out.size - out.size % (2 * LANES)
    _normal_blocks64(state, out[:whole])
    if whole < out.size:
        last = np.empty(2 * LANES)
        _normal_blocks64(state, last)
        _copy(last, out[whole:])


@njit
def _normals32(state, out):
    whole = out.size - out.size % (4 * LANES)
    _normal_blocks32(state, out[:whole])
    if whole < out.size:
        last = np.empty(4 * LANES, np.float32)
        _normal_blocks32(state, last)
        _copy(last, out[whole:])


def _normals(state, out):
    (_normals32 if out.dtype == np.float32 else _normals64)(state, out)


@overload(_normals)
def _(state, out):
    if out.dtype.bitwidth == 32:
        return lambda state, out: _normals32(state, out)
    return lambda state, out: _normals64(state, out)


@njit
def normals(state, out):
    """Fill `out` with independent standard normals.

    Parameters
    ----------
    state : ndarray of uint64, shape (4, LANES)
        From `stream`; advanced in place.
    out : ndarray of float64 or float32, shape (n,)
    """
    _normals(state, out)


@exact
def _uniform_blocks64(state, out):
    s = state.reshape(4 * LANES)
    for start in range(0, out.size, LANES):
        block = out[start : start + LANES]
        for i in range(LANES):
            s0, s1, s2, s3 = s[i], s[LANES + i], s[2 * LANES + i], s[3 * LANES + i]
            block[i] = np.uint64(((s0 + s3) >> _S12) | _ONE).view(np.float64) - (1.0 - 2.0**-53)
            s[i], s[LANES + i], s[2 * LANES + i], s[3 * LANES + i] = _step(s0, s1, s2, s3)


@exact
def _uniform_blocks32(state, out):
    s = state.reshape(4 * LANES)
    for start in range(0, out.size, 2 * LANES):
        block = out[start : start + 2 * LANES]
        for i in range(LANES):
            s0, s1, s2, s3 = s[i], s[LANES + i], s[2 * LANES + i], s[3 * LANES + i]
            w = s0 + s3
            s[i], s[LANES + i], s[2 * LANES + i], s[3 * LANES + i] = _step(s0, s1, s2, s3)
            high = np.uint32(w >> _S41) | np.uint32(0x3F800000)
            low = np.uint32(np.uint32(w) >> np.uint32(9)) | np.uint32(0x3F800000)
            block[i] = np.uint32(high).view(np.float32) - _F_HALF_UP
            block[LANES + i] = np.uint32(low).view(np.float32) - _F_HALF_UP


@njit
def _uniforms64(state, out):
    whole = out.size - out.size % LANES
    _uniform_blocks64(state, out[:whole])
    if whole < out.size:
        last = np.empty(LANES)
        _uniform_blocks64(state, last)
        _copy(last, out[whole:])


@njit
def _uniforms32(state, out):
    whole = out.size - out.size % (2 * LANES)
    _uniform_blocks32(state, out[:whole])
    if whole < out.size:
        last = np.empty(2 * LANES, np.float32)
        _uniform_blocks32(state, last)
        _copy(last, out[whole:])


def _uniforms(state, out):
    (_uniforms32 if out.dtype == np.float32 else _uniforms64)(state, out)


@overload(_uniforms)
def _(state, out):
    if out.dtype.bitwidth == 32:
        return lambda state, out: _uniforms32(state, out)
    return lambda state, out: _uniforms64(state, out)


@njit
def uniforms(state, out):
    """Fill `out` with independent uniforms, strictly between 0 and 1.

    Parameters
    ----------
    state : ndarray of uint64, shape (4, LANES)
        From `stream`; advanced in place.
    out : ndarray of float64 or float32, shape (n,)
    """
    _uniforms(state, out)


@exact
def _word_blocks(state, out):
    s = state.reshape(4 * LANES)
    for start in range(0, out.size, LANES):
        block = out[start : start + LANES]
        for i in range(LANES):
            s0, s1, s2, s3 = s[i], s[LANES + i], s[2 * LANES + i], s[3 * LANES + i]
            block[i] = _plus_plus(s0, s3)
            s[i], s[LANES + i], s[2 * LANES + i], s[3 * LANES + i] = _step(s0, s1, s2, s3)


@njit
def words(state, out):
    """Fill `out` with raw 64-bit words of xoshiro256++.

    Parameters
    ----------
    state : ndarray of uint64, shape (4, LANES)
        From `stream`; advanced in place.
    out : ndarray of uint64, shape (n,)
    """
    whole = out.size - out.size % LANES
    _word_blocks(state, out[:whole])
    if whole < out.size:
        last = np.empty(LANES, np.uint64)
        _word_blocks(state, last)
        _copy(last, out[whole:])


@njit
def _signs(state, out, apart):
    word = np.empty(LANES, np.uint64)
    one = out.dtype.type(1)
    for start in range(0, out.size, apart):
        _word_blocks(state, word)
        block = out[start : start + apart]
        for j in range(0, block.size, LANES):
            row = block[j : j + LANES]
            for i in range(row.size):
                row[i] = one if (word[i] >> _U(j // LANES)) & _U(1) else -one


@njit
def _signs64(state, out, apart):
    """The same for float64, eight at once: a bit is moved to where the sign is."""
    s = side_by_side(state.reshape(4 * PARTS, WIDTH))
    whole = out.size - out.size % WIDTH
    rows = side_by_side(out[:whole].view(np.uint64).reshape(whole // WIDTH, WIDTH))
    for start in range(0, out.size, apart):
        end = min(start + apart, whole) // WIDTH
        for part in range(PARTS):
            s0, s1, s2, s3 = s[part], s[PARTS + part], s[2 * PARTS + part], s[3 * PARTS + part]
            word = _plus_plus(s0, s3)
            s[part], s[PARTS + part], s[2 * PARTS + part], s[3 * PARTS + part] = _step(s0, s1, s2, s3)
            i, up = start // WIDTH + part, _U(63)
            while i < end:
                rows[i] = signs_of(word, up)
                i += PARTS
                up -= _U(1)
            if i == whole // WIDTH and whole < min(start + apart, out.size):
                _last_signs(signs_of(word, up), out[whole:])


@njit
def _last_signs(eight, out):
    last = np.empty((1, WIDTH), np.uint64)
    side_by_side(last)[0] = eight
    _copy(last.view(np.float64)[0], out)


def _signed(state, out, apart):
    (_signs64 if out.dtype == np.float64 else _signs)(state, out, apart)


@overload(_signed)
def _(state, out, apart):
    if out.dtype.bitwidth == 64:
        return lambda state, out, apart: _signs64(state, out, apart)
    return lambda state, out, apart: _signs(state, out, apart)


@njit
def signs(state, out, apart=64 * LANES):
    """Fill `out` with independent, fair +1 and -1, 64 from a word.

    Parameters
    ----------
    state : ndarray of uint64, shape (4, LANES)
        From `stream`; advanced in place.
    out : ndarray of float64, float32 or int8, shape (n,)
    apart : int
        So many of them, a multiple of `LANES` up to 64 of those, have words of their own, as from a call for each.
    """
    _signed(state, out, apart)


@njit
def _refill_normals(src):
    _normal_blocks64(src[: 4 * LANES].reshape(4, LANES), src[_NORMALS : _NORMALS + BUFFER].view(np.float64))
    src[_NEXT_NORMAL] = _U(_NORMALS)


@njit
def _refill_uniforms(src):
    _uniform_blocks64(src[: 4 * LANES].reshape(4, LANES), src[_UNIFORMS : _UNIFORMS + BUFFER].view(np.float64))
    src[_NEXT_UNIFORM] = _U(_UNIFORMS)


@inlined
def normal(src):
    """A standard normal from a `source`."""
    if src[_NEXT_NORMAL] == _U(_NORMALS + BUFFER):
        _refill_normals(src)
    i = src[_NEXT_NORMAL]
    src[_NEXT_NORMAL] = i + _U(1)
    return np.uint64(src[i]).view(np.float64)


@inlined
def uniform(src):
    """A uniform, strictly between 0 and 1, from a `source`."""
    if src[_NEXT_UNIFORM] == _U(_UNIFORMS + BUFFER):
        _refill_uniforms(src)
    i = src[_NEXT_UNIFORM]
    src[_NEXT_UNIFORM] = i + _U(1)
    return np.uint64(src[i]).view(np.float64)


@inlined
def fill_normals(src, out):
    """Fill a short 1-d float64 `out` with normals from the buffer of a `source`."""
    if out.size > BUFFER:
        for i in range(out.size):
            out[i] = normal(src)
        return
    if src[_NEXT_NORMAL] + _U(out.size) > _U(_NORMALS + BUFFER):
        _refill_normals(src)
    first = src[_NEXT_NORMAL]
    src[_NEXT_NORMAL] = first + _U(out.size)
    for i in range(out.size):
        out[i] = np.uint64(src[first + _U(i)]).view(np.float64)


@njit
def _accepts(d, x, y, u):
    """Marsaglia and Tsang's test, log u < x²/2 + d (1 - v + log v) with v = (1 + y)³."""
    if y <= -1.0:
        return False
    if abs(y) < 0.02:
        # x²/2 + d (1 - v + log v) cancels to order y⁴: its series, so that a large `a` costs no accuracy.
        bound = d * y**4 * (-0.75 + y * (0.6 + y * (-0.5 + y * (3.0 / 7.0 + y * (-0.375 + y / 3.0)))))
    else:
        v = (1.0 + y) * (1.0 + y) * (1.0 + y)
        bound = 0.5 * x * x + d * (1.0 - v + 3.0 * math.log1p(y))
    return math.log(u) < bound


@inlined
def _gamma_from_1(src, a):
    """Marsaglia and Tsang's gamma variate for a >= 1."""
    d = a - 1.0 / 3.0
    c = 1.0 / (3.0 * math.sqrt(d))
    while True:
        x = normal(src)
        u = uniform(src)
        y = c * x
        # For |y| < 0.2 the bound of the test is above -0.8942 d y⁴ = -0.01104 x⁴/d, and log u < u - 1: a squeeze that
        # leaves a fraction 0.03/d to the test, where the authors' own leaves a tenth.
        if (abs(y) < 0.2 and d * (1.0 - u) > 0.0115 * (x * x) * (x * x)) or _accepts(d, x, y, u):
            return d * ((1.0 + y) * (1.0 + y) * (1.0 + y))


@njit
def gamma(src, a):
    """A gamma variate with shape `a` > 0 and scale 1 from a `source` (Marsaglia and Tsang 2000)."""
    if a >= 1.0:
        return _gamma_from_1(src, float(a))
    return _gamma_from_1(src, a + 1.0) * uniform(src) ** (1.0 / a)


@inlined
def chi2(src, n):
    """The squared norm of `n` standard normals, for an integer `n` from 0 to 1e12, from a `source`."""
    if n >= 2:
        return 2.0 * _gamma_from_1(src, 0.5 * n)
    if n == 1:
        x = normal(src)
        return x * x
    return 0.0
