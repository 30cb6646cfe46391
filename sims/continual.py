"""Continual learning by online SGD: the engines of learning rules serve it as it is."""

from tsphys.sims.engines.online import simulate

__all__ = ["simulate"]
