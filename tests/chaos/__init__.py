"""Runs that break things on purpose, for longer than a test run may take."""
