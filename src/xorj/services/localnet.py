"""The process `localnet`: the local chain on 8899 and 8900, the Jupiter-shaped API on 8890, and who trades on it beside them.

That is the demo market, or a recording that is played, or nobody on a bare chain. A past that is new to the data folder is executed
before the ports open.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from xorj.demo.history import execute_history, market_genesis, market_name
from xorj.demo.live import trade_live
from xorj.demo.market import Cast
from xorj.demo.past import Past, ensure_past, past_folder
from xorj.demo.recording import read_recording
from xorj.demo.replay import FastClock, execute_recorded_past, listed, play_live, replay_genesis, replay_name
from xorj.localnet.bank import Bank
from xorj.localnet.genesis import Genesis, local_genesis
from xorj.localnet.health import health_app
from xorj.localnet.jupiter.api import jupiter_app
from xorj.localnet.jupiter.tokens import ListedToken
from xorj.localnet.live import LiveChain, wall_seconds
from xorj.localnet.run import Extras, Ports, run_chain
from xorj.primitives.errors import Unavailable
from xorj.settings import JUPITER_PORT, RPC_PORT, WEBSOCKET_PORT, LocalnetSettings
from xorj.supervisor.ports import taken


@dataclass(frozen=True, slots=True)
class Scene:
    """Which chain is run: its folder, its first state, its tokens' names, and who trades on it."""

    folder: Path
    genesis: Genesis
    tokens: Sequence[ListedToken] = ()
    prepare: Callable[[Bank], None] | None = None
    tasks: Sequence[Callable[[LiveChain], Awaitable[None]]] = ()
    block_seconds: Callable[[], int] = wall_seconds


async def serve(settings: LocalnetSettings) -> None:
    """Runs until SIGTERM or SIGINT.

    Raises RefusedForSafety on a public address or a folder that is open or lived in elsewhere, Unavailable for a port that is taken.
    """
    ports = Ports(
        host=settings.bind_host,
        rpc=RPC_PORT + settings.port_offset,
        websocket=WEBSOCKET_PORT + settings.port_offset,
        allow_public=settings.allow_public,
    )
    ports.require_private()
    scene = _scene(settings)
    jupiter = JUPITER_PORT + settings.port_offset
    # Asked before a history is executed, which takes its time.
    for port in taken({ports.rpc: "rpc", ports.websocket: "websocket", jupiter: "jupiter"}, ports.host):
        raise Unavailable(f"port {port.port}", f"it is taken by {port.holder}; see --port-offset")
    extras = Extras(
        prepare=scene.prepare,
        tasks=scene.tasks,
        apps=((jupiter, lambda chain: jupiter_app(chain, scene.tokens)),),
        get=health_app,
        block_seconds=scene.block_seconds,
    )
    await run_chain(scene.folder, scene.genesis, ports, extras, slot_ms=settings.slot_ms)


def _scene(settings: LocalnetSettings) -> Scene:
    folder = settings.data_dir / "localnet"
    if settings.replay is not None:
        return _replay(folder, settings.replay)
    return _market(folder, settings.seed) if settings.market else Scene(folder / "bare", local_genesis())


def _market(localnet: Path, seed: int) -> Scene:
    cast = Cast.of(seed)
    folder = past_folder(localnet, market_name(seed))

    def past(bank: Bank) -> Past:
        return ensure_past(bank, folder, lambda new: execute_history(new, cast))

    def prepare(bank: Bank) -> None:
        past(bank)

    async def live(chain: LiveChain) -> None:
        await trade_live(chain, cast, past(chain.bank))

    return Scene(folder, market_genesis(cast, int(time.time())), cast.listed(), prepare, (live,))


def _replay(localnet: Path, file: Path) -> Scene:
    recording, clock = read_recording(file), FastClock()
    folder = past_folder(localnet, replay_name(recording))

    def prepare(bank: Bank) -> None:
        ensure_past(bank, folder, lambda new: execute_recorded_past(new, recording))
        clock.begin(bank.unix_seconds)

    async def live(chain: LiveChain) -> None:
        await play_live(chain, recording)

    return Scene(folder, replay_genesis(recording), listed(recording), prepare, (live,), clock)
