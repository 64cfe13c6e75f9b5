"""Adapters that keep things: catalog, telemetry, blobs."""
