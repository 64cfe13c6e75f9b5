"""What the command line shows, as tables and trees; one file a subject."""
