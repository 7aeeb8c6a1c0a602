"""Which of the ports that we need are taken, and by whom. Asked by `up` before anything starts, and by doctor."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

COMMAND_CHARACTERS_MAX = 80


@dataclass(frozen=True, slots=True)
class TakenPort:
    """A port that cannot be listened on; `holder` says who does, as far as we may know."""

    port: int
    wanted_by: str
    holder: str

    def __str__(self) -> str:
        return f"port {self.port} (for {self.wanted_by}) is taken by {self.holder}"


def taken(wanted: Mapping[int, str], host: str = "127.0.0.1") -> list[TakenPort]:
    """Those of `wanted` (port to process name) that cannot be listened on."""
    busy = [port for port in wanted if not _is_free(host, port)]
    holders = _holders() if busy else {}
    return [TakenPort(port, wanted[port], holders.get(port, "a process of another user")) for port in busy]


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # as our servers do: a port whose last connections are still closing is free
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError:
            return False
    return True


def _holders() -> dict[int, str]:
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return {}
    listening = [one for one in connections if one.status == psutil.CONN_LISTEN]
    return {one.laddr.port: _described(one.pid) for one in listening if one.pid is not None and one.laddr}


def _described(pid: int) -> str:
    try:
        process = psutil.Process(pid)
        command = " ".join(process.cmdline()) or process.name()
    except psutil.Error:
        return f"process {pid}"
    return f"process {pid} ({command[:COMMAND_CHARACTERS_MAX]})"
