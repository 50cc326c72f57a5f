"""What is kept of one customer: small, bounded, packed as arrays.

Rings and decayed sums, no raw events but the few that something out of order may still be put before. Every
list has a most; labels are cut by ``labels.py``; so the packed record stays below 8 KiB whatever arrives, and
below 2 KiB for a typical active customer (tests hold both). ``packed.py`` turns it into bytes and back.
Moments are ms since the epoch; 0 means never. Plain classes with typed fields: compiled, they are structs.

>>> jane = new("default", "p1", "sealed", False, 1_000)
>>> jane.attempts.append(Attempt("form", "loan", "income", "r1", "web", 0, 1_000, 1_000, 5_000))
>>> jane.due()
5000
"""

from __future__ import annotations

from mypy_extensions import mypyc_attr

from detectors.bounds import NONE_HELD
from detectors.ring import Ring
from detectors.tally import Tally
from detectors.told import Told, ToldSilent

__all__ = [
    "Attempt",
    "Contact",
    "Context",
    "Customer",
    "Journey",
    "Owed",
    "Part",
    "Solved",
    "Sums",
    "Wait",
    "new",
]


@mypyc_attr(acyclic=True)
class Sums:
    """Decayed points on both horizons, as of ``at``."""

    def __init__(self, acute: float = 0.0, chronic: float = 0.0, at: int = 0) -> None:
        self.acute = acute
        self.chronic = chronic
        self.at = at


@mypyc_attr(acyclic=True)
class Part(Sums):
    """One signal's part of a journey's sums; ``at`` is also when it was last seen."""

    def __init__(self, signal: int, acute: float, chronic: float, at: int, count: int) -> None:
        self.acute = acute
        self.chronic = chronic
        self.at = at
        self.signal = signal
        self.count = count


@mypyc_attr(acyclic=True)
class Journey:
    """One journey: its effort by signal, where it stands, what failed last, and its candidate."""

    def __init__(
        self,
        name: str,
        touched: int,
        sums: Sums,
        parts: list[Part],
        step: str = "",
        release: str = "",
        intent: str = "",
        failed_at: int = 0,
        failed_soft: int = 0,
        failed_soft_at: int = 0,
        failed_channel: str = "",
        failed_step: str = "",
        failed_release: str = "",
        by_default: float = 0.0,
        by_preference: float = 0.0,
        evidence_at: int = 0,
        completions: int = 0,
        transfers: int = 0,
        transferred_at: int = 0,
        suggested: str = "",
        suggested_at: int = 0,
        raised_at: int = 0,
        raised_ver: int = 0,
        raised_level: int = 0,
        is_open: bool = False,
        armed: bool = True,
        overridden: int = 0,
        complaint: bool = False,
    ) -> None:
        self.name = name
        self.touched = touched
        self.sums = sums
        self.parts = parts
        self.step = step
        self.release = release
        self.intent = intent
        # The failure that a switch would be charged to.
        self.failed_at = failed_at
        self.failed_soft = failed_soft
        self.failed_soft_at = failed_soft_at
        self.failed_channel = failed_channel
        self.failed_step = failed_step
        self.failed_release = failed_release
        # By default or by preference: decayed evidence, as of evidence_at.
        self.by_default = by_default
        self.by_preference = by_preference
        self.evidence_at = evidence_at
        self.completions = completions
        self.transfers = transfers
        self.transferred_at = transferred_at
        self.suggested = suggested
        self.suggested_at = suggested_at
        # The candidate of this journey: its id follows from the customer, the journey and raised_at.
        self.raised_at = raised_at
        self.raised_ver = raised_ver
        self.raised_level = raised_level
        self.open = is_open
        self.armed = armed
        # Overrides that have been answered by a candidate and still hold, as bits of need.py.
        self.overridden = overridden
        self.complaint = complaint


@mypyc_attr(acyclic=True)
class Attempt:
    """Something begun: ``status`` 0 open, 1 given up by time-out, 2 given up and said so.

    ``source`` is who last told of it: while that is silent, its time-out waits; ``leaves`` is as a wait's.
    ``told`` is there to be said again where something out of order takes back its completion.
    """

    def __init__(
        self,
        kind: str,
        journey: str,
        step: str,
        release: str,
        channel: str,
        key: int,
        start: int,
        last: int,
        due: int,
        status: int = 0,
        ver: int = 0,
        points: float = 0.0,
        given_up: int = 0,
        source: str = "",
        told: Told | ToldSilent | None = None,
    ) -> None:
        self.kind = kind
        self.journey = journey
        self.step = step
        self.release = release
        self.channel = channel
        self.key = key
        self.start = start
        self.last = last
        self.due = due
        self.status = status
        self.ver = ver
        self.points = points
        self.given_up = given_up
        self.source = source
        self.told = told
        self.leaves = -1


@mypyc_attr(acyclic=True)
class Contact:
    """One visit or contact: events of one conversation or session, or close together on one channel."""

    def __init__(
        self,
        channel: str,
        device: str,
        journey: str,
        intent: str,
        case: int,
        key: int,
        start: int,
        last: int,
        step: str = "",
        release: str = "",
        outcome: str = "open",
    ) -> None:
        self.channel = channel
        self.device = device
        self.journey = journey
        self.intent = intent
        self.case = case
        self.key = key
        self.start = start
        self.last = last
        self.step = step
        self.release = release
        self.outcome = outcome
        # The conversation or session that ``key`` was made of, while it is known: not kept.
        self.name = ""


