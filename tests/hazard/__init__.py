"""The hazard of giving up."""
