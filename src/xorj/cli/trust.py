"""`xorj trust`: the classic score of given numbers, the ranking of a lake, one wallet's score with its receipt."""

from pathlib import Path
from typing import Any

import orjson
import typer
from rich.table import Column, Table

from xorj.adapters.lake.delta_lake import chain_of
from xorj.cli.performance import AsOf, read_report
from xorj.cli.tables import show
from xorj.demo.identities import EXCLUDED_WALLETS
from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import LOCAL_GENESIS, parse_pubkey
from xorj.settings import CommonSettings, load
from xorj.trust.classic_score import SCORE_MAX, classic_score
from xorj.trust.eligibility import Rules
from xorj.trust.ranking import ScoringRun, TraderScore
from xorj.trust.receipt import receipt_of
from xorj.trust.score_wallets import run_of

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Who is worth copying: scores, rankings, receipts.")

Lake = typer.Option(None, "--lake", help="Folder of the lake; the data folder's when not given.", metavar="DIR")
AsJson = typer.Option(False, "--json", help="JSON instead of text.")


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
def rank(lake: Path | None = Lake, as_of: int | None = AsOf, as_json: bool = AsJson) -> None:
    """Rank the wallets of a lake by the classic score. Example: ./xorj trust rank --lake .xorj/lake --json"""
    run = _run(lake, as_of)
    rows = [_row(score) for score in run.scores]
    if as_json:
        summary = {"run_id": run.id, "model": run.model, "as_of_slot": run.as_of_slot, "input_hash": run.input_hash, "traders": rows}
        typer.echo(orjson.dumps(summary, option=orjson.OPT_INDENT_2).decode())
        return
    table = Table("rank", Column("wallet", no_wrap=True), "classic", "roi %", "win %", "drawdown %", "trades", "not ranked because")
    for row in rows:
        table.add_row(*(_text(row[name]) for name in _SHOWN))
    show(table)


@app.command("explain")
def explain(
    wallet: str = typer.Argument(..., help="The wallet.", metavar="WALLET"), lake: Path | None = Lake, as_of: int | None = AsOf
) -> None:
    """A wallet's score and everything it was computed from, as JSON. Example: ./xorj trust explain 9QC3… --lake .xorj/lake"""
    wanted, run = parse_pubkey(wallet, "WALLET"), _run(lake, as_of)
    found = next((score for score in run.scores if score.wallet == wanted), None)
    if found is None:
        raise InvalidInput("WALLET", given=wanted, rule="a wallet with swaps in the lake")
    explained = {"wallet": found.wallet, "rank": found.rank, "exclusion": found.exclusion, "receipt": receipt_of(run, found)}
    typer.echo(orjson.dumps(explained, option=orjson.OPT_INDENT_2).decode())


_SHOWN = ("rank", "wallet", "score", "roi_percent", "win_rate_percent", "max_drawdown_percent", "trades", "exclusion")


def _run(lake: Path | None, as_of: int | None) -> ScoringRun:
    folder = lake or load(CommonSettings).data_dir / "lake"
    excluded = EXCLUDED_WALLETS if chain_of(folder) == LOCAL_GENESIS else frozenset()
    report = read_report(folder, as_of)
    if report is None:
        raise InvalidInput("lake", given=str(folder), rule="a lake with swaps in it")
    return run_of(report, Rules(excluded=excluded))


def _row(score: TraderScore) -> dict[str, Any]:
    performance = score.performance
    percents = {"roi_percent": performance.roi, "win_rate_percent": performance.win_rate, "max_drawdown_percent": performance.max_drawdown}
    return {
        "rank": score.rank,
        "wallet": score.wallet,
        "score": score.score.score,
        **{name: None if fraction is None else fraction * 100 for name, fraction in percents.items()},
        "trades": performance.trades,
        "exclusion": score.exclusion,
    }


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)
