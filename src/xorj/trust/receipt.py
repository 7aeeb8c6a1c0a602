"""What a score was computed from, so that anybody can compute it again to the bit. Made by the store's caller, shown by `trust explain`."""

from dataclasses import asdict
from importlib import metadata
from typing import Any

from xorj.trust.copy_verdict import CopyScore
from xorj.trust.ranking import ScoringRun, TraderScore


def receipt_of(run: ScoringRun, score: TraderScore) -> dict[str, Any]:
    """The chain of inputs from the swaps to the score, as JSON values."""
    performance, classic = score.performance, score.classic
    return {
        "model": run.model.value,
        "code_version": metadata.version("xorj"),
        "as_of_slot": run.as_of_slot,
        "as_of_block_time": run.as_of_block_time,
        "lake_version": run.lake_version,
        "run_input_hash": run.input_hash,
        "movement_hash": run.movement_hash,
        "parameter_hash": run.parameter_hash,
        "wallet_input_hash": score.input_hash,
        "inputs": {
            "roi_percent": _percent(performance.roi),
            "max_drawdown_percent": _percent(performance.max_drawdown),
            "trades": performance.trades,
        },
        "parts": {
            "sharpe_ratio": classic.sharpe_ratio,
            "sharpe": classic.sharpe,
            "roi": classic.roi,
            "drawdown": classic.drawdown,
        },
        "classic_score": classic.score,
        "score": score.value(run.model),
        "copy": _copy(score),
        "live_calibration": None if run.live is None else asdict(run.live) | {"prior": list(run.live.prior)},
        "terms": asdict(run.terms) | {"refused": sorted(run.terms.refused)},
        "rules": asdict(run.rules) | {"excluded": sorted(run.rules.excluded), "gapped": sorted(run.rules.gapped & {performance.wallet})},
        "performance": {
            "realised_pnl_usd": performance.realised_pnl_usd,
            "unrealised_pnl_usd": performance.unrealised_pnl_usd,
            "fees_usd": performance.fees_usd,
            "net_pnl_usd": performance.net_pnl_usd,
            "capital_usd": performance.capital_usd,
            "unmatched_sold_usd": performance.unmatched_sold_usd,
            "volume_usd": performance.volume_usd,
            "win_rate": performance.win_rate,
            "closing_trades": performance.closing_trades,
            "unpriced_trades": performance.unpriced_trades,
            "days": performance.days,
            "first_trade": performance.first_trade,
            "last_trade": performance.last_trade,
        },
    }


def _percent(fraction: float | None) -> float | None:
    return None if fraction is None else fraction * 100


def _copy(score: TraderScore) -> dict[str, Any]:
    """The trust score with all that it says, or what there is instead of it."""
    found = asdict(score.copy)
    links = {name: list(value) if isinstance(value, tuple) else value for name, value in found.pop("links").items()}
    found.pop("wallet")
    if "reasons" in found:
        found["reasons"] = list(found["reasons"])
    return {"has_evidence": isinstance(score.copy, CopyScore), **found, "links": links}
