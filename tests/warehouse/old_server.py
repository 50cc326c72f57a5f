"""Debian's ClickHouse server (18.16, of 2018), started by hand: a real server at the other end of the wire.

It knows neither DateTime64 nor LowCardinality without a setting, so the migrations do not run on it.
"""

from __future__ import annotations

import hashlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from streams.ports import free_port

PASSWORD = "p@ss/wörd"
READY_S = 60.0
# Servers are in sbin, which an ordinary user's path may lack.
PATH = "/usr/sbin:/usr/bin:/usr/local/bin"

CONFIG = """<?xml version="1.0"?>
<yandex>
  <logger><level>warning</level><log>{dir}/server.log</log><errorlog>{dir}/server.err</errorlog></logger>
  <http_port>{http}</http_port>
  <tcp_port>{tcp}</tcp_port>
  <tcp_port_secure>{tls}</tcp_port_secure>
  <openSSL><server>
    <certificateFile>{dir}/server.crt</certificateFile>
    <privateKeyFile>{dir}/server.key</privateKeyFile>
    <verificationMode>none</verificationMode>
    <loadDefaultCAFile>false</loadDefaultCAFile>
    <disableProtocols>sslv2,sslv3</disableProtocols>
  </server></openSSL>
  <listen_host>127.0.0.1</listen_host>
  <path>{dir}/data/</path>
  <tmp_path>{dir}/tmp/</tmp_path>
  <users_config>{dir}/users.xml</users_config>
  <default_profile>default</default_profile>
  <default_database>default</default_database>
  <mark_cache_size>67108864</mark_cache_size>
  <timezone>UTC</timezone>
</yandex>
"""
USERS = """<?xml version="1.0"?>
<yandex>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users>
    <facts>
      <password_sha256_hex>{digest}</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
    </facts>
  </users>
</yandex>
"""


class OldServer(NamedTuple):
    """Where it listens, plainly and with TLS, and the certificate that it shows (for ``localhost``)."""

    port: int
    secure_port: int
    certificate: Path


@contextmanager
def old_server(directory: Path) -> Iterator[OldServer]:
    """A running server with the user ``facts`` and :data:`PASSWORD`."""
    program = shutil.which("clickhouse-server", path=PATH)
    assert program, "Debian's clickhouse-server is missing: run deploy/system-packages test as root"
    tcp, tls, http = free_port(), free_port(), free_port()
    _certificate(directory)
    digest = hashlib.sha256(PASSWORD.encode()).hexdigest()
    (directory / "config.xml").write_text(CONFIG.format(dir=directory, tcp=tcp, tls=tls, http=http))
    (directory / "users.xml").write_text(USERS.format(digest=digest))
    with (directory / "output").open("wb") as output:
        server = subprocess.Popen(
            [program, f"--config-file={directory}/config.xml"], cwd=directory, stdout=output, stderr=output
        )
    try:
        _wait(server, tcp, directory)
        yield OldServer(tcp, tls, directory / "server.crt")
    finally:
        server.terminate()
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _certificate(directory: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    (directory / "server.crt").write_bytes(certificate.public_bytes(pem))
    (directory / "server.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, plain)
    )


def _wait(server: subprocess.Popen[bytes], port: int, directory: Path) -> None:
    deadline = time.monotonic() + READY_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            said = (directory / "output").read_text(errors="replace")[-2000:]
            assert server.poll() is None, f"clickhouse-server ended with {server.returncode}: {said}"
            assert time.monotonic() < deadline, f"clickhouse-server does not answer: {said}"
            time.sleep(0.05)
