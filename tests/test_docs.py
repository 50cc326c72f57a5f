"""The documents say what is so: examples run, links resolve, and every name is there in both directions."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase

from detectors.decode import REASONS
from detectors.policy import default
from detectors.signals import SIGNALS
from detectors.tables import TABLES
from detectors.vocabulary import TYPES
from streams import metrics
from streams.cli.app import app
from streams.dead_letters import LANE_REASONS
from streams.settings import Settings
from streams.topics import TopicNames
from tests.support.story import story

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
REHUMAN = Path(sys.executable).parent / "rehuman"


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def first_column(name: str, heading: str) -> list[str]:
    """The first code word of each row of the table below a heading."""
    section = read(name).split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)`", section, re.MULTILINE)


def headings(text: str) -> set[str]:
    """Anchors as forges make them."""
    found = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in found}


@pytest.mark.parametrize("name", NAMES)
def test_examples_run(name: str) -> None:
    globs = {"story": story}
    failed, _ = doctest.testfile(str(ROOT / name), module_relative=False, globs=globs, encoding="utf-8")
    assert not failed


def test_there_are_examples() -> None:
    """A fence that doctest does not see would pass as well."""
    assert sum(">>>" in read(name) for name in NAMES) >= 5


@pytest.mark.parametrize("name", NAMES)
def test_links_resolve(name: str) -> None:
    text = re.sub(r"```.*?```", "", read(name), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        page = (ROOT / name).parent / path if path else ROOT / name
        assert page.exists(), target
        if anchor:
            assert anchor in headings(page.read_text("utf-8")), target


@pytest.mark.parametrize("name", NAMES)
def test_lines_have_no_other_machine_in_them(name: str) -> None:
    assert not re.search(r"/work/|/root/|/home/\w", read(name))


def test_every_document_is_linked_from_the_index() -> None:
    for page in ROOT.glob("docs/*.md"):
        assert page.name == "README.md" or f"]({page.name})" in read("docs/README.md"), page
    for record in ROOT.glob("docs/decisions/0*.md"):
        assert f"]({record.name})" in read("docs/decisions/README.md"), record


def test_settings() -> None:
    documented = first_column("docs/operations.md", "Settings")
    assert documented == [f"REHUMAN_{name.upper()}" for name in Settings.model_fields]


def test_metrics() -> None:
    known = {}
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            name = f"{metric._name}_total" if isinstance(metric, Counter) else metric._name
            known[name] = metric._labelnames
    documented = first_column("docs/operations.md", "Metrics")
    assert sorted(documented) == sorted(known)
    for name, labels in known.items():
        (row,) = re.findall(rf"^\| `{name}` \|([^|]*)\|", read("docs/operations.md"), re.MULTILINE)
        assert tuple(re.findall(r"`(\w+)`", row)) == tuple(labels), name


def test_topics_and_tables() -> None:
    topics = TopicNames("rehuman")
    names = [topics.events, topics.facts, topics.desk, topics.alerts, topics.policy, topics.dead_letters]
    names.append(topics.sources)
    names += [topics.changelog(topics.events), topics.changelog(topics.desk)]
    assert sorted(first_column("docs/operations.md", "Topics")) == sorted(names)
    assert sorted(first_column("docs/operations.md", "Tables")) == sorted(TABLES)


def test_reasons_and_vocabulary() -> None:
    assert set(first_column("docs/events.md", "Rejected records")) == {*REASONS, *LANE_REASONS}
    rows = re.findall(
        r"^\| `([^`]+)` \| (\w+) \| (\w+)(, outbound)? \| (yes)? ?\|", read("docs/events.md"), re.M
    )
    found = {name: (channel, actor, bool(out), bool(opens)) for name, channel, actor, out, opens in rows}
    assert found == {
        name: (spec.channel, spec.actor, spec.direction == "outbound", spec.opens)
        for name, spec in TYPES.items()
    }


def test_signals_with_their_points() -> None:
    section = read("docs/effort.md").split("## What has points")[1].split("\n## ")[0]
    found: dict[str, str] = {}
    for names, points in re.findall(r"^\| [^|]*\| ([^|]+) \| ([^|]+) \|$", section, re.MULTILINE):
        # What follows a colon or stands in brackets explains.
        for signal in re.findall(r"`(\w+)`", names):
            found[signal] = points
    assert set(found) == {spec.name for spec in SIGNALS} - {"other"}
    for signal, points in default().document.signals.items():
        if signal != "waiting":
            assert float(found[signal]) == points, signal


def commands() -> set[str]:
    """``demo``, ``topics create`` and so on, as the program has them."""
    found = {command.name for command in app.registered_commands if command.name}
    for group in app.registered_groups:
        assert group.typer_instance is not None
        for command in group.typer_instance.registered_commands:
            name = command.name or getattr(command.callback, "__name__", "")
            found.add(f"{group.name or group.typer_instance.info.name} {name}")
    return found


def test_commands() -> None:
    assert set(first_column("docs/operations.md", "Commands")) == commands()
    groups = {name.split()[0] for name in commands() if " " in name}
    for name in NAMES:
        for said in re.findall(r"(?:bin/)?\brehuman ([a-z-]+(?: [a-z-]+)?)(?=[^:]*)", "\n".join(code(name))):
            first, _, second = said.partition(" ")
            known = f"{first} {second}" if first in groups else first
            assert known in commands() or known == "--help", (name, said)


def code(name: str) -> list[str]:
    """Fenced shell lines and inline code that call the program."""
    text = read(name)
    fenced = [
        line
        for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
        if re.match(r"(\w+=\S+ )*(\.venv/bin/)?rehuman ", line)
    ]
    return fenced + re.findall(r"`((?:\.venv/bin/)?rehuman [^`]+)`", text)


def test_the_first_example_of_the_readme(tmp_path: Path) -> None:
    """A user's own events: what the README shows is what comes out."""
    (script,) = re.findall(r"cat > events\.ndjson <<'EOF'\n(.*?)\nEOF\n", read("README.md"), re.DOTALL)
    (tmp_path / "events.ndjson").write_text(script + "\n", "utf-8")
    environment = {
        "REHUMAN_PSEUDONYM_KEY": "k" * 32,
        "REHUMAN_REFERENCE_KEY": "r" * 32,
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        [REHUMAN, "backtest", "cloudevents", "events.ndjson", "--alerts-out", "alerts.csv"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    (shown,) = re.findall(r"```text\n(.*?)```", read("README.md"), re.DOTALL)
    assert done.stdout.splitlines()[:-1] == shown.splitlines()
    assert "c-1001,claim,offer_human,default," in (tmp_path / "alerts.csv").read_text()
