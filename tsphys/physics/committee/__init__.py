"""Averages over the fields of committees of units."""
