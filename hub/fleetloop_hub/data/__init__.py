"""Stages 1 and 2: collect rows, check them, keep them as dataset versions."""
