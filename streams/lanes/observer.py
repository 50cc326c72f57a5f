"""What can be watched about lanes. The metrics are elsewhere; here is where they listen."""

from __future__ import annotations

__all__ = ["LaneObserver"]


class LaneObserver:
    """Hears what lanes do, in their thread; every call must return at once. Does nothing by default."""

    def records(self, topic: str, partition: int, count: int) -> None:
        """``count`` records were applied."""

    def checkpoint(self, topic: str, partition: int, offset: int, seconds: float) -> None:
        """Everything below ``offset`` is durable and committed; it took ``seconds``."""

    def lag(self, topic: str, partition: int, count: int) -> None:
        """``count`` records were in the partition, beyond what is applied, when it was last fetched."""

    def restored(self, topic: str, partition: int, keys: int, seconds: float) -> None:
        """The state of ``keys`` keys was read back in ``seconds``."""

    def ended(self, topic: str, partition: int) -> None:
        """The lane is gone, and with it what it knew; the partition may be somebody else's now."""
