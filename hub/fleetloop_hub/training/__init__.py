"""Stage 3: train candidates, in a process of their own."""
