"""Real weather: a world that changes as the seasons do."""
