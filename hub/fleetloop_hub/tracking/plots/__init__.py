"""Pictures of a run, as files that a person would put in a report; one file a kind of picture."""
