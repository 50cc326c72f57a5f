"""A Faust app as lanes need it, and a worker that runs it and comes back with an exit code.

Works as ``faust -A module worker`` too: the module makes the app and its lanes at import.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import faust
import mode

from streams.kafka.urls import KafkaAddress
from streams.lanes.failure import describe

__all__ = ["app_options", "make_app", "run_worker"]

log = logging.getLogger("streams.lanes")

# A third of the session, so that two lost heartbeats are borne.
HEARTBEAT_SHARE = 3
# Kafka lets a group wait this long for a member that is still giving up its partitions: more than a lane
# takes.
REBALANCE_S = 60.0


def app_options(
    address: KafkaAddress,
    *,
    group: str,
    data_dir: Path,
    web_port: int | None = None,
    web_host: str = "127.0.0.1",
    session_s: float = 10.0,
) -> dict[str, Any]:
    """Keyword arguments of ``faust.App``. ``group`` is app id and consumer group; ``web_port`` None means
    no web.

    The reasons: after a crash others wait for the session, and a join with Faust's 60 s took as long.
    Without tables the leader's topic and standby replicas are of no use, and would be topics that nobody
    made. Commits are the lanes' own. ``exactly_once`` fails at the start and could not cover a database
    anyway. The web server serves no tables. Agents that fail end the process (``CrashingSupervisor``): the
    default one hung.
    """
    return {
        "id": group,
        **address.faust(),
        "datadir": str(data_dir / "faust"),
        "broker_session_timeout": session_s,
        "broker_heartbeat_interval": session_s / HEARTBEAT_SHARE,
        "broker_rebalance_timeout": REBALANCE_S,
        "broker_request_timeout": max(30.0, session_s),
        "broker_max_poll_interval": 300.0,
        "consumer_auto_offset_reset": "earliest",
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "table_standby_replicas": 0,
        "processing_guarantee": "at_least_once",
        "producer_acks": -1,
        "producer_threaded": False,
        "stream_wait_empty": False,
        "agent_supervisor": mode.CrashingSupervisor,
        "web_enabled": web_port is not None,
        "web_port": web_port or 6066,
        "web_bind": web_host,
        "web_tables_enabled": False,
        "value_serializer": "raw",
        "key_serializer": "raw",
        "worker_redirect_stdouts": False,
    }


def make_app(address: KafkaAddress, **options: Any) -> Any:
    """A ``faust.App`` with :func:`app_options`; the same arguments."""
    arguments = app_options(address, **options)
    # Faust makes the last directory only.
    Path(arguments["datadir"]).mkdir(parents=True, exist_ok=True)
    return faust.App(**arguments)


def run_worker(app: Any) -> int:
    """Run until SIGTERM, SIGINT or a failure; return the exit code.

    Logging is left as the caller has set it up. A lane's failure does not return here: it ends the process
    with code 1 (:mod:`streams.lanes.failure`).
    """
    worker = app.Worker(quiet=True, override_logging=False, redirect_stdouts=False)
    worker.spinner = None
    # It would log the traceback of what is told in one line below.
    logging.getLogger("faust.worker").setLevel(logging.CRITICAL + 1)
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        # mode turns an exception of its main task into an exit.
        error, code = worker.crash_reason or end.__context__, end.code
    except Exception as failure:
        error, code = failure, 1
    if not code:
        return 0
    log.critical("the worker failed: %s", describe(error) if error else f"exit code {code}")
    return code if isinstance(code, int) else 1
