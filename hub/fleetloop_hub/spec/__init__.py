"""The model spec: one TOML file that describes a model's whole life, as frozen types."""
