"""A rollout as one trace: its states, and each device's way from told to committed."""
