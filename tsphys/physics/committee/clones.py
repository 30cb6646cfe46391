"""Clones: units of a student wider than its teacher that have become copies of each other, told by their overlaps.

Doimo, Glielmo, Goldt & Laio, NeurIPS 2022. All functions take overlaps with any leading axes, as (…, K, M).
"""

from __future__ import annotations

import numpy as np

from tsphys.errors import ModelError
from tsphys.physics.committee.gaussian import generalisation_error
from tsphys.physics.order_parameters import OrderParameters

#: |cos| of two units above which they count as clones.
ALIKE = 0.9


def cosines(Q: np.ndarray) -> np.ndarray:
    """Those between units, Q_kl/√(Q_kk Q_ll); 0 of a unit without weights."""
    norms = np.sqrt(np.diagonal(Q, axis1=-2, axis2=-1))
    size = norms[..., :, None] * norms[..., None, :]
    return np.divide(Q, size, out=np.zeros_like(size), where=size > 0)


def groups(Q: np.ndarray, alike: float = ALIKE) -> np.ndarray:
    """How many groups of clones there are, of any shape: units joined by steps between which |cos| > `alike`."""
    near = np.abs(cosines(np.asarray(Q, dtype=float))) > alike
    near |= np.eye(near.shape[-1], dtype=bool)
    # Who is reached in so many steps; each doubles them.
    for _ in range(max(1, int(np.ceil(np.log2(near.shape[-1]))))):
        near = (near[..., :, :, None] & near[..., None, :, :]).any(axis=-2)
    # The first of its group reaches nobody before it.
    return (np.argmax(near, axis=-1) == np.arange(near.shape[-1])).sum(axis=-1)


def alignment(R: np.ndarray, Q: np.ndarray, T: np.ndarray) -> np.ndarray:
    """Cosines (…, K, M) of units and the teacher's, R_km/√(Q_kk T_mm); 0 of a unit without weights."""
    size = np.sqrt(np.diagonal(Q, axis1=-2, axis2=-1)[..., :, None] * np.diagonal(T, axis1=-2, axis2=-1)[..., None, :])
    return np.divide(R, size, out=np.zeros(size.shape), where=size > 0)


def teachers(R: np.ndarray, Q: np.ndarray, T: np.ndarray) -> np.ndarray:
    """Which unit of the teacher each is closest to in |cos|, (…, K)."""
    return np.argmax(np.abs(alignment(R, Q, T)), axis=-1)


def shares(R: np.ndarray, Q: np.ndarray, T: np.ndarray, v: np.ndarray) -> np.ndarray:
    """What each unit adds to the readout of each of the teacher's, (…, K, M): ±v_k at the closest, 0 at others."""
    cos = alignment(R, Q, T)
    own = np.argmax(np.abs(cos), axis=-1)[..., None] == np.arange(cos.shape[-1])
    return np.where(own, np.sign(cos) * np.asarray(v)[..., None], 0.0)


def effective(R: np.ndarray, Q: np.ndarray, T: np.ndarray, v: np.ndarray) -> np.ndarray:
    """K_eff, of how many clones each of the teacher's units is made, (…, M): (Σ v)²/Σ v² of its own; 0 without any."""
    own = shares(R, Q, T, v)
    total, squares = own.sum(axis=-2), np.sum(own**2, axis=-2)
    return np.divide(total**2, squares, out=np.zeros(squares.shape), where=squares > 0)


def merged(state: OrderParameters, activation: str = "erf") -> OrderParameters:
    """A student with one unit for each of the teacher's that it has clones of, which answers as it did before.

    The clone of the largest readout stays, and the readouts of those that stay are the ones that change what the
    student answers by the least ⟨δφ²⟩.

    Raises
    ------
    ModelError
        If readouts are not one row, or no unit has weights.
    """
    R, Q, T, v = (np.array(x) for x in (state.R, state.Q, state.T, state.v))
    if v.shape != (len(R),):
        raise ModelError("v", v.tolist(), f"must be {len(R)} readouts, one for each unit")
    own = np.abs(shares(R, Q, T, v))
    kept = [int(np.argmax(own[:, m])) for m in range(R.shape[1]) if own[:, m].any()]
    if not kept:
        raise ModelError("Q", Q.tolist(), "must have a unit with weights and a readout")
    products = answers(Q, activation)
    readouts = np.linalg.solve(products[np.ix_(kept, kept)], products[kept] @ v)
    return OrderParameters(R=R[kept], Q=Q[np.ix_(kept, kept)], T=T, v=readouts, v_star=state.v_star)


def answers(Q: np.ndarray, activation: str) -> np.ndarray:
    """⟨g(λ_k) g(λ_l)⟩ (K, K) of units with overlaps Q, from halves of ⟨φ²⟩ of units one by one and two by two."""
    one = np.eye(len(Q))
    pairs = (one[:, None] + one).reshape(-1, len(Q))
    half = generalisation_error(activation, activation, np.zeros((len(Q), 1)), Q, np.eye(1), pairs, np.zeros(1))
    both = half.reshape(Q.shape)
    # That of a unit twice is four times its own.
    alone = np.diag(both) / 4
    return both - alone[:, None] - alone
