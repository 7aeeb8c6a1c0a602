"""What was predicted on each day, what came of it, and the weekly reports. Rows are only ever added."""

from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKeyConstraint, Index, Integer, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from xorj.adapters.postgres.tables.columns import created, metadata

frozen_cohorts = Table(
    "frozen_cohorts",
    metadata,
    Column("genesis_hash", Text, primary_key=True),
    # UTC day of the chain, counted from 1970
    Column("day", Integer, primary_key=True, autoincrement=False),
    # no reference: old runs are pruned, cohorts never
    Column("run_id", Text, nullable=False),
    Column("as_of_slot", BigInteger, nullable=False),
    Column("input_hash", Text, nullable=False),
    Column("parameter_hash", Text, nullable=False),
    Column("lake_version", BigInteger),
    Column("calibration", Text, nullable=False),
    Column("prior", ARRAY(Double), nullable=False),
    Column("is_own_prior", Boolean, nullable=False),
    Column("plus_version", Text, nullable=False),
    created(),
)

predictions = Table(
    "predictions",
    metadata,
    Column("genesis_hash", Text, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("wallet_address", Text, primary_key=True),
    Column("rank", Integer),
    Column("score", Double),
    Column("edge", Double),
    Column("band_low", Double),
    Column("band_high", Double),
    Column("sharpe", Double),
    Column("error", Double),
    Column("evidence_days", Integer, nullable=False),
    Column("round_trips", Integer, nullable=False),
    Column("cluster_size", Integer, nullable=False),
    Column("plus", Double),
    Column("behaviour", ARRAY(Double), nullable=False),
    Column("input_hash", Text, nullable=False),
    ForeignKeyConstraint(["genesis_hash", "day"], ["frozen_cohorts.genesis_hash", "frozen_cohorts.day"], ondelete="RESTRICT"),
)

closed_windows = Table(
    "closed_windows",
    metadata,
    Column("genesis_hash", Text, primary_key=True),
    Column("opened_day", Integer, primary_key=True, autoincrement=False),
    Column("wallets", Integer, nullable=False),
    created(),
    ForeignKeyConstraint(["genesis_hash", "opened_day"], ["frozen_cohorts.genesis_hash", "frozen_cohorts.day"], ondelete="RESTRICT"),
)

window_returns = Table(
    "window_returns",
    metadata,
    Column("genesis_hash", Text, primary_key=True),
    Column("opened_day", Integer, primary_key=True, autoincrement=False),
    Column("wallet_address", Text, primary_key=True),
    # the copier's return of each of the 90 days
    Column("daily_returns", ARRAY(Double), nullable=False),
    ForeignKeyConstraint(["genesis_hash", "opened_day"], ["closed_windows.genesis_hash", "closed_windows.opened_day"], ondelete="RESTRICT"),
)

trust_reports = Table(
    "trust_reports",
    metadata,
    Column("genesis_hash", Text, primary_key=True),
    # weeks of the chain, counted from 1970
    Column("week", Integer, primary_key=True, autoincrement=False),
    Column("is_alarm", Boolean, nullable=False),
    Column("report", JSONB, nullable=False),
    created(),
    Index("idx_trust_reports_alarm", "week", postgresql_where="is_alarm"),
)
