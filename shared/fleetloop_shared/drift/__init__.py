"""Distances between a reference and a window; one statistic a file."""
