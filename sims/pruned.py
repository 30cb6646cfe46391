"""Sparse students: the engine `direct` of learning rules serves them as it is."""

from tsphys.sims.engines.online.simulation import simulate

__all__ = ["simulate"]
