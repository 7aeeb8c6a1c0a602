"""Signing in, sessions, rate limits and repeated requests."""

from sqlalchemy import ARRAY, Column, Index, Integer, LargeBinary, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from xorj.adapters.postgres.tables.columns import created, metadata, moment

challenges = Table(
    "challenges",
    metadata,
    Column("nonce", Text, primary_key=True),
    Column("wallet", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("expires_at", moment(), nullable=False),
    Column("used_at", moment()),
    created(),
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
    Column("expires_at", moment(), nullable=False),
    Column("revoked_at", moment()),
    created(),
    Index("idx_sessions_user_id", "user_id"),
    Index("idx_sessions_expires_at", "expires_at"),
)

rate_limit_hits = Table(
    "rate_limit_hits",
    metadata,
    Column("key", Text, primary_key=True),
    Column("window_start", moment(), primary_key=True),
    Column("hits", Integer, nullable=False),
    Column("expires_at", moment(), nullable=False),
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
    created(),
)
