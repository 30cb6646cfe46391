"""Engines of learning rules on local fields."""
