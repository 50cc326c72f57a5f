"""Fixtures and doubles that the tests share; nothing here is collected as a test."""
