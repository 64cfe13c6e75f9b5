"""The console and the HTTP interface."""