@mypyc_attr(acyclic=True)
class Wait:
    """A wait; ``leaves`` ms after ``opened`` its risk is at the line (-1 never, -2 it has been)."""

    def __init__(
        self, kind: str, channel: str, journey: str, queue: str, key: int, opened: int,
        announced: float = -1.0, leaves: int = -1, source: str = "",
    ) -> None:  # fmt: skip
        self.kind = kind
        self.channel = channel
        self.journey = journey
        self.queue = queue
        self.key = key
        self.opened = opened
        self.announced = announced
        self.leaves = leaves
        self.source = source


@mypyc_attr(acyclic=True)
class Owed:
    """A reply that the customer is owed, or got (``replied`` above 0) and has not gone on after."""

    def __init__(
        self,
        key: int,
        channel: str,
        journey: str,
        step: str,
        since: int,
        promised: int,
        replied: int,
        due: int,
        source: str = "",
        asked: int = 0,
        spoke: int = 0,
        ended: int = 0,
    ) -> None:
        self.key = key
        self.channel = channel
        self.journey = journey
        self.step = step
        self.since = since
        self.promised = promised
        self.replied = replied
        self.due = due
        self.source = source
        # When the question was asked: ``since`` counts from when somebody took over.
        self.asked = asked or since
        # Whether they had spoken with somebody here before (1), and when the conversation was closed.
        self.spoke = spoke
        self.ended = ended


@mypyc_attr(acyclic=True)
class Solved:
    """A ticket said to be solved: the rest of its relief waits for the reopen window."""

    def __init__(self, key: int, journey: str, due: int, points: float, source: str = "") -> None:
        self.key = key
        self.journey = journey
        self.due = due
        self.points = points
        self.source = source


@mypyc_attr(acyclic=True)
class Context:
    """Circumstances as last said; each holds until its moment plus the policy's memory."""

    def __init__(
        self,
        at: int = 0,
        engagement: float = -1.0,
        first_time: bool = False,
        problem: bool = False,
        last_contact: bool = False,
        risk: float = -1.0,
        prefers: str = "",
        emotion: float = 0.0,
        emotion_at: int = 0,
        vulnerable_at: int = 0,
        language: str = "",
        segment: str = "",
        may_contact: bool = True,
        may_profile: bool = True,
        contact_at: int = 0,
        profile_at: int = 0,
    ) -> None:
        self.at = at
        self.engagement = engagement
        self.first_time = first_time
        self.problem = problem
        self.last_contact = last_contact
        self.risk = risk
        self.prefers = prefers
        self.emotion = emotion
        self.emotion_at = emotion_at
        self.vulnerable_at = vulnerable_at
        self.language = language
        self.segment = segment
        self.may_contact = may_contact
        self.may_profile = may_profile
        self.contact_at = contact_at
        self.profile_at = profile_at


@mypyc_attr(acyclic=True)
class Customer:
    """One customer of one tenant. ``applied`` is the offset up to which records are in here."""

    def __init__(
        self,
        tenant: str,
        customer: str,
        reference: str,
        applied: int,
        now: int,
        sums: Sums,
        observed: float,
        observed_at: int,
        context: Context,
        journeys: list[Journey],
        attempts: list[Attempt],
        contacts: list[Contact],
        waits: list[Wait],
        owed: list[Owed],
        solved: list[Solved],
        seen: bytes,
        case: int,
        fields: list[str],
        refs: list[tuple[str, str]],
        last_source: str,
        last_id: str,
        anonymous: bool,
    ) -> None:
        self.tenant = tenant
        self.customer = customer
        self.reference = reference
        self.applied = applied
        self.now = now
        self.sums = sums
        # Coverage: decayed count of what was observed, as of observed_at.
        self.observed = observed
        self.observed_at = observed_at
        self.context = context
        self.journeys = journeys
        self.attempts = attempts
        self.contacts = contacts
        self.waits = waits
        self.owed = owed
        self.solved = solved
        self.seen = seen
        self.case = case
        self.fields = fields
        self.refs = refs
        self.last_source = last_source
        self.last_id = last_id
        self.anonymous = anonymous
        # Seconds they usually take to go on after an answer, where that comes at once; 0: not known.
        self.reply_gap = 0
        # How often something out of order has made findings be told again: part of every row's version.
        self.epoch = 0
        self.ring: Ring | None = None
        # Contacts with people and cases, once there was one.
        self.tally: Tally | None = None

    def due(self, held: frozenset[str] = NONE_HELD) -> int:
        """When the next timer fires that waits for no source of ``held``; 0 where there is none."""
        soonest = 0
        for attempt in self.attempts:
            if attempt.status == 0:
                due = attempt.due if attempt.leaves < 0 else min(attempt.due, attempt.last + attempt.leaves)
                if (soonest == 0 or due < soonest) and attempt.source not in held:
                    soonest = due
        for owed in self.owed:
            if (soonest == 0 or owed.due < soonest) and owed.source not in held:
                soonest = owed.due
        for solved in self.solved:
            if (soonest == 0 or solved.due < soonest) and solved.source not in held:
                soonest = solved.due
        for wait in self.waits:
            due = wait.opened + wait.leaves
            if wait.leaves >= 0 and (soonest == 0 or due < soonest) and wait.source not in held:
                soonest = due
        return soonest


def new(tenant: str, customer: str, reference: str, anonymous: bool, time: int) -> Customer:
    """A customer never seen before."""
    return Customer(
        tenant, customer, reference, -1, time, Sums(0.0, 0.0, time), 0.0, time, Context(),
        [], [], [], [], [], [], b"", 0, [], [], "", "", anonymous,
    )  # fmt: skip
