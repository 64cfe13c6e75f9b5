"""The model card: what a person should know about a version before they trust it."""
