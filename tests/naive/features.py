"""Online learning with every feature of a rule, one step after the other, on the numbers that engine `direct` draws."""

from typing import NamedTuple

import numpy as np

from tsphys.numerics.random import generator, normals, signs, stream, uniforms
from tsphys.physics.order_parameters import microscopic


class Now(NamedTuple):
    """What thresholds are asked of here."""

    t: float


def visited(rule, size, rng):
    """The examples of each step."""
    b, left = rule.minibatch, []
    while True:
        if rule.batch == 1:
            yield np.arange(size)
        elif rule.batch is not None and rule.order == "replacement":
            yield rng.permutation(size)[: round(rule.batch * size)]
        elif rule.batch is not None:
            yield from np.array_split(rng.permutation(size)[: round(rule.epoch * size)], round(rule.epoch / rule.batch))
        elif rule.order == "replacement":
            yield rng.integers(size, size=b)
        else:
            while len(left) < b:
                left = [*left, *rng.permutation(size)[: round(rule.epoch * size)]]
            yield np.array(left[:b])
            left = left[b:]


def learn(rule, start, N, stops, seed=0, replica=0):
    """R, Q and v after so many steps of one student with one teacher."""
    W, B = microscopic(start, N, generator(seed, replica, "direct start"))
    if rule.teachers is not None:
        (A, L, LT), own = start.coordinates, rule.teachers(N, generator(seed, replica, "teachers"))
        more = generator(seed, replica, "direct start").standard_normal((rule.K, N))
        rest = np.linalg.qr(np.concatenate([own, more]).T)[0][:, rule.M :].T * np.sqrt(N)
        W, B = A @ own + L @ rest, LT @ own
    rng, scalars = stream(seed, replica, "direct inputs"), generator(seed, replica, "direct scalars")
    lengths, b, v = generator(seed, replica, "direct directions"), rule.minibatch, np.array(start.v)
    p, anchor, pull, phases, until, kept = rule.params, 0.0 * W, 0.0, 0, 0.0, None
    over, begun, units = None, 0, generator(seed, replica, "direct units")
    mask = np.ones((1, N)) if rule.masks is None else rule.masks(N, generator(seed, replica, "masks"))
    W, root = W * mask, np.sqrt(N)

    def drawn(x, noise):
        for row, zeta in zip(x, noise):
            (signs if rule.inputs == "binary" else normals)(rng, row)
            if rule.law is not None:
                s = B @ row / root
                before = s.copy()
                rule.law.py_func(s, zeta, p)
                row += (s - before) / root @ B
        return x, noise

    if rule.alpha is not None:
        size = round(rule.alpha * N)
        stored = drawn(np.empty((size, N)), scalars.standard_normal((size, 1)))
        order = visited(rule, size, scalars)
    # A step on a share of the training set is N times as far.
    unit, moving, moving_v = N if rule.batch is None else 1, 0.0, 0.0
    step = 0
    for stop in stops:
        while step < stop:
            # A phase ends at its time, or when it has lasted for a step and its threshold is passed.
            ended = over is not None and step > begun and over(Now(step / N)) <= 0
            if rule.schedule is not None and (step / N >= until - 1e-9 or ended):
                phase = rule.schedule(phases, None)
                p, until, phases, begun = rule.params._replace(**phase.params), phase.until, phases + 1, step
                over = phase.stop
                W, v = kept if phase.rewind else (W, v)
                v = v if phase.v is None else np.array(phase.v)
                if phase.units is not None:
                    new = np.linalg.qr(np.concatenate([B, W, units.standard_normal((1, N))]).T)[0][:, -1:].T * root
                    W = np.array(phase.units.mix) @ W + np.sqrt(phase.units.fresh) @ new
                kept = (W.copy(), v.copy()) if phase.keep else kept
                anchor, pull = W.copy(), 0.0 if phase.pull is None else phase.pull[0]
            if rule.alpha is None:
                X, noise = drawn(np.empty((b, N)), scalars.standard_normal((b, 1)))
            else:
                rows = next(order)
                X, noise, b = stored[0][rows], stored[1][rows], len(rows)
            seen = (W @ B.T / N, W @ W.T / N, p) if rule.uses_overlaps else (p,)
            lam, nu, c, dv = X @ W.T / root, X @ B.T / root, np.zeros((b, 1)), np.zeros((b, len(v)))
            if rule.whole_batch:
                rule.function.py_func(lam, nu, v, start.v_star, noise, X @ X.T / N, *seen, c, dv)
            else:
                for i in range(b):
                    rule.function.py_func(lam[i], nu[i], v, start.v_star, noise[i], *seen, c[i], dv[i])
            G = c.T @ X / (b * root) * N / unit
            if rule.queries is not None:
                q = round(rule.queries * N)
                a, xi = np.sqrt(lengths.chisquare(q, (1, b, 1)) / q).item(), np.empty(N)
                normals(rng, xi)
                size_of_G, along = np.linalg.norm(G), G[0] / max(np.linalg.norm(G), 1e-300)
                # What the engine draws along the input, it draws along a step of either sign.
                xi = xi - (xi @ along) * along
                G = a * a * G + a / np.sqrt(q) * size_of_G * xi
            if rule.fraction is not None:
                u = np.empty(N)
                uniforms(rng, u)
                G = G * (u < rule.fraction) / rule.fraction
            moving = rule.momentum * moving - rule.weight_decay / unit * W + G * mask - pull / N * (W - anchor)
            W = W + moving
            if rule.sphere:
                W *= root / np.linalg.norm(W)
            moving_v = rule.momentum * moving_v - rule.weight_decay_v / unit * v + dv.sum(axis=0) / (b * unit)
            v = v + moving_v
            step += 1
        yield W @ B.T / N, W @ W.T / N, v.copy()
