"""Theory against simulation: what theory foretells of a run of its size, the scores of what was found, the verdict."""

from tsphys.comparison.changes import seen_changes
from tsphys.comparison.holding import compare
from tsphys.comparison.verdict import Comparison

__all__ = ["Comparison", "compare", "seen_changes"]
