"""Nested dropout in a linear autoencoder, by gradient flow of its two matrices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.models.nested_dropout import NestedDropout
from tsphys.numerics.orthogonal import orthogonal
from tsphys.runs import frames
from tsphys.sims.engines.gradient import flow


@dataclass(frozen=True, kw_only=True)
class Options(frames.Times):
    N: int = param(20, "input dimension, at least the number of variances", kind=int, low=1, high=1000, short="-N")
    units: str = param(
        "aligned", "units at the start: along the modes, or along random orthonormal directions", kind=str,
        choices=("aligned", "random"),
    )  # fmt: skip
    rtol: float = param(1e-10, "relative tolerance of a step of the flow", low=1e-13, high=1e-2)

    def suited(self, models: Sequence[NestedDropout]) -> Options:
        for model in models:
            if len(model.variance) > self.N:
                raise ModelError("N", self.N, f"must be at least the number of variances, {len(model.variance)}")
        return self


def memory(models: Sequence[NestedDropout], options: Options) -> frames.Memory:
    N, K = options.N, max(len(model.keep) for model in models)
    return frames.Memory(8.0 * (30 * 2 * N * K + 6 * N * N), {"N": N}, "an autoencoder")


@dataclass(frozen=True, eq=False)
class Nested:
    """Decoder A (N, K) and encoder B (K, N) of inputs of covariance `xx`, b units kept with the probability keep_b."""

    xx: np.ndarray
    keep: np.ndarray

    def pack(self, A: np.ndarray, B: np.ndarray) -> np.ndarray:
        """The weights as one vector."""
        return np.concatenate([A.ravel(), B.ravel()])

    def layers(self, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A and B of a vector."""
        N, K = len(self.xx), len(self.keep)
        return w[: N * K].reshape(N, K), w[N * K :].reshape(K, N)

    def left(self, w: np.ndarray, b: int) -> np.ndarray:
        """1 − AB of b units."""
        A, B = self.layers(w)
        return np.eye(len(A)) - A[:, :b] @ B[:b]

    def force(self, w: np.ndarray) -> np.ndarray:
        """Minus the gradient."""
        A, B = self.layers(w)
        dA, dB = np.zeros_like(A), np.zeros_like(B)
        for b, p in enumerate(self.keep.tolist(), 1):
            if p > 0:
                missing = p * self.left(w, b) @ self.xx
                dA[:, :b] += missing @ B[:b].T
                dB[:b] += A[:, :b].T @ missing
        return self.pack(dA, dB)

    def loss(self, w: np.ndarray) -> float:
        """What descends."""
        return 0.5 * sum(
            p * float(np.sum(self.left(w, b) @ self.xx * self.left(w, b))) for b, p in enumerate(self.keep.tolist(), 1)
        )


@frames.courses(NestedDropout, Options, memory=memory, dims={"strength": ("mode",), "order": ("mode",)})
def simulate(model: NestedDropout, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Train an autoencoder in coordinates that are drawn; observables as in the theory.

    Beside them ``order`` (t, mode), the cosine of a unit's decoder with its mode. From ``random`` units, of which the
    theory knows the last approach alone, they have to find their modes first.
    """
    rng, N, K = replica.rng("coordinates"), options.N, len(model.keep)
    U = orthogonal(rng, N, N)
    values = np.zeros(N)
    values[: len(model.variance)] = model.variance
    net = Nested(U.T * values @ U, np.array(model.keep, dtype=float))
    first = np.sqrt(model.start) * (U[:K] if options.units == "aligned" else orthogonal(rng, K, N))
    rows = []
    for w in flow(net, net.pack(first.T, first), options.t, options.rtol):
        A, B = net.layers(w)
        decoded, encoded = np.sum(U[:K].T * A, axis=0), np.sum(U[:K] * B, axis=1)
        order = np.abs(decoded) / np.linalg.norm(A, axis=0)
        rows.append({"strength": decoded * encoded, "loss": np.asarray(net.loss(w)), "order": order})
    return frames.stack(rows)
