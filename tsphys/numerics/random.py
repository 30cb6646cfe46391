"""Reproducible random streams, and the fastest draws from them inside kernels.

A stream is a ``(4, LANES)`` array of uint64: `LANES` independent xoshiro256 generators (Blackman and Vigna 2021), one
a column, that step side by side in vector registers. Normals come in pairs from the transform of Box and Muller (1958)
with polynomial logarithm, sine and cosine: no branch, no table, no call, so that the loop over the lanes vectorises.

References
----------
G. E. P. Box and M. E. Muller, Ann. Math. Stat. 29, 610 (1958).
G. Marsaglia and W. W. Tsang, ACM Trans. Math. Softw. 26, 363 (2000).
D. Blackman and S. Vigna, ACM Trans. Math. Softw. 47, 36 (2021).
"""

from __future__ import annotations

import hashlib
import math
import operator

import numpy as np
from numba.extending import overload

from tsphys._jit import njit

#: Generators side by side in a stream.
LANES = 16

#: Numbers in each buffer of a `source`.
BUFFER = 1024

Source = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]

# Contraction only: reassociation would distribute the multiplication over `x - 2**52` and lose the small difference.
_exact = njit(fastmath={"contract"})
# A loop with a call in it is not vectorised, and LLVM thinks these too long to inline.
_inlined = njit(fastmath={"contract"}, forceinline=True)

_U = np.uint64
_S11, _S12, _S17, _S19, _S23, _S32, _S41, _S45, _S52, _S63 = (_U(k) for k in (11, 12, 17, 19, 23, 32, 41, 45, 52, 63))
_ONE = _U(0x3FF0000000000000)
_TWO52 = _U(0x4330000000000000)
_MANTISSA = _U(0x000FFFFFFFFFFFFF)
_SIGN = _U(0x8000000000000000)
_SQRT_HALF = _U(0x3FE6A09E667F3BCD)
_ABOVE_SQRT_HALF = _U(0x3FF0000000000000 - 0x3FE6A09E667F3BCD)

# Interpolation at Chebyshev nodes: sin(πy)/y and cos(πy) in y² for |y| <= 1/2, log(1+f)/f in f for
# sqrt(1/2) <= 1+f < sqrt(2).
_SIN = (
    3.1415926535897927,
    -5.1677127800497855,
    2.5501640398618677,
    -0.5992645288252314,
    0.08214587881641831,
    -0.007370364327267842,
    0.0004659870181429037,
    -2.113363014236431e-05,
)
_COS = (
    0.9999999999999981,
    -4.934802200543686,
    4.058712126333296,
    -1.3352627661817806,
    0.23533058831338638,
    -0.02580653197720173,
    0.0019278700565903161,
    -0.00010041646884363906,
)
_LOG = (
    0.9999999999999978,
    -0.5000000000005124,
    0.3333333333366278,
    -0.24999999980097645,
    0.1999999991352328,
    -0.16666668870066387,
    0.14285723158982674,
    -0.12499895335612826,
    0.11110667407386093,
    -0.10002399105083705,
    0.0910267771056986,
    -0.08308740806890468,
    0.07525682174852476,
    -0.07175470774579162,
    0.07808646209696224,
    -0.07434588733971907,
    0.03550253965196519,
)
_F = np.float32
_SIN32 = tuple(_F(c) for c in (3.1415927, -5.1677103, 2.5500774, -0.5982904, 0.07765591))
_COS32 = tuple(_F(c) for c in (0.99999994, -4.934793, 4.0584106, -1.3318729, 0.21968243))
_LOG32 = tuple(
    _F(c)
    for c in (1.0, -0.49999997, 0.33334193, -0.25001353, 0.19955933, -0.16577993, 0.14977401, -0.14269258, 0.08533313)
)
_F_ONE = _F(1.0)
_F_MINUS_2 = _F(-2.0)
_F_MINUS_2_LN2 = _F(-2.0 * math.log(2.0))
_F_2_31, _F_2_32, _F_2_40, _F_2_41 = (_F(2.0**-k) for k in (31, 32, 40, 41))
_F_HALF_UP = _F(1.0 - 2.0**-24)


