"""Data goes through: answered, counted, compared with the reference."""
