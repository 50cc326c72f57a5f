"""Kafka URLs: what clients and Faust get out of one."""

from __future__ import annotations

import faust
import pytest

from streams.kafka.urls import parse


def test_ports_and_addresses() -> None:
    assert parse("kafka://a,b:1,[::1],[::1]:2").servers == ("a:9092", "b:1", "[::1]:9092", "[::1]:2")
    assert str(parse("kafka://a,b:1/")) == "a:9092,b:1"


def test_plain_options() -> None:
    address = parse("kafka://a,b")
    assert address.client() == {"bootstrap_servers": ["a:9092", "b:9092"], "security_protocol": "PLAINTEXT"}
    assert address.faust() == {"broker": ["kafka://a:9092", "kafka://b:9092"]}


def test_sasl_over_tls() -> None:
    address = parse("kafka://me:p%40ss@a?security=SASL_SSL&mechanism=SCRAM-SHA-512")
    options = address.client()
    assert options["ssl_context"].check_hostname
    assert (options["sasl_mechanism"], options["sasl_plain_password"]) == ("SCRAM-SHA-512", "p@ss")
    credentials = address.faust()["broker_credentials"]
    assert isinstance(credentials, faust.SASLCredentials)
    assert credentials.protocol.value == "SASL_SSL"
    assert credentials.mechanism.value == "SCRAM-SHA-512"
    assert credentials.password == "p@ss"


def test_tls_alone_and_sasl_alone() -> None:
    tls = parse("kafka://a?security=SSL").faust()["broker_credentials"]
    assert isinstance(tls, faust.SSLCredentials)
    sasl = parse("kafka://a?security=SASL_PLAINTEXT&username=me&password=pw")
    assert "ssl_context" not in sasl.client()
    assert sasl.faust()["broker_credentials"].protocol.value == "SASL_PLAINTEXT"


def test_a_password_is_never_shown() -> None:
    assert "secret" not in repr(parse("kafka://me:secret@a?security=SASL_SSL"))


@pytest.mark.parametrize(
    "url",
    [
        "kafka://a:0",
        "kafka://a,,b",
        "kafka://a/topic",
        "kafka://a#x",
        "kafka://a?x",
        "kafka://[::1",
        "kafka://me:pw@a",
        "kafka://a?security=SASL_SSL&username=me",
        "kafka://a?mechanism=GSSAPI",
        "kafka:a",
        "",
    ],
)
def test_wrong_urls(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(url)
