"""Errors of kernel and random-feature ridge regression from the spectrum alone: the eigenframework (Simon et al. 2024).

The features φ_i(x) of an example may be replaced by independent Gaussian numbers, so that mode i is learned to the
fraction λ_i/(λ_i + γ) with one effective ridge γ for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tsphys.ground.parameters import handed, number
from tsphys.models.kernel_ridge import KernelRidge
from tsphys.physics.kernels import eigenframework
from tsphys.physics.kernels.eigenframework import Modes
from tsphys.runs import frames
from tsphys.solvers.fixed_point import maximum


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What the theory is asked for."""

    inputs: int | None = handed(
        "number P of inputs in all, of which the n < P examples are a part, as in a simulation with a population"
    )

    def suited(self, models: Sequence[KernelRidge]) -> Options:
        if self.inputs is None:
            return self
        return replace(self, inputs=number("inputs", self.inputs, kind=int, low=max(here.n for here in models) + 1))


@frames.static(KernelRidge, Options)
def solve(model: KernelRidge, options: Options) -> dict[str, float]:
    """Errors over the number of examples or features, the ridge or the noise.

    Returns
    -------
    dict
        Over the axis: ``eps_g`` = ½⟨(f̂ − f)²⟩ on fresh inputs, ``train_loss`` = ½ mean (f̂ − y)² over the examples,
        and ``gamma`` and ``kappa``, the effective ridges of the features and of the examples (equal for k → ∞). With
        `inputs` also ``eps_held``, the error at those that are no examples.

    Raises
    ------
    ModelError
        If an argument is out of range, or the error is infinite: without a ridge, where n equals k or the modes.

    References
    ----------
    Simon, Karkada, Ghosh & Belkin, ICLR 2024, eqs. (3)-(6); for the kernel Bordelon, Canatar & Pehlevan, ICML 2020.
    """
    row, inputs = errors(model), options.inputs
    return row if inputs is None else {**row, "eps_held": held_out(row, model.n, inputs, model.noise)}


def held_out(row: dict[str, float], n: int, inputs: int, noise: float) -> float:
    """Error at the inputs that are no examples, from that at all of them.

    At an example y − f̂ is the fraction c = δ/(nκ) of what it would be had the example been left out, so that there
    ⟨(f̂ − f)²⟩ = (1 − c)²σ² + c²⟨(f̂ − f)²⟩ over all inputs.
    """
    total = 2 * row["eps_g"]
    c2 = 2 * row["train_loss"] / (total + noise**2) if total + noise > 0 else 0.0
    trained = (1 - np.sqrt(c2)) ** 2 * noise**2 + c2 * total
    return (inputs * total - n * trained) / (inputs - n) / 2


def optimal_ridge(model: KernelRidge) -> float:
    """The ridge δ between 1e-12 and 1e12, in units of the kernel's trace Σλ_i, of the least eps_g."""
    unit = float(model.spectrum()[0].sum())
    found, _ = maximum(
        lambda log: -errors(replace(model, ridge=unit * float(np.exp(log))))["eps_g"], np.log(1e-12), np.log(1e12), 97
    )
    return unit * float(np.exp(found))


def errors(model: KernelRidge) -> dict[str, float]:
    """Observables at one point."""
    eigenvalues, target = model.spectrum()
    return eigenframework.errors(Modes(eigenvalues, target**2), model.n, model.ridge, model.noise**2, model.k)
