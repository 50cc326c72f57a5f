"""The demonstration as its command starts it: it shows, adds up, ends well, and leaves nobody behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streams.demo.showing import FIRST_S
from streams.sources.api import cloud_event
from tests.support.output import excerpt, no_traceback

pytestmark = pytest.mark.engine

COMMAND = [sys.executable, "-c", "from streams.cli import main; main()"]
# Everything starts in five to fifteen seconds; the two cores may be shared with other tests' brokers.
PATIENCE_S = 90.0
ROOT = Path(__file__).parents[2]
START = 1_790_000_000_000
# Whatever else it printed would be a library's, or a mistake.
OF_OURS = re.compile(
    r"(showing |metrics |query |data |stopping$|the data lie in "
    r"|events |signals |given up |switches |alerts |journey |effort "
    r"|(\d{4}-\d\d-\d\d \d\d:\d\d|\d\d:\d\d:\d\d) (alert|switched|abandoned|recovered|status) "
    r"|\.\.\. \d+ earlier)"
)


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REHUMAN_")}
    # Were it touched, the demonstration would fail: nobody is there.
    return {**kept, "PYTHONPATH": str(ROOT), "REHUMAN_KAFKA_URL": "kafka://127.0.0.1:1"}


@contextmanager
def demo(directory: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*COMMAND, "demo", "--port", "0", *arguments],
        cwd=directory,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def read_until(process: subprocess.Popen[str], pattern: str) -> list[str]:
    """Lines up to the one that fits ``pattern``; fails where the demonstration ends before."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if re.search(pattern, line):
            return lines
    raise AssertionError("".join(lines))


def matched(told: str, pattern: str) -> re.Match[str]:
    """Where ``pattern`` fits a line; fails with it and with what matters of the rest."""
    match = re.search(pattern, told, re.M)
    if match is None:
        raise AssertionError(f"no line fits {pattern!r} in:\n{excerpt(told)}")
    return match


def only_ours(told: str) -> None:
    """Fail on the first lines that are not the demonstration's."""
    no_traceback(told)
    odd = [line for line in told.splitlines() if not OF_OURS.match(line)]
    assert odd[:5] == []


