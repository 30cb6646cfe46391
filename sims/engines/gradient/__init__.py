"""One kernel of descent: two layers on data, linear nets of any depth on moments, by steps or along the flow."""

from tsphys.sims.engines.gradient.descent import Net, descend, flow, reduced
from tsphys.sims.engines.gradient.nets import DeepLinear, TwoLayer

__all__ = ["DeepLinear", "Net", "TwoLayer", "descend", "flow", "reduced"]
