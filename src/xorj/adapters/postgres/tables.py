"""Every table, declared once: SPEC's six with columns of ours beside them, then ours in pipeline order.

Stores in this folder build their SQL from these; the initial migration is frozen from them, and a test finds no difference.
Raw amounts are NUMERIC(39,0) because a 64-bit unsigned count does not fit BIGINT; slots and heights are BIGINT.
"""

from decimal import Decimal

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

metadata = MetaData(
    naming_convention={
        "ix": "idx_%(table_name)s_%(column_0_N_name)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)

NOW = text("now()")


def _time() -> TIMESTAMP:
    return TIMESTAMP(timezone=True)


def _raw() -> Numeric[Decimal]:
    return Numeric(39, 0)


def _created() -> Column[object]:
    return Column("created_at", _time(), server_default=NOW)


def _updated() -> Column[object]:
    return Column("updated_at", _time(), server_default=NOW)


def _made() -> Column[object]:
    return Column("created_at", _time(), nullable=False, server_default=NOW)


def _changed() -> Column[object]:
    return Column("updated_at", _time(), nullable=False, server_default=NOW)


def _genesis() -> Column[object]:
    """The chain that a row was derived from."""
    return Column("genesis_hash", Text, nullable=False)


def _one_of(column: str, *values: str) -> CheckConstraint:
    return CheckConstraint(f"{column} in ({', '.join(repr(value) for value in values)})", name=column)


# SPEC's six tables. Their own columns come first and are exactly SPEC's; those after the comment are ours.

users = Table(
    "users",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("wallet_address", String(255), nullable=False, unique=True),
    _created(),
    _updated(),
    # ours: a user is closed, never deleted
    Column("closed_at", _time()),
)

user_settings = Table(
    "user_settings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("user_id", String(255), ForeignKey("users.id", ondelete="CASCADE")),
    Column("risk_profile", String(50), server_default="BALANCED"),
    Column("max_trade_amount", Numeric(20, 6)),
    Column("slippage_tolerance", Numeric(5, 2), server_default=text("1.0")),
    _created(),
    _updated(),
    # ours: one row a user
    UniqueConstraint("user_id"),
)

scoring_runs = Table(
    "scoring_runs",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("status", String(50), nullable=False),
    Column("traders_analyzed", Integer, server_default=text("0")),
    _created(),
    _updated(),
    # ours
    _genesis(),
    Column("model", Text, nullable=False),
    Column("as_of_slot", BigInteger, nullable=False),
    Column("as_of_block_time", BigInteger),
    Column("input_hash", Text),
    Column("traders_ranked", Integer),
    Column("completed_at", _time()),
    Column("failure", Text),
    Index("idx_scoring_runs_created", text("created_at DESC")),
)

trader_scores = Table(
    "trader_scores",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("run_id", String(255), ForeignKey("scoring_runs.id", ondelete="CASCADE")),
    Column("wallet_address", String(255), nullable=False),
    Column("xorj_trust_score", Numeric(10, 2), nullable=False),
    Column("win_rate", Numeric(5, 2)),
    Column("total_return", Numeric(10, 2)),
    Column("max_drawdown", Numeric(5, 2)),
    Column("trade_count", Integer),
    _created(),
    # ours: what SPEC's decimals were rounded from, fractions, and whether one had to be clamped to fit
    _genesis(),
    Column("model", Text, nullable=False),
    Column("rank", Integer),
    Column("is_eligible", Boolean, nullable=False),
    Column("exclusion_reason", Text),
    Column("score", Double, nullable=False),
    Column("win_rate_fraction", Double),
    Column("total_return_fraction", Double),
    Column("max_drawdown_fraction", Double),
    Column("sharpe_ratio", Double),
    Column("was_clamped", Boolean, nullable=False, server_default=text("false")),
    Column("receipt", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    UniqueConstraint("run_id", "wallet_address", "model"),
    Index("idx_trader_scores_run_id_score", "run_id", text("xorj_trust_score DESC")),
)

execution_jobs = Table(
    "execution_jobs",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("user_id", String(255), ForeignKey("users.id", ondelete="CASCADE")),
    Column("status", String(50), nullable=False),
    Column("target_trader", String(255)),
    _created(),
    _updated(),
    # ours: the projection's source, with the same id
    _genesis(),
    Column("intent_id", Text, ForeignKey("intents.id", ondelete="RESTRICT"), nullable=False, unique=True),
    Index("idx_execution_jobs_status", "status"),
)

trades = Table(
    "trades",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("user_id", String(255), ForeignKey("users.id", ondelete="CASCADE")),
    Column("execution_job_id", String(255), ForeignKey("execution_jobs.id")),
    Column("from_token", String(255), nullable=False),
    Column("to_token", String(255), nullable=False),
    Column("amount", Numeric(20, 6), nullable=False),
    Column("status", String(50), nullable=False),
    Column("slippage", Numeric(5, 2)),
    Column("transaction_signature", String(255)),
    _created(),
    _updated(),
    # ours: the projection's source, with the same id, and the exact amounts beside SPEC's rounded one
    _genesis(),
    Column("attempt_id", Text, ForeignKey("attempts.id", ondelete="RESTRICT"), nullable=False, unique=True),
    Column("amount_in_raw", _raw(), nullable=False),
    Column("amount_out_raw", _raw()),
    Column("slippage_fraction", Double),
    Column("was_clamped", Boolean, nullable=False, server_default=text("false")),
    Index("idx_trades_user_created", "user_id", text("created_at DESC")),
)

# Which chain this database speaks of, who may write, and whether anybody may trade.

chain_identity = Table(
    "chain_identity",
    metadata,
    Column("id", SmallInteger, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False),
    Column("genesis_hash", Text, nullable=False),
    _made(),
)

kill_switch = Table(
    "kill_switch",
    metadata,
    Column("id", SmallInteger, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False),
    Column("stopped", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("changed_at", _time(), nullable=False, server_default=NOW),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("holder", Text, nullable=False),
    Column("expires_at", _time(), nullable=False),
)

bot_controls = Table(
    "bot_controls",
    metadata,
    Column("id", SmallInteger, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False),
    Column("draining", Boolean, nullable=False),
    Column("gate_open", Boolean, nullable=False),
    Column("heartbeat_slot", BigInteger),
    Column("heartbeat_at", _time()),
    _changed(),
)

# Signing in.

challenges = Table(
    "challenges",
    metadata,
    Column("nonce", Text, primary_key=True),
    Column("wallet", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("expires_at", _time(), nullable=False),
    Column("used_at", _time()),
    _made(),
    Index("idx_challenges_expires_at", "expires_at"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("sid_hash", LargeBinary, primary_key=True),
    # a visitor of a local chain's page is nobody's user
    Column("user_id", Text, nullable=False),
    Column("wallet", Text, nullable=False),
    Column("permissions", ARRAY(Text), nullable=False),
    Column("expires_at", _time(), nullable=False),
    Column("revoked_at", _time()),
    _made(),
    Index("idx_sessions_user_id", "user_id"),
    Index("idx_sessions_expires_at", "expires_at"),
)

rate_limit_hits = Table(
    "rate_limit_hits",
    metadata,
    Column("key", Text, primary_key=True),
    Column("window_start", _time(), primary_key=True),
    Column("hits", Integer, nullable=False),
    Column("expires_at", _time(), nullable=False),
    Index("idx_rate_limit_hits_expires_at", "expires_at"),
    prefixes=["UNLOGGED"],
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", Text, nullable=False),
    Column("status_code", SmallInteger),
    Column("response", JSONB),
    _made(),
)

# What tokens are, and what vaults are as the chain says.

token_metadata = Table(
    "token_metadata",
    metadata,
    Column("mint", Text, primary_key=True),
    _genesis(),
    Column("symbol", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("decimals", SmallInteger, nullable=False),
    Column("token_program", Text, nullable=False),
    Column("is_verified", Boolean, nullable=False, server_default=text("false")),
    _changed(),
)

vaults = Table(
    "vaults",
    metadata,
    Column("address", Text, primary_key=True),
    _genesis(),
    Column("owner", Text, nullable=False, unique=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="RESTRICT")),
    Column("base_mint", Text, nullable=False),
    Column("total_deposited_raw", _raw(), nullable=False),
    Column("bot_authority", Text),
    Column("bot_epoch", BigInteger, nullable=False, server_default=text("0")),
    Column("bot_expires_at", BigInteger),
    Column("is_active", Boolean, nullable=False),
    Column("is_paused", Boolean, nullable=False),
    Column("is_closed", Boolean, nullable=False, server_default=text("false")),
    Column("as_of_slot", BigInteger, nullable=False),
    # how far this vault's history has been read, confirmed and finalized
    Column("cursor_signature", Text),
    Column("cursor_slot", BigInteger),
    _made(),
    _changed(),
    Index("idx_vaults_user_id", "user_id"),
)

bot_subscriptions = Table(
    "bot_subscriptions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="RESTRICT"), nullable=False),
    Column("vault", Text, ForeignKey("vaults.address", ondelete="RESTRICT"), nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("leaders_max", Integer, nullable=False),
    # share of the vault's equity that one leader may steer
    Column("allocation_bps", Integer, nullable=False),
    Column("caps", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("ended_at", _time()),
    _made(),
    _changed(),
    _one_of("state", "active", "ended"),
    Index("idx_bot_subscriptions_vault", "vault", unique=True, postgresql_where=text("state = 'active'")),
)

follows = Table(
    "follows",
    metadata,
    Column("id", Text, primary_key=True),
    _genesis(),
    Column("user_id", Text, ForeignKey("users.id", ondelete="RESTRICT"), nullable=False),
    Column("vault", Text, ForeignKey("vaults.address", ondelete="RESTRICT"), nullable=False),
    Column("subscription_id", Text, ForeignKey("bot_subscriptions.id", ondelete="RESTRICT")),
    Column("leader", Text, nullable=False),
    Column("allocation_bps", Integer, nullable=False),
    Column("mode", Text, nullable=False),
    Column("caps", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    # an empty allow list allows every mint that is not blocked
    Column("allowed_mints", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    Column("blocked_mints", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    Column("valid_from_slot", BigInteger, nullable=False),
    Column("valid_to_slot", BigInteger),
    Column("end_reason", Text),
    _made(),
    _changed(),
    _one_of("mode", "copy", "exit_only"),
    CheckConstraint("allocation_bps between 1 and 10000", name="allocation_bps"),
    CheckConstraint("valid_to_slot is null or valid_to_slot >= valid_from_slot", name="validity"),
    Index("idx_follows_vault_leader", "vault", "leader", unique=True, postgresql_where=text("valid_to_slot is null")),
    Index("idx_follows_leader", "leader"),
)

leader_cursors = Table(
    "leader_cursors",
    metadata,
    Column("leader", Text, primary_key=True),
    _genesis(),
    Column("signature", Text),
    Column("slot", BigInteger, nullable=False),
    _changed(),
)

leader_trades = Table(
    "leader_trades",
    metadata,
    Column("id", Text, primary_key=True),
    _genesis(),
    Column("leader", Text, nullable=False),
    Column("signature", Text, nullable=False),
    # counts the leader's swaps inside one transaction
    Column("swap_index", Integer, nullable=False),
    Column("slot", BigInteger, nullable=False),
    Column("block_time", BigInteger),
    Column("direction", Text, nullable=False),
    Column("input_mint", Text, nullable=False),
    Column("input_raw", _raw(), nullable=False),
    Column("input_decimals", SmallInteger, nullable=False),
    Column("output_mint", Text, nullable=False),
    Column("output_raw", _raw(), nullable=False),
    Column("output_decimals", SmallInteger, nullable=False),
    # what was given, and all he had before the trade; None where it could not be priced
    Column("value_usd", Numeric(39, 6)),
    Column("equity_usd", Numeric(39, 6)),
    Column("input_balance_before_raw", _raw()),
    Column("seen_slot", BigInteger, nullable=False),
    # every follower of that slot has a decision
    Column("is_decided", Boolean, nullable=False, server_default=text("false")),
    _made(),
    _one_of("direction", "open", "close", "switch", "neither"),
    UniqueConstraint("leader", "signature", "swap_index"),
    Index("idx_leader_trades_slot", text("slot DESC")),
    Index("idx_leader_trades_undecided", "slot", postgresql_where=text("not is_decided")),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Text, primary_key=True),
    _genesis(),
    Column("leader_trade_id", Text, ForeignKey("leader_trades.id", ondelete="RESTRICT"), nullable=False),
    Column("follow_id", Text, ForeignKey("follows.id", ondelete="RESTRICT"), nullable=False),
    Column("user_id", Text, ForeignKey("users.id", ondelete="RESTRICT"), nullable=False),
    Column("vault", Text, ForeignKey("vaults.address", ondelete="RESTRICT"), nullable=False),
    Column("outcome", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("numbers", JSONB, nullable=False),
    Column("slot", BigInteger, nullable=False),
    _made(),
    _one_of("outcome", "copied", "resized", "skipped", "refused"),
    UniqueConstraint("leader_trade_id", "vault"),
    Index("idx_decisions_user_created", "user_id", text("created_at DESC")),
)

# Exactly once: one intent a wish, one live attempt an intent.

intents = Table(
    "intents",
    metadata,
    Column("id", Text, primary_key=True),
    _genesis(),
    Column("user_id", Text, ForeignKey("users.id", ondelete="RESTRICT"), nullable=False),
    Column("vault", Text, ForeignKey("vaults.address", ondelete="RESTRICT"), nullable=False),
    Column("cause_kind", Text, nullable=False),
    Column("cause_id", Text, nullable=False),
    Column("leg", SmallInteger, nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("decision_id", Text, ForeignKey("decisions.id", ondelete="RESTRICT")),
    # whose position this leg opens or closes
    Column("leader", Text),
    Column("side", Text, nullable=False),
    Column("input_mint", Text, nullable=False),
    Column("output_mint", Text, nullable=False),
    Column("amount_in_raw", _raw(), nullable=False),
    Column("slippage_bps", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    # the bit in the vault's window, the same for every attempt; chosen when the intent is reserved
    Column("nonce", BigInteger),
    Column("bot_epoch", BigInteger),
    Column("created_slot", BigInteger, nullable=False),
    # no attempt is built after this slot
    Column("expires_slot", BigInteger, nullable=False),
    Column("attempts_count", Integer, nullable=False, server_default=text("0")),
    Column("version", Integer, nullable=False, server_default=text("0")),
    Column("lease_epoch", BigInteger),
    Column("settled_slot", BigInteger),
    _made(),
    _changed(),
    _one_of("cause_kind", "leader_trade", "stop", "missed_exit", "exit_all"),
    _one_of("side", "buy", "sell"),
    _one_of("state", "new", "reserved", "in_flight", "settled", "reverted", "abandoned", "cancelled", "quarantined"),
    CheckConstraint("amount_in_raw > 0", name="amount_in_raw"),
    UniqueConstraint("vault", "cause_kind", "cause_id", "leg"),
    Index("idx_intents_open", "state", "created_slot", postgresql_where=text("state in ('new', 'reserved', 'in_flight')")),
    Index("idx_intents_nonce", "vault", "bot_epoch", "nonce", unique=True, postgresql_where=text("nonce is not null")),
    Index("idx_intents_user_created", "user_id", text("created_at DESC")),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Text, primary_key=True),
    _genesis(),
    Column("intent_id", Text, ForeignKey("intents.id", ondelete="RESTRICT"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("message", LargeBinary, nullable=False),
    Column("quote_hash", Text),
    Column("minimum_out_raw", _raw(), nullable=False),
    Column("quoted_out_raw", _raw()),
    Column("input_decimals", SmallInteger, nullable=False),
    Column("blockhash", Text, nullable=False),
    Column("last_valid_block_height", BigInteger, nullable=False),
    Column("built_slot", BigInteger, nullable=False),
    Column("deadline_slot", BigInteger, nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("bot_epoch", BigInteger, nullable=False),
    Column("lease_epoch", BigInteger, nullable=False),
    Column("signature", Text, unique=True),
    Column("transaction", LargeBinary),
    # observations, not states: what a provider said last
    Column("seen_commitment", Text),
    Column("seen_slot", BigInteger),
    Column("landed_slot", BigInteger),
    Column("error", Text),
    Column("amount_out_raw", _raw()),
    Column("fee_lamports", BigInteger),
    # of token accounts that the transaction made, paid by the bot
    Column("rent_lamports", BigInteger),
    Column("version", Integer, nullable=False, server_default=text("0")),
    _made(),
    _changed(),
    _one_of("state", "built", "signed", "final_ok", "final_err", "dead"),
    CheckConstraint("(state = 'built') or (state = 'dead') or (signature is not null)", name="signed_before_sent"),
    UniqueConstraint("intent_id", "number"),
    Index("idx_attempts_live", "intent_id", unique=True, postgresql_where=text("state in ('built', 'signed')")),
    Index("idx_attempts_open", "state", postgresql_where=text("state in ('built', 'signed')")),
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    _genesis(),
    Column("attempt_id", Text, ForeignKey("attempts.id", ondelete="RESTRICT"), nullable=False),
    Column("provider", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("slot", BigInteger, nullable=False),
    Column("facts", JSONB, nullable=False),
    _made(),
    Index("idx_evidence_attempt_id", "attempt_id"),
)

sweep_cursors = Table(
    "sweep_cursors",
    metadata,
    # up to which transaction everything that this key signed has been matched with attempts
    Column("bot", Text, primary_key=True),
    _genesis(),
    Column("signature", Text, nullable=False),
    Column("slot", BigInteger, nullable=False),
    _changed(),
)

fills = Table(
    "fills",
    metadata,
    Column("attempt_id", Text, ForeignKey("attempts.id", ondelete="RESTRICT"), primary_key=True),
    _genesis(),
    Column("intent_id", Text, ForeignKey("intents.id", ondelete="RESTRICT"), nullable=False, unique=True),
    Column("vault", Text, ForeignKey("vaults.address", ondelete="RESTRICT"), nullable=False),
    Column("leader", Text),
    Column("side", Text, nullable=False),
    Column("signature", Text, nullable=False, unique=True),
    Column("slot", BigInteger, nullable=False),
    Column("block_time", BigInteger),
    Column("input_mint", Text, nullable=False),
    Column("input_raw", _raw(), nullable=False),
    Column("output_mint", Text, nullable=False),
    Column("output_raw", _raw(), nullable=False),
    Column("fee_lamports", BigInteger, nullable=False),
    _made(),
    Index("idx_fills_vault_leader", "vault", "leader"),
)

ledger = Table(
    "ledger",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    _genesis(),
    Column("vault", Text, ForeignKey("vaults.address", ondelete="RESTRICT"), nullable=False),
    Column("mint", Text, nullable=False),
    Column("delta_raw", _raw(), nullable=False),
    Column("cause", Text, nullable=False),
    # the transaction that changed the balance; a vault's balance of one mint changes at most once in it
    Column("signature", Text, nullable=False),
    Column("slot", BigInteger, nullable=False),
    Column("block_time", BigInteger),
    Column("intent_id", Text, ForeignKey("intents.id", ondelete="RESTRICT")),
    _made(),
    _one_of("cause", "deposit", "withdrawal", "trade", "transfer"),
    UniqueConstraint("vault", "signature", "mint"),
    Index("idx_ledger_vault_mint", "vault", "mint"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    Column("topic", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("sent_at", _time()),
    _made(),
    Index("idx_outbox_unsent", "id", postgresql_where=text("sent_at is null")),
)
