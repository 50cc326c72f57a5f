"""Waits of the past, as the fold saw them: how long each was, and whether it ended in leaving.

A wait in a queue that ended otherwise (answered, voicemail, called back, lost) is *censored*: nobody knows
how much longer that customer would have waited. So is a short abandon, which the policy keeps apart, and what
was still going on at the end of what may be looked at. Of a form or cart there is one spell for each pause of
the customer: they went on, or said that they leave, or nothing more came before the time-out.

>>> waited = Spell("queue", "sales", "", 9, -1.0, 0, 130.0, True, "p1")
>>> cut([waited], None, 60_000)[0].seconds, cut([waited], None, 60_000)[0].left
(60.0, False)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from detectors.attempts import OPEN
from detectors.event_row import EventRow, as_row
from detectors.log import LogFold
from detectors.moment import Findings
from detectors.policy import Policy
from detectors.state import Customer
from detectors.tables import TABLES, Row
from streams.clock import wall_ms
from streams.identity import Pseudonyms
from streams.sources.api import SourceEvent
from streams.ticks import TickAt, tick_record

__all__ = ["KINDS", "Spell", "cut", "spells"]

KINDS: Final = ("queue", "form", "cart")
_OPENS: Final = frozenset(["call.queued", "conversation.enqueued", "store.wait"])
_AT: Final = {name: place for place, name in enumerate(TABLES["waits"].names)}
_PROGRESS_EVERY: Final = 2_000

Progress = Callable[[int, int], None]


class Spell(msgspec.Struct, frozen=True):
    """One wait: ``label`` is the queue, or "journey/step"; ``began`` in ms, ``hour`` of day where it began.

    ``left`` of a queue: gave up after ``seconds``. Of a form or cart: nothing more came, and ``seconds`` is
    how long that was open. ``announced`` is -1 where nothing was.
    """

    kind: str
    label: str
    priority: str
    hour: int
    announced: float
    began: int
    seconds: float
    left: bool
    customer: str


def spells(
    kind: str,
    items: Iterable[SourceEvent | TickAt],
    policy: Policy,
    names: Pseudonyms,
    progress: Callable[[int], None] | None = None,
) -> list[Spell]:
    """All waits of ``kind`` in ``items``, by the worker's own fold, in the order in which they began."""
    log = LogFold(0, policy, names.pseudonym, names.reference)
    reader: _Queues | _Pauses = _Queues(policy) if kind == "queue" else _Pauses(kind, policy)
    stamp = wall_ms()
    for offset, item in enumerate(items):
        out = Findings()
        raw = tick_record(item.time) if isinstance(item, TickAt) else item.value
        log.record(raw, stamp, offset, out)
        reader.take(log, out)
        if progress is not None and offset % _PROGRESS_EVERY == 0:
            progress(offset)
    return sorted(reader.found(), key=lambda spell: (spell.began, spell.customer, spell.label))


def cut(found: Sequence[Spell], since: int | None, until: int | None) -> list[Spell]:
    """Those that began from ``since`` to before ``until`` (ms), as they were known at ``until``.

    A pause whose outcome was not known by then says nothing, and is left out.
    """
    kept = []
    for spell in found:
        if (since is not None and spell.began < since) or (until is not None and spell.began >= until):
            continue
        if until is not None and spell.began + spell.seconds * 1000 > until:
            if spell.kind != "queue":
                continue
            spell = msgspec.structs.replace(spell, seconds=(until - spell.began) / 1000, left=False)
        kept.append(spell)
    return kept


class _Queues:
    """Waits in queues, from the rows of ``waits``; what was announced, from the events that began them."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._rows: dict[str, Row] = {}
        self._announced: dict[tuple[str, str, int], float] = {}

    def take(self, log: LogFold, out: Findings) -> None:
        for row in out.found.get("events", ()):
            if isinstance(row, EventRow) and row.e.type in _OPENS and row.e.announced_wait_s is not None:
                e = row.e
                self._announced[e.customer, e.channel, e.time] = row.e.announced_wait_s
        for row in map(as_row, out.found.get("waits", ())):
            if row[_AT["kind"]] == "queue":
                # A higher version of the same fact comes later.
                self._rows[str(row[_AT["fact_id"]])] = row

    def found(self) -> Iterator[Spell]:
        for row in self._rows.values():
            if row[_AT["retracted"]]:
                continue
            said: dict[str, Any] = dict(zip(TABLES["waits"].names, row, strict=True))
            customer, channel, opened = str(said["customer"]), str(said["channel"]), int(said["opened"])
            yield Spell(
                "queue",
                str(said["queue"]),
                str(said["priority"]),
                self._policy.hours.hour(opened),
                self._announced.get((customer, channel, opened), -1.0),
                opened,
                float(said["seconds"]),
                said["outcome"] == "abandoned" and not said["short"],
                customer,
            )


class _Pause(msgspec.Struct):
    """An attempt as it was after its customer's last event."""

    last: int
    hour: int
    label: str
    timeout: int


class _Pauses:
    """Pauses of forms or carts: the customer's state is looked at after each of their events."""

    def __init__(self, kind: str, policy: Policy) -> None:
        self._kind = kind
        self._policy = policy
        # By customer, and there by the attempt's journey, step and beginning.
        self._open: dict[str, dict[tuple[str, str, int], _Pause]] = {}
        self._found: list[Spell] = []
        self._now = 0

    def take(self, log: LogFold, out: Findings) -> None:
        for row in out.found.get("events", ()):
            e = row.e if isinstance(row, EventRow) else None
            if e is None or e.late:
                continue
            self._now = max(self._now, e.time)
            state = log.fold.customer(e.tenant, e.customer)
            if state is not None:
                self._look(e.customer, state, e.time)

    def _look(self, customer: str, state: Customer, time: int) -> None:
        before = self._open.pop(customer, {})
        now: dict[tuple[str, str, int], _Pause] = {}
        said = set()
        for a in state.attempts:
            if a.kind != self._kind:
                continue
            name = (a.journey, a.step, a.start)
            if a.status == OPEN:
                timeout = self._policy.timeout(a.kind, a.journey, a.step)
                hour = self._policy.hours.hour(a.last)
                now[name] = _Pause(a.last, hour, f"{a.journey}/{a.step}", timeout)
            else:
                said.add(name)
        for name, pause in before.items():
            after = now.get(name)
            if after is not None and after.last == pause.last:
                continue
            # Whoever goes on after the time-out had given up; whoever says that they leave goes with that.
            timed_out = time - pause.last >= pause.timeout
            seconds = (pause.timeout if timed_out else time - pause.last) / 1000
            self._end(customer, pause, seconds, timed_out or name in said)
        if now:
            self._open[customer] = now

    def _end(self, customer: str, pause: _Pause, seconds: float, left: bool) -> None:
        label, hour = pause.label, pause.hour
        self._found.append(Spell(self._kind, label, "", hour, -1.0, pause.last, seconds, left, customer))

    def found(self) -> Iterator[Spell]:
        for customer, pauses in self._open.items():
            for pause in pauses.values():
                if pause.last + pause.timeout <= self._now:
                    self._end(customer, pause, pause.timeout / 1000, True)
        yield from self._found
