"""Ports for servers that tests stop and start again on the same one."""

from __future__ import annotations

from streams.ports import free_port as server_port

__all__ = ["server_port"]
