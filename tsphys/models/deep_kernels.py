"""Deep wide nets: kernels over depth, the edge of chaos, and what a finite width does, for any law of the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.physics.names import ACTIVATIONS
from tsphys.rules.contract import Static

if TYPE_CHECKING:
    from tsphys.physics.kernels.layers import Layer

ENSEMBLES = ("iid", "orthogonal", "low_rank", "sparse")


@dataclass(frozen=True)
class DeepKernels(Static):
    """Random nets z¹ = W¹x + b¹, z^{l+1} = W^{l+1}φ(z^l) + b^{l+1} of width n, and two inputs x, x' ∈ Rⁿ on a sphere.

    Entries of W have mean 0 and variance σ_w²/n, those of b the variance σ_b²; x·x/n = x'·x'/n = q_0, x·x'/n = c_0 q_0.
    For n → ∞ all z^l are Gaussian, with one kernel K for all laws of weights; they differ at order 1/n.

    Parameters
    ----------
    activation : str or callable
        φ, or a function of arrays.
    ensemble : str or callable
        ``iid``: normal. ``orthogonal``: Haar. ``low_rank``: W = CP of rank r. ``sparse``: shuffled diagonal blocks. A
        function ``draw(rng, n_out, n_in)`` of your own returns entries of mean 0 and variance 1/n_in.
    rank, density : float
        r/n of ``low_rank``, and the share of entries that are not 0 of ``sparse``, 1 over the number of blocks.

    References
    ----------
    Poole et al., NeurIPS 2016; Schoenholz et al., ICLR 2017; Jacot, Gabriel & Hongler, NeurIPS 2018; Nait-Saada, Naderi
    & Tanner 2023; Roberts, Yaida & Hanin, The Principles of Deep Learning Theory (2022).
    """

    name: ClassVar[str] = "deep_kernels"
    axes: ClassVar[tuple[str, ...]] = ("depth", "weight_variance", "bias_variance", "correlation", "length", "width")
    size: ClassVar[str] = "width"
    hint: ClassVar[str] = "a function may be the activation or the ensemble"

    depth: int = param(5, "layers L", kind=int, low=1, high=10_000, short="-L")
    activation: str = param("tanh", "φ", kind=str, choices=tuple(ACTIVATIONS), function=True, short="-g")
    weight_variance: float = param(1.76, "σ_w²", low=0, high=1e6, open_low=True)
    bias_variance: float = param(0.05, "σ_b²", low=0, high=1e6)
    correlation: float = param(0.6, "correlation c_0 of the inputs", low=-1, high=1)
    length: float = param(1.0, "square length q_0 of an input, per dimension", low=1e-6, high=1e6)
    width: int = param(128, "units n of every layer, and dimension of the inputs", kind=int, low=2, short="-n")
    ensemble: str = param("iid", "law of the weights", kind=str, choices=ENSEMBLES, function=True)
    rank: float = param(0.25, "rank of low_rank weights over their width", low=0, high=1, open_low=True)
    density: float = param(0.125, "share of sparse weights that are not 0", low=0, high=1, open_low=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if abs(self.correlation) < 1 and self.width < 3:
            raise ModelError("width", self.width, "must be >= 3 for two inputs that differ")

    def layer(self) -> Layer:
        """One of its layers."""
        from tsphys.physics.kernels.ensembles import Ensemble
        from tsphys.physics.kernels.layers import Layer

        ensemble: Any = Ensemble(self.ensemble, self.rank, self.density)
        return Layer(self.activation, self.weight_variance, self.bias_variance, ensemble)
