"""Before stage 1: drafts a first model spec from data, with every guess explained."""
