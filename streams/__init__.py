"""Moves data: everything between Kafka, the folds of :mod:`detectors` and ClickHouse."""

import os

# clickhouse-driver's own switch (spelt so): otherwise each process fills tables of the days of four centuries
# when it starts, which takes 20 MB and as long as everything else that a small command imports.
os.environ.setdefault("CLICKHOUSE_DRIVER_LASY_DATE_LUT", "on")
