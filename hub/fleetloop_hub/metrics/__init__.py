"""What the hub counts of itself and its fleet, for Prometheus; docs/metrics.md has the table."""
