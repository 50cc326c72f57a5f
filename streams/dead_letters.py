"""A dead letter: the record as it came, with why and where in its headers.

Decoding rejects what cannot be an event (``detectors.decode.REASONS``). A lane puts aside what it could not
do: then the reason is one of :data:`LANE_REASONS`, with the exception's type and place in the field's stead.
An exception's text is never taken: it may quote the record.

>>> try:
...     {}["customer 21"]
... except KeyError as error:
...     where(error).split(" at ")[0]
'KeyError'
>>> letter = dead_letter(TopicNames("t"), "t.events", 3, Record(7, 1, b"jane", b"{"), "not_json")
>>> letter.topic, letter.key, letter.value, dict(letter.headers)["offset"]
('t.dead-letters', b'jane', b'{', b'7')
"""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType

from streams.lanes.api import Output, Record
from streams.topics import TopicNames

__all__ = [
    "BAD_BLOCK",
    "FOLD_FAILED",
    "IN_LOG",
    "LANE_REASONS",
    "MOST_BYTES",
    "NOT_FOR_THE_DESK",
    "OUTPUT_FAILED",
    "ROW_FAILED",
    "SOURCE_PARKED",
    "STATE_FAILED",
    "dead_letter",
    "dead_place",
    "where",
]

# The fold raised: nothing of the record is in the state.
FOLD_FAILED = "fold_failed"
# What the record led to could not be written: a message to the desk, a row, its customer's state.
OUTPUT_FAILED = "output_failed"
ROW_FAILED = "row_failed"
STATE_FAILED = "state_failed"
# Its source is parked: the record was not looked at.
SOURCE_PARKED = "source_parked"
NOT_FOR_THE_DESK = "not_for_the_desk"
# Lies in the topic of facts and is no block, or holds rows that no table could.
BAD_BLOCK = "bad_block"
LANE_REASONS = (
    FOLD_FAILED,
    OUTPUT_FAILED,
    ROW_FAILED,
    STATE_FAILED,
    SOURCE_PARKED,
    NOT_FOR_THE_DESK,
    BAD_BLOCK,
)

# The topic takes 8 MiB; a record that was larger once unpacked must not end the process that refuses it.
MOST_BYTES = 6 * 1024 * 1024
# A header of letters without bytes: those lie where the record came from, for as long as that topic keeps it.
IN_LOG = ("bytes", b"in_log")

_ROOMS = ("detectors.", "streams.")


def dead_letter(topics: TopicNames, topic: str, partition: int, record: Record, reason: str) -> Output:
    """``record`` of ``topic`` on its way to the dead letters; ``reason`` never holds a value of it."""
    carried = len(record.key or b"") + len(record.value or b"") <= MOST_BYTES
    return _letter(topics, topic, partition, record, reason, () if carried else (IN_LOG,))


def dead_place(
    topics: TopicNames, topic: str, partition: int, offset: int, stamp: int, reason: str
) -> Output:
    """The same for a record of which only the place is known any more."""
    return _letter(topics, topic, partition, Record(offset, stamp, None, None), reason, (IN_LOG,))


def _letter(
    topics: TopicNames,
    topic: str,
    partition: int,
    record: Record,
    reason: str,
    more: Iterable[tuple[str, bytes]],
) -> Output:
    headers = [
        ("reason", reason.encode()),
        ("topic", topic.encode()),
        ("partition", str(partition).encode()),
        ("offset", str(record.offset).encode()),
        ("time", str(record.stamp).encode()),
        *more,
    ]
    key, value = (None, None) if more else (record.key, record.value)
    return Output(topics.dead_letters, None, key, value, headers)


def where(error: BaseException) -> str:
    """``<type> at <module>:<line>`` of the innermost frame that is ours, and nothing of the error's text."""
    place = ""
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        if not place or module.startswith(_ROOMS):
            place = f" at {module}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__}{place}"
