"""The hub: one package a stage of the loop, which meet in hub.py."""
