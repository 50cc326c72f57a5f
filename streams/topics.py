"""Topic names: the only place where one is spelled.

>>> TopicNames("rehuman").dead_letters
'rehuman.dead-letters'
>>> TopicNames("replay").changelog("replay.events")
'replay.events-changelog'
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["LANES", "TopicNames"]

# The lanes a worker can have, by the topic that each reads.
LANES = ("events", "facts", "desk")


class TopicNames(NamedTuple):
    """All topics of one installation, which a prefix tells from another on the same brokers."""

    prefix: str

    @property
    def events(self) -> str:
        """Customers' events, ticks and policy activations: one log. Holds raw customer ids."""
        return f"{self.prefix}.events"

    @property
    def facts(self) -> str:
        """Blocks of rows on their way to ClickHouse."""
        return f"{self.prefix}.facts"

    @property
    def desk(self) -> str:
        """Candidates and everything else that the alert desk decides by, keyed by tenant."""
        return f"{self.prefix}.desk"

    @property
    def alerts(self) -> str:
        """Alerts out, keyed by alert."""
        return f"{self.prefix}.alerts"

    @property
    def policy(self) -> str:
        """Policies by version, compacted."""
        return f"{self.prefix}.policy"

    @property
    def sources(self) -> str:
        """When each source of events was last seen, compacted; key = source."""
        return f"{self.prefix}.sources"

    @property
    def dead_letters(self) -> str:
        """Records that could not be events, byte for byte. Holds raw customer ids."""
        return f"{self.prefix}.dead-letters"

    def changelog(self, topic: str) -> str:
        """The compacted changelog behind a topic's lane state."""
        return f"{topic}-changelog"
