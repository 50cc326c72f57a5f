"""Abandonment before it happens: the hazard of giving up, fitted to one's own history. Offline."""
