"""How accurate a model is: estimated without labels, tested with them; one statistic a file."""
