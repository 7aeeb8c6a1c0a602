"""What tokens and vaults are as the chain says, who follows whom, what leaders did and what was decided."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from xorj.adapters.postgres.tables.columns import created, genesis, metadata, moment, one_of, raw_amount, updated

token_metadata = Table(
    "token_metadata",
    metadata,
    Column("mint", Text, primary_key=True),
    genesis(),
    Column("symbol", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("decimals", SmallInteger, nullable=False),
    Column("token_program", Text, nullable=False),
    Column("is_verified", Boolean, nullable=False, server_default=text("false")),
    updated(),
)

vaults = Table(
    "vaults",
    metadata,
    Column("address", Text, primary_key=True),
    genesis(),
    Column("owner", Text, nullable=False, unique=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="RESTRICT")),
    Column("base_mint", Text, nullable=False),
    Column("total_deposited_raw", raw_amount(), nullable=False),
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
    created(),
    updated(),
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
    Column("ended_at", moment()),
    created(),
    updated(),
    one_of("state", "active", "ended"),
    Index("idx_bot_subscriptions_vault", "vault", unique=True, postgresql_where=text("state = 'active'")),
)

follows = Table(
    "follows",
    metadata,
    Column("id", Text, primary_key=True),
    genesis(),
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
    created(),
    updated(),
    one_of("mode", "copy", "exit_only"),
    CheckConstraint("allocation_bps between 1 and 10000", name="allocation_bps"),
    CheckConstraint("valid_to_slot is null or valid_to_slot >= valid_from_slot", name="validity"),
    Index("idx_follows_vault_leader", "vault", "leader", unique=True, postgresql_where=text("valid_to_slot is null")),
    Index("idx_follows_leader", "leader"),
)

leader_cursors = Table(
    "leader_cursors",
    metadata,
    Column("leader", Text, primary_key=True),
    genesis(),
    Column("signature", Text),
    Column("slot", BigInteger, nullable=False),
    updated(),
)

leader_trades = Table(
    "leader_trades",
    metadata,
    Column("id", Text, primary_key=True),
    genesis(),
    Column("leader", Text, nullable=False),
    Column("signature", Text, nullable=False),
    # counts the leader's swaps inside one transaction
    Column("swap_index", Integer, nullable=False),
    Column("slot", BigInteger, nullable=False),
    Column("block_time", BigInteger),
    Column("direction", Text, nullable=False),
    Column("input_mint", Text, nullable=False),
    Column("input_raw", raw_amount(), nullable=False),
    Column("input_decimals", SmallInteger, nullable=False),
    Column("output_mint", Text, nullable=False),
    Column("output_raw", raw_amount(), nullable=False),
    Column("output_decimals", SmallInteger, nullable=False),
    # what was given, and all he had before the trade; None where it could not be priced
    Column("value_usd", Numeric(39, 6)),
    Column("equity_usd", Numeric(39, 6)),
    Column("input_balance_before_raw", raw_amount()),
    Column("seen_slot", BigInteger, nullable=False),
    # every follower of that slot has a decision
    Column("is_decided", Boolean, nullable=False, server_default=text("false")),
    created(),
    one_of("direction", "open", "close", "switch", "neither"),
    UniqueConstraint("leader", "signature", "swap_index"),
    Index("idx_leader_trades_slot", text("slot DESC")),
    Index("idx_leader_trades_leader_slot", "leader", "slot"),
    Index("idx_leader_trades_undecided", "slot", postgresql_where=text("not is_decided")),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Text, primary_key=True),
    genesis(),
    Column("leader_trade_id", Text, ForeignKey("leader_trades.id", ondelete="RESTRICT"), nullable=False),
    Column("follow_id", Text, ForeignKey("follows.id", ondelete="RESTRICT"), nullable=False),
    Column("user_id", Text, ForeignKey("users.id", ondelete="RESTRICT"), nullable=False),
    Column("vault", Text, ForeignKey("vaults.address", ondelete="RESTRICT"), nullable=False),
    Column("outcome", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("numbers", JSONB, nullable=False),
    Column("slot", BigInteger, nullable=False),
    created(),
    one_of("outcome", "copied", "resized", "skipped", "refused"),
    UniqueConstraint("leader_trade_id", "vault"),
    Index("idx_decisions_user_created", "user_id", text("created_at DESC")),
)

leader_days = Table(
    "leader_days",
    metadata,
    # what all copies of a leader had made at the last look of a UTC day, and what his followers had allotted to him
    Column("leader", Text, primary_key=True),
    Column("day", Integer, primary_key=True),
    genesis(),
    Column("result_raw", raw_amount(), nullable=False),
    Column("allotted_raw", raw_amount(), nullable=False),
    updated(),
)

leader_pauses = Table(
    "leader_pauses",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    genesis(),
    Column("leader", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("numbers", JSONB, nullable=False),
    Column("began_slot", BigInteger, nullable=False),
    Column("began_day", Integer, nullable=False),
    Column("ended_slot", BigInteger),
    created(),
    Index("idx_leader_pauses_leader", "leader", unique=True, postgresql_where=text("ended_slot is null")),
)
