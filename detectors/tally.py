"""A customer's contacts with people, and their cases: counted, so that a score can know the story.

A :class:`Tally` says how the last contact ended, how many there were and how many were given up (fading with
four half-lives), and how often one end was followed by another contact within the hour. A :class:`Case` is a
ticket that was seen: how often it was updated, moved, commented and opened again. Only contacts and tickets
change them; who has neither has no tally at all.

>>> from detectors.examples import fold, minutes
>>> told = fold(
...     ("call.queued", 0, {"conversation_id": "c1"}),
...     ("call.abandoned", minutes(4), {"conversation_id": "c1", "wait_s": 240, "where": "queue"}),
...     ("call.queued", minutes(9), {"conversation_id": "c2"}),
... )
>>> tally = told.jane.tally
>>> OUTCOMES[tally.outcome], tally.wait, tally.contacts, tally.ends, tally.followed
('queue', 240000, 2, 1, 1)
"""

from __future__ import annotations

from math import exp, log
from typing import Final

from mypy_extensions import mypyc_attr

from detectors.durations import DAY, HOUR, MINUTE
from detectors.events import Event
from detectors.ids import number

__all__ = [
    "CONTACT_ENDS",
    "HALF_LIVES",
    "ONE",
    "OUTCOMES",
    "SPEAKS",
    "Case",
    "Tally",
    "begin",
    "case_of",
    "end",
    "faded",
    "on_ticket",
]

# How a contact ended, by number; the first is that none has.
OUTCOMES: Final[tuple[str, ...]] = ("", "served", "queue", "ivr", "other")
_SERVED: Final = 1
_QUEUE: Final = 2
_IVR: Final = 3
_OTHER: Final = 4

# The end of a contact with people. Of one that was given up, ``where`` may say more.
CONTACT_ENDS: Final[dict[str, int]] = {
    "call.ended": _SERVED,
    "conversation.ended": _SERVED,
    "store.assisted": _SERVED,
    "email.replied": _SERVED,
    "call.abandoned": _QUEUE,
    "conversation.abandoned": _QUEUE,
    "call.voicemail": _OTHER,
}
_TICKETS: Final = frozenset(
    [
        "ticket.created",
        "ticket.comment_added",
        "ticket.assignment_changed",
        "ticket.priority_changed",
        "ticket.updated",
        "ticket.reopened",
        "ticket.solved",
    ]
)
# Types that change a tally after a contact has begun.
SPEAKS: Final = frozenset([*CONTACT_ENDS, *_TICKETS])

# Fixed, not the policy's: a record is right under every policy, whichever was in force when it was written.
HALF_LIVES: Final[tuple[int, ...]] = (HOUR, 8 * HOUR, 2 * DAY, 14 * DAY)
_RATES: Final[tuple[float, ...]] = tuple([log(2) / half_life for half_life in HALF_LIVES])
ONE: Final = 1_000
_AGAIN: Final = HOUR
_HANDS: Final = 32
MOST_CASES: Final = 8


@mypyc_attr(acyclic=True)
class Case:
    """A ticket as far as it was seen; ``idle`` is how long nobody had touched it before it was last (ms).

    ``updates`` counts the moments at which something of it changed, however many events tell of one.
    ``hands`` has a bit for each agent who told of it: of so few that two share one next to never.
    """

    def __init__(
        self,
        key: int,
        opened: int,
        touched: int,
        idle: int = 0,
        updates: int = 0,
        moves: int = 0,
        comments: int = 0,
        returns: int = 0,
        hands: int = 0,
        solved: bool = False,
    ) -> None:
        self.key = key
        self.opened = opened
        self.touched = touched
        self.idle = idle
        self.updates = updates
        self.moves = moves
        self.comments = comments
        self.returns = returns
        self.hands = hands
        self.solved = solved


@mypyc_attr(acyclic=True)
class Tally:
    """Counts of one customer. ``c0`` to ``c3`` are contacts that began, as of ``begun``; ``g0`` to ``g3``
    those that were given up, as of ``ended``: each fading with its half-life of :data:`HALF_LIVES`, in
    thousandths, which a record has room for.

    ``first`` is the minute of the first contact. ``outcome_before`` is how the contact ended that did so
    ``apart`` ms before the last one did (-1: none did); ``wait`` and ``talk`` are the last one's (ms), -1
    where nobody told.
    """

    def __init__(
        self,
        first: int = 0,
        begun: int = 0,
        ended: int = 0,
        apart: int = -1,
        outcome: int = 0,
        outcome_before: int = 0,
        contacts: int = 0,
        ends: int = 0,
        followed: int = 0,
        wait: int = -1,
        talk: int = -1,
        c0: int = 0,
        c1: int = 0,
        c2: int = 0,
        c3: int = 0,
        g0: int = 0,
        g1: int = 0,
        g2: int = 0,
        g3: int = 0,
        solved: int = 0,
        came_back: int = 0,
    ) -> None:
        self.first = first
        self.begun = begun
        self.ended = ended
        self.apart = apart
        self.outcome = outcome
        self.outcome_before = outcome_before
        self.contacts = contacts
        self.ends = ends
        self.followed = followed
        self.wait = wait
        self.talk = talk
        self.c0 = c0
        self.c1 = c1
        self.c2 = c2
        self.c3 = c3
        self.g0 = g0
        self.g1 = g1
        self.g2 = g2
        self.g3 = g3
        # How many cases were solved, and how many were opened again after that.
        self.solved = solved
        self.came_back = came_back
        self.cases: list[Case] = []


