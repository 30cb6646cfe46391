"""Engines of sequences of Potts variables."""
