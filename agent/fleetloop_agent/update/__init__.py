"""A model comes in: fetched, verified, tried, committed or rolled back."""
