"""Classes and their clones, learned online: the engines of learning rules serve them, with a law of the inputs."""

from tsphys.sims.engines.online.simulation import simulate

__all__ = ["simulate"]
