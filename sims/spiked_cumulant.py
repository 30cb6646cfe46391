"""A neuron that looks for spikes: the engines of learning rules serve it, with a law of the inputs and the sphere."""

from tsphys.sims.engines.online.simulation import simulate

__all__ = ["simulate"]
