"""The broker as a supervised child, or one that exists already."""
