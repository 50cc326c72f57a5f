"""The stories, and how often each is told: more than half of all customers get on well.

>>> sorted(STORIES)[:3]
['abandon_bot_left', 'abandon_cart_left', 'abandon_cart_recovered']
>>> all(weight > 0 for weight, _ in STORIES.values())
True
"""

from __future__ import annotations

from collections.abc import Callable

from streams.scenario.scene import Scene
from streams.scenario.stories import abandon, default, distress, fine, preference, service

__all__ = ["STORIES", "Story"]

Story = Callable[[Scene], None]

# Name -> (how often, against all the others; the story). A name begins with what the story is about.
STORIES: dict[str, tuple[int, Story]] = {
    "fine_three_steps": (20, fine.buys_in_three_steps),
    "fine_to_the_app": (16, fine.goes_on_in_the_app),
    "fine_search": (16, fine.searches_and_buys),
    "fine_mail": (10, fine.mail_answered_in_time),
    "fine_bot": (12, fine.bot_knows),
    "fine_call": (12, fine.short_call),
    "fine_store": (8, fine.collects_in_store),
    "default_form_then_phone": (6, default.form_breaks_then_phone),
    "default_login_then_chat": (5, default.login_loops_then_chat),
    "default_mail_then_call": (3, default.mail_unanswered_then_call),
    "default_ping_pong": (3, default.sent_back_and_forth),
    "preference_mortgage": (4, preference.first_mortgage),
    "preference_store": (3, preference.sees_it_in_store),
    "preference_cancel": (3, preference.cancels_by_call_back),
    "preference_transfer": (2, preference.risky_transfer),
    "distress_bereaved": (2, distress.bereaved),
    "distress_vulnerable": (2, distress.vulnerable_in_arrears),
    "distress_public": (2, distress.complains_in_public),
    "abandon_cart_left": (3, abandon.leaves_cart),
    "abandon_cart_silent": (3, abandon.stops_at_cart),
    "abandon_cart_recovered": (3, abandon.comes_back_to_cart),
    "abandon_form_left": (2, abandon.leaves_form),
    "abandon_form_silent": (3, abandon.stops_at_form),
    "abandon_bot_left": (2, abandon.leaves_bot),
    "abandon_queue": (3, abandon.hangs_up_waiting),
    "abandon_menu": (2, abandon.hangs_up_in_menu),
    "service_late_reply": (3, service.late_reply),
    "service_no_reply": (3, service.never_answered),
    "service_guided": (3, service.guided_elsewhere),
    "service_reopened": (3, service.ticket_reopened),
    "service_missed_call_back": (2, service.call_back_missed),
    "service_offer": (2, service.help_offered),
}
