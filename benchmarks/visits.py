"""What one customer does in one visit to the site or the app: stories of which the workload is made.

``contacts`` has those with a bot or with people. A story is written after what its channel's systems report
(a web tracker, a bot, a chat desk, a telephone exchange, a ticket system), in the order in which they report
it, and not after what a detector looks for. Shares and lengths are in the docstring of ``workload``.
"""

from __future__ import annotations

from random import Random
from typing import Any

__all__ = ["INTENTS", "Visit", "account", "browse", "form", "order"]

Said = tuple[int, str, str, dict[str, Any]]

# Who reports, by channel: one source a system, as a company would have it.
SOURCES = {
    "web": "web/shop",
    "app": "app/shop",
    "bot": "bot/assistant",
    "chat": "desk/chat",
    "messaging": "desk/messaging",
    "phone": "acd/eu1",
    "email": "desk/mail",
    "store": "store/pos",
    "social": "desk/social",
    "ticket": "tickets/main",
    "survey": "survey/panel",
    "other": "crm/complaints",
}
STEPS = {
    "order": ("basket", "address", "delivery", "pay", "confirm"),
    "loan": ("amount", "income", "documents", "identity", "sign"),
    "claim": ("what", "when", "damage", "photos", "send"),
    "move": ("date", "old_address", "new_address", "meter", "confirm"),
    "account": ("login", "profile", "invoices", "settings"),
    "research": ("home", "category", "product", "compare"),
}
INTENTS = ("explain_invoice", "refund", "where_is_my_order", "technical_help", "change_data", "cancel")
FIELDS = ("name", "street", "city", "iban", "phone", "birth_date", "amount", "email")
RELEASES = ("2025.9.1", "2025.9.2", "2025.10.0")


class Visit:
    """One visit as it unfolds; a time is milliseconds since the epoch, a gap is seconds."""

    def __init__(self, rng: Random, number: int, customer: int, start: int) -> None:
        self.rng = rng
        self.number = number
        self.now = start
        self.said: list[Said] = []
        self.about: dict[str, Any] = {}
        self.channel = "web"
        self._source = SOURCES["web"]
        # A person keeps language and segment from visit to visit.
        self._person = {
            "segment": "business" if customer % 5 == 0 else "private",
            "language": ("en", "en", "en", "fr", "de")[customer % 7 % 5],
        }
        self.case = f"K-{customer}-{rng.randrange(3)}"

    def on(self, channel: str, **about: Any) -> None:
        """Turn to a channel; every event from here on carries ``about``."""
        self.channel = channel
        self._source = SOURCES[channel]
        self.about = {"channel": channel, **self._person, **about}

    def say(self, kind: str, gap: float, /, **data: Any) -> None:
        """An event ``gap`` seconds after the last, give or take."""
        self.now += 20 + int(self.rng.expovariate(1.0) * gap * 1000)
        self.said.append((self.now, self._source, kind, {**self.about, **data}))

    def chance(self, share: float) -> bool:
        """True in ``share`` of the cases."""
        return self.rng.random() < share


def _digital(v: Visit, journey: str) -> None:
    app = v.chance(0.4)
    about: dict[str, Any] = {
        "journey": journey,
        "session_id": f"s{v.number:08x}",
        "device": "phone" if app or v.chance(0.3) else "desktop",
        "release": RELEASES[v.rng.randrange(3)],
    }
    if v.chance(0.1):
        about["first_time"] = True
    if v.chance(0.05):
        about["engagement"] = {"financial": round(v.rng.random(), 2), "expertise": 0.4}
    v.on("app" if app else "web", **about)
    v.say("session.start", 0)


def _view(v: Visit, step: str, gap: float) -> None:
    if v.chance(0.3):
        v.say("page_view", gap, step=step, url=f"/{v.about['journey']}/{step}", title=step.title())
    else:
        v.say("page_view", gap, step=step)


def _stumble(v: Visit, step: str, share: float = 0.05) -> None:
    """Friction, on about one page in twenty."""
    if not v.chance(share):
        return
    kind = v.rng.choices(
        ("js_error", "dead_click", "quick_back", "error_click", "$rageclick"), (40, 25, 15, 10, 10)
    )[0]
    v.say(kind, 2, step=step)


