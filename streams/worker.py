"""``rehuman worker``: look before starting, then run the lanes until told to stop."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from detectors import BUILD
from streams import collector, log, metrics, policies
from streams.app import build
from streams.clock import wall_ms
from streams.errors import OperationError, SettingError
from streams.kafka import admin
from streams.lanes.app import run_worker
from streams.ports import is_free
from streams.publishing import in_force
from streams.settings import Settings
from streams.topics import LANES
from streams.warehouse.schema import check_url

__all__ = ["run"]


def run(settings: Settings, lanes: Sequence[str] = LANES) -> None:
    """Run until SIGTERM or Ctrl-C; exits the process with the worker's code.

    Raises SettingError for what is set wrongly and OperationError for brokers that do not answer or lack a
    topic. A ClickHouse that is down or does not fit is reported in one line; facts wait for it.
    """
    app = build(settings, lanes)
    _topics(settings)
    problems = _clickhouse(settings) if "facts" in lanes else ""
    if problems and set(lanes) == {"facts"}:
        raise OperationError(problems)
    other_policy = "events" in lanes and _other_policy(settings)
    if settings.web_port and not is_free("0.0.0.0", settings.web_port):  # noqa: S104 - where Faust listens
        raise SettingError("REHUMAN_WEB_PORT", f"{settings.web_port} (in use)", "a free port, or 0 for any")
    port = metrics.serve(settings.metrics_port, settings.metrics_host)
    # Only now: what keeps a worker from starting is told in one line, not among those of the libraries.
    log.configure(settings.log_level, {"json": True, "text": False}.get(settings.log_format))
    logger = log.get_logger("streams.worker")
    if "facts" in lanes:
        metrics.CLICKHOUSE_UP.set(not problems)
    if problems:
        logger.warning("clickhouse is not ready; facts wait, scores and alerts go on", reason=problems)
    if other_policy:
        logger.warning("the policy file differs from the version in force, which holds", version=other_policy)
    collector.settle()
    logger.info(
        "worker starts",
        lanes=list(lanes),
        detectors=BUILD,
        metrics=f"http://{settings.metrics_host}:{port}/metrics",
    )
    sys.exit(run_worker(app))


def _topics(settings: Settings) -> None:
    with admin.connect(settings.kafka_url) as client:
        missing = sorted(
            difference.topic
            for difference in admin.differences(client, settings)
            if difference.what == "topic"
        )
    if missing:
        names = ", ".join(missing)
        raise OperationError(f"topics missing: {names}; 'rehuman topics create' makes them")
    metrics.KAFKA_UP.set(1)


def _other_policy(settings: Settings) -> int:
    """The version in force where its text is not the configured policy's; 0 where it is."""
    holds = in_force(policies.published(settings), wall_ms())
    return holds.version if holds and holds.text != policies.configured(settings).text else 0


def _clickhouse(settings: Settings) -> str:
    """What keeps facts from being written, in one line; empty where nothing does."""
    try:
        return "; ".join(check_url(settings.clickhouse_url)[:3])
    except OperationError as error:
        return str(error)
