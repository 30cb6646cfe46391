"""Kernels and their spectra, and the layers of nets that have them."""

from tsphys.physics.kernels.dual import dual_kernel, eigensystem
from tsphys.physics.kernels.ensembles import Ensemble
from tsphys.physics.kernels.layers import Layer, kernels, stack
from tsphys.physics.kernels.processes import Kernel, posterior, student

__all__ = ["Ensemble", "Kernel", "Layer", "dual_kernel", "eigensystem", "kernels", "posterior", "stack", "student"]
