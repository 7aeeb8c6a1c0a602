"""The columns and constraints that many tables share, and the names that PostgreSQL gives them.

Raw amounts are NUMERIC(39,0) because a 64-bit unsigned count does not fit BIGINT; slots and heights are BIGINT.
"""

from decimal import Decimal

from sqlalchemy import CheckConstraint, Column, MetaData, Numeric, Text, text
from sqlalchemy.dialects.postgresql import TIMESTAMP

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


def moment() -> TIMESTAMP:
    return TIMESTAMP(timezone=True)


def raw_amount() -> Numeric[Decimal]:
    return Numeric(39, 0)


def specified_created() -> Column[object]:
    return Column("created_at", moment(), server_default=NOW)


def specified_updated() -> Column[object]:
    return Column("updated_at", moment(), server_default=NOW)


def created() -> Column[object]:
    return Column("created_at", moment(), nullable=False, server_default=NOW)


def updated() -> Column[object]:
    return Column("updated_at", moment(), nullable=False, server_default=NOW)


def genesis() -> Column[object]:
    """The chain that a row was derived from."""
    return Column("genesis_hash", Text, nullable=False)


def one_of(column: str, *values: str) -> CheckConstraint:
    return CheckConstraint(f"{column} in ({', '.join(repr(value) for value in values)})", name=column)
