"""`xorj localnet`: the local Solana chain in the foreground, with its demo market unless told otherwise."""

from pathlib import Path

import typer

from xorj.cli.run import run_service
from xorj.settings import JUPITER_PORT, RPC_PORT, LocalnetSettings, load


def localnet(
    port_offset: int | None = typer.Option(None, help="Added to the ports 8899, 8900 and 8890."),
    data_dir: Path | None = typer.Option(None, help="Folder of everything that is kept; the chain lives in its `localnet`."),
    slot_ms: int | None = typer.Option(None, min=10, max=10_000, help="Milliseconds between blocks."),
    seed: int | None = typer.Option(None, min=0, help="Seed of the demo market; another seed is another market."),
    market: bool | None = typer.Option(None, "--market/--no-market", help="With or without the demo market and its leaders."),
    replay: Path | None = typer.Option(None, help="CSV of recorded swaps to play instead of the demo market.", metavar="FILE"),
    allow_public: bool | None = typer.Option(None, "--allow-public", help="Let others reach a chain where anyone can mint."),
) -> None:
    """Run a local Solana chain: JSON-RPC and WebSocket on 8899, WebSocket on 8900, Jupiter-shaped API on 8890. Its funds are worthless.

    Example: ./xorj localnet --port-offset 1000 --no-market
    """
    settings = load(
        LocalnetSettings,
        port_offset=port_offset,
        data_dir=data_dir,
        slot_ms=slot_ms,
        seed=seed,
        market=market,
        replay=replay,
        allow_public=allow_public,
    )
    rpc, jupiter = RPC_PORT + settings.port_offset, JUPITER_PORT + settings.port_offset
    typer.echo(
        f"local chain, worthless funds: rpc http://{settings.bind_host}:{rpc}, jupiter http://{settings.bind_host}:{jupiter}", err=True
    )
    run_service("localnet", settings)
