"""`xorj trust`: the classic score of given numbers, the ranking of a lake, a score with its receipt, a receipt computed again."""

import asyncio
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import orjson
import typer
from rich.table import Column, Table

from xorj.adapters.lake.delta_lake import DeltaLake
from xorj.adapters.lake.place import Place
from xorj.adapters.lake.store import chain_of
from xorj.cli.lake_option import LakeOption, named_lake, place_named
from xorj.cli.performance import AsOf
from xorj.cli.receipt_parameters import refuse_impossible
from xorj.cli.slot_option import asked_slot, nothing_at
from xorj.cli.tables import show
from xorj.cli.trust_report import explained_in_words, read_bands, read_calibration, report, run
from xorj.demo.identities import EXCLUDED_WALLETS
from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import LOCAL_GENESIS, Slot, Wallet, parse_pubkey
from xorj.trust.classic_score import SCORE_MAX, classic_score
from xorj.trust.copy_replay import Terms
from xorj.trust.copy_verdict import CopyScore, CopyVerdict
from xorj.trust.eligibility import Rules
from xorj.trust.live_calibration import LiveCalibration
from xorj.trust.ranking import Model, ScoringRun, TraderScore
from xorj.trust.receipt import receipt_of
from xorj.trust.score_wallets import Scored, score_wallets

SLOT_MAX = 2**63 - 1
# what stands for a field that is not there: no JSON value is equal to it
ABSENT = object()

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Who is worth copying: scores, rankings, receipts.")

Lake = typer.Option(
    None, "--lake", help="The lake: a folder, or s3://bucket/folder; the settings' when not given.", metavar="DIR", parser=named_lake
)
InForce = typer.Option(Model.TRUST, "--model", help="v2 ranks by the trust score, v1 by the classic one.")
AsJson = typer.Option(False, "--json", help="JSON instead of text.")


app.command("report")(report)
app.command("run")(run)


@app.command("v1")
def v1(
    roi: float = typer.Option(..., help="Return on capital, in percent."),
    max_drawdown: float = typer.Option(..., help="Deepest fall from a peak, in percent, 0 to 100."),
    trades: int = typer.Option(..., help="Number of trades, at least 1."),
    as_json: bool = AsJson,
) -> None:
    """The classic score of one trader, 0 to 55. Example: ./xorj trust v1 --roi 90 --max-drawdown 10 --trades 100"""
    found = classic_score(roi_percent=roi, max_drawdown_percent=max_drawdown, trades=trades)
    parts = {"sharpe_ratio": found.sharpe_ratio, "sharpe": found.sharpe, "roi": found.roi, "drawdown": found.drawdown}
    if as_json:
        typer.echo(orjson.dumps({"model": "v1", "score": found.score, "rounded": round(found.score, 1), "parts": parts}).decode())
        return
    typer.echo(f"classic score {found.score:.2f}, rounded {found.score:.1f}, of 0 to {SCORE_MAX:g}")
    typer.echo(f"  sharpe ratio {found.sharpe_ratio:.4f}, as part {found.sharpe:.4f} x 0.40")
    typer.echo(f"  roi part      {found.roi:.4f} x 0.15")
    typer.echo(f"  drawdown part {found.drawdown:.4f} x -0.45")
    typer.echo("cliffs: a drawdown of exactly 0 loses the sharpe part's gain; more trades at the same ROI lower the score")


@app.command("rank")
def rank(lake: LakeOption | None = Lake, as_of: int | None = AsOf, model: Model = InForce, as_json: bool = AsJson) -> None:
    """Rank the wallets of a lake by their trust score. Example: ./xorj trust rank --lake .xorj/lake --json"""
    run = _run(lake, as_of, model)
    rows = [_row(score, run.model) for score in run.scores]
    if as_json:
        hashes = {"input_hash": run.input_hash, "parameter_hash": run.parameter_hash}
        summary = {"run_id": run.id, "model": run.model, "as_of_slot": run.as_of_slot, **hashes, "traders": rows}
        typer.echo(orjson.dumps(summary, option=orjson.OPT_INDENT_2).decode())
        return
    table = Table(
        "rank", Column("wallet", no_wrap=True), "trust", "edge", "classic", "roi %", "win %", "drawdown %", "trades", "not ranked because"
    )
    for row in rows:
        table.add_row(*(_text(row[name]) for name in _SHOWN))
    show(table)


@app.command("explain")
def explain(
    wallet: str = typer.Argument(..., help="The wallet.", metavar="WALLET"),
    lake: LakeOption | None = Lake,
    as_of: int | None = AsOf,
    model: Model = InForce,
) -> None:
    """A wallet's score and everything it was computed from, as JSON: its receipt. Example: ./xorj trust explain 9QC3… --lake .xorj/lake"""
    explained = _explained(_run(lake, as_of, model), Wallet(parse_pubkey(wallet, "WALLET")))
    typer.echo(orjson.dumps(explained, option=orjson.OPT_INDENT_2).decode())


