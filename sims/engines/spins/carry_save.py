"""Sums of integers over sets, the columns of a table of bits, for 512 columns at once: S_i = Σ_μ b_μi c_μ.

A row b_μ is a number of weight 2^p in all columns for each bit p of c_μ. A full adder makes of three such words of 512
bits one of that weight and a carry of twice as much; seven of them take eight words in, and what they carry, of weight
2^(p+3), is kept until its turn comes. That costs at most five logical operations for a bit of c_μ and 512 columns, of
words that are 1/8 of a byte for each column, where products would read P bytes and do P multiplications for each.
Integers of any size are exact.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tsphys._jit import njit
from tsphys.numerics.box_muller import inlined
from tsphys.numerics.lanes import WIDTH, side_by_side

#: Columns that go together.
TOGETHER = 64 * WIDTH


def aligned(*shape: int) -> np.ndarray:
    """Zeros of uint64, of which eight that begin at a multiple of eight never lie in two lines of the cache."""
    size = int(np.prod(shape))
    out = np.zeros(size + 7, np.uint64)
    first = -(out.ctypes.data // 8) % 8
    return out[first : first + size].reshape(shape)


def words_of(N: int) -> int:
    """Words of 512 bits that hold N."""
    return -(-N // TOGETHER)


class Room(NamedTuple):
    """Memory of `sums`.

    Parameters
    ----------
    c : ndarray of int64, shape (P,)
        What is to be added, ≥ 0.
    rows, counts : ndarray of int64, shapes (B, P + 8) and (B,)
        The rows with a bit in c, for each of B binary digits, filled up to eight by the row of zeros, and their number.
    carries : ndarray of uint64, shape (4, P // 7 + 10, 8)
        Carries of the last four digits: one for eight rows and one for eight older carries, P/7 + 2 at most, and seven
        words of zeros.
    digits : ndarray of uint64, shape (B', G, 8)
        The sums in binary, for B' = B up to a multiple of eight.
    turned : ndarray of uint64, shape (64 G,)
        Eight of the digits of 8 columns.
    """

    c: np.ndarray
    rows: np.ndarray
    counts: np.ndarray
    carries: np.ndarray
    digits: np.ndarray
    turned: np.ndarray


def room(P: int, N: int, most: int) -> Room:
    """For N columns of P rows, and sums up to `most`."""
    B, G = most.bit_length(), words_of(N)
    return Room(
        np.zeros(P, np.int64),
        np.zeros((B, P + 8), np.int64),
        np.zeros(B, np.int64),
        aligned(4, P // 7 + 10, WIDTH),
        aligned(-(-B // 8) * 8, G, WIDTH),
        aligned(8 * WIDTH * G),
    )


@njit
def choose(c, rows, counts):
    """Fill `rows` and `counts` of a `Room`; returns the number of digits of Σ c."""
    P = c.shape[0]
    total, any_bit = 0, 0
    for j in range(P):
        total += c[j]
        any_bit |= c[j]
    B = 0
    while total >> B:
        n = 0
        if (any_bit >> B) & 1:
            # Written whether or not it is one, and overwritten if not: half of all branches would be guessed wrong.
            for j in range(P):
                rows[B, n] = j
                n += (c[j] >> B) & 1
        for j in range(n, n + 7):
            rows[B, j] = P
        counts[B] = n
        B += 1
    return B


@inlined
def full_adder(a, b, c):
    """Sum and carry of three bits."""
    u = a ^ b
    return u ^ c, (a & b) | (u & c)


@inlined
def add_eight(one, two, four, x0, x1, x2, x3, x4, x5, x6, x7):
    """Sums of weight 1, 2 and 4 with eight words of weight 1 more, and the carry, of weight 8."""
    one, a = full_adder(one, x0, x1)
    one, b = full_adder(one, x2, x3)
    two, c = full_adder(two, a, b)
    one, a = full_adder(one, x4, x5)
    one, b = full_adder(one, x6, x7)
    two, d = full_adder(two, a, b)
    four, carry = full_adder(four, c, d)
    return one, two, four, carry


@njit
def add(table, B, rows, counts, carries, digits):
    """The first B `digits` of the sums of the chosen rows of table (G, P + 1, 8), the last of which is 0."""
    words, out, kept = side_by_side(table), side_by_side(digits), side_by_side(carries)
    zero = words[0, table.shape[1] - 1]
    eight = np.uint64(8)
    for g in range(words.shape[0]):
        w = words[g]
        one, two, four = zero, zero, zero
        # How many carries the last digit left, and the two before it.
        last, second, third = np.uint64(0), np.uint64(0), np.uint64(0)
        for p in range(B):
            new, old = kept[p & 3], kept[(p + 1) & 3]
            n = np.uint64(0)
            for k in range(np.uint64(0), np.uint64(counts[p]), eight):
                r = rows[p, k : k + eight]
                one, two, four, new[n] = add_eight(
                    one, two, four, w[np.uint64(r[0])], w[np.uint64(r[1])], w[np.uint64(r[2])], w[np.uint64(r[3])],
                    w[np.uint64(r[4])], w[np.uint64(r[5])], w[np.uint64(r[6])], w[np.uint64(r[7])],
                )  # fmt: skip
                n += np.uint64(1)
            for k in range(third, third + np.uint64(7)):
                old[k] = zero
            for k in range(np.uint64(0), third, eight):
                r = old[k : k + eight]
                one, two, four, new[n] = add_eight(one, two, four, r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7])
                n += np.uint64(1)
            out[p, g] = one
            one, two, four = two, four, zero
            third, second, last = second, last, n


@inlined
def turned(y):
    """The 8 × 8 bits of a word transposed: bit j of byte i becomes bit i of byte j (Hacker's Delight, 7-3)."""
    t = (y ^ (y >> np.uint64(7))) & np.uint64(0x00AA00AA00AA00AA)
    y = y ^ t ^ (t << np.uint64(7))
    t = (y ^ (y >> np.uint64(14))) & np.uint64(0x0000CCCC0000CCCC)
    y = y ^ t ^ (t << np.uint64(14))
    t = (y ^ (y >> np.uint64(28))) & np.uint64(0x00000000F0F0F0F0)
    return y ^ t ^ (t << np.uint64(28))


@njit
def numbers(digits, B, x, out):
    """out_i = Σ_p 2^p (bit i of digits[p]) over the first B digits, exact up to 2⁵³."""
    each = x.view(np.uint8)
    if B == 0:
        out[...] = 0.0
    for high in range((B - 1) // 8 * 8, -1, -8):
        for p in range(B, high + 8):
            digits[p] = np.uint64(0)
        bytes_ = digits[high : high + 8].view(np.uint8).reshape(8, x.shape[0])
        for q in range(x.shape[0]):
            word = np.uint64(0)
            for p in range(8):
                word |= np.uint64(bytes_[p, q]) << np.uint64(8 * p)
            x[q] = turned(word)
        if high + 8 >= B:
            for i in range(out.shape[0]):
                out[i] = each[i]
        else:
            for i in range(out.shape[0]):
                out[i] = 256.0 * out[i] + each[i]


@njit
def sums(table, room, out):
    """out_i = Σ_μ b_μi c_μ, shape (N,) of float64, for the c of `room`, and returns Σ c.

    The columns b_i are the bits of table (G, P + 1, 8), 512 to a word, with a last row of zeros.
    """
    c, rows, counts, carries, digits, x = room
    B = choose(c, rows, counts)
    add(table, B, rows, counts, carries, digits)
    numbers(digits, B, x, out)
