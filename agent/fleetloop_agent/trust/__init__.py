"""What this device believes: two TUF repositories, each moved on by whole, checked bundles."""
