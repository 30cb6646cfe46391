"""Engines: how a learning rule is iterated; they know no model."""
