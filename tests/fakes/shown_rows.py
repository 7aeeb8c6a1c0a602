"""A follower's story straight in the tables: ranked leaders, a vault with deposits, copies settled, under way, reverted and skipped."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from xorj.adapters.postgres import tables
from xorj.primitives.ids import LOCAL_GENESIS, USDC

BONK = "DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263"
LEADER, OTHER_LEADER = "7rhxnLV8C77o6d8oz26AgK8x8m5ePsdeRawjqvojbjnQ", "HN7cABqLq46Es1jh92dQQisAq662SmxELLLsHHe4YWrH"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


async def plant_user(connection: AsyncConnection, user: str, owner: str, *, vault: str, bot: str | None, **changes: Any) -> None:
    """A user with a vault that holds 500 USDC of deposit, 100 of it spent for BONK."""
    await connection.execute(insert(tables.users).values(id=user, wallet_address=owner))
    row: dict[str, Any] = {"address": vault, "owner": owner, "user_id": user, "base_mint": USDC, "total_deposited_raw": 500_000_000}
    row |= {"bot_authority": bot, "is_active": True, "is_paused": False, "as_of_slot": 90, "genesis_hash": LOCAL_GENESIS}
    await connection.execute(insert(tables.vaults).values(row | changes))
    moves = [(USDC, 500_000_000, "deposit"), (USDC, -100_000_000, "trade"), (BONK, 10_000_000, "trade"), (USDC, -20_000_000, "withdrawal")]
    for number, (mint, delta, cause) in enumerate(moves):
        signature = f"{vault} {cause}"
        values = {"vault": vault, "mint": mint, "delta_raw": delta, "cause": cause, "signature": signature, "slot": 91 + number}
        await connection.execute(insert(tables.ledger).values(genesis_hash=LOCAL_GENESIS, **values))


async def plant_ranking(engine: AsyncEngine, run: str = "run", *, as_of_slot: int = 80, status: str = "completed") -> None:
    """Two ranked wallets and one that is not eligible."""
    rows = [(LEADER, 1, 37.0123, True), (OTHER_LEADER, 2, 21.4, True), ("11111111111111111111111111111111", None, 0.0, False)]
    async with engine.begin() as connection:
        made = {
            "status": status,
            "model": "v1",
            "as_of_slot": as_of_slot,
            "traders_analyzed": 3,
            "traders_ranked": 2,
            "completed_at": BEGIN,
        }
        await connection.execute(insert(tables.scoring_runs).values(id=run, genesis_hash=LOCAL_GENESIS, **made))
        for wallet, rank, score, eligible in rows:
            values = {"run_id": run, "wallet_address": wallet, "xorj_trust_score": round(score, 2), "score": score, "rank": rank}
            values |= {"win_rate": 80, "total_return": 90, "max_drawdown": 10, "trade_count": 100, "model": "v1", "is_eligible": eligible}
            values |= {"classic_score": score, "evidence_days": 120}
            await connection.execute(insert(tables.trader_scores).values(id=f"{run} {wallet}", genesis_hash=LOCAL_GENESIS, **values))


async def plant_token(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        row = {
            "mint": BONK,
            "symbol": "BONK",
            "name": "Bonk",
            "decimals": 5,
            "token_program": "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
        }
        await connection.execute(insert(tables.token_metadata).values(genesis_hash=LOCAL_GENESIS, **row))


async def plant_copy(
    connection: AsyncConnection, user: str, vault: str, number: int, *, state: str = "settled", outcome: str = "copied", **attempt: Any
) -> None:
    """One leader trade at slot 100 + number, its decision, and unless it was skipped its intent with one attempt; filled when settled."""
    follow = f"follow {user}"
    ids = {"genesis_hash": LOCAL_GENESIS, "created_at": BEGIN + timedelta(seconds=number)}
    following = {
        "id": follow,
        "user_id": user,
        "vault": vault,
        "leader": LEADER,
        "allocation_bps": 2_000,
        "mode": "copy",
        "valid_from_slot": 1,
    }
    if number == 0:
        await connection.execute(insert(tables.follows).values(genesis_hash=LOCAL_GENESIS, **following))
    theirs = {
        "id": f"theirs {user} {number}",
        "leader": LEADER,
        "signature": f"theirs {user} {number}",
        "swap_index": 0,
        "slot": 100 + number,
    }
    theirs |= {"direction": "open", "input_mint": USDC, "input_raw": 900_000_000, "input_decimals": 6, "output_mint": BONK}
    await connection.execute(insert(tables.leader_trades).values(**ids, **theirs, output_raw=90_000_000, output_decimals=5, seen_slot=101))
    decided = {"id": f"decision {user} {number}", "leader_trade_id": theirs["id"], "follow_id": follow, "user_id": user, "vault": vault}
    decided |= {"outcome": outcome, "rule": "share of equity", "rule_version": 1, "numbers": {"sized_raw": "1"}, "slot": 101}
    await connection.execute(insert(tables.decisions).values(**ids, **decided))
    if outcome in {"copied", "resized"}:
        await _plant_intent(connection, user, vault, number, state, decided["id"], ids, attempt)


async def _plant_intent(
    connection: AsyncConnection, user: str, vault: str, number: int, state: str, decision: str, ids: dict[str, Any], attempt: dict[str, Any]
) -> None:
    intent, tried = f"intent {user} {number}", f"attempt {user} {number}"
    wish = {"id": intent, "user_id": user, "vault": vault, "cause_kind": "leader_trade", "cause_id": f"cause {number}", "leg": 0}
    wish |= {"rule_version": 1, "decision_id": decision, "leader": LEADER, "side": "buy", "input_mint": USDC, "output_mint": BONK}
    wish |= {"amount_in_raw": 100_000_000, "slippage_bps": 100, "state": state, "created_slot": 101, "expires_slot": 300}
    await connection.execute(insert(tables.intents).values(**ids, **wish))
    if state in {"new", "reserved"}:
        return
    made = {"id": tried, "intent_id": intent, "number": 1, "state": "signed", "message": b"m", "minimum_out_raw": 1, "input_decimals": 6}
    made |= {"blockhash": "b", "last_valid_block_height": 1, "built_slot": 102, "deadline_slot": 200, "nonce": number, "bot_epoch": 1}
    made |= {"lease_epoch": 1, "signature": f"ours {user} {number}"}
    if state == "settled":
        made |= {"state": "final_ok", "landed_slot": 103 + number}
    if state == "reverted":
        made |= {"state": "final_err", "landed_slot": 103 + number, "error": "SlippageExceeded"}
    await connection.execute(insert(tables.attempts).values(**ids, **made | attempt))
    if state == "settled":
        filled = {"attempt_id": tried, "intent_id": intent, "vault": vault, "leader": LEADER, "side": "buy", "signature": made["signature"]}
        filled |= {"slot": 103 + number, "input_mint": USDC, "input_raw": 100_000_000, "output_mint": BONK, "output_raw": 10_000_000}
        await connection.execute(insert(tables.fills).values(**ids, **filled, fee_lamports=5_000))


async def plant_bot(engine: AsyncEngine, *, beats: datetime, gate_open: bool = True, draining: bool = False) -> None:
    async with engine.begin() as connection:
        row = {"id": 1, "draining": draining, "gate_open": gate_open, "heartbeat_slot": 100, "heartbeat_at": beats}
        await connection.execute(insert(tables.bot_controls).values(row))
