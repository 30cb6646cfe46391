"""Engines of sequences of Potts variables."""

from tsphys.sims.engines.potts.sampler import sample

__all__ = ["sample"]
