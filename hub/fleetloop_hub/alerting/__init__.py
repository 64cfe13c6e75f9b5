"""What stands now that wants attention, and the alerts that come of it; pure."""
