"""Stories that are run, not told: real hub, real agents, and a world that changes."""
