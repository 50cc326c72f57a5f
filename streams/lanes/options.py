"""What can be set about lanes, with the reason for each default."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LaneOptions"]


@dataclass(frozen=True)
class LaneOptions:
    """The same for all lanes of a process. Times are in seconds."""

    # Half a second of work is redone after a crash, and rows wait at most that long to be sent.
    checkpoint_s: float = 0.5
    # Or sooner, so that a full-speed replay does not gather rows without bound.
    checkpoint_records: int = 50_000
    # A lane with state to which nothing comes: its mark, and with it the fence, is written again.
    quiet_checkpoint_s: float = 3_600.0
    # A chunk is folded in one go: with 10 us a record it holds the event loop for 20 ms.
    chunk_records: int = 2_000
    chunk_bytes: int = 4 * 1024 * 1024
    # Chunks in flight for a lane: one being folded while the next one is unpacked.
    credits: int = 2
    # The share of the group's session after which a process that heard nothing from the group stops writing.
    lease_share: float = 0.9
    # A revoked or stopped lane with state has this long for its last checkpoint; later, the process exits.
    # Below the 30 s that container platforms give a process to end.
    stop_s: float = 20.0
    # A sink that waits for its database is cancelled sooner: what it has not flushed is read again.
    sink_stop_s: float = 5.0
    # An idle long poll holds up the partitions that have a backlog; Faust's driver has 1500 fixed.
    fetch_wait_ms: int = 50
    # Bytes handed to the producer and not acknowledged, above which lanes wait.
    unacknowledged_bytes: int = 64 * 1024 * 1024
