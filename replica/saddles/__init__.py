"""Replica-symmetric saddle points that several models share."""
