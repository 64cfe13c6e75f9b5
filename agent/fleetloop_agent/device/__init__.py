"""The adapters to a real device: clock, self-test process, host."""
