"""Kernels and their spectra."""

from tsphys.physics.kernels.dual import dual_kernel, eigensystem

__all__ = ["dual_kernel", "eigensystem"]
