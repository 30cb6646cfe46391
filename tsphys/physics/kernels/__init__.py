"""Kernels and their spectra."""
