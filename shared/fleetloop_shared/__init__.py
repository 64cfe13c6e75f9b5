"""What the hub and every agent must agree on, byte for byte and number for number."""
