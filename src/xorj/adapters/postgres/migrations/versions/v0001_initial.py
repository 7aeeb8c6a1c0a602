"""The first schema: SPEC's six tables and ours, from the frozen file beside this one."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    # All statements go to the driver in one text, so that bodies of functions need no splitting.
    connection = op.get_bind().connection.driver_connection
    if connection is None:
        raise RuntimeError("a migration needs a live connection")
    connection.execute(Path(__file__).with_suffix(".sql").read_text())
