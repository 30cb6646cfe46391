"""Generalised linear models: a teacher's weights seen through an output channel, and who learns them from examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import EXTREME, LARGEST_SCALE, number, param
from tsphys.rules.contract import Static

#: The loss of each estimator that minimises one.
LOSS = {"ridge": "square", "logistic": "logistic", "hinge": "hinge", "huber": "huber", "absolute": "absolute"}
#: Those of real outputs whose slope is bounded.
BOUNDED = "huber", "absolute"
#: Whose risks may have λ₁|w|₁, and the least λ₁ that is told from none.
CUT, LEAST_CUT = ("ridge", "logistic"), 1e-6
#: Who may learn from resampled examples, and how many students there are by default.
RESAMPLED, STUDENTS = ("ridge", "logistic", "hinge"), 4
#: Edges of ``threshold`` in units of √(1 + Δ), at which one label in 1e6 is −1, or one in 1e197 is 1.
EDGES = 1e-6, 30.0


@dataclass(frozen=True)
class GLM(Static):
    """n = αN examples x ~ N(0, 1)^N of a teacher w*, y ~ P(y | z), z = x·w*/√N, weights iid from a prior with E w² = 1.

    Channels, with ε ~ N(0, 1)::

        linear     y = z + √Δ ε              sign       y = sign(z + √Δ ε)
        relu       y = max(z, 0) + √Δ ε      threshold  y = sign(|z + √Δ ε| − κ)
        abs        y = |z| + √Δ ε            logistic   P(y = ±1) = 1/(1 + e^{∓z})

    Estimators: ``bayes`` knows prior and channel and takes the posterior mean, by approximate message passing;
    the others minimise Σ ℓ(y, x·w/√N) + (λ/2)|w|² + λ₁ Σ|w_i| with ``ridge`` ½(y − h)², ``logistic``
    ln(1 + e^{−yh}), ``hinge`` max(0, 1 − yh), ``absolute`` |y − h|, ``huber`` the square up to |y − h| = c and
    c|y − h| − ½c² beyond;
    ``max_margin`` is the limit λ → 0 of ``hinge``, for labels that can be separated.

    Parameters
    ----------
    alpha : float
        Load α = n/N.
    prior : {"gaussian", "rademacher", "gauss_bernoulli", "sparse_rademacher"}
        N(0, 1); ±1; zero but for a fraction ρ of N(0, 1/ρ); zero but for a fraction ρ of ±1/√ρ.
    density : float
        ρ of the two last.
    channel : {"sign", "linear", "relu", "abs", "logistic", "threshold"}
        As above.
    noise : float
        Variance Δ.
    edge : float
        κ of ``threshold``, 1e-6 to 30 in units of √(1 + Δ); the default makes both labels equally likely.
    outliers, outlier_noise : float
        Share of the outputs of ``linear`` that have another variance of their noise, and that.
    estimator : {"bayes", "ridge", "logistic", "hinge", "max_margin", "huber", "absolute"}
        As above.
    corner : float
        c of ``huber``.
    regularization : float
        λ of the losses.
    l1 : float
        λ₁ of ``ridge``, which it makes the elastic net, and of ``logistic``; 0, or 1e-6 at least.
    resampling : {"none", "bootstrap", "subsample"}
        Of ``ridge``, ``logistic`` and ``hinge`` there may be several students, each of examples of its own out of the
        same αN: f αN drawn with replacement (bootstrap), or without (subsample). What is seen is the bag, their mean ŵ.
    fraction : float
        f.
    students : int
        How many are in the bag.
    covariance : array_like, optional
        Of the inputs of a risk, Ω: eigenvalues, each of as many directions, (k,), or the matrix, (N, N). Products of
        weights are then those of their fields, w*ᵀΩŵ/N.

    Raises
    ------
    ModelError
        If a parameter is out of range, or two do not go together.

    References
    ----------
    Barbier, Krzakala, Macris, Miolane & Zdeborová, PNAS 116, 5451 (2019); Györgyi, PRA 41, 7097 (1990); Seung,
    Sompolinsky & Tishby, PRA 45, 6056 (1992); Loureiro et al., NeurIPS 2021.
    """

    name: ClassVar[str] = "glm"
    axes: ClassVar[tuple[str, ...]] = (
        "alpha",
        "noise",
        "density",
        "regularization",
        "outliers",
        "outlier_noise",
        "corner",
        "l1",
        "fraction",
        "students",
    )
    counted: ClassVar[dict[str, str]] = {"alpha": "example"}

    alpha: float = param(2.0, "load α = n/N", low=1 / EXTREME, high=EXTREME, short="-a")
    prior: str = param(
        "gaussian", "law of the teacher's weights", kind=str,
        choices=("gaussian", "rademacher", "gauss_bernoulli", "sparse_rademacher"),
    )  # fmt: skip
    density: float = param(1.0, "fraction ρ of weights that are not zero", low=1e-12, high=1)
    channel: str = param(
        "sign", "output channel", kind=str, choices=("sign", "linear", "relu", "abs", "logistic", "threshold")
    )
    noise: float = param(0.0, "variance Δ of the noise", low=0, high=LARGEST_SCALE**2)
    edge: float = param(0.6744897501960817, "κ of channel = threshold", low=0, open_low=True)
    outliers: float = param(0.0, "share of the outputs with another noise", low=0, high=1)
    outlier_noise: float = param(25.0, "its variance", low=0, high=LARGEST_SCALE**2)
    estimator: str = param("bayes", "who learns", kind=str, choices=("bayes", *LOSS, "max_margin"), short="-e")
    corner: float = param(1.0, "c of huber", low=1e-6, high=1e6)
    regularization: float = param(0.1, "λ of all but bayes and max_margin", low=1e-12, high=EXTREME)
    l1: float = param(0.0, "λ₁ of Σ|w_i| in the risks of ridge and logistic: the elastic net", low=0, high=EXTREME)
    resampling: str = param(
        "none", "how examples are drawn anew for each of several students", kind=str,
        choices=("none", "bootstrap", "subsample"),
    )  # fmt: skip
    fraction: float = param(1.0, "of the examples that each of them draws", low=1e-6, high=1)
    covariance: Any = param(
        None, "eigenvalues of the inputs' covariance, or the matrix; none: 1", shape=(1, 2), optional=True
    )
    students: int = param(STUDENTS, "of whom the bag is the mean", kind=int, low=2, high=10**6)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.density != 1 and not self.prior.startswith(("gauss_", "sparse_")):
            raise ModelError("density", self.density, f'must be 1 with prior = "{self.prior}"')
        if self.channel == "logistic" and self.noise != 0:
            raise ModelError("noise", self.noise, 'must be 0 with channel = "logistic", which is noisy itself')
        low, high = (edge * (1 + self.noise) ** 0.5 for edge in EDGES)
        if self.channel == "threshold" and not low <= self.edge <= high:
            words = f"must be from {low:.3g} to {high:.3g}: beyond, there is one label only"
            raise ModelError("edge", self.edge, words)
        if self.outliers != 0 and self.channel != "linear":
            raise ModelError("outliers", self.outliers, 'must be 0 unless channel = "linear"')
        if self.outlier_noise != 25 and self.outliers == 0:
            raise ModelError("outlier_noise", self.outlier_noise, "must be 25, or have outliers")
        if self.corner != 1 and self.estimator != "huber":
            raise ModelError("corner", self.corner, 'must be 1 unless estimator = "huber"')
        if self.l1 != 0 and self.estimator not in CUT:
            raise ModelError("l1", self.l1, f"must be 0 unless estimator is {' or '.join(CUT)}")
        if 0 < self.l1 < LEAST_CUT:
            raise ModelError("l1", self.l1, f"must be 0, or at least {LEAST_CUT:g}")
        if self.resampling != "none" and self.estimator not in RESAMPLED:
            raise ModelError("resampling", self.resampling, f"must be none unless estimator is {', '.join(RESAMPLED)}")
        if self.resampling != "none" and self.l1 != 0:
            raise ModelError("resampling", self.resampling, "must be none with l1")
        if self.resampling == "none" and self.fraction != 1:
            raise ModelError("fraction", self.fraction, "must be 1 without resampling")
        if self.resampling == "none" and self.students != STUDENTS:
            raise ModelError("students", self.students, f"must be {STUDENTS}, which is ignored, without resampling")
        if self.resampling == "subsample" and self.fraction == 1:
            raise ModelError("fraction", self.fraction, 'must be < 1 with resampling = "subsample"')
        self._check_covariance()
        if self.estimator == "bayes":
            return
        if self.estimator in BOUNDED:
            if self.channel != "linear":
                raise ModelError("estimator", self.estimator, 'must not be huber or absolute unless channel = "linear"')
            return
        if self.channel in ("abs", "threshold"):
            words = f'must be "bayes" with channel = "{self.channel}", of which a linear student learns nothing'
            raise ModelError("estimator", self.estimator, words)
        if self.estimator != "ridge" and self.channel not in ("sign", "logistic"):
            raise ModelError("estimator", self.estimator, "must be bayes or ridge unless the outputs are labels")
        if self.estimator == "max_margin" and (self.channel != "sign" or self.noise > 0):
            words = 'must not be "max_margin" unless channel = "sign" without noise: others cannot be separated'
            raise ModelError("estimator", self.estimator, words)

    def _check_covariance(self) -> None:
        if self.covariance is None:
            return
        if self.estimator == "bayes":
            raise ModelError("covariance", "given", 'must be none with estimator = "bayes", whose inputs are iid')
        given = np.array(self.covariance)
        if given.ndim == 2 and (
            given.shape[0] != given.shape[1] or not np.allclose(given, given.T, rtol=1e-12, atol=0)
        ):
            raise ModelError("covariance", f"array of shape {given.shape}", "must be a symmetric matrix")
        values = self.spectrum()
        if not (values >= 0).all() or not 0 < values.max() <= LARGEST_SCALE**2:
            words = f"must have no negative eigenvalue, and the largest from 0 to {LARGEST_SCALE**2:g}"
            raise ModelError("covariance", float(values.min()), words)

    def spectrum(self) -> np.ndarray:
        """Eigenvalues of the covariance; of a matrix those of the size of rounding are none."""
        given = np.array([1.0] if self.covariance is None else self.covariance)
        values = given if given.ndim == 1 else np.linalg.eigvalsh(given)
        return np.where(np.abs(values) < 1e-12 * np.abs(values).max(), 0.0, values)

    def objects(self) -> tuple[Any, Any]:
        """The prior and the channel, as inference needs them."""
        from tsphys.physics.inference.channels import channel
        from tsphys.physics.inference.priors import prior

        return prior(self.prior, self.density), channel(
            self.channel, self.noise, self.edge, self.outliers, self.outlier_noise
        )

    def shares(self, N: float) -> Mapping[str, float]:
        """Of the examples few have a loss where they can almost be separated, and in many runs none has.

        Of weights with few values nearly all may be known; of another about half the gap squared is lost.
        """
        if self.estimator == "hinge":
            return {"train_loss": self.alpha * N}
        if self.estimator != "bayes" or not self.prior.endswith("rademacher"):
            return {}
        known = N * (0.5 if self.prior == "rademacher" else 2 * self.density)
        # Half a mean square of outputs is about half that of fields, but wrong labels are an angle, the root of it.
        return {"mse": known, "eps_g": 2 * known if self.channel in ("linear", "relu", "abs") else np.pi * known**0.5}

    @property
    def even(self) -> bool:
        """Whether w* and −w* give the same outputs, so that overlaps are known up to a sign."""
        return self.channel in ("abs", "threshold")


def known_at_start(model: GLM, start: Any) -> float:
    """The overlap q/ρ that is known before the first example, by default none, or 0.01 for an even channel."""
    if start is None:
        return 0.01 if model.even else 0.0
    return number("start", start, low=0, high=1, open_high=True)
