"""The equations of motion of a two-layer network for given teachers, as `integrate` wants them.

The state is (R, S, v) with S = Q − R T⁺ Rᵀ; see `tsphys.physics.committee.motion`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.models.two_layer import TwoLayer
from tsphys.odes.equations.exchange import keeping_overlaps
from tsphys.odes.equations.overlaps import States
from tsphys.physics.activations import code
from tsphys.physics.committee.integrals import closed
from tsphys.physics.committee.motion import Rates, kernels, tolerance_of_S, tolerances
from tsphys.physics.order_parameters import OrderParameters
from tsphys.runs.frames import Equations, ode


@dataclass(frozen=True)
class Motion(States):
    """The equations of motion of a model for given teachers.

    Parameters
    ----------
    model : TwoLayer
    T : ndarray (M, M)
    v_star : ndarray (M,)
        Overlaps and readout of the teachers.
    """

    model: TwoLayer
    T: np.ndarray
    v_star: np.ndarray

    @property
    def rates(self) -> Rates:
        """What the model says of them."""
        m = self.model
        return Rates(m.eta_w, m.eta_v, m.noise * m.noise, m.minibatch, m.kappa, m.kappa_v)

    @property
    def K(self) -> int:
        """Students."""
        return self.model.K

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What `motion` and `observe` want to know."""
        student, teacher = self.model.activations
        kind = np.array([code(student)] * self.model.K + [code(teacher)] * self.model.M)
        T, T_inv, v_star = map(np.ascontiguousarray, (self.T, self.T_inv, self.v_star))
        return kind, student == teacher and student in ("erf", "linear"), T, T_inv, v_star

    def rhs(self) -> Callable[[float, np.ndarray], np.ndarray]:
        """``rhs(t, y)`` for `integrate`."""
        kernel, arguments, rates = kernels(*self.model.activations)[0], self.arguments, np.array(self.rates)

        def rhs(t: float, y: np.ndarray) -> np.ndarray:
            dy = np.empty_like(y)
            kernel(y, dy, *arguments, rates)
            return dy

        return rhs

    def observe(self, states: np.ndarray) -> dict[str, np.ndarray]:
        """``eps_g, R, Q, v`` of states (n, …)."""
        n, K, M = len(states), self.model.K, self.model.M
        eps_g, Q = np.empty(n), np.empty((n, K, K))
        kernels(*self.model.activations)[1](states, *self.arguments, eps_g, Q)
        # The sum of squares may round to less than nothing.
        np.maximum(eps_g, 0.0, out=eps_g)
        return {"eps_g": eps_g, "R": states[:, : K * M].reshape(n, K, M), "Q": Q, "v": states[:, -K:].copy()}

    def tolerances(self, rtol: float, atol: float) -> Callable[[np.ndarray], np.ndarray]:
        """`atol` of each component of a state, as a function of it."""
        K, M = self.model.K, self.model.M
        return tolerances(K, K * M, K, atol, rtol, tolerance_of_S(*self.model.activations, K - M))

    def equations(self, start: OrderParameters) -> Equations:
        """The equations from a start."""
        fine = self.model.activation in ("erf", "linear")
        rtol, atol = (1e-12, 1e-13) if fine else (1e-11, 1e-12)
        rates = self.rhs()
        kept = keeping_overlaps(self, self.v_star, rates, self.state(start))
        return Equations((ode(kept.rates, kept.start, self.tolerances, free=rates),), self.observe, rtol, atol)


def has_closed_equations(model: TwoLayer) -> bool:
    """Whether the equations of motion are closed: the pair is, or only the readout trains and no unit is tanh."""
    return closed(*model.activations) or (model.eta_w == 0.0 and "tanh" not in model.activations)
