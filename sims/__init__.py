"""Simulations: Numba kernels and the functions that run them, one file a model."""

if __name__ == "sims":  # a second copy of every kernel would live in the process
    raise ImportError("this folder is the package tsphys.sims; import it by that name")
