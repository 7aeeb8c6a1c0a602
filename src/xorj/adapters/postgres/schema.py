"""The schema as SQL text, made from tables.py: for schema.sql, which a person reads, and for freezing a migration."""

from itertools import groupby

from sqlalchemy import create_mock_engine
from sqlalchemy.sql.elements import CompilerElement

from xorj.adapters.postgres.tables import metadata

HEADING = "-- The newest schema, made from tables.py for reading; what runs is in migrations/.\n\n"


def readable() -> str:
    """The text of schema.sql."""
    return HEADING + ddl()


def ddl() -> str:
    """Every statement that makes an empty database ours, in order, one `;` and newline after each."""
    statements: list[str] = []

    def take(statement: CompilerElement, *_values: object, **_options: object) -> None:
        lines = str(statement.compile(dialect=engine.dialect)).strip().splitlines()
        statements.append("\n".join(line.rstrip().replace("\t", "    ") for line in lines if line.strip()))

    engine = create_mock_engine("postgresql+psycopg://", take)
    metadata.create_all(engine, checkfirst=False)
    # SQLAlchemy keeps a table's indexes in a set; sorted, two runs give one text
    ordered = [one for is_index, group in groupby(statements, _makes_index) for one in (sorted(group) if is_index else group)]
    return "".join(f"{statement};\n\n" for statement in ordered)


def _makes_index(statement: str) -> bool:
    return statement.startswith(("CREATE INDEX", "CREATE UNIQUE INDEX"))
