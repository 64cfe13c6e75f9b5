"""Judges a rollout by how the devices that have taken it do beside those that have not."""
