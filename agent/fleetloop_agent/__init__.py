"""The daemon on a device: a model comes in, data goes through."""
