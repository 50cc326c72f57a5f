"""The embedded ClickHouse engine: one process that owns a directory and speaks the native protocol.

``python -m streams.engine DIR`` is the process; ``launch.ensure_running(DIR)`` finds it or starts it, so that
``clickhouse-driver`` is the only client in the code, whether a server or this engine is behind the URL.
"""
