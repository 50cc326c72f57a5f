"""Lanes: the contract with the pinned libraries, the parts alone, and a real worker on real Kafka."""
