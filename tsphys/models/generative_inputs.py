"""Inputs from any generator, or of any covariance, and a two-layer teacher of what they come from, or of themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.given import takes
from tsphys.ground.parameters import array, number, param
from tsphys.models.latent_teacher import LatentTeacher, purpose
from tsphys.physics.features import gaussian_features
from tsphys.physics.nonlinearities import NONLINEARITIES, apply
from tsphys.physics.order_parameters import OrderParameters


@dataclass(frozen=True)
class GenerativeInputs(LatentTeacher):
    """Online SGD on inputs x ∈ R^N that come with latent variables c ∈ R^D, or as they are, given by samples.

    Student and SGD are those of `HiddenManifold`; the teacher's fields are ν_m = θ_m·c/√D, or θ_m·x/√N without `c`,
    with θθᵀ/D = T. All that the theory knows of the inputs are Ω = ⟨xxᵀ⟩ and Φ = ⟨xcᵀ⟩, taken from the samples,
    which are centred first. For a generator that is not linear, N/(number of samples) should be small, since that is
    what sampling adds to the spectrum of Ω.

    Parameters
    ----------
    K, M, activation, lr, lr_v, noise, minibatch, T, v_star, v, init
        As for `HiddenManifold`. With a teacher of c that is not white, or of x, T is that of θ, not of its fields.
    inputs : {"resample", "generator", "gaussian"}
        A step learns from samples drawn with replacement; from fresh x = generator(c), c_r ~ N(0, 1); or from Gaussian
        inputs with the same Ω and Φ.
    x : (P, N) array_like, optional
        Samples of the inputs.
    c : (P, D) array_like, optional
        The latent variables that they came from; none: the teacher sees x.
    covariance : (N, N) array_like, optional
        In place of samples: Ω of Gaussian inputs, which the teacher sees.
    generator : callable, optional
        ``generator(c)`` returns x (S, N) for c (S, D).

    Raises
    ------
    ModelError
        If a parameter is out of range, or samples, covariance and generator do not go together.

    References
    ----------
    Goldt, Loureiro, Reeves, Krzakala, Mézard & Zdeborová, MSML (2022); Yoshida & Okada, NeurIPS (2019).
    """

    name: ClassVar[str] = "generative_inputs"

    inputs: str = param("resample", "law of the inputs", kind=str, choices=("resample", "generator", "gaussian"))
    x: Any = field(default=None, compare=False, repr=False)
    c: Any = field(default=None, compare=False, repr=False)
    covariance: Any = field(default=None, compare=False, repr=False)
    generator: Callable[[np.ndarray], np.ndarray] | None = field(default=None, compare=False)
    mean: Any = field(default=0.0, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.x is None) == (self.covariance is None):
            raise ModelError("x", None if self.x is None else "samples", "is given, or a covariance, and not both")
        if self.covariance is not None:
            N = len(np.atleast_1d(self.covariance))
            omega = array("covariance", self.covariance, (N, N), "of the inputs")
            object.__setattr__(self, "covariance", omega)
            try:
                OrderParameters(R=np.zeros((N, 1)), Q=omega, T=np.eye(1))
            except ModelError as error:
                raise ModelError("covariance", f"array of shape {omega.shape}", error.allowed) from None
            if self.c is not None or self.inputs != "gaussian":
                raise ModelError("inputs", self.inputs, "must be gaussian, without c, where a covariance is given")
        else:
            samples = array("x", self.x, (None, None), "(samples, inputs N)")
            if len(samples) < 2:
                raise ModelError("x", f"array of shape {samples.shape}", "must have two samples at least")
            object.__setattr__(self, "x", samples - samples.mean(axis=0))
            object.__setattr__(self, "mean", samples.mean(axis=0))
            if self.c is not None:
                latent = array("c", self.c, (len(samples), None), "latent variables of each sample")
                object.__setattr__(self, "c", latent - latent.mean(axis=0))
        if self.inputs == "generator":
            takes("generator", self.generator, "c")
            if self.c is None:
                raise ModelError("c", None, "must be given, as x is, with inputs of a generator")

    @property
    def sizes(self) -> tuple[int, int]:
        """N and D; D = N where the teacher sees the inputs."""
        N = len(self.covariance) if self.x is None else self.x.shape[1]
        return N, N if self.c is None else self.c.shape[1]

    @cached_property
    def covariances(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Ω (N, N), Φ (N, D) and ⟨ccᵀ⟩ (D, D)."""
        if self.x is None:
            omega = np.array(self.covariance, dtype=np.float64)
            return omega, omega, omega
        omega = self.x.T @ self.x / len(self.x)
        if self.c is None:
            return omega, omega, omega
        white = np.eye(self.c.shape[1]) if self.inputs == "generator" else self.c.T @ self.c / len(self.c)
        return omega, self.x.T @ self.c / len(self.x), white


@dataclass(frozen=True)
class Instance:
    """A draw of the disorder: teacher θ (M, D) and initial weights W (K, N), and what follows from the covariances.

    Parameters
    ----------
    theta, W : ndarray
    seen : ndarray (N, M)
        ⟨x ν⟩ = Φθᵀ/√D.
    T : ndarray (M, M)
        ⟨ν ν⟩.
    """

    theta: np.ndarray
    W: np.ndarray
    seen: np.ndarray
    T: np.ndarray


def instance(model: GenerativeInputs, seed: int, replica: int) -> Instance:
    """The disorder that `replica` of a run with this seed has, for simulation and theory alike."""
    N, D = model.sizes
    _, phi, white = model.covariances
    theta = model.draw_teacher(D, purpose(seed, replica, "teacher"))
    W = model.draw_weights(N, purpose(seed, replica, "weights"))
    return Instance(theta, W, phi @ theta.T / np.sqrt(D), theta @ white @ theta.T / D)


def random_generator(
    widths: Sequence[int], nonlinearities: Sequence[str], seed: int = 0
) -> Callable[[np.ndarray], np.ndarray]:
    """A random network c → f_L(F_L … f_1(F_1 c/√D_0)/√D_1 …) with Gaussian features, each layer centred for white c.

    Parameters
    ----------
    widths : sequence of int
        D, the widths of the layers in between, N.
    nonlinearities : sequence of str
        One for each layer.

    Raises
    ------
    ModelError
        If there is no such nonlinearity, there are not as many as layers, or a width is out of range.
    """
    if len(nonlinearities) != len(widths) - 1 or not set(nonlinearities) <= set(NONLINEARITIES):
        words = f"must be one of {', '.join(NONLINEARITIES)} for each of {len(widths) - 1} layers"
        raise ModelError("nonlinearities", tuple(nonlinearities), words)
    widths = [number("widths", width, kind=int, low=1) for width in widths]
    rng = purpose(seed, 0, "generator")
    layers = [gaussian_features(n, d, rng) for d, n in pairwise(widths)]

    def generate(c: np.ndarray) -> np.ndarray:
        x = np.asarray(c, dtype=float)
        if x.ndim != 2 or x.shape[1] != widths[0]:
            raise ModelError("c", f"array of shape {x.shape}", f"must be of shape (any, {widths[0]})")
        for features, f in zip(layers, nonlinearities, strict=True):
            x = features.fields(x)
            apply(f, x)
        return x

    return generate