def faded(half_life: int, passed: int) -> float:
    """What is left of one after ``passed`` ms, by the number of its half-life."""
    return exp(-_RATES[half_life] * passed) if passed > 0 else 1.0


def _left(count: int, half_life: int, passed: int) -> int:
    return int(count * faded(half_life, passed) + 0.5) if count else 0


def begin(tally: Tally | None, time: int) -> Tally:
    """A contact with people begins at ``time`` (ms)."""
    if tally is None:
        tally = Tally()
    minute = time // MINUTE
    if not tally.first or minute < tally.first:
        tally.first = minute
    passed = time - tally.begun
    if passed >= 0:
        if tally.ended and tally.begun <= tally.ended <= time and time - tally.ended <= _AGAIN:
            # Once for each end: whoever calls twice at once has called again.
            tally.followed += 1
        tally.c0 = ONE + _left(tally.c0, 0, passed)
        tally.c1 = ONE + _left(tally.c1, 1, passed)
        tally.c2 = ONE + _left(tally.c2, 2, passed)
        tally.c3 = ONE + _left(tally.c3, 3, passed)
        tally.begun = time
    else:
        # One that nobody had told of before it was over.
        tally.c0 += _left(ONE, 0, -passed)
        tally.c1 += _left(ONE, 1, -passed)
        tally.c2 += _left(ONE, 2, -passed)
        tally.c3 += _left(ONE, 3, -passed)
    tally.contacts += 1
    return tally


def end(tally: Tally | None, e: Event) -> Tally:
    """A contact with people ends with ``e``, a type of :data:`CONTACT_ENDS`."""
    if tally is None:
        tally = begin(None, e.time)
    if e.type == "email.replied" and tally.ended >= tally.begun:
        return tally  # one more reply to what was replied to
    outcome = CONTACT_ENDS[e.type]
    if outcome == _QUEUE and e.where == "ivr":
        outcome = _IVR
    passed = e.time - tally.ended
    more = ONE if outcome in (_QUEUE, _IVR) else 0
    if tally.g3 or more:
        tally.g0 = more + _left(tally.g0, 0, passed)
        tally.g1 = more + _left(tally.g1, 1, passed)
        tally.g2 = more + _left(tally.g2, 2, passed)
        tally.g3 = more + _left(tally.g3, 3, passed)
    tally.apart = passed if tally.ended else -1
    tally.outcome_before = tally.outcome
    tally.ended, tally.outcome = e.time, outcome
    tally.ends += 1
    tally.wait = -1 if e.wait_s is None else int(1_000 * e.wait_s + 0.5)
    tally.talk = -1 if e.talk_s is None else int(1_000 * e.talk_s + 0.5)
    return tally


def case_of(tally: Tally | None, name: str) -> Case | None:
    """The case of this id, if it is known."""
    if tally is not None and tally.cases:
        key = number(name)
        for case in tally.cases:
            if case.key == key:
                return case
    return None


def on_ticket(tally: Tally | None, e: Event) -> Tally:
    """Something of a case changes: ``e`` names it."""
    if tally is None:
        tally = Tally()
    case = case_of(tally, e.case_id)
    if case is None:
        case = _open(tally, e)
    elif e.time > case.touched:
        case.idle, case.touched = e.time - case.touched, e.time
        case.updates += 1
    if e.agent_id:
        case.hands |= 1 << number(e.agent_id) % _HANDS
    kind = e.type
    if kind == "ticket.assignment_changed":
        if e.from_team != e.to_team or not e.to_team:
            case.moves += 1
    elif kind == "ticket.comment_added":
        case.comments += 1
    elif kind == "ticket.solved":
        if not case.solved:
            case.solved = True
            tally.solved += 1
    elif kind == "ticket.reopened":
        case.solved = False
        case.returns += 1
        tally.came_back += 1
    return tally


def _open(tally: Tally, e: Event) -> Case:
    cases = tally.cases
    if len(cases) >= MOST_CASES:
        # What is solved is over for most; of what is not, something will be told again.
        cases.remove(min(cases, key=lambda case: (not case.solved, case.touched, case.key)))
    # Of one that was not seen when it was opened nobody knows how old it is.
    case = Case(number(e.case_id), e.time if e.type == "ticket.created" else 0, e.time)
    cases.append(case)
    return case
