"""Zeroth-order online learning: the engines of learning rules serve it as they are."""

from tsphys.sims.engines.online.simulation import simulate

__all__ = ["simulate"]
