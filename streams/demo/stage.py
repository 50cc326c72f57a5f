"""The demonstration from first to last, and everything it started stopped again in the reverse order."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console

from dashboards.terminal.frame import Flow, Frame
from dashboards.terminal.lines import summary
from dashboards.terminal.screen import Heading
from dashboards.terminal.view import watch
from streams import log, policies
from streams.clock import monotonic, wall_ms
from streams.demo import home, ports
from streams.demo.flow import scrape
from streams.demo.processes import Child, Watchdog
from streams.demo.showing import SLICE_S, View, Wait
from streams.demo.traffic import SHOWN_S, FileTraffic, Runner, ScenarioTraffic
from streams.embedded_broker import EmbeddedBroker
from streams.engine import launch
from streams.errors import OperationError
from streams.settings import Settings, load

__all__ = ["run"]

# The embedded engine leaves by itself this long after a demonstration that could not stop it.
ENGINE_IDLE_S = 120.0
# At the end by itself: as long as this for the last events to be stored, so that the summary adds up.
SETTLE_S = 10.0
# Libraries' warnings, for whoever looks for a cause; the terminal is the pictures' own.
LOG_NAME = "demo.log"
# What the demonstration proposes to ask.
QUERY = "SELECT level, cause, count() FROM alerts_exact GROUP BY ALL"


def run(
    source: tuple[str, Path] | None = None, *, seconds: float | None = None, port: int | None = None
) -> int:
    """Show constructed customers, or ``source`` (an adapter's name and a file), until Ctrl-C.

    With ``seconds`` it ends by itself, so long after the first picture.
    ``port`` is the metrics' (0: any free one). Returns 0. Raises SettingError for a wrong source, file or
    port, OperationError where something cannot be started or ends before its time.
    """
    log.silence()
    console = Console(highlight=False)
    policy = policies.configured(load())
    with ports.reserved(port) as metrics:
        traffic = FileTraffic(*source, policy, _shown_s(seconds)) if source else ScenarioTraffic()
        directory = home.fresh_directory()
        log.to_file(directory / LOG_NAME)
        over = threading.Event()
        try:
            with _signals(over), ExitStack() as stack:
                say = _speaker(console)
                say(f"showing  {traffic.title}")
                settings, worker, broker, runner = _start(
                    stack, directory, traffic, metrics, replay=bool(source)
                )
                say(f"metrics  http://{ports.HOST}:{metrics}/metrics")
                say(f"query    {home.settings_variable(directory)} rehuman sql '{QUERY}'")
                say(f"data     {directory}")

                def check() -> None:
                    worker.check()
                    runner.check()
                    if not broker.alive():
                        raise OperationError(f"the embedded broker ended (log: {broker.log_path})")

                def flow() -> Flow:
                    accepted, scored, lag = scrape(metrics)
                    return Flow(traffic.sent, accepted, scored, lag)

                view = View(settings, policy, None if source else wall_ms, flow)
                stack.callback(view.close)
                wait = Wait(over, check, seconds, view)
                notes = f"metrics http://{ports.HOST}:{metrics}/metrics   Ctrl-C ends it   data {directory}"
                watch(view.poll, Heading(f"rehuman: {traffic.title}", notes, bool(source)), wait, console)
                runner.stop()
                frame = view.last if over.is_set() else _settled(view, traffic.sent, check, over)
                say("stopping")
        finally:
            console.print(f"the data lie in {directory}", markup=False, soft_wrap=True)
        for line in summary(frame) if frame else ():
            console.print(line, markup=False, soft_wrap=True)
    return 0


def _shown_s(seconds: float | None) -> float:
    """How long a file takes: all of it is seen before the end, the time-outs after its last event too."""
    return SHOWN_S if seconds is None else min(SHOWN_S, seconds * 0.7)


def _start(
    stack: ExitStack, directory: Path, traffic: FileTraffic | ScenarioTraffic, metrics: int, *, replay: bool
) -> tuple[Settings, Child, EmbeddedBroker, Runner]:
    """Everything up, in the order in which it leans on each other; the stack stops it in the reverse."""
    # Slow to load, and a wrong source or port should be told before.
    from streams.kafka import admin
    from streams.kafka.producer import Producer

    broker = stack.enter_context(EmbeddedBroker(directory))
    settings = home.prepare(
        directory, kafka_url=broker.url, clock="events" if replay else "wall", port=metrics
    )
    # The engine takes a second or two, and needs nobody: meanwhile topics are made and history published.
    with ThreadPoolExecutor(1) as pool:
        engine = pool.submit(_engine, stack, settings)
        admin.create(settings)
        policies.seed(settings)
        publisher = Producer(settings.kafka_url)
        stack.callback(publisher.close)
        traffic.before(publisher, settings.topics.events)
        engine.result()
    # Not the script: it lies elsewhere where the packages are only on the path.
    command = [sys.executable, "-c", "from streams.cli import main; main()", "worker"]
    worker = Child("worker", command, directory / "worker.log", home.child_environment(directory))
    stack.callback(worker.stop)
    runner = Runner(traffic, publisher, settings.topics.events)
    stack.callback(runner.stop)
    runner.start()
    return settings, worker, broker, runner


def _engine(stack: ExitStack, settings: Settings) -> None:
    from streams.warehouse.migrate import migrate

    directory = Path(settings.clickhouse_url.removeprefix("embedded://"))
    stack.callback(launch.stop, directory)
    launch.ensure_running(directory, idle_exit_s=ENGINE_IDLE_S)
    if address := launch.find(directory):
        stack.callback(Watchdog(address.pid).release)
    migrate(settings.clickhouse_url)


def _settled(view: View, sent: int, check: Callable[[], None], over: threading.Event) -> Frame | None:
    """The picture once everything sent is stored, or the last one in time."""
    deadline = monotonic() + SETTLE_S
    while monotonic() < deadline:
        frame = view.poll()
        if frame and frame.stored + frame.total("dead_letters") >= sent:
            break
        check()
        if over.wait(SLICE_S):
            break
    return view.last


@contextmanager
def _signals(over: threading.Event) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal set ``over``; nothing is interrupted half way."""

    def end(number: int, frame: FrameType | None) -> None:
        over.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _speaker(console: Console) -> Callable[[str], None]:
    def say(line: str) -> None:
        console.print(line, markup=False, soft_wrap=True)

    return say
