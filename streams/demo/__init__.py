"""The demonstration: broker, engine, worker, traffic and view in one go, and nothing left behind."""

from streams.demo.stage import run

__all__ = ["run"]