def started_by(directory: Path) -> dict[int, str]:
    """The worker, engine and broker of the demonstration in ``directory``, and who watches over them."""
    commands, found = {}, {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            commands[int(entry.name)] = command
            told = command + (entry / "environ").read_bytes().decode(errors="replace")
            told += " ".join(os.readlink(link) for link in (entry / "fd").iterdir())
        except OSError:
            continue
        # The demonstration itself has its log open once there is anything in it.
        if f"{directory}/var/demo-" in told and " demo --port " not in command:
            found[int(entry.name)] = command
    watched = tuple(f" watchdog {pid} " for pid in found)
    return found | {pid: command for pid, command in commands.items() if command.endswith(watched)}


def all_of(directory: Path) -> dict[int, str]:
    """The same once everything is up: three processes and their three watchdogs, each as what it is."""
    found: dict[int, str] = {}

    def whole() -> bool:
        # One that is just being started is a copy of who starts it for a moment.
        found.clear()
        found.update(started_by(directory))
        return len(found) == 6 and sum(command.endswith(" worker ") for command in found.values()) == 1

    assert until(whole, PATIENCE_S), found
    return found


def gone(pids: Iterable[int], seconds: float = 0.0) -> bool:
    """Whether none of them lives; a zombie that waits for its reaper is dead."""

    def living(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
        except OSError:
            return False

    return until(lambda: not any(living(pid) for pid in pids), seconds)


def until(holds: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not (held := holds()) and time.monotonic() < deadline:
        # Looking through all processes costs them some of their time.
        time.sleep(0.4)
    return held


def test_it_shows_adds_up_and_ends_by_itself(tmp_path: Path) -> None:
    with demo(tmp_path, "--for", "20") as process:
        told, _ = process.communicate(timeout=FIRST_S + PATIENCE_S)
    only_ours(told)
    assert process.returncode == 0, excerpt(told)
    (data,) = (tmp_path / "var").iterdir()
    assert told.startswith("showing  constructed customers")
    matched(told, r"^metrics  http://127\.0\.0\.1:\d+/metrics$")
    assert f"the data lie in {data}" in told
    matched(told, r"^\d\d:\d\d:\d\d (switched|abandoned) \w+: ")
    matched(told, r"^\d\d:\d\d:\d\d alert raised \w+ .*, effort .*; by \w+")
    matched(told, r"^\d\d:\d\d:\d\d status sent [\d,]+ .*hardest: ")
    sums = matched(told, r"^events +sent ([\d,]+) = accepted ([\d,]+) = scored ([\d,]+) = stored ([\d,]+)$")
    assert len(set(sums.groups())) == 1
    for kind in ("queue", "cart", "recovered", "silent"):
        matched(told, rf"^given up .*\b{kind}\b")
    for kind in ("forced", "chosen", "guided", "ping_pong", "repeat"):
        matched(told, rf"^switches .*\b{kind} \d")
    for kind in ("human_now", "default", "preference"):
        matched(told, rf"^alerts .*\b{kind}\b")
    assert started_by(tmp_path) == {}
    query = matched(told, r"^query +(REHUMAN_CONFIG)=(\S+) rehuman sql '(.*)'$")
    asked = subprocess.run(
        [*COMMAND, "sql", query[3]],
        env={**environment(), query[1]: query[2], "REHUMAN_KAFKA_URL": ""},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (asked.returncode, "human_now" in asked.stdout) == (0, True), asked
    for pid in started_by(tmp_path):
        os.kill(pid, signal.SIGTERM)


def test_a_file_is_shown_in_its_own_time(tmp_path: Path) -> None:
    path = tmp_path / "people.ndjson"
    made = []
    for person in range(40):
        for n, name in enumerate(["session.start", "form_start", "form_error", "rage_click", "step.failed"]):
            at = START + (person * 60 + n) * 1_000
            data = {"journey": "claim", "step": "details", "session_id": f"s{person}"}
            made.append(cloud_event(name, at, "web", f"{person}-{n}", f"person-{person}", data))
    made.sort()
    path.write_bytes(b"\n".join(event.value for event in made) + b"\n")
    with demo(tmp_path, "--source", "cloudevents", str(path), "--for", "15") as process:
        told, _ = process.communicate(timeout=FIRST_S + PATIENCE_S)
    assert process.returncode == 0, excerpt(told)
    assert told.startswith("showing  cloudevents people.ndjson replayed")
    matched(told, r"^2026-09-21 \d\d:\d\d status ")
    matched(told, r"^2026-09-21 \d\d:\d\d abandoned form: ")
    matched(told, r"^events +sent 200 = accepted 200 = scored 200 = stored 200$")
    matched(told, r"^given up +40: form 40$")


def test_sigterm_stops_everything(tmp_path: Path) -> None:
    with demo(tmp_path) as process:
        read_until(process, r"^data ")
        started = all_of(tmp_path)
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, excerpt(told)
    assert "the data lie in" in told
    assert gone(started, PATIENCE_S), started_by(tmp_path)


def test_a_worker_that_dies_is_named_and_everything_stops(tmp_path: Path) -> None:
    with demo(tmp_path) as process:
        read_until(process, r"^data ")
        started = all_of(tmp_path)
        (worker,) = [pid for pid, command in started.items() if command.endswith(" worker ")]
        os.kill(worker, signal.SIGKILL)
        told, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1, excerpt(told)
    matched(told, r"^the worker ended with code -9: .*worker\.log\)$")
    no_traceback(told)
    assert gone(started, PATIENCE_S), started_by(tmp_path)


def test_killed_hard_it_leaves_nobody_behind(tmp_path: Path) -> None:
    with demo(tmp_path) as process:
        read_until(process, r"^data ")
        started = all_of(tmp_path)
        process.kill()
        process.wait()
    assert gone(started, PATIENCE_S), started_by(tmp_path)


def test_wrong_usage_is_one_line_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for arguments, said in (
            (["--source", "no-such", "x"], "SOURCE"),
            (["--source", "cloudevents", "no-such-file"], "no-such-file"),
            (["--port", port], f"--port: found {port} (in use)"),
        ):
            done = subprocess.run(
                [*COMMAND, "demo", *arguments],
                cwd=tmp_path,
                env=environment(),
                capture_output=True,
                text=True,
                timeout=PATIENCE_S,
                check=False,
            )
            assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done
            assert said in done.stderr
            assert not (tmp_path / "var").exists()
