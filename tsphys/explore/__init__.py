"""A page in the browser for any model: turn a knob, see the theory move, and the simulation land on it."""
