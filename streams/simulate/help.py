"""The intervention: a person comes to the customer, by themselves, because of an alert."""

from __future__ import annotations

from typing import Any

from streams.simulate import course as c
from streams.simulate.channels.talk import agent, settles
from streams.simulate.course import Course
from streams.simulate.draws import exponential

__all__ = ["help_now"]


def help_now(m: Course) -> str:
    """``settled``; where it is not wanted what would have come next, where it did not do it ``choose``."""
    of = m.of.help
    wanted = m.failures > 0 or m.matter.wants_human or m.before_help == "queue"
    takes = m.luck(c.HELP) < (of.accepted if wanted else of.accepted_else)
    m.wait(exponential(m.luck(c.HELP_AFTER), of.after_s))
    alert = f"alert-{m.person.subject}-{m.matter.index}"
    channel = m.channel or "web"
    m.say("help.offered", channel=channel, step="help", alert_id=alert, actor="company", direction="outbound")
    m.pause(10.0)
    if not takes:
        m.say("help.declined", channel=channel, step="help", alert_id=alert)
        m.hurt(of.nuisance)
        return m.before_help
    m.say("help.accepted", channel=channel, step="help", alert_id=alert)
    m.cheer(of.relief)
    m.wait(5.0)
    handle = f"{m.person.subject}-{m.matter.index}-help"
    about: dict[str, Any] = {"step": "help", "alert_id": alert, "direction": "outbound"}
    m.say("call.connected", channel="phone", handle=handle, agent_id=agent(m), **about)
    m.pause(m.of.queue.phone_serves_s * 0.7)
    done = settles(m)
    result = "resolved" if done else "open"
    m.say("call.ended", channel="phone", handle=handle, result=result, **about)
    m.told, m.lapse = True, ""
    if done:
        return m.settle("human")
    m.disappoint(m.of.mood.talk / 2)
    return "choose"
