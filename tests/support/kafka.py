"""Apache Kafka for tests and benchmarks: a real broker (KRaft) as a process of its own.

The jars come from Maven Central, by ``deploy/kafka/pom.xml``, once per version of that file, into
``.cache/kafka`` of the repository. A broker's data live in a temporary directory until ``close()``, so that a
test can stop or kill it and start it again.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from string import Template
from typing import Self

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from streams.kafka.closing import close
from streams.ports import free_port
from tests.support.sharing import sharing

__all__ = ["DEPLOY", "QUICK", "KafkaAt", "KafkaBroker", "KafkaNode", "create_topics", "kafka_jars", "shared"]

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy" / "kafka"
CACHE = ROOT / ".cache" / "kafka"

# For a broker of a minute or two: a JVM that starts quickly rather than runs fast. Verifying Kafka's own
# classes takes one second of five.
QUICK = (
    *("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"),
    *("-XX:+UnlockDiagnosticVMOptions", "-XX:-BytecodeVerificationRemote"),
)
# Resolving takes half a minute from empty; a slow network may need several.
RESOLVE_S = 600.0
# First starts took 4.5-6.4 s on two cores; others may be running beside us.
READY_S = 180.0
# A clean stop takes about a second.
STOP_S = 20.0


@contextmanager
def shared(place: Path) -> Iterator[KafkaAt]:
    """One broker for all processes of a test run that name this ``place``."""

    @contextmanager
    def started() -> Iterator[str]:
        with KafkaBroker(options=QUICK) as broker:
            yield str(broker._port)

    with sharing(place, started) as port:
        yield KafkaAt(int(port))


def kafka_jars() -> Path:
    """Return the directory that holds the broker's jars, resolving them first if need be.

    Raises ``RuntimeError`` that names what is missing: ``java``, ``mvn``, or Maven's own complaint.
    """
    for program, package in (("java", "openjdk-17-jre-headless"), ("mvn", "maven")):
        if shutil.which(program) is None:
            raise RuntimeError(f"the Kafka fixture needs `{program}` (Debian: apt-get install {package})")
    pom = DEPLOY / "pom.xml"
    stamp = hashlib.sha256(pom.read_bytes()).hexdigest()[:12]
    jars = CACHE / stamp
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        # Two test runs may start from empty at once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not jars.exists():
            _resolve(pom, jars)
    return jars


def _resolve(pom: Path, jars: Path) -> None:
    unfinished = jars.with_suffix(".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    maven = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", "-DincludeScope=runtime"]
    done = subprocess.run(
        [*maven, f"-DoutputDirectory={unfinished}"],
        capture_output=True,
        text=True,
        timeout=RESOLVE_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"mvn could not resolve {pom}:\n{(done.stdout + done.stderr)[-3000:]}")
    unfinished.rename(jars)


def create_topics(
    bootstrap: str,
    topics: Mapping[str, int],
    *,
    configs: Mapping[str, Mapping[str, str]] | None = None,
    copies: int = 1,
) -> None:
    """Create ``{topic: partitions}``, ``copies`` of each; ``configs`` gives topics settings of their own."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.create_topics(
            {
                topic: {
                    "num_partitions": partitions,
                    "replication_factor": copies,
                    "configs": dict((configs or {}).get(topic, {})),
                }
                for topic, partitions in topics.items()
            },
            wait_for_metadata=True,
        )
    finally:
        close(admin)


class KafkaAt:
    """Where a broker answers without security."""

    def __init__(self, port: int) -> None:
        self._port = port

    @property
    def bootstrap(self) -> str:
        """``127.0.0.1:PORT``; the port stays the same through restarts."""
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """The same as Faust and the settings write it."""
        return f"kafka://{self.bootstrap}"


class KafkaNode(KafkaAt):
    """One node as a process. Use as a context manager, or ``start()`` ... ``close()``."""

    def __init__(
        self, home: Path, port: int, properties: str, *, format_options: Sequence[str], jvm: Sequence[str]
    ) -> None:
        """``port`` is where it answers without security; ``format_options`` are those of the storage tool."""
        super().__init__(port)
        self._home = home
        self._properties, self._format_options, self._jvm = properties, format_options, jvm
        self._process: subprocess.Popen[bytes] | None = None
        self._formatted = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the process and return when it answers; also after :meth:`stop` or :meth:`kill`."""
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Start the process without waiting for it."""
        if self._process is not None:
            raise RuntimeError("the broker runs already")
        config = self._home / "server.properties"
        # One that is killed leaves the libraries that it has unpacked: they go with the rest of its home.
        java = ["java", *self._jvm, f"-Djava.io.tmpdir={self._home}"]
        java += [f"-Dlog4j2.configurationFile={DEPLOY / 'log4j2.yaml'}"]
        java += ["-cp", f"{kafka_jars()}/*"]
        with self._log.open("ab") as log:
            if not self._formatted:
                config.write_text(self._properties)
                storage = [*java, "kafka.tools.StorageTool", "format", *self._format_options]
                subprocess.run(
                    [*storage, "-c", str(config)], stdout=log, stderr=log, timeout=READY_S, check=True
                )
                self._formatted = True
            self._process = subprocess.Popen([*java, "kafka.Kafka", str(config)], stdout=log, stderr=log)

    def running(self) -> bool:
        """Whether it has been started and not stopped or killed."""
        return self._process is not None

    def wait_ready(self) -> None:
        """Return when it answers as a broker that is let in."""
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0 and self._answers():
                    return
            time.sleep(0.05)
        self.kill()
        raise RuntimeError(f"the broker did not come up; the end of its log:\n{self.log()[-3000:]}")

    def _answers(self) -> bool:
        # The listener opens before the broker is unfenced; a broker in the metadata is one that serves.
        try:
            admin = KafkaAdminClient(bootstrap_servers=self.bootstrap, bootstrap_timeout_ms=2000)
            try:
                return bool(admin.describe_cluster().get("brokers"))
            finally:
                close(admin)
        except KafkaError:
            return False

    @property
    def _log(self) -> Path:
        return self._home / "broker.log"

    def log(self) -> str:
        """What the broker has printed so far: warnings and errors."""
        return self._log.read_text(errors="replace")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Hold the process still (SIGSTOP) inside the block: a broker that does not answer."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Shut down cleanly, keeping the data."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """``kill -9``, keeping the data."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close(self) -> None:
        """Kill the process and delete the data."""
        self.kill()
        shutil.rmtree(self._home, ignore_errors=True)


class KafkaBroker(KafkaNode):
    """One broker that stands alone."""

    def __init__(
        self, *, heap: str = "512m", options: Sequence[str] = (), settings: Mapping[str, str] | None = None
    ) -> None:
        """``heap`` is the JVM's ``-Xmx``; 512 MB is enough for any test here. ``options`` are its others.

        ``settings`` win over those of the file; ``${port}`` and ``${controller_port}`` may stand in them.
        """
        home = Path(tempfile.mkdtemp(prefix="rehuman-kafka-"))
        port = free_port()
        more = "".join(f"{name}={value}\n" for name, value in (settings or {}).items())
        template = Template((DEPLOY / "server.properties").read_text() + more)
        properties = template.substitute(port=port, controller_port=free_port(), data_dir=home / "data")
        format_options = ["--standalone", "-t", str(uuid.uuid4())]
        jvm = [f"-Xmx{heap}", *options]
        super().__init__(home, port, properties, format_options=format_options, jvm=jvm)
