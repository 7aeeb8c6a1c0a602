"""The processes of `./xorj up`, in words: which there are, what each needs, how one sees that it is ready. Used by up and demo."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xorj.supervisor.process import HttpReady, Process
from xorj.supervisor.processes import DATABASE

LOOPBACK = "127.0.0.1"
# -P: a file of the current folder must not stand in for a module
XORJ = (sys.executable, "-P", "-m", "xorj")


@dataclass(frozen=True, slots=True)
class FleetPorts:
    """The ports of one fleet, its offset included."""

    web: int
    gateway: int
    quant_engine: int
    trade_bot: int
    rpc: int
    websocket: int
    jupiter: int

    @property
    def address(self) -> str:
        """Where a person finds the pages."""
        return f"http://{LOOPBACK}:{self.web}/"


def fleet(ports: FleetPorts, signer_socket: Path, *, embedded_database: bool, has_key: bool) -> list[Process]:
    """The whole of XORJ with its demo, for one machine. The embedded server is not among them: the supervisor has it in itself.

    `has_key` is whether the bot's key is there already; without it a one-shot makes it first.
    """
    database: Sequence[str] = (DATABASE,) if embedded_database else ()
    key: Sequence[str] = () if has_key else ("signer-key",)
    migrated = ("migrate",)
    chain = ("localnet",)
    return [
        *(_process(name, ["run", name], one_shot=True) for name in key),
        _process("migrate", ["run", "migrate"], needs=database, one_shot=True),
        _process("localnet", ["localnet"], ports=(ports.rpc, ports.websocket, ports.jupiter)),
        _process("signer", ["run", "signer"], needs=(*key, *chain), ready=HttpReady("http://signer/readyz", signer_socket)),
        _process("quant-engine", ["run", "quant-engine"], needs=migrated + chain, ports=(ports.quant_engine,)),
        _process("trade-bot", ["run", "trade-bot"], needs=(*migrated, *chain, "signer"), ports=(ports.trade_bot,)),
        _process("gateway", ["run", "gateway"], needs=migrated, ports=(ports.gateway,)),
        _process("web", ["run", "web"], needs=migrated, ports=(ports.web,)),
        _process("demo-follower", ["run", "demo-follower"], needs=("gateway", "trade-bot", *chain), one_shot=True),
    ]


def _process(
    name: str,
    words: Sequence[str],
    *,
    needs: Sequence[str] = (),
    ports: tuple[int, ...] = (),
    ready: HttpReady | None = None,
    one_shot: bool = False,
) -> Process:
    asked = ready or (HttpReady(f"http://{LOOPBACK}:{ports[0]}/readyz") if ports else None)
    return Process(name, (*XORJ, *words), tuple(needs), asked, one_shot, ports)
