"""SPEC's six tables. Their own columns come first and are exactly SPEC's; those after the comment are ours."""

from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Index, Integer, Numeric, String, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB

from xorj.adapters.postgres.tables.columns import genesis, metadata, moment, raw_amount, specified_created, specified_updated

users = Table(
    "users",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("wallet_address", String(255), nullable=False, unique=True),
    specified_created(),
    specified_updated(),
    # ours: a user is closed, never deleted
    Column("closed_at", moment()),
)

user_settings = Table(
    "user_settings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("user_id", String(255), ForeignKey("users.id", ondelete="CASCADE")),
    Column("risk_profile", String(50), server_default="BALANCED"),
    Column("max_trade_amount", Numeric(20, 6)),
    Column("slippage_tolerance", Numeric(5, 2), server_default=text("1.0")),
    specified_created(),
    specified_updated(),
    # ours: one row a user
    UniqueConstraint("user_id"),
)

scoring_runs = Table(
    "scoring_runs",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("status", String(50), nullable=False),
    Column("traders_analyzed", Integer, server_default=text("0")),
    specified_created(),
    specified_updated(),
    # ours
    genesis(),
    Column("model", Text, nullable=False),
    Column("as_of_slot", BigInteger, nullable=False),
    Column("as_of_block_time", BigInteger),
    Column("input_hash", Text),
    Column("parameter_hash", Text),
    Column("traders_ranked", Integer),
    Column("completed_at", moment()),
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
    specified_created(),
    # ours: what SPEC's decimals were rounded from, fractions, and whether one had to be clamped to fit
    genesis(),
    Column("model", Text, nullable=False),
    Column("rank", Integer),
    Column("is_eligible", Boolean, nullable=False),
    Column("exclusion_reason", Text),
    Column("score", Double, nullable=False),
    Column("classic_score", Double, nullable=False),
    Column("copy_score", Double),
    Column("edge", Double),
    Column("band_low", Double),
    Column("band_high", Double),
    Column("evidence_days", Integer, nullable=False),
    Column("capacity_usd", Double),
    Column("copy_cost_fraction", Double),
    Column("expected_drawdown_fraction", Double),
    Column("calibration", Text),
    # the largest ones, with their points; they stand in the receipt too
    Column("reasons", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
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
    specified_created(),
    specified_updated(),
    # ours: the projection's source, with the same id
    genesis(),
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
    specified_created(),
    specified_updated(),
    # ours: the projection's source, with the same id, and the exact amounts beside SPEC's rounded one
    genesis(),
    Column("attempt_id", Text, ForeignKey("attempts.id", ondelete="RESTRICT"), nullable=False, unique=True),
    Column("amount_in_raw", raw_amount(), nullable=False),
    Column("amount_out_raw", raw_amount()),
    Column("slippage_fraction", Double),
    Column("was_clamped", Boolean, nullable=False, server_default=text("false")),
    Index("idx_trades_user_created", "user_id", text("created_at DESC")),
)
