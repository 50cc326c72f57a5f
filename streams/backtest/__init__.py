"""Back-test: the worker's own fold over files, without a broker, and what it would have found.

The same events, the same ticks, the same code: scores equal the worker's to the last digit and findings have
the same ids, whatever the number of partitions.
"""

from streams.backtest.run import run
from streams.folding import Found, fold_chunks, fold_events

__all__ = ["Found", "fold_chunks", "fold_events", "run"]
