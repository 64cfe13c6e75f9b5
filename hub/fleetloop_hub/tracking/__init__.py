"""Stage 4: what was run, on what, with what result."""
