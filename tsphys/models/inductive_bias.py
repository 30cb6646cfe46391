"""Inductive bias in bits: how improbable a hypothesis is that generalises, before data and after them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tsphys.errors import ModelError
from tsphys.ground.parameters import EXTREME, param
from tsphys.physics.names import ACTIVATIONS
from tsphys.rules.contract import Static

HYPOTHESES = ("perceptron", "features", "gaussian_process")


@dataclass(frozen=True)
class InductiveBias(Static):
    """−log₂ of the probability that a hypothesis drawn by chance has an error of at most ε, given n examples.

    ``perceptron``: sign(w·x), w uniform on the sphere of R^N, of a teacher's labels sign(w*·x), x ~ N(0, I_N); after
    examples those w that have all n labels right. ``features``: sign(w·φ(Fx/√N)), w ~ N(0, I_K), F iid N(0, 1),
    features without their mean, before examples. ``gaussian_process``: f = Σ_i √λ_i g_i φ_i, g iid N(0, 1), of
    a target Σ_i v_i φ_i with λ_i = i^(−a) and v_i² ~ i^(−b), Σv² = 1; after examples its posterior, given n labels of
    variance σ² that it takes to have the variance δ.

    Parameters
    ----------
    error : float
        ε: of labels the probability of a wrong one, below ½; of a Gaussian process half the mean squared error.
    hypotheses : {"perceptron", "features", "gaussian_process"}
        As above.
    examples : int
        n; 0 of features.
    inputs : int
        N of perceptron and features.
    features : int
        K.
    activation : str
        φ.
    modes : int
        Of the Gaussian process.
    decay, target_decay : float
        a and b.
    noise : float
        σ of its labels.
    ridge : float, optional
        δ; none: σ², as is right.

    References
    ----------
    Boopathy, Yue, Hwang, Iyer & Fiete, IJCAI 2024; Györgyi & Tishby 1990; Seung, Sompolinsky & Tishby 1992.
    """

    name: ClassVar[str] = "inductive_bias"
    size: ClassVar[str] = "inputs"
    axes: ClassVar[tuple[str, ...]] = ("error", "examples", "inputs", "features", "noise", "ridge")

    error: float = param(0.2, "error ε that is to be reached", low=1e-8, high=1e8)
    hypotheses: str = param("perceptron", "what is drawn", kind=str, choices=HYPOTHESES)
    examples: int = param(0, "examples n that are known", kind=int, low=0, high=10**7, short="-n")
    inputs: int = param(30, "input dimension N", kind=int, low=2, high=10**7, short="-d")
    features: int = param(60, "features K", kind=int, low=2, high=10**7, short="-k")
    activation: str = param("tanh", "φ of the features", kind=str, choices=tuple(ACTIVATIONS), short="-g")
    modes: int = param(200, "modes of the Gaussian process", kind=int, low=2, high=10**5)
    decay: float = param(1.5, "exponent a of the eigenvalues i^(−a)", low=0, high=20)
    target_decay: float = param(2.0, "exponent b of the target's squared coefficients i^(−b)", low=0, high=20)
    noise: float = param(0.3, "standard deviation σ of the labels of a Gaussian process", low=0, high=1e8)
    ridge: float | None = param(
        None, "variance δ that it takes them to have; none: σ²", low=0, high=EXTREME, short="-l", optional=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.hypotheses != "gaussian_process":
            if self.error >= 0.5:
                raise ModelError("error", self.error, "must be < 1/2, which one student of two has, w or −w")
            if self.hypotheses == "features" and self.examples > 0:
                raise ModelError("examples", self.examples, 'must be 0 with hypotheses = "features"')
        elif self.examples > 0 and self.variance == 0:
            name, value = ("noise", self.noise) if self.ridge is None else ("ridge", self.ridge)
            raise ModelError(name, value, "must be > 0: with examples that have no noise the posterior has no width")

    @property
    def variance(self) -> float:
        """δ."""
        return self.noise**2 if self.ridge is None else self.ridge
