"""Stage 8: decide, and say why."""
