"""Accepted = stored: is there, of every offset of the events' log, what it had to become?

``marks`` takes the log's offsets and the lanes' commits, ``facts`` asks ClickHouse which offsets it has,
``reader`` reads the log where it has none, ``records`` says what such a record had to become, ``check`` goes
through the partitions, and ``report`` is the answer. Nothing here writes.
"""

from streams.reconcile.check import reconcile
from streams.reconcile.report import Gap, PartitionReport, Report

__all__ = ["Gap", "PartitionReport", "Report", "reconcile"]
