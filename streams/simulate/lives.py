"""One customer's life: matter after matter, each played to its end, with the truth of each moment.

A moment is where it is open what comes next: before a channel is chosen, in a queue, while an answer is
owed. At each, the course is forked, and one of the two worlds has a human who comes at once. ``helps`` names
moments at which one really comes: the events are then those of that world, and the other one is the fork's.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from streams.simulate import moments
from streams.simulate.channels.bot import chat_with_bot
from streams.simulate.channels.digital import visit
from streams.simulate.channels.later import mail, reply, ticket
from streams.simulate.channels.queue import chat, menu, queue
from streams.simulate.channels.talk import store, talk
from streams.simulate.company import Company
from streams.simulate.course import Course, Episode
from streams.simulate.decide import choose, over, settled
from streams.simulate.draws import exponential, key_of, number
from streams.simulate.help import help_now
from streams.simulate.parameters import Parameters
from streams.simulate.person import Matter, Person
from streams.simulate.stage import Stage

__all__ = ["Life", "live"]

EPISODES: dict[str, Episode] = {
    "choose": choose,
    "visit": visit,
    "bot": chat_with_bot,
    "menu": menu,
    "chat": chat,
    "queue": queue,
    "talk": talk,
    "store": store,
    "mail": mail,
    "ticket": ticket,
    "reply": reply,
    "settled": settled,
    "over": over,
    "help": help_now,
}
MOMENTS = frozenset(["choose", "queue", "reply"])
# One after the other, at most.
MOST_MATTERS = 4


class Life(NamedTuple):
    """What one customer did, in time order, and what is true of it."""

    events: list[tuple[int, bytes]]  # ms since the epoch, CloudEvents JSON
    truth: list[dict[str, Any]]


def live(
    of: Parameters, company: Company, seed: int, customer: int, arrival: int, helps: Collection[str] = ()
) -> Life:
    """The life of a customer who comes at ``arrival`` (ms since the epoch)."""
    person = Person(seed, customer, key_of(seed, customer), of)
    stage = Stage(person.subject, arrival)
    truth: list[dict[str, Any]] = []
    for index in range(MOST_MATTERS):
        matter = Matter(person, index, of)
        course = Course(of, company, person, matter, stage)
        play(course, helps)
        truth += course.truth
        if number(matter.key, 5) >= of.people.matters_more:
            break
        stage.now += round(exponential(number(matter.key, 6), of.people.matters_gap_h) * 3_600_000)
    # What comes by itself was said ahead of its time.
    return Life(sorted(stage.said or [], key=lambda event: event[0]), truth)


def play(m: Course, helps: Collection[str]) -> None:
    """Play a matter to its end and write down its truth."""
    open_moments: list[moments.Moment] = []
    name = "choose"
    while name:
        if name in MOMENTS:
            moment = moments.Moment(m, name, len(open_moments))
            open_moments.append(moment)
            other = m.fork()
            if moment.id in helps:
                moment.helped = True
                m.before_help, name, elsewhere = name, "help", name
            else:
                other.before_help, elsewhere = name, "help"
            moment.other = _outcome_of(other, elsewhere, moment)
        name = EPISODES[name](m)
    for moment in open_moments:
        m.truth.append(moment.record(m))
    m.truth.append(moments.end(m))
    m.truth.sort(key=lambda record: record["time"])


def _outcome_of(fork: Course, name: str, moment: moments.Moment) -> dict[str, Any]:
    while name:
        name = EPISODES[name](fork)
    return moment.outcome(fork)
