"""Which chain this database speaks of, who may write, and whether anybody may trade."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, SmallInteger, Table, Text, text

from xorj.adapters.postgres.tables.columns import NOW, created, metadata, moment, updated

chain_identity = Table(
    "chain_identity",
    metadata,
    Column("id", SmallInteger, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False),
    Column("genesis_hash", Text, nullable=False),
    created(),
)

kill_switch = Table(
    "kill_switch",
    metadata,
    Column("id", SmallInteger, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False),
    Column("stopped", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    # how often it was moved: what tells one stop from the next
    Column("version", BigInteger, nullable=False, server_default=text("1")),
    Column("changed_at", moment(), nullable=False, server_default=NOW),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("holder", Text, nullable=False),
    Column("expires_at", moment(), nullable=False),
)

bot_controls = Table(
    "bot_controls",
    metadata,
    Column("id", SmallInteger, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False),
    Column("draining", Boolean, nullable=False),
    Column("gate_open", Boolean, nullable=False),
    Column("heartbeat_slot", BigInteger),
    Column("heartbeat_at", moment()),
    updated(),
)
