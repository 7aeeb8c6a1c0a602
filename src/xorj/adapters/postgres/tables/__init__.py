"""Every table, declared once: SPEC's six with columns of ours beside them, then ours in pipeline order.

Stores in this folder build their SQL from these; the initial migration is frozen from them, and a test finds no difference.
"""

from xorj.adapters.postgres.tables.columns import metadata
from xorj.adapters.postgres.tables.copying import (
    bot_subscriptions,
    decisions,
    follows,
    leader_cursors,
    leader_days,
    leader_pauses,
    leader_trades,
    token_metadata,
    vaults,
)
from xorj.adapters.postgres.tables.execution import attempts, brakes, evidence, fills, intents, ledger, outbox, sweep_cursors
from xorj.adapters.postgres.tables.identity import challenges, idempotency_keys, rate_limit_hits, sessions
from xorj.adapters.postgres.tables.operation import bot_controls, chain_identity, kill_switch, leases
from xorj.adapters.postgres.tables.predictions import closed_windows, frozen_cohorts, predictions, trust_reports, window_returns
from xorj.adapters.postgres.tables.specified import execution_jobs, scoring_runs, trader_scores, trades, user_settings, users

__all__ = [
    "attempts",
    "bot_controls",
    "bot_subscriptions",
    "brakes",
    "chain_identity",
    "challenges",
    "closed_windows",
    "decisions",
    "evidence",
    "execution_jobs",
    "fills",
    "follows",
    "frozen_cohorts",
    "idempotency_keys",
    "intents",
    "kill_switch",
    "leader_cursors",
    "leader_days",
    "leader_pauses",
    "leader_trades",
    "leases",
    "ledger",
    "metadata",
    "outbox",
    "predictions",
    "rate_limit_hits",
    "scoring_runs",
    "sessions",
    "sweep_cursors",
    "token_metadata",
    "trader_scores",
    "trades",
    "trust_reports",
    "user_settings",
    "users",
    "vaults",
    "window_returns",
]
