"""Priors, channels and losses."""
