"""What the engine reads in a statement before chdb does."""

from __future__ import annotations

import pytest

from streams.engine.statements import read


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES",
        "insert into  t (a,b)  values ",
        "-- note; INSERT\n/* and */ INSERT INTO TABLE `d b`.`t` (`a b`, c) SETTINGS x=1 FORMAT Native;",
        'INSERT INTO "t"',
    ],
)
def test_an_insert_without_rows_waits_for_blocks(sql: str) -> None:
    assert read(sql).insert is not None


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES (1)",
        "INSERT INTO t SELECT 1",
        "INSERT INTO FUNCTION null('a UInt8') VALUES",
        "SELECT 1",
    ],
)
def test_other_statements_do_not(sql: str) -> None:
    assert read(sql).insert is None


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t (a Int8) ENGINE = Kafka SETTINGS kafka_broker_list = 'x'",
        "create table t (a Int8) engine=kafka('x')",
        "CREATE OR REPLACE TABLE t (a Int8) ENGINE Kafka",
        "ATTACH TABLE t (a Int8) ENGINE /* no */ = RabbitMQ",
    ],
)
def test_what_bricks_a_directory_is_refused(sql: str) -> None:
    assert read(sql).refused


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t (a String DEFAULT 'ENGINE = Kafka') ENGINE = Memory",
        "CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY a -- not ENGINE = Kafka",
        "SELECT 'CREATE TABLE t ENGINE = Kafka'",
    ],
)
def test_the_words_in_a_literal_or_comment_are_not(sql: str) -> None:
    assert not read(sql).refused


def test_an_output_format_is_the_clients_business() -> None:
    assert read("SELECT 1 AS format FORMAT JSON;\n").sql == "SELECT 1 AS format"
