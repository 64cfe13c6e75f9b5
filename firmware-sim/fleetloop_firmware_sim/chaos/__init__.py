"""Whole fleets under seeded trouble: one integer is one story, and it always ends the same way."""
