"""Stage 6: sign, publish, roll out in phases."""
