"""A database as after some months of trading, for the benches that ask it: written by PostgreSQL itself, the same for the same numbers.

Not a bench: it has no figures of its own.
"""

from dataclasses import dataclass

import psycopg
from solders.keypair import Keypair

from xorj.primitives.ids import USDC

LEADERS, MINTS = 50, 40
RECEIPT_BYTES = 6_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything. A user has one vault and follows three leaders; a leader trade is decided for each of his followers."""

    users: int = 100
    leader_trades: int = 5_000
    ranked: int = 500

    @property
    def in_words(self) -> str:
        return f"{self.users} users with vaults, {self.leader_trades} leader trades, {self.ranked} ranked wallets"


def key(kind: int, number: int) -> Keypair:
    """The same for the same numbers."""
    return Keypair.from_seed(kind.to_bytes(16, "big") + number.to_bytes(16, "big"))


def owner(number: int) -> str:
    return str(key(1, number).pubkey())


def address(kind: int, number: int) -> str:
    return str(key(kind, number).pubkey())


def fill(url: str, genesis: str, size: Size) -> dict[str, int]:
    """Writes everything and returns how many rows each table holds."""
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TEMP TABLE g AS SELECT %s::text AS genesis, %s::text AS usdc", (genesis, USDC))
        for kind, count in (("leader", LEADERS), ("mint", MINTS), ("vault", size.users), ("owner", size.users)):
            connection.execute(f"CREATE TEMP TABLE made_{kind}s (n int PRIMARY KEY, key text)")
            with connection.cursor().copy(f"COPY made_{kind}s FROM STDIN") as copy:
                for number in range(count):
                    copy.write_row(
                        (number, owner(number) if kind == "owner" else address({"leader": 2, "mint": 3, "vault": 4}[kind], number))
                    )
        for statement in _STATEMENTS:
            connection.execute(statement, {"trades": size.leader_trades, "ranked": size.ranked, "receipt": "r" * RECEIPT_BYTES})
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")
        tables = ("users", "vaults", "follows", "leader_trades", "decisions", "intents", "attempts", "fills", "ledger", "trader_scores")
        return {table: int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in tables}  # type: ignore[index]


# Row number n of each kind; times go back a minute a row. Three of four decisions are skips, as in a real day.
_STATEMENTS = (
    "INSERT INTO chain_identity (id, genesis_hash) SELECT 1, genesis FROM g",
    "INSERT INTO users (id, wallet_address) SELECT 'user-' || n, key FROM made_owners",
    """INSERT INTO vaults (address, genesis_hash, owner, user_id, base_mint, total_deposited_raw, bot_authority, is_active, is_paused,
           as_of_slot)
       SELECT v.key, genesis, o.key, 'user-' || v.n, usdc, 500000000, 'bot', true, false, 1000
       FROM made_vaults v JOIN made_owners o USING (n), g""",
    """INSERT INTO token_metadata (mint, genesis_hash, symbol, name, decimals, token_program)
       SELECT key, genesis, 'TOK' || n, 'Token ' || n, 6, 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA' FROM made_mints, g""",
    """INSERT INTO bot_subscriptions (id, user_id, vault, state, leaders_max, allocation_bps)
       SELECT 'subscription-' || n, 'user-' || n, key, 'active', 3, 3000 FROM made_vaults""",
    """INSERT INTO follows (id, genesis_hash, user_id, vault, subscription_id, leader, allocation_bps, mode, valid_from_slot)
       SELECT 'follow-' || v.n || '-' || k, genesis, 'user-' || v.n, v.key, 'subscription-' || v.n, l.key, 3000, 'copy', 1
       FROM made_vaults v, generate_series(0, 2) k, g, made_leaders l
       WHERE l.n = (v.n + k * 17) %% (SELECT count(*) FROM made_leaders)""",
    """INSERT INTO leader_trades (id, genesis_hash, leader, signature, swap_index, slot, block_time, direction, input_mint, input_raw,
           input_decimals, output_mint, output_raw, output_decimals, value_usd, equity_usd, seen_slot, is_decided, created_at)
       SELECT 'trade-' || i, genesis, l.key, 'leader-signature-' || i, 0, 1000 + i, 1700000000 + i, 'open', usdc, 100000000, 6, m.key,
           90000000, 6, 100, 5000, 1000 + i, true, now() - (%(trades)s - i) * interval '1 minute'
       FROM generate_series(1, %(trades)s) i, g, made_leaders l, made_mints m
       WHERE l.n = i %% (SELECT count(*) FROM made_leaders) AND m.n = i %% (SELECT count(*) FROM made_mints)""",
    """INSERT INTO decisions (id, genesis_hash, leader_trade_id, follow_id, user_id, vault, outcome, rule, rule_version, numbers, slot,
           created_at)
       SELECT 'decision-' || t.id || '-' || f.id, g.genesis, t.id, f.id, f.user_id, f.vault,
           CASE WHEN t.slot %% 4 = 0 THEN 'copied' ELSE 'skipped' END, 'share of equity', 1,
           '{"share_of_equity": "0.02", "wanted_usd": "10.01", "equity_usd": "512.50", "cap_usd": "100"}', t.slot, t.created_at
       FROM leader_trades t JOIN follows f USING (leader), g""",
    """INSERT INTO intents (id, genesis_hash, user_id, vault, cause_kind, cause_id, leg, rule_version, decision_id, leader, side,
           input_mint, output_mint, amount_in_raw, slippage_bps, state, nonce, bot_epoch, created_slot, expires_slot, attempts_count,
           settled_slot, created_at)
       SELECT 'intent-' || d.id, d.genesis_hash, d.user_id, d.vault, 'leader_trade', t.id, 0, 1, d.id, t.leader, 'buy', t.input_mint,
           t.output_mint, 10000000, 100, 'settled', row_number() OVER (PARTITION BY d.vault ORDER BY t.slot), 7, t.slot, t.slot + 400, 1,
           t.slot + 3, t.created_at
       FROM decisions d JOIN leader_trades t ON t.id = d.leader_trade_id WHERE d.outcome = 'copied'""",
    """INSERT INTO attempts (id, genesis_hash, intent_id, number, state, message, minimum_out_raw, input_decimals, blockhash,
           last_valid_block_height, built_slot, deadline_slot, nonce, bot_epoch, lease_epoch, signature, transaction, landed_slot,
           amount_out_raw, fee_lamports, rent_lamports, created_at)
       SELECT 'attempt-' || id, genesis_hash, id, 1, 'final_ok', decode(repeat('ab', 900), 'hex'), 1, 6, 'blockhash', 1, created_slot,
           created_slot + 40, nonce, 7, 1, 'signature-' || id, decode(repeat('ab', 964), 'hex'), settled_slot, 9900000, 5000, 0, created_at
       FROM intents""",
    """INSERT INTO fills (attempt_id, genesis_hash, intent_id, vault, leader, side, signature, slot, input_mint, input_raw, output_mint,
           output_raw, fee_lamports, created_at)
       SELECT 'attempt-' || id, genesis_hash, id, vault, leader, side, 'signature-' || id, settled_slot, input_mint, 10000000, output_mint,
           9900000, 5000, created_at FROM intents""",
    """INSERT INTO ledger (genesis_hash, vault, mint, delta_raw, cause, signature, slot, intent_id)
       SELECT genesis_hash, vault, m.mint, m.delta, 'trade', signature, slot, intent_id
       FROM fills, LATERAL (VALUES (input_mint, -input_raw), (output_mint, output_raw)) m (mint, delta)""",
    """INSERT INTO ledger (genesis_hash, vault, mint, delta_raw, cause, signature, slot)
       SELECT genesis, key, usdc, 5000000000, 'deposit', 'deposit-' || n, 1 FROM made_vaults, g""",
    """INSERT INTO scoring_runs (id, status, traders_analyzed, genesis_hash, model, as_of_slot, traders_ranked, completed_at)
       SELECT 'run', 'completed', 5000, genesis, 'v1', 2000, %(ranked)s, now() FROM g""",
    """INSERT INTO trader_scores (id, run_id, wallet_address, xorj_trust_score, win_rate, total_return, max_drawdown, trade_count,
           genesis_hash, model, rank, is_eligible, score, classic_score, evidence_days, receipt)
       SELECT 'score-' || n, 'run', coalesce(l.key, 'wallet-' || n), 50 - n * 0.05, 60, 40, 12, 300, genesis, 'v1', n + 1, true,
           50 - n * 0.05, 37, 120, jsonb_build_object('receipt', %(receipt)s::text)
       FROM generate_series(0, %(ranked)s - 1) n LEFT JOIN made_leaders l USING (n), g""",
    "INSERT INTO kill_switch (id, stopped, reason, actor) VALUES (1, false, '', 'bench')",
    """INSERT INTO bot_controls (id, draining, gate_open, heartbeat_slot, heartbeat_at) VALUES (1, false, true, 1, now() + interval '1 day')
       ON CONFLICT (id) DO UPDATE SET gate_open = true, heartbeat_at = excluded.heartbeat_at""",
)
