"""Gaussian processes with the kernel of an infinitely wide net, and Student-t processes with a scale of their own."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import array, number
from tsphys.physics.kernels.layers import Layer, given, kernels, variances


@dataclass
class Kernel:
    """The kernel of a net of infinite width as a function of inputs; scikit-learn takes it where it takes a kernel.

    Of two inputs (d,) it is a number, of rows X (n, d) and Y (m, d) a matrix. It has what `GaussianProcessRegressor`
    asks of a kernel without parameters to be fitted.

    Parameters
    ----------
    layers : sequence of Layer
        See `tsphys.physics.kernels.layers.stack`.
    ntk : bool
        The NTK in the place of the NNGP kernel.
    tolerance : float
        Part of it that Hermite series may leave, where there is no closed form.
    """

    layers: Sequence[Layer]
    ntk: bool = False
    tolerance: float = 1e-6

    #: What scikit-learn asks of its kernels.
    requires_vector_input: ClassVar[bool] = True
    hyperparameters: ClassVar[tuple[Any, ...]] = ()
    n_dims: ClassVar[int] = 0

    @property  # type: ignore[misc]
    def __class__(self) -> type[Kernel]:
        # Asked for by isinstance: scikit-learn takes instances of its own class, which it may be imported after this.
        theirs = sys.modules.get("sklearn.gaussian_process.kernels")
        if theirs is not None:
            theirs.Kernel.register(Kernel)
        return Kernel

    def __call__(self, X: Any, Y: Any = None, eval_gradient: bool = False) -> Any:
        single = np.ndim(X) == 1
        X, Y = (x if x is None else np.atleast_2d(x) for x in (X, Y))
        found = kernels(self.layers, X, Y, tolerance=self.tolerance)
        K = found.ntk if self.ntk else found.nngp
        if single:
            return float(K[0, 0])
        return (K, np.empty((*K.shape, 0))) if eval_gradient else K

    def diag(self, X: Any) -> np.ndarray:
        """k(x, x) of each row of X, (n,)."""
        X = array("X", X, (None, None), "a row for each input")
        if not self.ntk:
            return variances(self.layers, (X**2).mean(axis=1))[-1]
        return np.array([kernels(self.layers, x[None], tolerance=self.tolerance).ntk[0, 0] for x in X])

    @property
    def theta(self) -> np.ndarray:
        """Parameters that may be fitted: none."""
        return np.empty(0)

    @theta.setter
    def theta(self, value: Any) -> None:
        if len(value):
            raise ModelError("theta", value, "must be empty")

    @property
    def bounds(self) -> np.ndarray:
        """Theirs."""
        return np.empty((0, 2))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """What it is made of."""
        return {"layers": self.layers, "ntk": self.ntk, "tolerance": self.tolerance}

    def clone_with_theta(self, theta: Any) -> Kernel:
        """One like it."""
        return Kernel(self.layers, self.ntk, self.tolerance)


class Posterior(NamedTuple):
    """Of a Gaussian process at m inputs: mean and variance (m,) of the function, and the log evidence of the data."""

    mean: np.ndarray
    variance: np.ndarray
    log_evidence: float


class Student(NamedTuple):
    """Of a scale mixture: Student's t of each value, and the log evidence of the data.

    Parameters
    ----------
    mean, scale2 : ndarray, (m,)
        Centre, and square of the scale; the variance is scale2·dof/(dof − 2).
    dof : float
        Degrees of freedom 2a + n.
    """

    mean: np.ndarray
    scale2: np.ndarray
    dof: float
    log_evidence: float

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Low and high ends that hold this probability."""
        from scipy.special import stdtrit

        reach = float(stdtrit(self.dof, 0.5 * (1 + level))) * np.sqrt(self.scale2)
        return self.mean - reach, self.mean + reach


class _Conditioned(NamedTuple):
    mean: np.ndarray
    variance: np.ndarray
    square: float
    log_determinant: float


def _conditioned(kernel: Callable[..., Any], X: Any, y: Any, new: Any, ridge: float) -> _Conditioned:
    from scipy.linalg import solve_triangular

    ridge = number("ridge", ridge, low=0)
    X = given("X", X)
    y = array("y", y, (len(X),), "a number for each input")
    new = given("new", new, X.shape[1])
    words = "must be larger: the kernel of these inputs is singular, as two of them that are the same make it"
    # What a series left of them would look like a difference.
    if ridge == 0 and isinstance(kernel, Kernel) and len(np.unique(X, axis=0)) < len(X):
        raise ModelError("ridge", ridge, words)
    K = np.array(kernel(X)) + ridge * np.eye(len(X))
    try:
        factor = np.linalg.cholesky(K)
    except np.linalg.LinAlgError:
        raise ModelError("ridge", ridge, words) from None
    if np.diag(factor).min() ** 2 < 100 * len(K) * np.finfo(float).eps * np.diag(K).max():
        raise ModelError("ridge", ridge, words)
    left = solve_triangular(factor, np.column_stack([y, kernel(X, new)]), lower=True)
    target, seen = left[:, 0], left[:, 1:]
    own = kernel.diag(new) if hasattr(kernel, "diag") else np.diagonal(kernel(new))
    # What is left of a variance is not below its rounding.
    variance = np.maximum(own - (seen**2).sum(axis=0), 0.0)
    return _Conditioned(seen.T @ target, variance, float(target @ target), 2 * float(np.log(np.diag(factor)).sum()))


def posterior(kernel: Callable[..., Any], X: Any, y: Any, new: Any, ridge: float = 0.0) -> Posterior:
    """What a Gaussian process of this kernel says at new inputs (m, d), given y (n,) at X (n, d).

    Parameters
    ----------
    kernel : callable
        ``kernel(X)`` (n, n) and ``kernel(X, Y)`` (n, m), as a `Kernel`.
    ridge : float
        Variance σ² of the noise of y.

    Raises
    ------
    ModelError
        If shapes differ, or the kernel with this ridge is singular.
    """
    found = _conditioned(kernel, X, y, new, ridge)
    evidence = -0.5 * (found.square + found.log_determinant + np.size(y) * math.log(2 * math.pi))
    return Posterior(found.mean, found.variance, evidence)


def student(kernel: Callable[..., Any], X: Any, y: Any, new: Any, a: float, b: float, ridge: float = 0.0) -> Student:
    """The same with a variance v ~ InvGamma(a, b) of the last layer, which multiplies the kernel and the ridge.

    Raises
    ------
    ModelError
        As in `posterior`, and unless a, b > 0.

    References
    ----------
    Lee, Yun, Yang & Lee, ICLR 2022 (scale mixtures of neural network Gaussian processes).
    """
    a, b = (number(name, value, low=0, open_low=True) for name, value in (("a", a), ("b", b)))
    found, n = _conditioned(kernel, X, y, new, ridge), np.size(y)
    dof = 2 * a + n
    scale2 = (2 * b + found.square) / dof * found.variance
    evidence = (
        math.lgamma(0.5 * dof) - math.lgamma(a) - 0.5 * (n * math.log(2 * math.pi * b) + found.log_determinant)
        - 0.5 * dof * math.log1p(found.square / (2 * b))
    )  # fmt: skip
    return Student(found.mean, scale2, dof, evidence)
