"""Engines of Hebbian networks."""
