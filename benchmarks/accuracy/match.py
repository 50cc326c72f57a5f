"""Findings beside the truth of a simulation: which belong together, and what each question's cases are.

Both sides speak of events, and an event of a contact, so both are known by it: customer, kind, and the visit
or conversation in which it began. Whatever could have been found and was not, and whatever was found and is
not true, is a case of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from benchmarks.accuracy.measure import Case, Scored
from benchmarks.accuracy.runs import Judged, Run, ms

__all__ = ["abandonments", "causes", "levels", "needed", "silent", "silent_scores", "switches"]

Record = dict[str, Any]
Key = tuple[str, ...]

# What begins an attempt of each kind.
_OPENS: Final = {
    "step.entered": "step",
    "form_start": "form",
    "checkout_step": "cart",
    "call.queued": "queue",
    "conversation.enqueued": "queue",
    "ivr.enter": "ivr",
    "bot.message": "bot",
}
_BY_STEP: Final = frozenset(["step", "form"])
_LATER: Final = frozenset(["email", "ticket"])
_NONE: Final = {"": "none"}
# Causes as answers: who needs nobody has none.
_CAUSES: Final = frozenset(["default", "preference"])


def _handle(event: Record) -> str:
    data = event["data"]
    return str(data.get("conversation_id") or data.get("session_id") or "")


def _by_id(run: Run) -> dict[str, Record]:
    return {event["id"]: event for event in run.simulation.events}


def _by_time(run: Run) -> dict[tuple[str, int], Record]:
    """No two events of a simulated customer are of one moment."""
    return {(event["subject"], ms(event["time"])): event for event in run.simulation.events}


def switches(run: Run) -> list[Case]:
    """Every switch that was one or was called one, by kind; ``ping_pong`` is a forced one back."""
    events = _by_id(run)
    truth: dict[Key, str] = {}
    for record in run.simulation.truth:
        if record["record"] == "switch":
            kind = "ping_pong" if record["ping_pong"] else record["kind"]
            truth[record["customer"], _handle(events[record["event_id"]])] = kind
    found = {
        (row["customer"], _handle(events[row["event_id"]])): row["kind"]
        for row in run.rows["channel_switches"]
        if row["kind"] != "repeat"
    }
    keys = sorted(truth.keys() | found.keys())
    return [Case(key[0], truth.get(key, ""), found.get(key, "")) for key in keys]


def abandonments(run: Run) -> dict[str, list[Case]]:
    """By kind, each attempt that was begun: ``given_up`` or ``going_on``; conversations: :func:`silent`."""
    events, times = _by_id(run), _by_time(run)
    begun: set[Key] = set()
    for event in run.simulation.events:
        kind = _OPENS.get(event["type"])
        if kind and not (kind == "bot" and event["data"].get("actor") == "machine"):
            begun.add(_attempt(kind, event))
    truth = {
        _attempt(record["kind"], events[record["first_event"]])
        for record in run.simulation.truth
        if record["record"] == "abandonment" and record["kind"] != "conversation"
    }
    found = set()
    for row in run.rows["abandonments"]:
        if row["kind"] != "conversation":
            event = times.get((row["customer"], row["time"]))
            found.add(
                _attempt(row["kind"], event) if event else (row["customer"], row["kind"], row["fact_id"])
            )
    cases: dict[str, list[Case]] = {}
    for key in sorted(begun | truth | found):
        said = ["given_up" if key in one else "going_on" for one in (truth, found)]
        cases.setdefault(key[1], []).append(Case(key[0], said[0], said[1]))
    return cases


def _attempt(kind: str, event: Record) -> Key:
    step = event["data"].get("step", "") if kind in _BY_STEP else ""
    return event["subject"], kind, _handle(event), step


def _owed(event: Record) -> Key:
    """The conversation in which a reply is owed: a ticket's is not that of the call it was opened in."""
    channel = event["data"]["channel"]
    return event["subject"], channel if channel in _LATER else "chat", _handle(event)


def _conversations(run: Run) -> tuple[set[Key], set[Key]]:
    """Those in which a reply was owed at all, and those that were left while one was owed, without a word."""
    events = _by_id(run)
    owed = set()
    for event in run.simulation.events:
        data = event["data"]
        asks = event["type"] == "message.sent" and data["channel"] == "chat"
        if asks or event["type"] in ("email.received", "ticket.created", "ticket.comment_added"):
            owed.add(_owed(event))
    silent_ones = {
        _owed(events[record["first_event"]])
        for record in run.simulation.truth
        if record["record"] == "abandonment" and record["silent"]
    }
    return owed | silent_ones, silent_ones


def _found(run: Run) -> dict[Key, Record]:
    """Rows of conversations that nobody said to be given up, by conversation; the surest of each."""
    times = _by_time(run)
    found: dict[Key, Record] = {}
    for row in run.rows["abandonments"]:
        if row["kind"] != "conversation" or not row["inferred"]:
            continue
        event = times.get((row["customer"], row["time"]))
        key = _owed(event) if event else (row["customer"], row["channel"], row["fact_id"])
        known = found.get(key)
        if known is None or _probability(row) > _probability(known):
            found[key] = row
    return found


def _probability(row: Record) -> float:
    value = row.get("probability")
    return float(value) if value is not None else float(row["silent"])


def silent(run: Run) -> list[Case]:
    """Each conversation in which a reply was owed: left in silence, or not."""
    owed, truth = _conversations(run)
    found = {key for key, row in _found(run).items() if row["silent"]}
    names = {True: "silent", False: "not_silent"}
    return [Case(key[0], names[key in truth], names[key in found]) for key in sorted(owed | found)]


def silent_scores(run: Run) -> list[Scored]:
    """The same with the probability; 0 where it was never in question.

    To have it of all, fold under a policy whose line is 0: below its line nothing is told.
    """
    owed, truth = _conversations(run)
    found = _found(run)
    return [
        Scored(key[0], key in truth, _probability(found[key]) if key in found else 0.0)
        for key in sorted(owed | found.keys())
    ]


def causes(judged: Iterable[Judged]) -> list[Case]:
    """At moments at which a person was needed by default or by preference: what is said of why."""
    cases = []
    for one in judged:
        reasons = sorted(_CAUSES & set(one.moment["reasons"]))
        if one.seen and reasons:
            why = reasons[0] if len(reasons) == 1 else "both"
            cases.append(Case(one.moment["customer"], why, one.cause))
    return cases


def levels(judged: Iterable[Judged]) -> list[Case]:
    """At each moment of which anything was seen: the level of human need."""
    return [
        Case(one.moment["customer"], one.moment["need"], one.level or _NONE[""]) for one in judged if one.seen
    ]


def needed(judged: Sequence[Judged]) -> list[Scored]:
    """At the same moments: whether a human was needed at all, and the probability that was given."""
    return [
        Scored(one.moment["customer"], one.moment["human_needed"], one.need) for one in judged if one.seen
    ]
