"""What a large fleet has said in a month, as real reports, without running its devices."""
