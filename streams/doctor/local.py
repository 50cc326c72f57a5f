"""What is of this machine: keys, policy, data directory, ports."""

from __future__ import annotations

import os
import urllib.request
from pathlib import Path

from detectors import policy
from streams.doctor.check import Check
from streams.ports import is_free
from streams.settings import Settings

__all__ = ["examine"]

LOOK_S = 1.0


def examine(settings: Settings) -> list[Check]:
    """All of this machine's checks; none waits longer than a second."""
    return [*_keys(settings), _policy(settings), _data_dir(settings.data_dir), *_ports(settings)]


def _keys(settings: Settings) -> list[Check]:
    checks = []
    for name, key in (("pseudonym", settings.pseudonym_key), ("reference", settings.reference_key)):
        variable = f"REHUMAN_{name.upper()}_KEY"
        if key.get_secret_value():
            checks.append(Check(f"{name} key", "ok", "set"))
        else:
            mend = f"export {variable}=$(openssl rand -hex 32), once, and keep it safe"
            checks.append(Check(f"{name} key", "fail", f"{variable} is not set", mend))
    both = settings.pseudonym_key.get_secret_value(), settings.reference_key.get_secret_value()
    if both[0] and both[0] == both[1]:
        mend = "give REHUMAN_REFERENCE_KEY a secret of its own"
        checks.append(Check("keys", "warn", "both keys are the same secret", mend))
    return checks


def _policy(settings: Settings) -> Check:
    if settings.policy is None:
        return Check("policy", "ok", f"the built-in one, version {policy.default().version}")
    try:
        version = policy.parse(settings.policy.read_text("utf-8")).version
    except policy.PolicyError as error:
        return Check("policy", "fail", f"{settings.policy}: {error}", f"correct {error.key} in the file")
    except (OSError, UnicodeDecodeError):
        return Check("policy", "fail", f"{settings.policy} cannot be read", "make it a readable text file")
    return Check("policy", "ok", f"{settings.policy}, version {version}")


def _data_dir(directory: Path) -> Check:
    there = next(parent for parent in (directory, *directory.absolute().parents) if parent.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return Check("data directory", "ok", str(directory))
    mend = "make it writable for this user, or set REHUMAN_DATA_DIR"
    return Check("data directory", "fail", f"{directory} cannot be written", mend)


def _ports(settings: Settings) -> list[Check]:
    ready = _worker_ready(settings)
    checks = []
    for name, host, port, variable in (
        ("metrics port", settings.metrics_host, settings.metrics_port, "REHUMAN_METRICS_PORT"),
        ("web port", "127.0.0.1", settings.web_port, "REHUMAN_WEB_PORT"),
    ):
        if port == 0 or is_free(host, port):
            found = f"{port} is free" if port else "any free one"
            checks.append(Check(name, "ok", found))
        elif ready is not None:
            state = "ready" if ready else "not ready yet"
            checks.append(Check(name, "ok", f"{port} is in use by a worker that is {state}"))
        else:
            mend = f"end that program, or set {variable} to a free port"
            checks.append(Check(name, "fail", f"{port} is in use by another program", mend))
    return checks


def _worker_ready(settings: Settings) -> bool | None:
    """Whether the worker on the metrics port is ready; None if none of ours answers there."""
    host = "127.0.0.1" if settings.metrics_host in ("0.0.0.0", "::") else settings.metrics_host  # noqa: S104 - compared, not bound
    url = f"http://{host}:{settings.metrics_port}/metrics"
    try:
        with urllib.request.urlopen(url, timeout=LOOK_S) as answer:
            lines = answer.read().decode().splitlines()
    except (OSError, ValueError):
        return None
    values = [line.split()[1] for line in lines if line.startswith("rehuman_ready ")]
    return float(values[0]) == 1 if values else None
