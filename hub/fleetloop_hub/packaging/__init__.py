"""From a fitted candidate to a signed artifact that fits a device."""
