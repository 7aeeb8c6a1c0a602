"""`xorj swaps`: a transaction to its swaps, recorded swaps into a lake, and what a lake knows of a wallet."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
import typer
from rich.table import Column, Table

from xorj.adapters.lake.delta_lake import DeltaLake
from xorj.adapters.lake.store import chain_of
from xorj.adapters.lake.swap_csv import DECIMALS_MAX, read_swaps
from xorj.adapters.solana_rpc.transactions import parse_reply
from xorj.chain.transactions import ChainTransaction
from xorj.cli import backfill
from xorj.cli.lake_option import LakeOption, named_lake, place_named
from xorj.cli.tables import show
from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import Mint, Wallet, parse_pubkey
from xorj.settings import GENESIS
from xorj.swaps.account_mark import AccountMark, account_mark
from xorj.swaps.coverage import Coverage, Learned, SlotRange, Source, covered
from xorj.swaps.decoder import decode, traders
from xorj.swaps.ports import CoverageReader
from xorj.swaps.record import Record
from xorj.swaps.swap import NotASwap, Swap, Undecodable

FILE_BYTES_MAX = 64 * 1024 * 1024
GAPS_SHOWN_MAX = 20

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Swaps of wallets: decode a transaction, import a recording, tell what is known."
)

for command in (backfill.backfill, backfill.watch, backfill.unwatch, backfill.watched):
    app.command()(command)


@app.command("decode")
def decode_file(
    file: Path = typer.Argument(..., help="A getTransaction reply, whole or its result, encoding json or jsonParsed.", metavar="FILE"),
    wallet: str | None = typer.Option(None, help="The wallet to decode for; every signer and trader when not given."),
    as_json: bool = typer.Option(False, "--json", help="One JSON list instead of a table."),
) -> None:
    """Say what a transaction was for each wallet. Example: ./xorj swaps decode reply.json --wallet 9QC3… --json"""
    transaction = _read_transaction(file)
    wallets = traders(transaction) if wallet is None else (_known_wallet(transaction, wallet),)
    rows = [row for one in wallets for row in _rows(transaction, one)]
    if as_json:
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
    else:
        _show(rows)


@app.command("import")
def import_file(
    file: Path = typer.Argument(..., help="CSV of swaps, plain or gzip.", metavar="FILE"),
    lake: LakeOption = typer.Option(
        ..., help="The lake: a folder, or s3://bucket/folder; made when not there.", metavar="DIR", parser=named_lake
    ),
    chain: str = typer.Option("mainnet", help="Chain the swaps are of: mainnet, devnet, local, or a genesis hash."),
    decimals: list[str] = typer.Option([], help="Decimals of a mint that is not well known, MINT=N; may be repeated."),
) -> None:
    """Add recorded swaps to a lake; doing it again adds nothing. Example: ./xorj swaps import swaps.csv.gz --lake /tmp/lake"""
    place = lake.place
    if isinstance(place, Path) and place.exists() and not place.is_dir():
        raise InvalidInput("--lake", given=str(place), rule="a folder, or the name of a new one")
    records = read_swaps(file, dict(_decimals(text) for text in decimals))
    added = asyncio.run(_added(DeltaLake(place, _genesis(chain)), records))
    swaps = sum(len(record.outcome) for record in records if isinstance(record.outcome, tuple))
    wallets = len({record.wallet for record in records})
    typer.echo(f"read {swaps} swaps of {wallets} wallets in {len(records)} transactions; {added} transactions were new to {place}")


async def _added(lake: DeltaLake, records: list[Record]) -> int:
    """Commits all that is new, or nothing. Raises InvalidInput where something is older than what the lake has of its wallet."""
    behind = await lake.behind(records)
    if behind:
        raise InvalidInput(
            "FILE",
            given=f"{len(behind)} transactions, the first of slot {behind[0].slot}",
            rule="transactions after those that the lake has of the same wallet; import older files first, or all of them as one",
        )
    return await lake.commit(records, {})


@app.command("coverage")
def coverage(
    wallet: str = typer.Argument(..., help="The wallet to tell about.", metavar="WALLET"),
    lake: LakeOption | None = typer.Option(
        None, help="The lake: a folder, or s3://bucket/folder; the settings' when not given.", metavar="DIR", parser=named_lake
    ),
    as_json: bool = typer.Option(False, "--json", help="One JSON object instead of a table."),
) -> None:
    """Say which slots of a wallet are known, from where, and what came of its transactions. Example: ./xorj swaps coverage 9QC3… --lake DIR

    Every commit says which slots it knew whole and which providers told it; of a recording only the slots of its rows are known. A hole is
    a balance that something changed which no provider tells of: such a wallet is not ranked.
    """
    known = Wallet(parse_pubkey(wallet, "WALLET"))
    place = place_named(lake)
    records, learned = asyncio.run(_kept(DeltaLake(place, chain_of(place)), known))
    if not records:
        raise InvalidInput("WALLET", given=wallet, rule="a wallet with records in the lake")
    found, mark = covered(records, learned), account_mark(records)
    if as_json:
        typer.echo(orjson.dumps({"wallet": known, "mark": mark, **asdict(found)}, option=orjson.OPT_INDENT_2).decode())
    else:
        _show_coverage(found, mark)


async def _kept(lake: CoverageReader, wallet: Wallet) -> tuple[list[Record], list[Learned]]:
    return await lake.records(wallet), await lake.learned(wallet)


def _show_coverage(found: Coverage, mark: AccountMark | None) -> None:
    table = Table("what", "figure", title=f"slots {found.slots.first} to {found.slots.last}")
    table.add_row("marked as", mark or "nothing else than a trader")
    table.add_row("records", str(found.records))
    for name, count in sorted(found.outcomes.items()):
        table.add_row(f"  {name}", str(count))
    for reason, count in sorted(found.undecodable.items()):
        table.add_row(f"  undecodable: {reason}", str(count))
    for source in Source:
        table.add_row(f"known from a {source}", _span([one.slots for one in found.known if one.source is source]))
    for name, ranges in found.sources.items():
        table.add_row(f"  told by {name}", _span(ranges))
    table.add_row("held against a second source", _span(found.compared))
    table.add_row("gaps", str(len(found.gaps)))
    for gap in found.gaps[:GAPS_SHOWN_MAX]:
        table.add_row("  not known", f"{gap.first} to {gap.last}")
    table.add_row("holes", str(len(found.holes)))
    for hole in found.holes[:GAPS_SHOWN_MAX]:
        what = "lamports" if hole.mint is None else hole.mint
        table.add_row("  unexplained", f"{what} between {hole.after} and {hole.before}: {hole.left_raw} became {hole.found_raw}")
    show(table)


def _span(ranges: Sequence[SlotRange]) -> str:
    return f"{sum(one.last - one.first + 1 for one in ranges)} slots in {len(ranges)} ranges"


def _genesis(chain: str) -> str:
    return GENESIS[chain] if chain in GENESIS else parse_pubkey(chain, "--chain")


def _decimals(text: str) -> tuple[Mint, int]:
    mint, _, number = text.partition("=")
    if not number.isdigit() or int(number) > DECIMALS_MAX:
        raise InvalidInput("--decimals", given=text, rule=f"MINT=N with N from 0 to {DECIMALS_MAX}")
    return Mint(parse_pubkey(mint, "--decimals")), int(number)


def _read_transaction(file: Path) -> ChainTransaction:
    try:
        with file.open("rb") as opened:
            content = opened.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise InvalidInput("FILE", given=str(file), rule=f"a file that can be read ({error.strerror})") from error
    if len(content) > FILE_BYTES_MAX:
        raise InvalidInput("FILE", given=str(file), rule=f"at most {FILE_BYTES_MAX} bytes")
    return parse_reply(content)


def _known_wallet(transaction: ChainTransaction, text: str) -> Wallet:
    wallet = Wallet(parse_pubkey(text, "--wallet"))
    owners = {row.owner for row in (*transaction.pre_token_balances, *transaction.post_token_balances)}
    if wallet not in owners and wallet not in {*map(str, transaction.account_keys), *traders(transaction)}:
        raise InvalidInput("--wallet", given=wallet, rule="a wallet that takes part in the transaction")
    return wallet


def _rows(transaction: ChainTransaction, wallet: Wallet) -> list[dict[str, Any]]:
    outcome = decode(transaction, wallet)
    shared = {"signature": transaction.signature, "slot": transaction.slot, "wallet": wallet}
    if isinstance(outcome, NotASwap):
        return [{"outcome": "not_a_swap", **shared, "kind": outcome.kind.value}]
    if isinstance(outcome, Undecodable):
        return [{"outcome": "undecodable", **shared, "reason": outcome.reason}]
    return [{"outcome": "swap", **shared, **_swap_fields(swap)} for swap in outcome]


def _swap_fields(swap: Swap) -> dict[str, Any]:
    return {
        "input_mint": swap.input.mint,
        "input_amount": str(swap.input.raw),
        "output_mint": swap.output.mint,
        "output_amount": str(swap.output.raw),
        "network_fee_lamports": swap.network_fee_lamports,
        "tip_lamports": swap.tip_lamports,
        "venues": list(swap.programs),
    }


def _show(rows: Sequence[dict[str, Any]]) -> None:
    table = Table(Column("wallet", no_wrap=True), "outcome", "what")
    for row in rows:
        what = row.get("kind") or row.get("reason")
        if row["outcome"] == "swap":
            what = f"{row['input_amount']} {row['input_mint']} -> {row['output_amount']} {row['output_mint']}"
        table.add_row(row["wallet"], row["outcome"], what)
    show(table)
