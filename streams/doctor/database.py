"""What is of ClickHouse: the server or embedded engine, the schema, how fresh the facts are."""

from __future__ import annotations

from datetime import timedelta

from clickhouse_driver import Client, errors

from streams.clock import wall_ms
from streams.doctor.check import Check
from streams.errors import OperationError, SettingError
from streams.settings import Settings
from streams.warehouse.client import connect
from streams.warehouse.errors import SchemaMismatch
from streams.warehouse.schema import check_schema
from streams.warehouse.url import parse

__all__ = ["examine"]

# A shop may be quiet at night; a quarter of an hour without a row is worth a look by day.
OLD_MS = 15 * 60 * 1000


def examine(settings: Settings) -> list[Check]:
    """All of ClickHouse's checks; starts the embedded engine when none is running, as every command does."""
    try:
        client = connect(settings.clickhouse_url)
    except SchemaMismatch as error:
        return [Check("clickhouse", "ok", "answers"), Check("schema", "fail", str(error), "rehuman migrate")]
    except (OperationError, SettingError) as error:
        mend = "start it, or set REHUMAN_CLICKHOUSE_URL to where it is"
        return [Check("clickhouse", "fail", str(error), mend)]
    try:
        ((version,),) = client.execute("SELECT version()")
        checks = [Check("clickhouse", "ok", f"{parse(settings.clickhouse_url).name}, version {version}")]
        problems = check_schema(client)
        checks += [Check("schema", "fail", problem, "rehuman migrate") for problem in problems]
        if not problems:
            checks += [Check("schema", "ok", "as this version needs it"), _freshness(client)]
        return checks
    except (errors.Error, EOFError, OSError) as error:
        return [
            Check("clickhouse", "fail", f"failed while it was asked: {type(error).__name__}", "see its log")
        ]
    finally:
        client.disconnect()


def _freshness(client: Client) -> Check:
    ((rows, newest),) = client.execute("SELECT count(), toUnixTimestamp(max(stored_at)) FROM events")
    if not rows:
        return Check("freshness", "warn", "no event is stored yet", "send events, and run 'rehuman worker'")
    age = wall_ms() - int(newest) * 1000
    found = f"the newest row was stored {timedelta(seconds=max(0, age // 1000))} ago"
    if age > OLD_MS:
        mend = "see whether events come in, and whether the facts lane is running"
        return Check("freshness", "warn", found, mend)
    return Check("freshness", "ok", found)
