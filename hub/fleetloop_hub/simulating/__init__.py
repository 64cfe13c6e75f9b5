"""Replays recorded rows under several policies of retraining, before one is trusted."""
