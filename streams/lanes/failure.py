"""The end of a process that cannot go on: one line, code 1, at once.

Not through Faust's shutdown: that runs handlers, prints tracebacks (whose messages may hold what a record
holds) and may wait for what will never come. A lane's promises hold through ``kill -9``; this is no worse.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback

from aiokafka.errors import KafkaError

from streams.errors import OperationError, SettingError

__all__ = ["describe", "end_process"]

log = logging.getLogger("streams.lanes")


def describe(error: BaseException) -> str:
    """What happened, without anything that a record may hold.

    >>> describe(OperationError("topic x does not exist"))
    'topic x does not exist'
    >>> try:
    ...     {}["customer 21"]
    ... except KeyError as error:
    ...     describe(error).split(" at ")[0]
    'KeyError'
    """
    if isinstance(error, OperationError | SettingError):
        return str(error)
    if isinstance(error, KafkaError | OSError):
        name, text = type(error).__name__, str(error)
        return text if name in text else f"{name}: {text}"
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


def end_process(what: str, error: BaseException) -> None:
    """Log one line and exit."""
    log.critical("%s: %s; the process ends and nothing is skipped", what, describe(error))
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)
