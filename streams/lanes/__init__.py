"""Lanes: the fast and exact path inside Faust. The decision record 0002 has the reasons.

``api`` is what a lane carries; ``registry`` is where topics get lanes; ``app`` makes and runs the worker.
Inside: ``hooks`` (what is touched in Faust), ``feed`` (from aiokafka's fetcher), ``lane`` (the order of a
checkpoint), ``port`` and ``wire`` (what it needs of Kafka), ``changelog`` and ``restore`` (state that comes
back), ``producer``, ``commits``, ``lease``, ``failure``.

The names of ``registry`` and ``app`` are not imported here: a command that needs only :class:`Record`
should not wait for Faust.
"""

from streams.lanes.api import Fold, Output, Record, Sink
from streams.lanes.observer import LaneObserver
from streams.lanes.options import LaneOptions

__all__ = ["Fold", "LaneObserver", "LaneOptions", "Output", "Record", "Sink"]
