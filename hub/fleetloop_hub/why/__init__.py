"""Why a version exists or does not: what is kept about a decision, put together and told."""
