"""The command line: `serve` runs a hub, most other commands ask one that runs."""
