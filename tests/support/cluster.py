"""Three Apache Kafka brokers as processes, each of which can be stopped, killed and started again.

Three copies of every partition, two of which must have a write; nodes are numbered 1 to 3. Without security
(``url``) for what a test does itself, and with it (``login``, ``mutual``) as a production cluster has it.
"""

from __future__ import annotations

import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from string import Template
from typing import Any, TypeVar
from urllib.parse import quote

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from tests.support.certificates import Authority
from tests.support.kafka import DEPLOY, QUICK, KafkaNode
from tests.support.ports import server_port

__all__ = ["OTHER_USER", "PASSWORD", "USER", "KafkaCluster"]

T = TypeVar("T")

# May do everything; the other one may do nothing until he is granted it.
USER, OTHER_USER = "rehuman", "guest"
PASSWORD = "p@ss:w/rd"
MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-512")
# Three on two cores: what they save in memory and in compiling is worth more than their peak speed.
JVM = ["-Xmx256m", "-Xms64m", *QUICK]
WHOLE_S = 60.0
PORTS = ("port", "controller_port", "login_port", "bare_port", "mutual_port")


class KafkaCluster:
    """Use as a context manager."""

    def __init__(self, size: int = 3) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="rehuman-cluster-"))
        self.authority = Authority(self._home / "certificates")
        _, _, keystore = self.authority.issue("broker")
        self._ports = {number: {name: server_port() for name in PORTS} for number in range(1, size + 1)}
        identity = str(uuid.uuid4())
        users = [
            option
            for name in (USER, OTHER_USER)
            for mechanism in MECHANISMS
            for option in ("--add-scram", f"{mechanism}=[name={name},password={PASSWORD}]")
        ]
        template = Template((DEPLOY / "cluster.properties").read_text())
        voters = ",".join(f"{n}@127.0.0.1:{at['controller_port']}" for n, at in self._ports.items())
        self._nodes: dict[int, KafkaNode] = {}
        for number, ports in self._ports.items():
            home = self._home / str(number)
            home.mkdir()
            properties = template.substitute(
                ports,
                node=number,
                voters=voters,
                data_dir=home / "data",
                keystore=keystore,
                truststore=self.authority.certificate,
            )
            self._nodes[number] = KafkaNode(
                home, ports["port"], properties, format_options=["-t", identity, *users], jvm=JVM
            )

    # -- where it is ---------------------------------------------------------------------------------------

    @property
    def bootstrap(self) -> str:
        """Every broker's address without security."""
        return self._hosts("127.0.0.1", "port")

    @property
    def url(self) -> str:
        """The same as the settings write it."""
        return f"kafka://{self.bootstrap}"

    def _hosts(self, host: str, port: str) -> str:
        return ",".join(f"{host}:{at[port]}" for at in self._ports.values())

    def login(
        self,
        user: str = USER,
        password: str = PASSWORD,
        *,
        ca: Path | None = None,
        mechanism: str = "SCRAM-SHA-512",
        tls: bool = True,
    ) -> str:
        """REHUMAN_KAFKA_URL of a user with a password; ``ca`` None means the right one."""
        hosts = self._hosts("localhost", "login_port" if tls else "bare_port")
        security = f"SASL_SSL&ca={ca or self.authority.certificate}" if tls else "SASL_PLAINTEXT"
        who = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"kafka://{who}@{hosts}?security={security}&mechanism={mechanism}"

    def mutual(self, *, certificate: bool = True) -> str:
        """REHUMAN_KAFKA_URL of one who shows a certificate; or fails to."""
        cert, key, _ = self.authority.issue(USER)
        shown = f"&cert={cert}&key={key}" if certificate else ""
        hosts = self._hosts("localhost", "mutual_port")
        return f"kafka://{hosts}?security=SSL&ca={self.authority.certificate}{shown}"

    # -- its life ------------------------------------------------------------------------------------------

    def __enter__(self) -> KafkaCluster:
        try:
            # Two at a time would do; a quorum of two is needed before any of them is ready.
            with ThreadPoolExecutor(len(self._nodes)) as together:
                list(together.map(KafkaNode.start, self._nodes.values()))
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill all and delete the data."""
        for node in self._nodes.values():
            node.close()
        shutil.rmtree(self._home, ignore_errors=True)

    def start(self, number: int) -> None:
        """Start a node that was stopped or killed, and return when it answers."""
        self._nodes[number].start()

    def stop(self, number: int) -> None:
        """Shut a node down cleanly."""
        self._nodes[number].stop()

    def kill(self, number: int) -> None:
        """``kill -9``."""
        self._nodes[number].kill()

    def node(self, number: int) -> KafkaNode:
        """One node."""
        return self._nodes[number]

    def log(self) -> str:
        """What all have printed: warnings and errors."""
        return "\n".join(f"--- node {number}\n{node.log()}" for number, node in self._nodes.items())

    # -- what it says --------------------------------------------------------------------------------------

    def leader(self, topic: str, partition: int = 0) -> int:
        """The node that leads a partition; waits for one while there is none."""
        return self._until(lambda: self._leader(topic, partition), f"a leader of {topic}/{partition}")

    def _leader(self, topic: str, partition: int) -> int:
        leader: int = self._partitions([topic])[partition]["leader_id"]
        return leader if leader > 0 and self._nodes[leader].running() else 0

    def heal(self) -> None:
        """Return when every running node's copy of every partition is in sync."""
        running = sum(node.running() for node in self._nodes.values())
        self._until(lambda: self._in_sync(running), f"{running} copies of everything")

    def _in_sync(self, copies: int) -> bool:
        partitions = self._partitions(None)
        return bool(partitions) and all(len(partition["isr_nodes"]) >= copies for partition in partitions)

    def _partitions(self, topics: Sequence[str] | None) -> list[dict[str, Any]]:
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap, bootstrap_timeout_ms=5_000)
        try:
            wanted = list(topics) if topics is not None else admin.list_topics()
            found = [part for topic in admin.describe_topics(wanted) for part in topic["partitions"]]
            return sorted(found, key=lambda part: int(part["partition_index"]))
        finally:
            admin.close()

    def _until(self, ask: Callable[[], T], what: str) -> T:
        deadline = time.monotonic() + WHOLE_S
        while True:
            try:
                if answer := ask():
                    return answer
            except (KafkaError, IndexError):
                pass  # brokers come and go
            assert time.monotonic() < deadline, f"not within {WHOLE_S:g} s: {what}\n{self.log()[-3000:]}"
            time.sleep(0.5)
