"""``rehuman explain``: one customer's timeline, with what each event added to the score.

Everything is read from the stored facts; contributions at an alert are worked out again from the stored
signals, so that what is shown can be checked against what the alert said.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from detectors.policy import Policy
from streams import policies
from streams.errors import OperationError
from streams.identity import Pseudonyms
from streams.settings import Settings
from streams.sources.api import rfc3339
from streams.warehouse.client import connect

__all__ = ["run", "timeline"]

# A timeline is read by a person; the newest are the ones that are asked about.
MOST_EVENTS = 1_000
# Without a terminal nothing is cut off: somebody will search in it.
PLAIN_WIDTH = 240


def run(
    settings: Settings,
    customer: str,
    *,
    tenant: str = "default",
    pseudonym: bool = False,
    as_json: bool = False,
) -> None:
    """Print the timeline. Raises OperationError where nothing is stored for this customer."""
    name = customer if pseudonym else Pseudonyms.of(settings).pseudonym(tenant, customer)
    found = timeline(settings, tenant, name)
    if not found["events"]:
        raise OperationError(f"no events of this customer are stored for tenant {tenant!r}")
    if as_json:
        print(msgspec.json.encode(found).decode())  # noqa: T201 - the command's answer
        return
    console = Console()
    _show(found, console if console.is_terminal else Console(width=PLAIN_WIDTH))


def timeline(settings: Settings, tenant: str, customer: str) -> dict[str, Any]:
    """Events with their signals, abandonments, switches and alerts of one pseudonym, oldest first."""
    policy = policies.configured(settings)
    client = connect(settings.clickhouse_url)
    try:
        who = {"tenant": tenant, "customer": customer, "most": MOST_EVENTS}

        def rows(columns: str, table: str, order: str = "time DESC") -> list[dict[str, Any]]:
            names = [part.rsplit(" AS ", 1)[-1].strip() for part in columns.split(",")]
            query = (
                f"SELECT {columns} FROM {table}_exact "  # noqa: S608 - names are this module's own
                "WHERE tenant = %(tenant)s AND customer = %(customer)s "
                f"ORDER BY {order} LIMIT %(most)s"
            )
            found = client.execute(query, who)
            return [dict(zip(names, row, strict=True)) for row in reversed(found)]

        ms = "toUnixTimestamp64Milli(time) AS at"
        events = rows(
            f"{ms}, fact_id, source, event_id, type, channel, journey, step, effort, effort_customer, ces, "
            "human_need, coverage, late",
            "events",
            "time DESC, offset DESC",
        )
        signals = rows(f"{ms}, event_id, source, signal, points, journey, from_step, from_release", "signals")
        found = {
            "tenant": tenant,
            "customer": customer,
            "policy_version": policy.version,
            "events": events,
            "signals": signals,
            "abandonments": rows(
                f"{ms}, kind, silent, inferred, short, journey, from_step, from_release", "abandonments"
            ),
            "switches": rows(
                f"{ms}, kind, from_channel, to_channel, from_device, to_device, from_step", "channel_switches"
            ),
            "alerts": [
                _alert(alert, signals, policy)
                for alert in rows(
                    f"{ms}, type, alert_id, level, cause, override, journey, effort, effort_customer, ces, "
                    "human_need, base, contributions, factors, recommended_channel",
                    "alerts",
                )
            ],
        }
    finally:
        client.disconnect()
    return found


def _alert(alert: dict[str, Any], signals: list[dict[str, Any]], policy: Policy) -> dict[str, Any]:
    """An alert with its lists read, and its contributions worked out again from the stored signals."""
    for name in ("contributions", "factors"):
        alert[name] = msgspec.json.decode(alert[name])
    alert["logit"] = alert["base"] + sum(entry["log_odds"] for entry in alert["factors"])
    parts: dict[str, float] = {}
    for signal in signals:
        passed = alert["at"] - signal["at"]
        if signal["journey"] == alert["journey"] and passed >= 0:
            worth = policy.acute_weight * math.exp(-policy.acute_rate * passed)
            worth += policy.chronic_weight * math.exp(-policy.chronic_rate * passed)
            name = signal["signal"]
            parts[name] = parts.get(name, 0.0) + signal["points"] * worth
    x = sum(parts.values())
    effort = 100.0 * (1.0 - math.exp(-x / policy.scale)) if x > 0 else 0.0
    scale = effort / x if x > 0 else 100.0 / policy.scale
    alert["from_signals"] = {
        "effort": effort,
        "contributions": {name: value * scale for name, value in sorted(parts.items())},
    }
    return alert


def _show(found: dict[str, Any], console: Console) -> None:
    console.print(f"customer {found['customer']}  tenant {found['tenant']}")
    table = Table(box=None, pad_edge=False)
    for name in ("time", "event", "where", "effort", "CES", "need", "added"):
        table.add_column(name, justify="right" if name in ("effort", "CES", "need") else "left")
    added: dict[tuple[str, str], list[str]] = {}
    for signal in found["signals"]:
        points = f"{signal['signal']} {signal['points']:+.1f}"
        added.setdefault((signal["source"], signal["event_id"]), []).append(points)
    for event in found["events"]:
        table.add_row(
            rfc3339(event["at"])[:19],
            event["type"] + (" (late)" if event["late"] else ""),
            "/".join(filter(None, (event["channel"], event["journey"], event["step"]))),
            _number(event["effort"], 1),
            _number(event["ces"], 1),
            f"{event['human_need']:.2f}",
            ", ".join(added.get((event["source"], event["event_id"]), [])),
        )
    console.print(table)
    for alert in found["alerts"]:
        console.print(
            f"\n{alert['type']} {rfc3339(alert['at'])[:19]}  {alert['level']}, cause {alert['cause']}"
            + (f", override {alert['override']}" if alert["override"] else "")
        )
        console.print(f"  effort {_number(alert['effort'], 2)} =")
        for entry in alert["contributions"]:
            console.print(f"    {entry['points']:+8.2f}  {entry['signal']} x{entry['count']}")
        console.print(f"  human need {alert['human_need']:.3f} = logistic({alert['logit']:+.3f}) of")
        console.print(f"    {alert['base']:+8.3f}  base")
        for entry in alert["factors"]:
            console.print(f"    {entry['log_odds']:+8.3f}  {entry['factor']}")


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
