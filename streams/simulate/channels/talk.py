"""Somebody is there: a call, a chat, a visit to a store."""

from __future__ import annotations

from streams.simulate import course as c
from streams.simulate.course import Course
from streams.simulate.draws import exponential

__all__ = ["agent", "nobody_there", "settles", "store", "talk"]


def agent(m: Course) -> str:
    """Somebody of the company, by a number."""
    return f"adv-{1 + int(60 * m.any()):02d}"


def settles(m: Course) -> bool:
    """Whether this talk settles the matter; the next talk of each world has the same luck."""
    return m.luck(c.TALK) < m.matter.spec.talk


def talk(m: Course) -> str:
    """On the telephone or in a chat: ``settled``, ``reply`` where a ticket is left open, ``choose``."""
    return _chat(m) if m.channel == "chat" else _call(m)


def _call(m: Course) -> str:
    began = m.now
    if m.callback:
        m.callback = False
        m.say("callback.completed", step="talk", agent_id=agent(m))
    else:
        m.say("call.connected", step="talk", agent_id=agent(m), wait_s=round(m.waited, 3))
    m.pause(30.0)
    _tells_again(m)
    if m.any() < m.of.talk.held:
        m.say("call.held", step="talk", wait_s=round(exponential(m.any(), 60.0), 1))
        m.pause(60.0)
    if m.luck(c.TRANSFER) < m.of.talk.transferred:
        _passed(m, "call.transferred")
    m.pause(m.of.queue.phone_serves_s * 0.7)
    done = settles(m)
    result = "resolved" if done else "open"
    m.say("call.ended", step="talk", talk_s=round((m.now - began) / 1000, 1), result=result, **m.voice())
    return _over(m, done)


def _chat(m: Course) -> str:
    m.say("conversation.assigned", step="talk", agent_id=agent(m), wait_s=round(m.waited, 3))
    m.pause(20.0)
    m.say("message.received", step="talk")
    _tells_again(m)
    if m.luck(c.TRANSFER) < m.of.talk.transferred:
        _passed(m, "conversation.transferred")
    for _ in range(2):
        m.pause(40.0)
        event = m.say("message.sent", step="talk", **m.voice())
        asked = (m.now, event)
        slow = m.luck(c.SLOW) < m.of.talk.slow
        gap = exponential(m.any(), m.of.talk.slow_s) if slow else 5.0 + exponential(m.any(), 35.0)
        patience = exponential(m.luck(c.PATIENCE), m.of.queue.patience_min * 60.0 * m.person.patience)
        if slow and patience < gap:
            return _walks_off(m, asked, patience, gap)
        m.wait(gap)
        m.hurt(m.of.mood.minute * gap / 60.0)
        m.say("message.received", step="talk")
    done = settles(m)
    m.pause(30.0)
    m.say("conversation.ended", step="talk", result="resolved" if done else "open")
    return _over(m, done)


def _walks_off(m: Course, asked: tuple[int, str], patience: float, gap: float) -> str:
    m.wait(patience)
    m.hurt(m.of.mood.minute * patience / 60.0)
    if m.luck(c.SILENT) < m.of.queue.silent:
        m.later("message.received", "chat", m.handle, m.now + round((gap - patience) * 1000), step="talk")
        ends = m.now + round((gap - patience + 900.0) * 1000)
        m.later("conversation.ended", "chat", m.handle, ends, step="talk", result="no_answer")
        m.abandon("conversation", "talk", asked, how="stopped", silent=True)
    else:
        m.say("conversation.abandoned", step="talk")
        m.abandon("conversation", "talk", asked, how="said")
    m.disappoint(m.of.mood.queue)
    return "choose"


def nobody_there(m: Course, until_turn: float) -> None:
    """What a chat's advisor does when the turn of somebody who has left comes."""
    turn = m.now + round(until_turn * 1000)
    waited = round((turn - m.queued_at[0]) / 1000, 3)
    m.later("conversation.assigned", "chat", m.handle, turn, step="talk", agent_id=agent(m), wait_s=waited)
    m.later("message.received", "chat", m.handle, turn + 20_000, step="talk")
    m.later("conversation.ended", "chat", m.handle, turn + 620_000, step="talk", result="no_answer")


def _tells_again(m: Course) -> None:
    if m.told and m.contacts > 1 and m.luck(c.REPEAT) < m.of.people.repeats_itself:
        m.say("info.repeated", step="talk", field="number")
        m.hurt(m.of.mood.repeat)
        m.pause(15.0)
    m.told = True


def _passed(m: Course, kind: str) -> None:
    blind = m.any() < m.of.talk.blind
    team = m.matter.spec.journey
    m.say(kind, step="talk", kind="blind" if blind else "warm", from_team="service", to_team=team)
    m.pause(60.0 if blind else 20.0)
    if blind:
        m.say("info.repeated", step="talk", field="number")
        m.hurt(m.of.mood.repeat)


def _over(m: Course, done: bool) -> str:
    if done:
        return m.settle("human")
    m.disappoint(m.of.mood.talk / 2)
    if m.luck(c.TICKET) < m.of.talk.ticket:
        return "ticket"
    m.hurt(m.of.mood.talk / 2)
    return "choose"


def store(m: Course) -> str:
    """A visit: a wait, and a person."""
    m.open("store")
    m.say("store.visit", step="store")
    waited = exponential(m.luck(c.STORE), m.of.talk.store_wait_min * 60.0)
    m.wait(waited)
    m.hurt(m.of.mood.minute * waited / 60.0)
    m.say("store.wait", step="store", wait_s=round(waited, 1))
    m.wait(1.0)
    m.say("store.assisted", step="store", agent_id=agent(m))
    m.pause(600.0)
    if settles(m):
        m.say("step.completed", step="store")
        return m.settle("human")
    m.disappoint(m.of.mood.talk)
    return "choose"
