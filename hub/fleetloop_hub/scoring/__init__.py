"""Batch scoring: a released model answers a file of any size as a device would, row by row."""
