"""Telling Home Assistant what devices there are, so that they appear there by themselves."""
