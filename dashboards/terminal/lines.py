"""The live view where there is no terminal: one line for each thing that comes, and a status now and then."""

from __future__ import annotations

from collections.abc import Iterator

from dashboards.terminal import words
from dashboards.terminal.frame import Alert, Frame, Moment

__all__ = ["news", "status", "summary"]


# Lines for one picture. When a file is replayed, thousands of things happen between two of them.
MOST = 20
# What happened longer ago than this is history, not news: a demonstration begins with some of it.
NEWS_MS = 120_000


def news(frame: Frame, *, replay: bool = False) -> Iterator[str]:
    """A line for each alert, abandonment, recovery and switch that no earlier frame had, oldest first.

    Of more than :data:`MOST`, and live of those that are history, only a line that says how many they were.
    A ``replay`` has its own time, which is shown with its date.
    """
    told = [one for one in frame.fresh if replay or one.at >= frame.now - NEWS_MS][-MOST:]
    if earlier := len(frame.fresh) - len(told):
        yield f"... {earlier:,} earlier ones"
    for one in told:
        at = words.clock(one.at, dated=replay)
        yield f"{at} {_alert(one)}" if isinstance(one, Alert) else f"{at} {_moment(one)}"


def _alert(one: Alert) -> str:
    if one.what == "resolved":
        place = words.place(one.journey, one.step)
        return f"alert {one.what}: {words.short(one.customer)} {place}"
    return (
        f"alert {one.what} {one.level} {words.cause(one.cause)}: {words.short(one.customer)}"
        f" {words.place(one.journey, one.step)}, {words.scores(one)};"
        f" {words.reason(one)}; {words.guidance(one)}"
    )


def _moment(one: Moment) -> str:
    return f"{one.what} {one.kind}: {words.moment(one)}"


def status(frame: Frame, *, replay: bool = False) -> str:
    """Where everything stands, in one line."""
    hardest = ", ".join(
        f"{words.short(one.customer)} {one.journey} {words.score(one.effort)}" for one in frame.standings[:3]
    )
    at = words.clock(frame.now, dated=replay)
    moved = [
        f"{what}: {words.short(one.customer)} {one.journey} {before} -> {now} ({words.arrived(one)})"
        for what, found in (("most up", frame.rises), ("most down", frame.falls))
        for one in found[:1]
        for before, now in (words.moved(one),)
    ]
    said = [words.flow(frame), words.counts(frame), f"hardest: {hardest or 'nobody'}", *moved]
    return f"{at} status {'; '.join(said)}"


def summary(frame: Frame) -> Iterator[str]:
    """What was seen in all, for the end."""
    yield f"events       {words.flow(frame) or 'none'}"
    yield f"signals      {frame.total('signals'):,}"
    yield f"given up     {_by_kind(frame, 'abandonments')}"
    yield f"switches     {_by_kind(frame, 'switches')}"
    yield f"alerts       {_by_kind(frame, 'alerts')}"
    if rejected := frame.total("dead_letters"):
        yield f"rejected     {rejected:,} ({_by_kind(frame, 'dead_letters')})"
    for place in frame.journeys[:5]:
        yield (
            f"journey      {place.journey}: {place.customers:,} customers in the last"
            f" {words.span(frame.spans.active)}, median effort {place.median:.0f},"
            f" {words.percent(place.above)} above 50"
        )
    for one in frame.standings[:5]:
        made_of = f"  {words.made_of(one.why, 3)}" if one.why else ""
        where = words.place(one.journey, one.step)
        yield f"effort {words.score(one.effort):>5} {words.short(one.customer)} {where}{made_of}"


def _by_kind(frame: Frame, what: str) -> str:
    """``12: form 5 (2 silent), cart 7`` - kinds with the largest first, details within them."""
    kinds = {kind for its_what, kind, _ in frame.counts if its_what == what}
    said = []
    for kind in sorted(kinds, key=lambda kind: (-frame.total(what, kind), kind)):
        inside = {
            detail: number
            for (its_what, its_kind, detail), number in frame.counts.items()
            if (its_what, its_kind) == (what, kind) and detail
        }
        details = ", ".join(f"{number:,} {detail}" for detail, number in sorted(inside.items()))
        said.append(
            f"{kind or 'not known'} {frame.total(what, kind):,}" + (f" ({details})" if details else "")
        )
    total = f"{frame.total(what):,}"
    return f"{total}: {', '.join(said)}" if said else total
