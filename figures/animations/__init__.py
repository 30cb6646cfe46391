"""Figures that move, one file a figure, of the figure's name: each has ``animate``."""
