"""Help, wrong usage and wrong settings: quick, one line, the right exit code."""

from __future__ import annotations

import resource
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli.app import app
from tests.cli.conftest import IN_TIME_S, PROGRAM, Run, environment

COMMANDS = [
    ("demo",),
    ("worker",),
    ("topics", "create"),
    ("migrate",),
    ("replay",),
    ("backtest",),
    ("simulate",),
    ("policy", "validate"),
    ("policy", "show"),
    ("policy", "list"),
    ("policy", "publish"),
    ("sql",),
    ("explain",),
    ("dead-letters", "list"),
    ("dead-letters", "show"),
    ("dead-letters", "resend"),
    ("doctor",),
]
# Nobody listens on port 1.
DOWN = {"kafka_url": "kafka://127.0.0.1:1", "clickhouse_url": "clickhouse://127.0.0.1:1/rehuman"}


def _one_line(text: str) -> str:
    assert text.endswith("\n")
    assert text.count("\n") == 1, text
    return text


def test_help_is_quick_and_lists_every_command(rehuman: Run) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = rehuman("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.code == 0
    assert all(f"\n  {command[0]} " in done.out for command in COMMANDS)
    # 0.2 s of the processor's time; the clients' libraries would take another second.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.8


def test_every_command_has_an_example() -> None:
    """In this process: each is a page of text, and a process for each would say nothing more."""
    runner = CliRunner()
    for command in COMMANDS:
        shown = runner.invoke(app, [*command, "--help"])
        assert shown.exit_code == 0
        assert f"rehuman {' '.join(command)}" in shown.output.partition("Example:")[2], command


def test_without_a_command_there_is_help(rehuman: Run) -> None:
    done = rehuman()
    assert done.code == 2
    assert "Commands:" in done.err


def test_version(rehuman: Run) -> None:
    assert rehuman("--version").out.startswith("rehuman 0.")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["sql"], "Missing argument 'QUERY'"),
        (["sql", "--nonsense", "x"], "No such option: --nonsense"),
        (["demo", "--for", "soon"], "--for"),
        (["demo", "--source", "mhch", "f"], "FILE: found f (no such file)"),
        (["demo", "--source", "nonsense", __file__], "SOURCE: found 'nonsense'; expected one of"),
        (["worker", "--lanes", "events,fast"], "--lanes: found 'fast'; expected some of events, facts, desk"),
        (["replay", "cloudevents", "none.ndjson"], "FILE: found none.ndjson (no such file)"),
        (
            ["replay", "cloudevents", __file__, "--speed", "-1"],
            "--speed: found '-1'; expected a number",
        ),
        (["replay", "cloudevents", __file__, "--speed", "nan"], "--speed: found 'nan'"),
        (["backtest", "mhch", __file__, "--from", "monday"], "--from: found 'monday'; expected a time"),
        (["backtest", "mhch", __file__, "--from", "2000-01-02", "--until", "2000-01-01"], "--until: found"),
        (["backtest", "mhch", __file__, "--scores-out", "/none/x.csv"], "--scores-out: found /none/x.csv"),
        (
            ["backtest", "mhch", __file__, "--target", "churn"],
            "--target: found 'churn'; expected recontact=S",
        ),
        (["backtest", "mhch", __file__, "--by", "queue"], "--by: found no --target"),
        (["simulate", "--out", "e", "--truth", "t", "--pack", "x"], "--pack: found 'x'; expected one of"),
        (["policy", "validate", "none.toml"], "FILE: found none.toml"),
        (["doctor", "--config"], "--config"),
        (["doctor", "--since", "2h"], "--since: found no --reconcile"),
        (["doctor", "--reconcile", "--since", "monday"], "--since: found 'monday'; expected a span"),
    ],
    ids=str,
)
def test_wrong_usage(rehuman: Run, arguments: list[str], expected: str) -> None:
    done = rehuman(*arguments)
    assert done.code == 2
    assert expected in _one_line(done.err)
    assert done.out == ""


@pytest.mark.parametrize(
    ("command", "setting", "value", "line"),
    [
        ("topics create", "kafka_url", "localhost:9092", "REHUMAN_KAFKA_URL: found 'localhost:9092'"),
        ("migrate", "clickhouse_url", "http://host", "REHUMAN_CLICKHOUSE_URL: found the scheme 'http'"),
        ("worker", "metrics_port", "many", "REHUMAN_METRICS_PORT: found 'many'; expected a port"),
        ("sql x", "clickhouseurl", "x", "did you mean REHUMAN_CLICKHOUSE_URL?"),
        (
            "explain x",
            "pseudonym_key",
            "short",
            "REHUMAN_PSEUDONYM_KEY: found 5 characters; expected a secret",
        ),
    ],
)
def test_wrong_settings(rehuman: Run, command: str, setting: str, value: str, line: str) -> None:
    done = rehuman(*command.split(), **{setting: value})
    assert done.code == 2
    assert line in _one_line(done.err)
    assert done.seconds < IN_TIME_S


def test_the_settings_file_before_or_after_the_command(rehuman: Run, tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text("kafka_ulr = 'kafka://h'\n")
    for arguments in (["--config", path, "topics", "create"], ["topics", "create", "--config", path]):
        done = rehuman(*arguments)
        assert done.code == 2
        assert "kafka_ulr in " in _one_line(done.err)
        assert "did you mean kafka_url?" in done.err


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (["topics", "create"], "Kafka at 127.0.0.1:1 (REHUMAN_KAFKA_URL) does not answer"),
        (["migrate"], "ClickHouse at 127.0.0.1:1 does not answer"),
        (["sql", "SELECT 1"], "ClickHouse at 127.0.0.1:1 does not answer"),
    ],
    ids=str,
)
def test_what_is_down_is_said_in_one_line(rehuman: Run, command: list[str], line: str) -> None:
    done = rehuman(*command, **DOWN)
    assert done.code == 1
    assert line in _one_line(done.err)
    assert done.seconds < IN_TIME_S


def test_a_policy_shown_is_valid_and_a_slip_in_it_is_named(rehuman: Run, tmp_path: Path) -> None:
    shown = rehuman("policy", "show")
    assert shown.code == 0
    path = tmp_path / "policy.toml"
    path.write_text(shown.out)
    assert "policy.toml is a valid policy, version 1" in rehuman("policy", "validate", path).out
    assert "policy.toml is a valid policy" in rehuman("policy", "validate", policy=path).out
    assert rehuman("policy", "show", path).out == shown.out
    path.write_text(shown.out.replace("rage_click =", "rage_clik ="))
    done = rehuman("policy", "validate", path)
    assert done.code == 2
    assert f"signals.rage_clik in {path}: found an unknown key" in _one_line(done.err)


def test_ctrl_c_is_quiet(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        command = subprocess.Popen(
            [PROGRAM, "topics", "create"],
            env=environment(tmp_path, kafka_url=f"kafka://127.0.0.1:{silent.getsockname()[1]}"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A shell that ran these tests in the background would have had it ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        with silent.accept()[0]:  # it waits for the broker's first word now
            command.send_signal(signal.SIGINT)
            out, err = command.communicate(timeout=60)
    assert (command.returncode, out, err) == (130, "", "")
