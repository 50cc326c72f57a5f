"""One partition's log, record by record: decode, then fold. What the worker and the back-test both run.

>>> from detectors.policy import default
>>> log = LogFold(0, default(), lambda tenant, subject: "p", lambda tenant, subject: "sealed")
>>> log.record(b'{"specversion":"1.0"}', 0, 0, Findings())
Rejected(reason='missing_field', field='id')
>>> log.record(b'{"type":"io.rehuman.tick","time":"2024-01-01T00:00:00Z","data":{}}', 0, 1, Findings())
'tick'
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from typing import Literal

from detectors.decode import Decoder
from detectors.events import Activation, Event, Rejected, Tick
from detectors.ids import fact_id
from detectors.moment import Findings
from detectors.ordered import OrderedFold
from detectors.partition import PartitionFold
from detectors.policy import Policy, PolicyError

__all__ = ["LogFold", "Outcome", "place"]

# What became of a record that was not rejected.
Outcome = Literal["event", "tick", "policy", "misrouted"]


class LogFold:
    """The fold of one partition over raw records."""

    def __init__(
        self,
        partition: int,
        policy: Policy,
        pseudonym: Callable[[str, str], str],
        reference: Callable[[str, str], str],
        owner: Callable[[str], int] | None = None,
        *,
        ordered: bool = False,
    ) -> None:
        """``owner(subject)`` tells the partition a customer belongs to; None where there is only one.

        ``ordered`` is for records that are all there and sorted: a faster fold, to be begun anew without it
        once it is ``fold.spoiled``.
        """
        self.partition = partition
        self.fold: PartitionFold = (
            OrderedFold(partition, policy, reference)
            if ordered
            else PartitionFold(partition, policy, reference)
        )
        self.subject = ""
        #: Whether a tick is left for :meth:`go_on`, and the one that is.
        self.pauses = False
        self._going: Iterator[None] | None = None
        self._owner = owner
        self._decoder = Decoder(pseudonym, policy.floor, policy.document.time.ahead)

    def events(
        self, values: Iterable[tuple[int, int, bytes | None]], out: Findings
    ) -> tuple[int, Outcome | Rejected]:
        """Fold records (offset, stamp, value) while they are customers' events: how many, and what the one
        behind them is; "event" where there is none.

        All are decoded before the first is folded. The code of either is more than a core's instruction cache
        holds: they find more of it there when the other is not run in between.
        """
        events: list[Event] = []
        subjects: list[str] = []
        decoder = self._decoder
        other: Tick | Activation | Rejected | None = None
        at = 0
        try:
            for offset, stamp, raw in values:
                found = decoder.decode(raw, stamp)
                if not isinstance(found, Event):
                    other, at = found, offset
                    break
                found.partition = self.partition
                found.offset = offset
                events.append(found)
                subjects.append(decoder.subject)
        except MemoryError:
            raise  # no record's fault
        except Exception as error:
            other = Rejected("fold_failed", place(error))
        count = 0
        try:
            for e in events:
                if not self._event(e, subjects[count], out):
                    return count, "misrouted"
                count += 1
            return count, "event" if other is None else self._other(other, at, out)
        except MemoryError:
            raise
        except Exception as error:
            return count, Rejected("fold_failed", place(error))

    def record(self, raw: bytes | None, stamp: int, offset: int, out: Findings) -> Outcome | Rejected:
        """Fold one record. After "misrouted", :attr:`subject` is the key under which it is to be sent on.

        Total: what makes the code itself fail is rejected as "fold_failed", with the exception's type and
        place; the customer is as before and ``out`` has nothing of it.
        """
        return self.events(((offset, stamp, raw),), out)[1]

    def go_on(self) -> Outcome | Rejected | None:
        """One step of the tick that is left: None, or at its end what became of it."""
        try:
            if self._going is not None and next(self._going, "over") is None:
                return None
        except MemoryError:
            raise  # no record's fault
        except Exception as error:
            self._going = None
            return Rejected("fold_failed", place(error))
        self._going = None
        return "tick"

    def _event(self, e: Event, subject: str, out: Findings) -> bool:
        """Fold one event; False where its customer is another partition's."""
        owner, known = self._owner, self.fold.known
        if (
            owner is not None
            and not known.knows(e.key)
            and not known.left(e.key, e.offset)
            and owner(subject) != self.partition
        ):
            self.subject = subject
            return False
        self.fold.event(e, subject, out)
        return True

    def _other(self, found: Tick | Activation | Rejected, offset: int, out: Findings) -> Outcome | Rejected:
        if isinstance(found, Tick):
            self._going = self.fold.tick(found, offset, out)
            outcome: Outcome | Rejected | None = "tick" if self.pauses else None
            while outcome is None:
                outcome = self.go_on()
            return outcome
        if isinstance(found, Activation):
            try:
                self.fold.activate(found, offset)
            except PolicyError:
                return Rejected("bad_policy")
            return "policy"
        return found

    def reject(
        self, topic: str, rejected: Rejected, raw: bytes | None, stamp: int, offset: int, out: Findings
    ) -> None:
        """The row of a dead letter: why and where, never its bytes."""
        value = raw or b""
        out.add(
            "dead_letters",
            (
                "",
                "",
                fact_id("dead-letter", topic, str(self.partition), str(offset)),
                max(stamp, 0),
                "",
                "",
                0,
                0,
                1,
                self.fold.policy.version,
                self.partition,
                offset,
                rejected.reason,
                topic,
                len(value),
                blake2b(value, digest_size=16).hexdigest(),
            ),
        )


def place(error: BaseException) -> str:
    """An exception's type and the innermost place it came from: never its text, which may quote data."""
    found = ""
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename.rpartition("/")[2]
        found = f" at {name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return type(error).__name__ + found
