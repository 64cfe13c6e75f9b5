"""The demo: real weather, real processes, one whole turn of the loop."""