def _seeds(seed: int, replica: int, kind: str, name: str) -> np.random.SeedSequence:
    """Entropy that is a fixed function of its arguments on every machine and in every version.

    NumPy joins the 32-bit words of seed and spawn key, so (2**32,) and (0, 1) are one key: every part has a fixed width
    here. The seed has four words, the replica two, and the names eight from SHA-256.
    """
    seed, replica = operator.index(seed), operator.index(replica)
    if not 0 <= seed < 2**128:
        raise ValueError(f"seed must be in 0 ... 2**128 - 1, got {seed}")
    if not 0 <= replica < 2**64:
        raise ValueError(f"replica must be in 0 ... 2**64 - 1, got {replica}")
    digest = hashlib.sha256(f"{kind}\0{name}".encode()).digest()
    words = [int.from_bytes(digest[k : k + 4], "little") for k in range(0, 32, 4)]
    return np.random.SeedSequence(seed, spawn_key=(replica % 2**32, replica >> 32, *words))


def _state(seeds: np.random.SeedSequence) -> np.ndarray:
    return seeds.generate_state(4 * LANES, np.uint64).reshape(4, LANES)


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
    """
    return _state(_seeds(seed, replica, "stream", engine))


def generator(seed: int, replica: int, purpose: str = "") -> np.random.Generator:
    """A NumPy generator for initial conditions and data, apart from every `stream` and `source`."""
    return np.random.Generator(np.random.SFC64(_seeds(seed, replica, "generator", purpose)))


def source(seed: int, replica: int, engine: str = "") -> Source:
    """What `normal`, `uniform`, `gamma`, `chi2` and `fill_normals` draw from: a stream with buffers.

    Parameters
    ----------
    seed, replica, engine
        As for `stream`; the two never overlap.

    Returns
    -------
    state : ndarray of uint64, shape (4, LANES)
    nbuf, ubuf : ndarray of float64, shape (BUFFER,)
        Normals and uniforms in store.
    cursor : ndarray of int64, shape (2,)
        How many of each are used up.
    """
    state = _state(_seeds(seed, replica, "source", engine))
    return state, np.empty(BUFFER), np.empty(BUFFER), np.full(2, BUFFER, np.int64)


@_inlined
def _step(s0, s1, s2, s3):
    t = s1 << _S17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= t
    return s0, s1, s2, (s3 << _S45) | (s3 >> _S19)


@_inlined
def _minus_2_log(u):
    """-2 log u for normal u > 0."""
    bits = np.float64(u).view(np.uint64) + _ABOVE_SQRT_HALF
    # AVX2 converts no 64-bit integer: put it in the mantissa of 2**52 instead.
    k = np.uint64((bits >> _S52) | _TWO52).view(np.float64) - (2.0**52 + 1023.0)
    f = np.uint64((bits & _MANTISSA) + _SQRT_HALF).view(np.float64) - 1.0
    g = f * f
    # Even and odd powers apart: two chains of dependent operations half as long.
    even, odd = _LOG[16], _LOG[15]
    even, odd = even * g + _LOG[14], odd * g + _LOG[13]
    even, odd = even * g + _LOG[12], odd * g + _LOG[11]
    even, odd = even * g + _LOG[10], odd * g + _LOG[9]
    even, odd = even * g + _LOG[8], odd * g + _LOG[7]
    even, odd = even * g + _LOG[6], odd * g + _LOG[5]
    even, odd = even * g + _LOG[4], odd * g + _LOG[3]
    even, odd = even * g + _LOG[2], odd * g + _LOG[1]
    even = even * g + _LOG[0]
    return k * (-2.0 * math.log(2.0)) + (-2.0 * f) * (even + f * odd)


@_inlined
def _polynomial8(c, z):
    y = z * z
    return ((c[6] + c[7] * z) * y + (c[4] + c[5] * z)) * (y * y) + ((c[2] + c[3] * z) * y + (c[0] + c[1] * z))


@_inlined
def _pair(v, w):
    """Two independent normals from two words: all 52 high bits of v for the radius, w for the angle."""
    u = np.uint64((v >> _S12) | _ONE).view(np.float64) - (1.0 - 2.0**-53)
    y = np.uint64((w >> _S12) | _ONE).view(np.float64) - (1.5 - 2.0**-53)
    r = np.sqrt(_minus_2_log(u))
    z = y * y
    # y covers the half circle where the cosine is positive; a further bit of w, its 12th, decides the half.
    signed = np.uint64(np.float64(r).view(np.uint64) ^ ((w << _S52) & _SIGN)).view(np.float64)
    return signed * _polynomial8(_COS, z), r * (y * _polynomial8(_SIN, z))


@_exact
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
            block[i], block[LANES + i] = _pair(v, w)


@_inlined
def _minus_2_log32(u):
    bits = np.uint32(np.float32(u).view(np.uint32) + np.uint32(0x3F800000 - 0x3F3504F3))
    k = np.float32(np.int32(bits >> np.uint32(23)) - np.int32(127))
    f = np.uint32((bits & np.uint32(0x7FFFFF)) + np.uint32(0x3F3504F3)).view(np.float32) - _F_ONE
    g = f * f
    even, odd = _LOG32[8], _LOG32[7]
    even, odd = even * g + _LOG32[6], odd * g + _LOG32[5]
    even, odd = even * g + _LOG32[4], odd * g + _LOG32[3]
    even, odd = even * g + _LOG32[2], odd * g + _LOG32[1]
    even = even * g + _LOG32[0]
    return k * _F_MINUS_2_LN2 + (_F_MINUS_2 * f) * (even + f * odd)


@_inlined
def _polynomial5(c, z):
    y = z * z
    return (c[4] * y + (c[2] + c[3] * z)) * y + (c[0] + c[1] * z)


@_inlined
def _pair32(w):
    """Two independent normals from one word: 40 bits for the radius, 24 for the angle."""
    high = np.uint32(w >> _S32)
    low = np.uint32(w)
    coarse = np.float32(np.int32(high >> np.uint32(1)))
    fine = np.float32(np.int32(low & np.uint32(0x1FF)))
    u = coarse * _F_2_31 + (fine * _F_2_40 + _F_2_41)
    y = np.float32(np.uint32((low & np.uint32(0xFFFFFE00)) | np.uint32(0x100)).view(np.int32)) * _F_2_32
    r = np.sqrt(_minus_2_log32(u))
    z = y * y
    signed = np.uint32(np.float32(r).view(np.uint32) ^ np.uint32(high << np.uint32(31))).view(np.float32)
    return signed * _polynomial5(_COS32, z), r * (y * _polynomial5(_SIN32, z))


@_exact
def _normal_blocks32(state, out):
    s = state.reshape(4 * LANES)
    for start in range(0, out.size, 4 * LANES):
        block = out[start : start + 4 * LANES]
        for i in range(LANES):
            s0, s1, s2, s3 = s[i], s[LANES + i], s[2 * LANES + i], s[3 * LANES + i]
            v = s0 + s3
            s0, s1, s2, s3 = _step(s0, s1, s2, s3)
            w = s0 + s3
            s0, s1, s2, s3 = _step(s0, s1, s2, s3)
            s[i], s[LANES + i], s[2 * LANES + i], s[3 * LANES + i] = s0, s1, s2, s3
            block[i], block[LANES + i] = _pair32(v)
            block[2 * LANES + i], block[3 * LANES + i] = _pair32(w)


@njit
def _normals64(state, out):
    whole = out.size - out.size % (2 * LANES)
    _normal_blocks64(state, out[:whole])
    if whole < out.size:
        last = np.empty(2 * LANES)
        _normal_blocks64(state, last)
        out[whole:] = last[: out.size - whole]


@njit
def _normals32(state, out):
    whole = out.size - out.size % (4 * LANES)
    _normal_blocks32(state, out[:whole])
    if whole < out.size:
        last = np.empty(4 * LANES, np.float32)
        _normal_blocks32(state, last)
        out[whole:] = last[: out.size - whole]


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


@_exact
def _uniform_blocks64(state, out):
    s = state.reshape(4 * LANES)
    for start in range(0, out.size, LANES):
        block = out[start : start + LANES]
        for i in range(LANES):
            s0, s1, s2, s3 = s[i], s[LANES + i], s[2 * LANES + i], s[3 * LANES + i]
            block[i] = np.uint64(((s0 + s3) >> _S12) | _ONE).view(np.float64) - (1.0 - 2.0**-53)
            s[i], s[LANES + i], s[2 * LANES + i], s[3 * LANES + i] = _step(s0, s1, s2, s3)


@_exact
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
        out[whole:] = last[: out.size - whole]


@njit
def _uniforms32(state, out):
    whole = out.size - out.size % (2 * LANES)
    _uniform_blocks32(state, out[:whole])
    if whole < out.size:
        last = np.empty(2 * LANES, np.float32)
        _uniform_blocks32(state, last)
        out[whole:] = last[: out.size - whole]


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


@_exact
def _word_blocks(state, out):
    s = state.reshape(4 * LANES)
    for start in range(0, out.size, LANES):
        block = out[start : start + LANES]
        for i in range(LANES):
            s0, s1, s2, s3 = s[i], s[LANES + i], s[2 * LANES + i], s[3 * LANES + i]
            t = s0 + s3
            block[i] = ((t << _S23) | (t >> _S41)) + s0
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
        out[whole:] = last[: out.size - whole]


@njit
def signs(state, out):
    """Fill `out` with independent, fair +1 and -1, 64 from a word.

    Parameters
    ----------
    state : ndarray of uint64, shape (4, LANES)
        From `stream`; advanced in place.
    out : ndarray of float64, float32 or int8, shape (n,)
    """
    word = np.empty(LANES, np.uint64)
    one = out.dtype.type(1)
    for start in range(0, out.size, 64 * LANES):
        _word_blocks(state, word)
        block = out[start : start + 64 * LANES]
        for j in range(0, block.size, LANES):
            row = block[j : j + LANES]
            for i in range(row.size):
                row[i] = one if (word[i] >> np.uint64(j // LANES)) & np.uint64(1) else -one


@njit
def _refill_normals(src):
    _normal_blocks64(src[0], src[1])
    src[3][0] = 0


@njit
def _refill_uniforms(src):
    _uniform_blocks64(src[0], src[2])
    src[3][1] = 0


@njit
def normal(src):
    """A standard normal from a `source`."""
    if src[3][0] == BUFFER:
        _refill_normals(src)
    i = src[3][0]
    src[3][0] = i + 1
    return src[1][i]


@njit
def uniform(src):
    """A uniform, strictly between 0 and 1, from a `source`."""
    if src[3][1] == BUFFER:
        _refill_uniforms(src)
    i = src[3][1]
    src[3][1] = i + 1
    return src[2][i]


@njit
def fill_normals(src, out):
    """Fill a short 1-d float64 `out` with normals from the buffer of a `source`."""
    n = out.size
    if n > BUFFER:
        _normals64(src[0], out)
        return
    if src[3][0] + n > BUFFER:
        _refill_normals(src)
    first = src[3][0]
    src[3][0] = first + n
    for i in range(n):
        out[i] = src[1][first + i]


@njit
def _gamma_from_1(src, a):
    """Marsaglia and Tsang's gamma variate for a >= 1."""
    d = a - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = normal(src)
        y = c * x
        if y <= -1.0:
            continue
        v = (1.0 + y) * (1.0 + y) * (1.0 + y)
        u = uniform(src)
        x2 = x * x
        if u < 1.0 - 0.0331 * x2 * x2:
            return d * v
        if abs(y) < 0.02:
            # x²/2 + d (1 - v + log v) cancels to order y⁴: its series, so that a large `a` costs no accuracy.
            bound = d * y**4 * (-0.75 + y * (0.6 + y * (-0.5 + y * (3.0 / 7.0 + y * (-0.375 + y / 3.0)))))
        else:
            bound = 0.5 * x2 + d * (1.0 - v + 3.0 * math.log1p(y))
        if math.log(u) < bound:
            return d * v


@njit
def gamma(src, a):
    """A gamma variate with shape `a` > 0 and scale 1 from a `source` (Marsaglia and Tsang 2000)."""
    if a >= 1.0:
        return _gamma_from_1(src, float(a))
    return _gamma_from_1(src, a + 1.0) * uniform(src) ** (1.0 / a)


@njit
def chi2(src, n):
    """The squared norm of `n` standard normals, for an integer `n` from 0 to 1e12, from a `source`."""
    if n >= 2:
        return 2.0 * _gamma_from_1(src, 0.5 * n)
    if n == 1:
        x = normal(src)
        return x * x
    return 0.0
