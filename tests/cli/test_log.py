"""Logs: one door, one line an event, and no library's record dumps."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

CODE = """
import logging, sys
from streams.log import configure, get_logger
configure(sys.argv[1], sys.argv[2] == "json")
log = get_logger("streams.test")
log.debug("detail", partition=1)
log.info("checkpoint", partition=3)
logging.getLogger("kafka.producer").debug("Sending (key=%r)", b"jane")
logging.getLogger("aiokafka").info("Sending (key=%r)", b"jane")
logging.getLogger("faust.app").info("noise")
logging.getLogger("faust.app").warning("starting %s", "worker")
secret = "jane"
try:
    raise RuntimeError("broken")
except RuntimeError:
    log.exception("failed")
"""


def _lines(level: str, form: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", CODE, level, form], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_json_lines() -> None:
    lines = [json.loads(line) for line in _lines("info", "json")]
    assert [line["event"] for line in lines] == ["checkpoint", "starting worker", "failed"]
    assert (lines[0]["partition"], lines[0]["level"], lines[0]["logger"]) == (3, "info", "streams.test")
    assert lines[2]["exception"][0]["exc_type"] == "RuntimeError"


def test_debug_is_ours_alone() -> None:
    lines = _lines("debug", "json")
    assert json.loads(lines[0])["event"] == "detail"
    assert not any("jane" in line for line in lines)


def test_text_for_people() -> None:
    lines = _lines("warning", "text")
    assert "starting worker" in lines[0]
    assert "failed" in lines[1]
    assert lines[-1] == "RuntimeError: broken"
    assert not any("jane" in line for line in lines)


FILE_CODE = """
import logging, sys
from pathlib import Path
from streams.log import get_logger, silence, to_file
silence()
logging.getLogger("kafka.net").error("before there is a file")
to_file(Path(sys.argv[1]))
get_logger("streams.test").info("nothing yet")
assert not Path(sys.argv[1]).exists()
try:
    raise RuntimeError("broken")
except RuntimeError:
    logging.getLogger("kafka.net").exception("closing a socket")
get_logger("streams.test").warning("ours", partition=3)
"""


def test_to_a_file_nothing_is_printed(tmp_path: Path) -> None:
    path = tmp_path / "log"
    done = subprocess.run([sys.executable, "-c", FILE_CODE, path], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
    lines = path.read_text().splitlines()
    assert "closing a socket" in lines[0]
    assert "RuntimeError: broken" in lines
    assert "ours" in lines[-1]
    assert "partition=3" in lines[-1]
