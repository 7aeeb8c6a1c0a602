"""A local chain as its own process, to be killed: `python -m tests.fakes.localnet_process FOLDER RPC_PORT WEBSOCKET_PORT SLOT_MS`."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import httpx2
import orjson

ROOT = Path(__file__).resolve().parents[2]
START_S_MAX = 30.0


class LocalnetProcess:
    """Started on entering, killed on leaving; `client` posts to it."""

    def __init__(self, folder: Path, *, slot_ms: int = 50) -> None:
        self._folder, self._slot_ms = folder, slot_ms
        self.rpc_port, self.websocket_port = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.client = httpx2.Client(timeout=10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.rpc_port}"

    @property
    def websocket_url(self) -> str:
        return f"ws://127.0.0.1:{self.websocket_port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.kill()

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.fakes.localnet_process", str(self._folder)]
        ports = [str(one) for one in (self.rpc_port, self.websocket_port, self._slot_ms)]
        self._process = subprocess.Popen([*command, *ports], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT / "src")})
        deadline = time.monotonic() + START_S_MAX
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the local chain did not start (exit code {self._process.poll()})")
            time.sleep(0.02)  # a new process says that it listens by listening; nothing else can be waited for

    def kill(self) -> None:
        """SIGKILL: no handler runs, nothing is flushed."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        return self._end(signal.SIGTERM)

    def call(self, method: str, *params: Any) -> Any:
        body = orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        return orjson.loads(self.client.post(self.url, content=body).content)

    def _answers(self) -> bool:
        try:
            return "result" in self.call("getHealth")
        except httpx2.TransportError:
            return False

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(number)
        code = self._process.wait(timeout=20)
        self._process = None
        return code


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def main(folder: str, rpc_port: str, websocket_port: str, slot_ms: str) -> None:
    from tests.fakes.localnet_world import world_genesis

    from xorj.localnet.run import Extras, Ports, run_chain

    ports = Ports(rpc=int(rpc_port), websocket=int(websocket_port))
    asyncio.run(run_chain(Path(folder), world_genesis(), ports, Extras(), slot_ms=int(slot_ms)))


if __name__ == "__main__":
    main(*sys.argv[1:5])
