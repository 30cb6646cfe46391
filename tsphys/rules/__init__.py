"""Learning rules on local fields, one file a model: what both the simulation and the theory of a model are made of."""
