"""What few events say, kept apart from what nearly all do: those that say none of it share one object."""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

__all__ = ["NONE", "Rare"]


@mypyc_attr(acyclic=True)
class Rare:
    """Fields of :class:`detectors.events.Event`, which has each of them as its own."""

    def __init__(
        self,
        agent_id: str = "",
        alert_id: str = "",
        team: str = "",
        where: str = "",
        reason: str = "",
        kind: str = "",
        to_channel: str = "",
        from_team: str = "",
        to_team: str = "",
        priority: str = "",
        prefers: str = "",
        metric: str = "",
        version: str = "",
        scale: str = "",
        wait_s: float | None = None,
        announced_wait_s: float | None = None,
        talk_s: float | None = None,
        amount: float | None = None,
        results: float | None = None,
        score: float | None = None,
        risk: float | None = None,
        emotion: float | None = None,
        problem: bool | None = None,
        last_contact: bool | None = None,
        vulnerable: bool | None = None,
        profiling: bool | None = None,
        contact: bool | None = None,
    ) -> None:
        self.agent_id = agent_id
        self.alert_id = alert_id
        self.team = team
        self.where = where
        self.reason = reason
        self.kind = kind
        self.to_channel = to_channel
        self.from_team = from_team
        self.to_team = to_team
        self.priority = priority
        self.prefers = prefers
        self.metric = metric
        self.version = version
        self.scale = scale
        self.wait_s = wait_s
        self.announced_wait_s = announced_wait_s
        self.talk_s = talk_s
        self.amount = amount
        self.results = results
        self.score = score
        self.risk = risk
        self.emotion = emotion
        self.problem = problem
        self.last_contact = last_contact
        self.vulnerable = vulnerable
        self.profiling = profiling
        self.contact = contact


NONE: Final = Rare()
