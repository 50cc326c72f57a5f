"""Reading REHUMAN_CLICKHOUSE_URL, and what is said when it cannot be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.errors import SettingError
from streams.warehouse.url import parse


def test_a_server_with_everything(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text("")
    target = parse(
        "clickhouse://ops:p%40%2Fss@h1:9001/facts?secure=1&verify=0&alt_hosts=h2:9000,h3&compression=lz4"
        f"&connect_timeout=1.5&cluster=main&ca_certs={authority}"
    )
    assert (target.host, target.port, target.user, target.password) == ("h1", 9001, "ops", "p@/ss")
    assert (target.database, target.cluster, target.directory) == ("facts", "main", None)
    assert target.options == {
        "secure": True,
        "verify": False,
        "alt_hosts": "h2:9000,h3",
        "compression": "lz4",
        "connect_timeout": 1.5,
        "ca_certs": str(authority),
    }
    assert "p@/ss" not in target.name


def test_defaults() -> None:
    assert parse("clickhouse://h").database == "rehuman"
    assert parse("clickhouse://h").port == 9000
    assert parse("clickhouses://h").port == 9440
    assert parse("clickhouses://h").options["secure"] is True
    assert parse("clickhouse://h").options["compression"] == "lz4"
    assert parse("embedded:///var/re%20human").directory == Path("/var/re human")
    assert parse("embedded:///x?database=d").database == "d"


def test_many_hosts_are_all_tried_within_ten_seconds() -> None:
    four = parse("clickhouse://a/?alt_hosts=b,c,d")
    # Each name may have two addresses.
    assert four.options["connect_timeout"] * 4 * 2 <= 7.0


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "no scheme"),
        ("localhost:9000", "no scheme"),
        ("http://u:geheim@h:8123/", "the scheme 'http'"),
        ("clickhouse://u:geheim@h:port/", "a port that is not a number"),
        ("clickhouse://u:geheim@h:99999/", "a port that is not a number"),
        ("clickhouse://u:ge/heim@h/", "percent-encoded"),
        ("clickhouse://u:ge?heim@h/", "percent-encoded"),
        ("clickhouse://u:ge#heim@h/", "percent-encoded"),
        ("clickhouse://u:geheim@/db", "no host"),
        ("clickhouse://[u:geheim@h/", "not a URL"),
        ("clickhouse://u:geheim@h/?sekure=geheim", "the option 'sekure'"),
        ("clickhouse://u:geheim@h/?secure=maybe", "secure=maybe"),
        ("clickhouse://u:geheim@h/?connect_timeout=soon", "connect_timeout=soon"),
        ("clickhouse://u:geheim@h/?ca_certs=/no/such/file", "ca_certs=/no/such/file"),
        ("clickhouse://u:geheim@h/?alt_hosts=a:b", "alt_hosts=a:b"),
        ("embedded://relative/path", "absolute path"),
        ("embedded://", "absolute path"),
        ("embedded:///x?secure=1", "absolute path"),
        ("embedded:///x%3Fy", "question mark"),
    ],
)
def test_a_wrong_url_is_one_line_without_the_password(url: str, says: str) -> None:
    with pytest.raises(SettingError) as raised:
        parse(url)
    message = str(raised.value)
    assert message.startswith("REHUMAN_CLICKHOUSE_URL: found ")
    assert says in message
    assert "heim" not in message
    assert "\n" not in message
