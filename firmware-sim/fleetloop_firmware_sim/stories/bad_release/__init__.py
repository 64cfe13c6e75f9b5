"""A candidate that is right offline and wrong in the field, on one hardware type."""
