"""One overview with one of everything, for the browser tests."""

from typing import Any

USDC = {"mint": "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", "symbol": "USDC", "decimals": 6}
BONK = {"mint": "DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263", "symbol": "BONK", "decimals": 5}
LEADER = "HN7cABqLq46Es1jh92dQQisAq662SmxELLLsHHe4YWrH"
WHEN = "2026-01-01T00:00:00Z"


def overview(**changes: Any) -> dict[str, Any]:
    """The sample, with the given top-level parts replaced."""
    return {
        "mode": {"environment": "local", "chain_genesis": "g", "worthless": True, "slot": 1234, "block_time": 1_700_000_000},
        "bot": {"state": "active", "reason": None, "since": None, "kill_switch_stopped": False, "open_intents": 1},
        "scoring": {"run_id": "r", "as_of_slot": 1200, "status": "completed", "completed_at": WHEN},
        "leaders": [_leader(1, 37.0, followed=True), _leader(2, 21.4), _leader(3, 17.5)],
        "vaults": [_vault()],
        "trades": [_trade(), {**_trade(), "id": "exit", "cause": "missed_exit", "leader_trade": None, "delay_slots": None}],
        "decisions": [
            _decision("copied", "share of equity", {"share_of_equity": "0.1", "leader_value_usd": "1234.5", "allocation_bps": 2_000}),
            _decision("skipped", "below the smallest trade", {"sized_raw": "1000", "close": {"rule": "below one unit"}}),
        ],
        "totals": {"settled": 1, "reverted": 0, "dead": 0, "unsettled": 1, "copied": 1, "resized": 0, "skipped": 1, "refused": 0},
        **changes,
    }


def _leader(rank: int, score: float, *, followed: bool = False) -> dict[str, Any]:
    return {
        "rank": rank,
        "wallet": f"{rank}{LEADER[1:]}",
        "score": score,
        "model": "v1",
        "eligible": True,
        "trade_count": 100 * rank,
        "win_rate_percent": 80.0,
        "total_return_percent": 90.0,
        "max_drawdown_percent": 10.0,
        "followed": followed,
        "evidence": {
            "classic_score": score,
            "trust_score": 62.4,
            "edge_percent": 97.0,
            "band_low": -0.02,
            "band_high": 0.21,
            "evidence_days": 120,
            "capacity_usd": 410.0,
            "copy_cost_percent": 0.4,
            "expected_drawdown_percent": 12.0,
            "calibration": "synthetic prior 1",
            "reasons": [
                "its copied record is better than this market's usual one: +21.3 points",
                "its record is 120 days long: −8.2 points",
                "part of its gains are SOL's own moves: −2.4 points",
            ],
            "past": "wallets scored like this (60 to 70) paid their copiers in 61 % of past 90-day windows (231 wallets)",
        },
    }


def _vault() -> dict[str, Any]:
    return {
        "address": LEADER,
        "owner": LEADER,
        "is_active": True,
        "paused": False,
        "bot_authority": LEADER,
        "bot_expires_at": None,
        "total_deposited_raw": "500000000",
        "net_deposited_raw": "500000000",
        "value_usd": 500.25,
        "pnl_usd": 0.25,
        "balances": [{**USDC, "amount_raw": "490000000", "value_usd": 490.0}, {**BONK, "amount_raw": "1234500000", "value_usd": None}],
    }


def _trade() -> dict[str, Any]:
    leader_trade = {
        "leader": LEADER,
        "signature": "4" * 88,
        "slot": 1228,
        "input": {**USDC, "amount_raw": "100000000"},
        "output": {**BONK, "amount_raw": "1000000"},
    }
    return {
        "id": "t",
        "status": "settled",
        "cause": "leader_trade",
        "direction": "open",
        "input": {**USDC, "amount_raw": "10000000"},
        "output": {**BONK, "amount_raw": "100000"},
        "signature": "5" * 88,
        "slot": 1230,
        "delay_slots": 2,
        "leader_trade": leader_trade,
        "reason": None,
        "updated_at": WHEN,
    }


def _decision(outcome: str, rule: str, numbers: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": outcome,
        "outcome": outcome,
        "rule": rule,
        "numbers": numbers,
        "leader": LEADER,
        "leader_signature": "4" * 88,
        "input": {**USDC, "amount_raw": "100000000"},
        "output": {**BONK, "amount_raw": "1000000"},
        "slot": 1228,
        "created_at": WHEN,
    }
