"""Activations, Gaussian integrals, order parameters: formulas that know neither a simulation nor a solver."""
