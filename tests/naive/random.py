"""xoshiro256 of Blackman and Vigna (2021) in Python's integers, one lane, and its draws by the library functions."""

import math

MASK = 2**64 - 1


def rotl(x, k):
    return ((x << k) | (x >> (64 - k))) & MASK


class Lane:
    """One generator; `state` is its four words."""

    def __init__(self, state):
        self.s = [int(x) for x in state]

    def _step(self):
        s = self.s
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 45)

    def plus(self):
        out = (self.s[0] + self.s[3]) & MASK
        self._step()
        return out

    def plus_plus(self):
        out = (rotl((self.s[0] + self.s[3]) & MASK, 23) + self.s[0]) & MASK
        self._step()
        return out

    def uniform(self):
        return ((self.plus() >> 12) + 0.5) / 2**52

    def normal_pair(self):
        """r cos and r sin: u from the 52 high bits of a word; the angle from 52 bits of the next, sign: bit 11."""
        v, w = self.plus(), self.plus()
        r = math.sqrt(-2 * math.log(((v >> 12) + 0.5) / 2**52))
        angle = math.pi * (((w >> 12) + 0.5) / 2**52 - 0.5)
        return (-1) ** (w >> 11 & 1) * r * math.cos(angle), r * math.sin(angle)


def normal_pair32(high, low):
    """The same from two 32-bit words: u = 31 bits and 9 more, the angle 23 bits and one half, the sign the top bit."""
    u = (high % 2**31) / 2**31 + (low % 2**9 + 0.5) / 2**40
    signed = low - 2**32 if low >= 2**31 else low
    angle = math.pi * ((signed >> 9) + 0.5) / 2**23
    r = math.sqrt(-2 * math.log(u)) if u < 1 else 0.0
    return (-1) ** (high >> 31) * r * math.cos(angle), r * math.sin(angle), r
