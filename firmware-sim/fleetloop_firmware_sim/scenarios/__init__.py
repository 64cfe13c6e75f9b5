"""Stories: what happens to simulated devices, told by events and checked by invariants."""
