"""Declared answers beside inferred effort, from history. Offline; no worker imports this."""
