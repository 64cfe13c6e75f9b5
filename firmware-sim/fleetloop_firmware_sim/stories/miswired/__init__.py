"""One station has two sensors in each other's place."""
