"""Web and app: step by step until it is done, defeats the person, or the person is called away."""

from __future__ import annotations

from streams.simulate import course as c
from streams.simulate.course import Course

__all__ = ["visit"]

_FIELDS = ("name", "number", "date", "address", "amount", "reason")
_DEFEATS = ("form_error", "rage_click", "error_click", "dead_click", "js_error", "quick_back")


def visit(m: Course) -> str:
    """Go on where the person had got to; ``settled``, or ``choose`` where it did not come to that."""
    m.say("session.start")
    m.pause(m.of.digital.pause_s / 2)
    steps = m.matter.spec.steps
    if m.matter.wants_human and not m.failures and m.luck(c.ASK) < m.of.digital.asks:
        m.say("page_view", step="contact")
        m.pause(m.of.digital.pause_s)
        m.say("human.requested", step="contact")
        m.lapse = "asks"
        return "choose"
    while m.progress < len(steps):
        step, _, kind = steps[m.progress].partition(":")
        m.say("page_view", step=step)
        m.pause(m.of.digital.pause_s)
        started = _enter(m, kind, step)
        if kind == "cart":
            m.cart = started = m.cart if m.cart[0] else started
        if m.luck(c.DISTRACTED) < m.of.digital.distracted:
            # The shop says nothing: nobody told it.
            m.abandon(kind, step, started, how="stopped")
            m.cart, m.lapse = (0, ""), "called_away"
            return "choose"
        if not _manages(m, kind, step):
            return _defeated(m, kind, step, started)
        _done(m, kind, step)
        m.progress += 1
        if m.progress < len(steps) and m.luck(c.HOP) < m.of.digital.hops:
            m.lapse = "other_device"
            return "choose"
    if m.matter.spec.sells:
        m.say("purchase", step=step, amount=round(10 + 190 * m.any(), 2))
        m.recover(("cart", "form", "step"))
        m.cart = (0, "")
    m.pause(m.of.digital.pause_s / 2)
    m.say("session.end")
    return m.settle("alone")


def _enter(m: Course, kind: str, step: str) -> tuple[int, str]:
    name = {"form": "form_start", "cart": "checkout_step"}.get(kind, "step.entered")
    event = m.say(name, step=step)
    started = (m.now, event)
    if kind == "form":
        for field in _FIELDS[: 1 + int(3 * m.any())]:
            m.pause(m.of.digital.pause_s)
            m.say("form_change", step=step, field=field)
        m.told = True
    m.pause(m.of.digital.pause_s)
    return started


def _done(m: Course, kind: str, step: str) -> None:
    if kind == "form":
        m.say("form_submit", step=step)
        m.recover(("form",), step)
    elif kind == "step":
        m.say("step.completed", step=step)
        m.recover(("step",), step)
    m.pause(m.of.digital.pause_s)


def _manages(m: Course, kind: str, step: str) -> bool:
    """Whether the person gets through, with what it takes of tries and temper."""
    digital, spec = m.of.digital, m.matter.spec
    if m.any() < digital.innocent:
        m.say(_DEFEATS[1 + int(4 * m.any())], step=step)
        m.pause(3.0)
    broken = m.company.broken(m.channel, spec.journey, step, m.now)
    hopeless = m.matter.only_human and m.progress == len(spec.steps) - 1
    fails = digital.fails * spec.difficulty * 2.0 * (1.0 - m.person.skill)
    for attempt in range(1 + digital.retries):
        # The first try is the person's, those after it are harder: what defeated them is still there.
        chance = fails if attempt == 0 else 1.0 - digital.recovers
        defeated = m.luck(c.STEP) < chance or (broken > 0.0 and m.luck(c.TRY) < broken)
        if not defeated and not hopeless:
            return True
        _struggles(m, kind, step)
        if hopeless and attempt:
            break
    return False


def _struggles(m: Course, kind: str, step: str) -> None:
    m.say("form_submit" if kind == "form" and m.any() < 0.3 else "button_click", step=step)
    m.wait(0.5)
    if kind == "form":
        m.say("form_error", step=step, field=_FIELDS[int(6 * m.any())])
    elif kind == "step":
        m.say("search_no_results", step=step, results=0)
    else:
        m.say("js_error", step=step)
    m.hurt(m.of.mood.step)
    m.pause(6.0)
    if m.feels() < 0.0 or m.any() < 0.3:
        m.say("rage_click" if m.feels() < -0.1 else "error_click", step=step)
        m.pause(5.0)


def _defeated(m: Course, kind: str, step: str, started: tuple[int, str]) -> str:
    digital = m.of.digital
    if m.luck(c.STEP) < digital.seen:
        m.say("step.failed", step=step, reason="not_possible" if m.matter.only_human else "error")
    m.pause(8.0)
    if m.luck(c.SUGGEST) < digital.suggests:
        m.sent_to = "chat" if m.matter.spec.stakes < 0.5 else "phone"
        m.say("channel.suggested", step=step, to_channel=m.sent_to, actor="company")
        m.pause(6.0)
    says = m.luck(c.SAYS) < digital.says_left
    if says:
        if kind == "form":
            m.say("form_abandoned", step=step)
        else:
            m.say("journey.abandoned", step=step, where=kind)
    m.abandon(kind, step, started, how="said" if says else "stopped")
    m.cart = (0, "")
    m.disappoint(0.05)
    return "choose"
