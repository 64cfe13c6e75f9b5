"""How each kind of algorithm is fitted; one kind a file."""
