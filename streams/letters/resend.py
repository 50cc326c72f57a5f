"""Sends dead letters back to where they came from, each once.

Twice is no harm: an event has the same ``source`` and ``id``, so that it counts once, and a candidate the
same version. Still, what was sent is written down (``ledger.py``) after it was acknowledged, a batch at a
time, so that the same command run again does nothing new; a command that was killed repeats a batch at most.
A record that fails once more comes back as another letter. That is told from the ledger, and such a letter is
left alone unless asked for, or every run would send it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from streams.errors import OperationError
from streams.kafka.producer import Producer
from streams.letters.choice import Choice, state
from streams.letters.ledger import is_mark, mark
from streams.letters.letter import Letter, read
from streams.letters.reader import Progress, Reader
from streams.letters.survey import ledger
from streams.settings import Settings

__all__ = ["RESENT_FROM", "Resent", "resend"]

# On a record that was sent again: the topic, partition and offset of its dead letter.
RESENT_FROM = "resent-from"
# Letters between two marks: few marks, and little to repeat.
BATCH = 500


class Resent(msgspec.Struct):
    """What became of the letters that were meant; every one is counted once."""

    matched: int = 0
    sent: int = 0
    # Left alone: sent before; come back after it was sent; not kept any more where it came from; of a
    # topic that is none of this installation's.
    resent_before: int = 0
    came_back: int = 0
    gone: int = 0
    foreign: int = 0
    # What was sent, by reason.
    reasons: dict[str, int] = {}


class _Sent(NamedTuple):
    letter: Letter
    future: Any


def resend(settings: Settings, choice: Choice, *, again: bool, dry_run: bool, progress: Progress) -> Resent:
    """Send what is meant and open; with ``again`` what has come back as well. ``dry_run`` only counts.

    Raises OperationError where the brokers fail; what was acknowledged until then is marked, but for a batch.
    """
    with Reader(settings) as reader, Producer(settings.kafka_url) as producer:
        return _Resend(settings, reader, producer, dry_run).run(choice, again, progress)


class _Resend:
    def __init__(self, settings: Settings, reader: Reader, producer: Producer, dry_run: bool) -> None:
        topics = settings.topics
        self._own = (topics.events, topics.desk, topics.facts)
        self._reader, self._producer, self._dry_run = reader, producer, dry_run
        self._batch: list[_Sent] = []
        self.result = Resent()

    def run(self, choice: Choice, again: bool, progress: Progress) -> Resent:
        marks = ledger(self._reader, progress)
        result = self.result
        for record in self._reader.records(progress, choice.starts):
            if is_mark(record.headers):
                continue
            letter = read(record)
            if not choice.takes(letter):
                continue
            result.matched += 1
            found = state(letter, marks)
            if found == "resent":
                result.resent_before += 1
            elif found == "came back" and not again:
                result.came_back += 1
            else:
                self._one(letter)
            if len(self._batch) >= BATCH:
                self._settle()
        self._settle()
        return result

    def _one(self, letter: Letter) -> None:
        result = self.result
        if letter.topic not in self._own:
            result.foreign += 1
            return
        key, value = letter.key, letter.value
        if not letter.carried:
            record = self._reader.fetch(letter.topic, letter.from_partition, letter.from_offset)
            if record is None:
                result.gone += 1
                return
            key, value = record.key, record.value
        result.sent += 1
        result.reasons[letter.reason] = result.reasons.get(letter.reason, 0) + 1
        if self._dry_run:
            return
        place = f"{self._reader.topic}/{letter.place}".encode()
        # Where it lay: a tick belongs to its partition, and an event on another one is sent on by the worker.
        there = letter.from_partition < self._producer.partitions(letter.topic)
        future = self._producer.send(
            letter.topic,
            key,
            # kafka-python sends no record of nothing at all; to a lane the two are the same.
            value or b"" if key is None else value,
            partition=letter.from_partition if there and letter.from_partition >= 0 else None,
            headers=[(RESENT_FROM, place)],
        )
        self._batch.append(_Sent(letter, future))

    def _settle(self) -> None:
        """Wait until the batch is acknowledged; then, and only then, mark it."""
        batch, self._batch = self._batch, []
        if not batch:
            return
        self._producer.flush()
        marks: dict[tuple[int, str], tuple[list[int], dict[int, list[int]]]] = {}
        for letter, future in batch:
            if not future.succeeded():
                raise OperationError("a record that was sent again was not acknowledged")
            where = future.value
            letters, sent = marks.setdefault((letter.partition, letter.topic), ([], {}))
            letters.append(letter.offset)
            sent.setdefault(where.partition, []).append(where.offset)
        self._mark(marks)

    def _mark(self, marks: Mapping[tuple[int, str], tuple[list[int], dict[int, list[int]]]]) -> None:
        for (partition, topic), (letters, sent) in marks.items():
            headers, value = mark(letters, topic, sent)
            self._producer.send(self._reader.topic, None, value, partition=partition, headers=headers)
        self._producer.flush()
