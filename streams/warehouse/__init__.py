"""ClickHouse: connecting, migrating, checking the schema, writing facts and asking questions."""
