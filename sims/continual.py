"""Continual learning by online SGD: the engines of learning rules serve it as it is."""

from tsphys.sims.engines.online.simulation import simulate

__all__ = ["simulate"]
