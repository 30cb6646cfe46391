"""Noisy symmetric synapses that store patterns, as the Fisher scores that inference needs, each stored once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tsphys._jit import njit
from tsphys.errors import ModelError
from tsphys.models.memory_reconstruction import MemoryReconstruction
from tsphys.numerics.caches import LINE, aligned, prefetch
from tsphys.numerics.gaussian import density
from tsphys.numerics.lanes import WIDTH, plus, side_by_side
from tsphys.numerics.random import normals, stream, uniforms
from tsphys.physics.inference.channels import hazard
from tsphys.physics.inference.pattern_priors import fourth_moment

#: Neurons in a block: estimates of so many, and what is added to them, stay in the caches next to the processor.
BLOCK = 512
#: Rows of a block that are taken at once.
ROWS = 4
_U = np.uint64


class Scores:
    """A symmetric matrix S (N, N) with zeros on its diagonal, of which the blocks S[I, J], I ≤ J, are kept.

    Parameters
    ----------
    N : int
        Number of neurons.
    blocks : dict
        (I, J) -> block of at most `BLOCK` × `BLOCK`; those on the diagonal are whole.
    """

    def __init__(self, N: int, blocks: dict[tuple[int, int], np.ndarray]):
        self.N, self.blocks = N, blocks
        self.dtype = next(iter(blocks.values())).dtype

    def product(self, x: np.ndarray) -> np.ndarray:
        """S x for x (N, P), in the precision of the blocks, as float64."""
        N, P = x.shape
        if P == 1:
            return self._of_one(x)
        several = -(-P // WIDTH)
        patterns, out = np.zeros((N, several * WIDTH), self.dtype), np.zeros((N, several, WIDTH))
        patterns[:, :P] = x
        patterns = aligned(patterns.reshape(out.shape))
        rows, columns = aligned(np.zeros((2, BLOCK, several, WIDTH), self.dtype))
        for (i, j), block in self.blocks.items():
            I, J = _span(i, N), _span(j, N)
            left, right = patterns[I], patterns[J]
            if i == j:
                # Such a block is symmetric: products with rows and columns are the same, half of it each.
                left = right = aligned(left * self.dtype.type(0.5))
            both_products(block, right, left, rows[: len(left)], columns[: len(right)])
            moved(rows, out[I])
            moved(columns, out[J])
        return np.ascontiguousarray(out.reshape(N, -1)[:, :P])

    def _of_one(self, x: np.ndarray) -> np.ndarray:
        """A lone pattern: products of matrices and vectors."""
        single, out = x.astype(self.dtype, order="C"), np.zeros(x.shape)
        for (i, j), block in self.blocks.items():
            I, J = _span(i, self.N), _span(j, self.N)
            out[I] += block @ single[J]
            if i != j:
                out[J] += block.T @ single[I]
        return out

    def mean(self, power: int) -> float:
        """Mean of a power of S_ij over the pairs; of S_ij² it is an estimate of 1/Δ, of 0 the share that is not 0."""
        total = 0.0
        for (i, j), block in self.blocks.items():
            part = np.count_nonzero(block) if power == 0 else np.sum(block.astype(np.float64) ** power)
            total += (1 if i == j else 2) * float(part)
        return total / (self.N * (self.N - 1))

    def dense(self) -> np.ndarray:
        """The whole matrix, for small N."""
        out = np.zeros((self.N, self.N), self.dtype)
        for (i, j), block in self.blocks.items():
            out[_span(i, self.N), _span(j, self.N)] = block
            out[_span(j, self.N), _span(i, self.N)] = block.T
        return out


@njit
def both_products(block, right, left, rows, columns):
    """Add the products of a block (n, m) with right (m, H, 8) to rows, of its transpose with left (n, H, 8) to columns.

    Eight patterns fill a vector register, and each entry is read once for both of its products.
    """
    # Signed indices would be looked at, whether they are negative.
    n, m, quarter = _U(block.shape[0]), _U(block.shape[1]), _U(block.shape[1] // 4)
    entries, whole = block.reshape(-1), n - n % _U(ROWS)
    x, y, a, b = side_by_side(right), side_by_side(left), side_by_side(rows), side_by_side(columns)
    for r in range(_U(0), whole, _U(ROWS)):
        s, t, u = r + _U(1), r + _U(2), r + _U(3)
        for h in range(_U(x.shape[1])):
            y0, y1, y2, y3 = y[r, h], y[s, h], y[t, h], y[u, h]
            a0, a1, a2, a3 = a[r, h], a[s, h], a[t, h], a[u, h]
            for part in range(_U(4)):
                low, high = part * quarter, m if part == _U(3) else (part + _U(1)) * quarter
                if h == _U(0):
                    # Four rows are too short for the processor to see what comes next.
                    first = (r + _U(ROWS) + part) * m
                    for i in range(first, first + m, _U(LINE // block.itemsize)):
                        prefetch(entries, i)
                for j in range(low, high):
                    b0, b1, b2, b3, of = block[r, j], block[s, j], block[t, j], block[u, j], x[j, h]
                    a0, a1, a2, a3 = plus(a0, b0, of), plus(a1, b1, of), plus(a2, b2, of), plus(a3, b3, of)
                    b[j, h] = plus(plus(plus(plus(b[j, h], b0, y0), b1, y1), b2, y2), b3, y3)
            a[r, h], a[s, h], a[t, h], a[u, h] = a0, a1, a2, a3
    for r in range(whole, n):
        for h in range(_U(x.shape[1])):
            y0, a0 = y[r, h], a[r, h]
            for j in range(m):
                a0 = plus(a0, block[r, j], x[j, h])
                b[j, h] = plus(b[j, h], block[r, j], y0)
            a[r, h] = a0


@njit
def moved(part, out):
    """Add `part` to out, whose digits are more, and leave zeros."""
    for i in range(out.shape[0]):
        for h in range(out.shape[1]):
            for k in range(out.shape[2]):
                out[i, h, k] += part[i, h, k]
                part[i, h, k] = 0.0


def _span(i: int, N: int) -> slice:
    return slice(i * BLOCK, min((i + 1) * BLOCK, N))


def places(N: int) -> Iterator[tuple[int, int]]:
    """The blocks that are kept, row by row."""
    count = -(-N // BLOCK)
    return ((i, j) for i in range(count) for j in range(i, count))


def bytes_of(N: int, itemsize: int) -> float:
    """Memory of the scores of N neurons."""
    return 0.5 * itemsize * N * (N + BLOCK)


def stored(model: MemoryReconstruction, x: np.ndarray, dtype: Any, key: tuple[int, int, str]) -> Scores:
    """Scores of synapses that store the patterns x (N, P).

    Parameters
    ----------
    dtype : dtype
        Of the scores; noise is drawn in single precision for both, so that they are scores of the same synapses.
    key : tuple
        Seed, replica and purpose of the noise; each block has a stream of its own.
    """
    N = len(x)
    x = x.astype(dtype)
    blocks = {}
    for i, j in places(N):
        rows, columns = x[_span(i, N)], x[_span(j, N)]
        noise = np.empty((len(rows), len(columns)), np.float32)
        state = stream(key[0], key[1], f"{key[2]} {i} {j}")
        normals(state, noise.reshape(-1))
        block = rows @ columns.T
        block /= np.sqrt(dtype.type(N))
        block += dtype.type(model.noise) * noise
        kept = None
        if model.channel == "diluted":
            uniforms(state, noise.reshape(-1))
            kept = noise < model.connectivity
        scores(model, block, kept)
        blocks[i, j] = _mirrored(block) if i == j else block
    return Scores(N, blocks)


def scores(model: MemoryReconstruction, field: np.ndarray, kept: np.ndarray | None = None) -> None:
    """Fisher scores ∂ ln P(J|H)/∂H at H = 0 in place of the fields H + νz."""
    if model.channel == "clipped":
        np.copysign(field.dtype.type(np.sqrt(2 / np.pi) / model.noise), field, out=field)
        return
    hidden = field <= model.threshold if model.channel == "rectified" else None
    field /= field.dtype.type(model.noise**2)
    if hidden is not None:
        field[hidden] = below(model)
    if kept is not None:
        field *= kept


def observed(model: MemoryReconstruction, J: Any, dtype: Any) -> Scores:
    """Scores of a given matrix √N J of synapses; NaN stands for bonds that are not there in a diluted network.

    Raises
    ------
    ModelError
        If it is no symmetric matrix, or has entries that the channel cannot give.
    """
    words = "must be a symmetric matrix, at least 2 × 2, of numbers" + (
        ", NaN where there is no bond" if model.channel == "diluted" else ""
    )
    hidden = np.ma.is_masked(J)
    try:
        J = np.asarray(J, dtype=dtype)
    except Exception:
        raise ModelError("J", J, words) from None
    if hidden:
        raise ModelError("J", "a masked array", words)
    if J.ndim != 2 or J.shape[0] != J.shape[1] or len(J) < 2:
        raise ModelError("J", f"array of shape {J.shape}", words)
    N, blocks = len(J), {}
    for i, j in places(N):
        block, mirror = J[_span(i, N), _span(j, N)].copy(), J[_span(j, N), _span(i, N)].T
        off = ~np.eye(len(block), dtype=bool) if i == j else np.True_
        if not np.array_equal(block[off], mirror[off], equal_nan=model.channel == "diluted"):
            raise ModelError("J", f"array of shape {J.shape}", words)
        _check(model, block[off])
        kept = None
        if model.channel == "rectified":
            block[block > 0] += dtype.type(model.threshold)
            block[J[_span(i, N), _span(j, N)] == 0] = min(model.threshold, 0.0) - 1.0
        if model.channel == "diluted":
            kept = ~np.isnan(block)
            block[~kept] = 0.0
        scores(model, block, kept)
        blocks[i, j] = _mirrored(block) if i == j else block
    return Scores(N, blocks)


def _check(model: MemoryReconstruction, entries: np.ndarray) -> None:
    allowed = {
        "rectified": ("must be ≥ 0 with channel = rectified", lambda: entries >= 0),
        "clipped": ("must be ±1 with channel = clipped", lambda: np.abs(entries) == 1),
        "diluted": ("must be finite, or NaN without a bond", lambda: ~np.isinf(entries)),
        "additive": ("must be finite", lambda: np.isfinite(entries)),
    }
    words, holds = allowed[model.channel]
    wrong = entries[~holds()]
    if wrong.size:
        raise ModelError("J", float(wrong[0]), f"has an entry that {words}")


def check_fit(model: MemoryReconstruction, S: Scores) -> None:
    """Refuse synapses that the model does not make, by mean and mean square of their scores and the share of bonds.

    Allowed are five standard errors of sums over pairs and neurons, a few times the largest term where there are few,
    and what does no harm: noise and bonds that are known to a tenth, and a mean of H below √(Δ/N), at which no
    eigenvector shows it.
    """
    N, P, sigma2 = S.N, model.P, model.prior.second_moment
    pairs, kurtosis = N * (N - 1) / 2, fourth_moment(model.prior) / sigma2**2
    stored = P * sigma2**2 * (1 + (P - 1) / N) / N
    mean, square, fourth = moments(model, stored, kurtosis)
    if model.channel == "diluted":
        share, error = S.mean(0), 5 * np.sqrt(model.connectivity / pairs) + 0.1 * model.connectivity
        if abs(share - model.connectivity) > error:
            raise ModelError("connectivity", model.connectivity, f"must be that of J, {share:.3g} ± {error:.2g}")
    seen = S.mean(1)
    single = 10 * fourth / square / pairs
    error = (
        np.sqrt(single / pairs)
        + 5 * np.sqrt(square / pairs + 2 * P * sigma2**2 / (N**3 * model.Delta**2))
        + 1 / np.sqrt(N * model.Delta)
    )
    if abs(seen - mean) > error:
        words = f"must have the mean of the model: that of its scores is {seen:.3g} and not {mean:.3g} ± {error:.2g}"
        raise ModelError("J", f"array of shape {(N, N)}", words)
    seen = S.mean(2)
    neurons = 10 * np.sqrt(kurtosis / (N * P)) * stored / (model.noise**2 + stored)
    error = single + 5 * np.sqrt(fourth / pairs) + (neurons + 0.1) * square
    if abs(seen - square) > error:
        words = f"must be that of J, whose scores have the mean square {seen:.4g} and not {square:.4g} ± {error:.2g}"
        if model.channel in ("additive", "diluted"):
            words += f": with its patterns it scatters by {np.sqrt(seen * model.Delta) * model.noise:.4g}"
        raise ModelError("noise", model.noise, words)


def moments(model: MemoryReconstruction, stored: float, kurtosis: float) -> tuple[float, float, float]:
    """E S, E S² and E S⁴ of fields with the variance ν² + `stored`, Gaussian but for the patterns' own kurtosis."""
    from scipy.special import ndtr

    v2, noise2 = model.noise**2 + stored, model.noise**2
    if model.channel == "clipped":
        return 0.0, 1 / model.Delta, 1 / model.Delta**2
    heavy = max(kurtosis**2 - 3, 0.0) / model.P * stored**2
    if model.channel != "rectified":
        c = model.connectivity
        return 0.0, c * v2 / noise2**2, c * (3 * v2**2 + heavy) / noise2**4
    a, low = model.threshold / np.sqrt(v2), below(model)
    phi, above = float(density(a)), float(ndtr(-a))
    return (
        np.sqrt(v2) * phi / noise2 + ndtr(a) * low,
        v2 * (a * phi + above) / noise2**2 + ndtr(a) * low**2,
        (v2**2 * ((a**3 + 3 * a) * phi + 3 * above) + heavy) / noise2**4 + ndtr(a) * low**4,
    )


def below(model: MemoryReconstruction) -> float:
    """Score of a synapse that does not exceed the threshold, −φ(a)/(νΦ(a)), a = τ/ν."""
    with np.errstate(under="ignore"):
        return float(-hazard(model.threshold / model.noise)[0] / model.noise)


def _mirrored(block: np.ndarray) -> np.ndarray:
    """The upper triangle on both sides, and no synapse of a neuron with itself."""
    upper = np.triu(block, 1)
    upper += upper.T
    return upper
