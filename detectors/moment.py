"""One moment of one customer: what detectors read, and where they put what they find.

A detector is a function of a moment and an event. It changes the customer's state, which the fold owns, and
adds rows; it reads no clock and does nothing else.

>>> from detectors.policy import default
>>> from detectors.state import new
>>> m = Moment(new("default", "p1", "sealed", False, 0), default(), Findings(), 1_000, 0, 0)
>>> m.signal("rage_click", m.journey("order"), step="pay")
>>> round(m.effort(m.journey("order")), 2), len(m.out.rows["signals"])
(18.13, 1)
"""

from __future__ import annotations

from typing import Any, Final

from mypy_extensions import mypyc_attr

from detectors import effort, failures
from detectors.bounds import MOST_JOURNEYS
from detectors.event_row import as_row, take_back
from detectors.events import Event
from detectors.ids import fact_of
from detectors.policy import Policy
from detectors.signals import HARD_FAILURES, NUMBER, SIGNALS, SOFT_FAILURES
from detectors.state import Customer, Journey, Sums
from detectors.tables import Row
from detectors.tally import Case
from detectors.targets import Target

__all__ = ["VERSIONS", "Findings", "Moment", "Watched"]

# More than one fact is ever told anew while nothing comes out of order.
VERSIONS: Final = 1_000


class Watched:
    """What was known of an event just after it was folded: features and scores."""

    def __init__(
        self, e: Event, numbers: list[float], labels: list[str], human_need: float, effort: float
    ) -> None:
        self.e = e
        self.numbers = numbers
        self.labels = labels
        self.human_need = human_need
        self.effort = effort


_NOTHING: Final[frozenset[str]] = frozenset()
_NO_NUMBERS: Final[list[float]] = []
_NO_LABELS: Final[list[str]] = []


class Findings:
    """Rows by table, and what goes to the desk; of events of a type in ``watch``, what was known then."""

    def __init__(self, watch: frozenset[str] = _NOTHING) -> None:
        self.watch = watch
        self.watched: list[Watched] = []
        #: Rows as they were made: tuples in the order of ``tables.py``, or what they can be made of.
        self.found: dict[str, list[Any]] = {}
        self.desk: list[dict[str, Any]] = []

    @property
    def rows(self) -> dict[str, list[Row]]:
        """All rows, to look at."""
        return {table: [as_row(row) for row in found] for table, found in self.found.items()}

    def add(self, table: str, row: object) -> None:
        """Append one row."""
        rows = self.found.get(table)
        if rows is None:
            self.found[table] = [row]
        else:
            rows.append(row)

    def take_back(self, offset: int) -> None:
        """Forget what the record at ``offset``, the last one, gave."""
        for rows in self.found.values():
            take_back(rows, offset)
        while self.desk and self.desk[-1]["offset"] == offset:
            self.desk.pop()
        while self.watched and self.watched[-1].e.offset == offset:
            self.watched.pop()


@mypyc_attr(acyclic=True, free_list_len=1)
class Moment:
    """``time`` in event time; ``trigger`` is the fact id of what happened, an event or a timer."""

    def __init__(
        self, state: Customer, policy: Policy, out: Findings, time: int, partition: int, offset: int
    ) -> None:
        self.state = state
        self.policy = policy
        self.out = out
        self.time = time
        self.partition = partition
        self.offset = offset
        self.late = 0
        self.trigger = ""
        self.trigger_source = state.last_source
        self.trigger_id = state.last_id
        self.segment = state.context.segment
        # The case that this is about, and whether a contact with people has ended just now.
        self.case: Case | None = None
        self.ends = False
        # The policy's section that is human need at this event, and the features that it asks for.
        self.target: Target | None = None
        self.numbers = _NO_NUMBERS
        self.labels = _NO_LABELS

    def journey(self, name: str) -> Journey:
        """The state of a journey, made when it is new; the one untouched longest makes room."""
        journeys = self.state.journeys
        for journey in journeys:
            if journey.name == name:
                return journey
        if len(journeys) >= MOST_JOURNEYS:
            journeys.remove(min(journeys, key=lambda journey: (journey.open, journey.touched, journey.name)))
        journey = Journey(name, self.time, Sums(0.0, 0.0, self.time), [])
        journeys.append(journey)
        return journey

    def known(self, name: str) -> Journey | None:
        """The state of a journey, if there is one."""
        for journey in self.state.journeys:
            if journey.name == name:
                return journey
        return None

    def head(self, fact: str, time: int, ver: int = 1) -> Row:
        """The common columns of a row (``tables.COMMON``)."""
        state = self.state
        return (
            state.tenant,
            state.customer,
            fact,
            time,
            self.trigger_id,
            self.trigger_source,
            0,
            self.late,
            self.version(ver),
            self.policy.version,
            self.partition,
            self.offset,
        )

    def version(self, ver: int) -> int:
        """``ver`` of what is found now: above all that was said before something out of order came."""
        return ver + self.state.epoch * VERSIONS if ver else 0

    def id(self, *parts: str) -> str:
        """A fact id within this customer."""
        return fact_of(f"{self.state.tenant}\x1f{self.state.customer}\x1f" + "\x1f".join(parts))

    def signal(
        self,
        name: str,
        journey: Journey,
        points: float | None = None,
        *,
        channel: str = "",
        step: str | None = None,
        release: str | None = None,
        part: str = "",
        fails: bool = True,
    ) -> None:
        """A friction or relief found now: charge its points and add its row.

        ``points`` default to the policy's; ``step`` and ``release`` are where it is charged to (default:
        where the journey stands; relief to no step). ``part`` tells several of one trigger apart. One that
        ``fails`` nothing drives nobody to another channel.
        """
        number = NUMBER[name]
        if points is None:
            points = self.policy.points[number]
        effort.charge(self.state, journey, number, points, self.time, self.policy)
        where = journey.step if step is None else step
        what = journey.release if release is None else release
        if fails and (name in HARD_FAILURES or name in SOFT_FAILURES):
            failures.note(journey, name in HARD_FAILURES, channel, where, what, self.time, self.policy)
        if evidence := self.policy.cause_default[number]:
            self.evidence(journey, evidence, 0.0)
        relief = SIGNALS[number].relief
        self.out.add(
            "signals",
            (
                *self.head(self.id("signal", name, self.trigger, part), self.time),
                name,
                points,
                channel,
                journey.name,
                journey.step,
                journey.intent,
                journey.release,
                self.segment,
                "" if relief else where,
                "" if relief else what,
            ),
        )

    def evidence(self, journey: Journey, by_default: float, by_preference: float) -> None:
        """Add to what speaks for contact by default and for contact by preference."""
        before = self.evidence_of(journey)
        journey.by_default = before[0] + by_default
        journey.by_preference = before[1] + by_preference
        journey.evidence_at = max(self.time, journey.evidence_at)

    def evidence_of(self, journey: Journey) -> tuple[float, float]:
        """Both sides' evidence, decayed to now."""
        kept = self.policy.keep_cause(self.time - journey.evidence_at)
        return journey.by_default * kept, journey.by_preference * kept

    def effort(self, journey: Journey) -> float:
        """The journey's effort now, 0-100."""
        return effort.score(journey.sums, self.time, self.policy)
