"""Averages over spins in random fields."""
