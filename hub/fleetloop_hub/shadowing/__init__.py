"""Challengers beside champions: what devices have counted, and whether a rollout may begin."""
