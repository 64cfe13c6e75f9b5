"""Simulated hardware under the real agent, and the stories that show the loop."""
