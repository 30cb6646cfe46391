"""One kernel of descent: two layers on data, linear nets on moments, deep or of patches, by steps or along the flow."""

from tsphys.sims.engines.gradient.descent import Net, descend, flow, paced, reduced
from tsphys.sims.engines.gradient.nets import Convolution, DeepLinear, TwoLayer

__all__ = ["Convolution", "DeepLinear", "Net", "TwoLayer", "descend", "flow", "paced", "reduced"]
