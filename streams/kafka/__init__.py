"""Kafka as rehuman uses it outside the lanes: addresses, topics, a producer, lag."""
