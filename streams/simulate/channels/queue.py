"""The voice menu, the start of a chat, and the queue behind both."""

from __future__ import annotations

from typing import Any

from streams.simulate import course as c
from streams.simulate.channels.talk import nobody_there
from streams.simulate.course import Course
from streams.simulate.draws import exponential, weibull

__all__ = ["chat", "menu", "patience_s", "queue"]

SHORT_S = 5.0


def menu(m: Course) -> str:
    """The voice menu: through it to the queue, or lost in it."""
    m.open("phone")
    event = m.say("ivr.enter", step="menu")
    started = (m.now, event)
    m.pause(m.of.menu.seconds / 2)
    m.say("ivr.menu", step="menu")
    m.pause(m.of.menu.seconds / 2)
    if m.luck(c.MENU) < m.of.menu.lost:
        m.say("call.abandoned", step="menu", where="ivr")
        m.abandon("ivr", "menu", started, how="said")
        m.disappoint(m.of.mood.queue)
        return "choose"
    m.say("ivr.exit", step="menu", result="queue")
    return _enters(m, "call.queued")


def chat(m: Course) -> str:
    """A chat begins with what is wanted, and then waits for somebody."""
    m.open("chat")
    m.say("conversation.started", step="chat")
    m.pause(12.0)
    m.say("message.sent", step="chat", **m.voice())
    m.told = True
    m.wait(1.0)
    return _enters(m, "conversation.enqueued")


def _enters(m: Course, kind: str) -> str:
    waits, mean = m.company.queue(m.channel, m.now)
    told: dict[str, Any] = {}
    m.announced = 0.0
    if m.luck(c.ANNOUNCE) < m.of.queue.announces:
        # Rounded up to half a minute, as such announcements are.
        m.announced = 30.0 * (1 + int(waits * mean / 30.0))
        told["announced_wait_s"] = m.announced
    if m.channel == "phone":
        told["queue"] = m.matter.spec.journey
    event = m.say(kind, step="queue", **told)
    m.queued_at = (m.now, event)
    return "queue"


def patience_s(m: Course, luck: float) -> float:
    """How long this person waits, in seconds: Weibull, and worse beyond what was announced."""
    of = m.of.queue
    scale = of.patience_min * 60.0 * m.person.patience * (0.7 + 0.6 * m.matter.spec.stakes)
    if m.channel == "chat":
        scale *= of.chat_patience
    plain = weibull(luck, scale, of.patience_shape)
    if not m.announced or plain <= m.announced:
        return plain

    # The hazard grows minute by minute: walk until as much of it is used up as without an announcement.
    def used(t: float) -> float:
        return float((t / scale) ** of.patience_shape)

    left, at, factor = used(plain) - used(m.announced), m.announced, of.beyond
    while True:
        minute = (used(at + 60.0) - used(at)) * factor
        if minute >= left:
            return at + 60.0 * left / minute
        left, at, factor = left - minute, at + 60.0, factor * of.beyond


def queue(m: Course) -> str:
    """Wait, for as long as it takes or as patience lasts."""
    of = m.of.queue
    waits, mean = m.company.queue(m.channel, m.now)
    luck = m.luck(c.WAIT)
    wait = exponential(1.0 - (1.0 - luck) / waits, mean) if luck > 1.0 - waits else 2.0
    patience = patience_s(m, m.luck(c.PATIENCE))
    offered = m.channel == "phone" and m.announced >= of.callback_from_s
    if offered and wait > 60.0 and m.luck(c.CALLBACK) < of.callback_taken:
        m.wait(20.0)
        m.say("callback.requested", step="queue")
        m.wait(max(wait, 60.0))
        if m.luck(c.MISSED) < of.callback_missed:
            m.say("callback.missed", step="queue")
            m.disappoint(m.of.mood.reply)
            return "choose"
        m.callback = True
        return "talk"
    if patience < wait:
        m.wait(patience)
        m.hurt(m.of.mood.minute * patience / 60.0)
        return _gives_up(m, wait - patience)
    m.wait(wait)
    m.hurt(m.of.mood.minute * wait / 60.0)
    m.waited = wait
    return "talk"


def _gives_up(m: Course, until_turn: float) -> str:
    waited = round((m.now - m.queued_at[0]) / 1000, 3)
    if m.channel == "phone":
        m.say("call.abandoned", step="queue", where="queue", wait_s=waited)
        m.abandon("queue", "queue", m.queued_at, how="said")
    elif m.luck(c.SILENT) < m.of.queue.silent:
        # Gone without a sign: whoever takes over finds nobody there.
        nobody_there(m, until_turn)
        m.abandon("conversation", "queue", m.queued_at, how="stopped", silent=True)
    else:
        m.say("conversation.abandoned", step="queue", wait_s=waited)
        m.abandon("queue", "queue", m.queued_at, how="said")
    if waited >= SHORT_S:
        m.disappoint(m.of.mood.queue)
    return "choose"
