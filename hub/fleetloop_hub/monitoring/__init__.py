"""Stage 7: take in reports, merge them, see what has moved."""