def browse(v: Visit) -> None:
    """Looking around: pages, clicks, a search. Two in five see one page and are gone."""
    _digital(v, "research")
    if v.chance(0.4):
        _view(v, "home", 1)
        return
    for _ in range(1 + int(v.rng.expovariate(1 / 5))):
        step = v.rng.choice(STEPS["research"])
        _view(v, step, 20)
        while v.chance(0.4):
            v.say("button_click", 6, step=step)
        if v.chance(0.2):
            found = 0 if v.chance(0.12) else v.rng.randrange(1, 60)
            v.say("search" if found else "search_no_results", 8, step=step, results=found)
        _stumble(v, step)
    if v.chance(0.7):
        v.say("session.end", 30)


def order(v: Visit) -> None:
    """A basket on its way to the till; most do not arrive."""
    _digital(v, "order")
    for number, step in enumerate(STEPS["order"]):
        _view(v, step, 15)
        v.say("checkout_step", 2, step=step)
        while v.chance(0.5):
            v.say("button_click", 6, step=step)
        _stumble(v, step)
        if step == "pay" and v.chance(0.06):
            v.say("step.failed", 5, step=step, reason="declined")
            if v.chance(0.5):
                break
        if v.chance(0.3 if number == 0 else 0.15):
            if v.chance(0.1):
                v.say("journey.abandoned", 30, step=step, where="cart")
            break
    else:
        v.say("purchase", 5, step="confirm", amount=round(v.rng.lognormvariate(3.5, 0.8), 2))
    if v.chance(0.6):
        v.say("session.end", 20)


def form(v: Visit) -> None:
    """An application, a claim or a removal: steps with fields."""
    journey = v.rng.choice(("loan", "claim", "move"))
    _digital(v, journey)
    if v.chance(0.2):
        v.about |= {"risk": round(v.rng.random(), 2), "case_id": v.case}
    _view(v, STEPS[journey][0], 10)
    v.say("form_start", 5, step=STEPS[journey][0])
    for step in STEPS[journey]:
        v.say("step.entered", 3, step=step)
        for _ in range(v.rng.randrange(1, 4)):
            v.say("form_change", 8, step=step, field=v.rng.choice(FIELDS))
        if v.chance(0.12):
            v.say("form_error", 2, step=step, field=v.rng.choice(FIELDS), reason="format")
        _stumble(v, step)
        if v.chance(0.02):
            v.say("step.failed", 4, step=step, reason="unavailable")
        if v.chance(0.08):
            if v.chance(0.25):
                v.say("form_abandoned", 40, step=step)
            elif v.chance(0.15):
                _asks(v)
            return
        v.say("step.completed", 4, step=step)
    v.say("form_submit", 5, step=STEPS[journey][-1])


def account(v: Visit) -> None:
    """Self-service: sign in, look something up, change it."""
    _digital(v, "account")
    intent = v.rng.choice(INTENTS)
    for step in STEPS["account"][: v.rng.randrange(1, 5)]:
        _view(v, step, 12)
        v.say("step.entered", 1, step=step, intent=intent)
        while v.chance(0.45):
            v.say("button_click", 5, step=step, intent=intent)
        _stumble(v, step)
        if v.chance(0.02):
            v.say("step.failed", 3, step=step, intent=intent, reason="error")
        else:
            v.say("step.completed", 6, step=step, intent=intent)
    if v.chance(0.03):
        _asks(v)
    if v.chance(0.5):
        v.say("session.end", 60)


def _asks(v: Visit) -> None:
    """Help on the site: offered, asked for, or a better channel named."""
    if v.chance(0.5):
        v.say("help.offered", 10, actor="company")
        v.say("help.accepted" if v.chance(0.4) else "help.declined", 6)
    elif v.chance(0.6):
        v.say("human.requested", 8)
        if v.chance(0.4):
            v.say("callback.requested", 20)
            v.say("callback.completed" if v.chance(0.85) else "callback.missed", 1800)
    else:
        v.say("channel.suggested", 5, to_channel="phone")
