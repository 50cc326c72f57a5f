"""Three brokers, users and certificates, many partitions: what a single broker on a laptop does not show."""