@app.command("recompute")
def recompute(
    receipt: Path = typer.Argument(..., help="What `trust explain` printed.", metavar="RECEIPT", exists=True, dir_okay=False),
    lake: LakeOption | None = Lake,
) -> None:
    """Compute a receipt again from the lake as of its version; exit 1 if a bit differs. Example: ./xorj trust recompute receipt.json"""
    given = _receipt(receipt)
    inside = given["receipt"]
    wallet = Wallet(parse_pubkey(given["wallet"], "wallet"))
    run = _computed(_recomputed(place_named(lake), inside), lake, inside["as_of_slot"])
    again = orjson.loads(orjson.dumps(_explained(run, wallet)))
    # what is told in words follows from the receipt, and from windows that may have closed since
    told, made = ({name: value for name, value in one.items() if name != "in_words"} for one in (given, again))
    differing = sorted(_differences(told, made))
    for place in differing:
        typer.echo(f"differs: {place}", err=True)
    if differing:
        raise typer.Exit(1)
    pinned = f"slot {inside['as_of_slot']}, version {inside['lake_version']} of the lake"
    typer.echo(f"the same to the bit: score {inside['score']!r} of {wallet} as of {pinned}")


def _receipt(path: Path) -> dict[str, Any]:
    """Raises InvalidInput for what no `trust explain` has printed."""
    try:
        given = orjson.loads(path.read_bytes())
        inside = given["receipt"]
        is_one = (
            isinstance(given["wallet"], str)
            and all(type(inside[name]) is int and 0 <= inside[name] <= SLOT_MAX for name in ("as_of_slot", "lake_version"))
            and "score" in inside
        )
        is_one = is_one and inside["model"] in tuple(Model)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        is_one = False
    if not is_one:
        raise InvalidInput("RECEIPT", given=str(path), rule="a file with what `trust explain` printed")
    return cast("dict[str, Any]", given)


def _differences(given: Any, again: Any, place: str = "") -> Iterator[str]:
    """Where two JSON values are not the same."""
    if isinstance(given, dict) and isinstance(again, dict):
        for name in given.keys() | again.keys():
            yield from _differences(given.get(name, ABSENT), again.get(name, ABSENT), f"{place}.{name}".lstrip("."))
    elif given != again or type(given) is not type(again):
        yield place


def _explained(run: ScoringRun, wallet: Wallet) -> dict[str, Any]:
    found = next((score for score in run.scores if score.wallet == wallet), None)
    if found is None:
        raise InvalidInput("WALLET", given=wallet, rule="a wallet with swaps in the lake")
    known = found.copy if isinstance(found.copy, CopyScore) else None
    words = None if known is None else explained_in_words(known, run.terms, read_bands())
    return {"wallet": found.wallet, "rank": found.rank, "exclusion": found.exclusion, "in_words": words, "receipt": receipt_of(run, found)}


_SHOWN = (
    "rank",
    "wallet",
    "copy_score",
    "edge",
    "classic_score",
    "roi_percent",
    "win_rate_percent",
    "max_drawdown_percent",
    "trades",
    "exclusion",
)


def _run(lake: LakeOption | None, as_of: int | None, model: Model) -> ScoringRun:
    place = place_named(lake)
    chain = chain_of(place)
    rules = Rules(excluded=EXCLUDED_WALLETS if chain == LOCAL_GENESIS else frozenset())
    reader = DeltaLake(place, chain)

    async def scored() -> Scored | None:
        return await score_wallets(reader, rules, model, as_of=await asked_slot(reader, as_of), live=await read_calibration())

    return _computed(scored(), lake, as_of)


async def _recomputed(place: Place, inside: dict[str, Any]) -> Scored | None:
    """The run that a receipt is of, from the lake as it was. Raises InvalidInput for a version that the lake has not had, and for
    parameters that are none."""
    try:
        rules, terms = msgspec.convert(inside["rules"], Rules), msgspec.convert(inside["terms"], Terms)
        live = msgspec.convert(inside["live_calibration"], LiveCalibration | None)
    except (KeyError, msgspec.ValidationError) as error:
        raise InvalidInput("RECEIPT", given=str(error), rule="a receipt with its parameters") from error
    refuse_impossible(terms, live)
    reader = await DeltaLake(place, chain_of(place)).at_version(inside["lake_version"])
    slot = Slot(inside["as_of_slot"])
    return await score_wallets(reader, rules, Model(inside["model"]), as_of=slot, terms=terms, live=live)


def _computed(scoring: Coroutine[Any, Any, Scored | None], lake: LakeOption | None, as_of: int | None) -> ScoringRun:
    scored = asyncio.run(scoring)
    if scored is None:
        raise nothing_at(as_of, place_named(lake))
    return scored.run


def _row(score: TraderScore, model: Model) -> dict[str, Any]:
    performance = score.performance
    percents = {"roi_percent": performance.roi, "win_rate_percent": performance.win_rate, "max_drawdown_percent": performance.max_drawdown}
    return {
        "rank": score.rank,
        "wallet": score.wallet,
        "score": score.value(model),
        "classic_score": score.classic.score,
        **_copy_row(score.copy),
        **{name: None if fraction is None else fraction * 100 for name, fraction in percents.items()},
        "trades": performance.trades,
        "exclusion": score.exclusion,
    }


def _copy_row(copy: CopyVerdict) -> dict[str, Any]:
    known = copy if isinstance(copy, CopyScore) else None
    return {
        "copy_score": known and known.score,
        "edge": known and known.edge,
        "band": known and [known.band_low, known.band_high],
        "capacity_usd": known and known.capacity_usd,
        "evidence_days": copy.evidence_days,
        "round_trips": copy.round_trips,
        "calibration": known and known.calibration,
    }


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)
