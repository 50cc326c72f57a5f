"""The bot: it follows or not, settles some matters, and passes some of the others on."""

from __future__ import annotations

from streams.simulate import course as c
from streams.simulate.course import Course

__all__ = ["chat_with_bot"]


def chat_with_bot(m: Course) -> str:
    """``settled``, ``chat`` where it hands over, else ``choose``."""
    bot = m.of.bot
    can = not m.matter.only_human and m.luck(c.BOT) < m.matter.spec.bot
    first = (0, "")
    for turn in range(bot.turns):
        event = m.say("bot.message", step="assistant", **m.voice())
        first = first if turn else (m.now, event)
        m.wait(1.0)
        if m.any() < (bot.understands if can else 0.5 * bot.understands):
            m.say("bot.message", step="assistant", actor="machine", direction="outbound")
            if can and turn:
                break
        else:
            m.say("bot.fallback", step="assistant")
            m.hurt(m.of.mood.bot / 2)
        m.pause(14.0)
    m.told = True
    if can:
        m.say("bot.ended", step="assistant", result="resolved")
        return m.settle("alone")
    if m.matter.wants_human or m.any() < 0.3:
        m.say("human.requested", step="assistant")
        m.wait(1.0)
    if m.luck(c.HAND) < bot.hands_over and m.company.opens(m.now) == m.now:
        m.say("bot.ended", step="assistant", result="handed_over")
        m.disappoint(m.of.mood.bot / 2)
        m.why = "guided"
        m.pause(4.0)
        return "chat"
    m.say("bot.ended", step="assistant", result="left")
    m.abandon("bot", "assistant", first, how="said")
    m.disappoint(m.of.mood.bot)
    return "choose"
