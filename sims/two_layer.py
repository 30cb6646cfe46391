"""Two-layer teacher-student networks by online learning: the engines of learning rules serve them as they are."""

from tsphys.sims.engines.online.simulation import simulate

__all__ = ["simulate"]
