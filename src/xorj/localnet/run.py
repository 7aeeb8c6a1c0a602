"""Runs a local chain with its ports until told to stop; called by services/localnet.py and by tests that need a real process."""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import uvicorn

from xorj.localnet.bank import Bank
from xorj.localnet.genesis import Genesis
from xorj.localnet.live import LiveChain, wall_seconds
from xorj.localnet.rpc.context import Node
from xorj.localnet.server import App, LocalnetApp
from xorj.primitives.errors import RefusedForSafety, Unavailable

GRACE_S = 2
SLOT_MS_DEFAULT = 200


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a local chain listens: JSON-RPC with WebSocket, and the WebSocket port where web3.js looks for it."""

    host: str = "127.0.0.1"
    rpc: int = 8899
    websocket: int = 8900
    allow_public: bool = False

    def require_private(self) -> None:
        """Raises RefusedForSafety for an address that others reach: anyone could mint, and mistake the funds for real ones."""
        try:
            private = self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            private = False
        if not private and not self.allow_public:
            raise RefusedForSafety(f"the local chain binds to loopback only, not to {self.host}, unless told so expressly")


@dataclass(frozen=True, slots=True)
class Extras:
    """What a composition adds: `prepare` executes history before the ports open, `tasks` run beside the chain, `apps` have own ports."""

    prepare: Callable[[Bank], None] | None = None
    tasks: Sequence[Callable[[LiveChain], Awaitable[None]]] = ()
    apps: Sequence[tuple[int, Callable[[LiveChain], App]]] = ()
    get: Callable[[LiveChain], App] | None = None
    block_seconds: Callable[[], int] = field(default=wall_seconds)


async def run_chain(directory: Path | None, genesis: Genesis, ports: Ports, extras: Extras, *, slot_ms: int = SLOT_MS_DEFAULT) -> None:
    """Returns after SIGTERM or SIGINT, with everything on the disk. Raises what stopped one of its parts."""
    ports.require_private()
    bank = Bank.open(directory, genesis)
    try:
        if extras.prepare is not None:
            extras.prepare(bank)
            bank.commit()
            bank.snapshot()
        await _serve(LiveChain(bank, slot_ms=slot_ms, block_seconds=extras.block_seconds), ports, extras)
    finally:
        bank.close()


async def _serve(chain: LiveChain, ports: Ports, extras: Extras) -> None:
    app = LocalnetApp(Node(chain), extras.get(chain) if extras.get is not None else None)
    apps: list[tuple[int, App]] = [(ports.rpc, app), (ports.websocket, app), *((port, make(chain)) for port, make in extras.apps)]
    sockets = [_listening(ports.host, port) for port, _ in apps]
    servers = [_Server(_config(one)) for _, one in apps]
    stopping = asyncio.Event()
    async with AsyncExitStack() as stack:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
            stack.callback(loop.remove_signal_handler, number)
        serving = [asyncio.ensure_future(server.serve([one])) for server, one in zip(servers, sockets, strict=True)]
        working = [asyncio.ensure_future(part) for part in (chain.run(), *(make(chain) for make in extras.tasks))]
        stop = asyncio.ensure_future(stopping.wait())
        await asyncio.wait([stop, *serving, *working], return_when=asyncio.FIRST_COMPLETED)
        ended = [task for task in (*serving, *working) if task.done()]
        await _stop(servers, serving, [stop, *working])
        for task in ended:
            task.result()


async def _stop(servers: Sequence["_Server"], serving: Sequence[asyncio.Future[Any]], others: Sequence[asyncio.Future[Any]]) -> None:
    """Lets open requests finish, then ends everything."""
    for task in others:
        task.cancel()
    for server in servers:
        server.should_exit = True
    await asyncio.wait(serving, timeout=GRACE_S)
    for task in serving:
        task.cancel()
    await asyncio.gather(*serving, *others, return_exceptions=True)


class _Server(uvicorn.Server):
    """A server that leaves signals to run_chain: one signal stops all ports in order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listening(host: str, port: int) -> socket.socket:
    """A bound socket. Raises Unavailable naming a port that is taken."""
    try:
        listening = socket.create_server((host, port), backlog=1_024)
    except OSError as error:
        raise Unavailable(f"port {port}", f"{host}:{port} cannot be listened on: {error.strerror}") from error
    # inherited by every connection; without it a reply waits 40 ms for the client's acknowledgement
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _config(app: App) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="none",
        http="httptools",
        ws="websockets-sansio",
        lifespan="off",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=GRACE_S,
        ws_max_size=8 * 1024 * 1024,
    )
