"""States of quantum spin chains: a network's amplitudes, and its descent to the lowest energy."""
