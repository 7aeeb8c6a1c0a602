"""Rewrites the initial migration and schema.sql from tables.py: `python -m xorj.adapters.postgres.migrations.freeze`. For developers.

Only until the first release: after it a change of tables.py is a new migration, and a frozen file stays as it is.
"""

import sys
from pathlib import Path

from xorj.adapters.postgres.schema import ddl, readable

FOLDER = Path(__file__).parent
FROZEN = FOLDER / "versions" / "v0001_initial.sql"
SCHEMA = FOLDER.parent / "schema.sql"


def main() -> None:
    """Writes what differs and names it."""
    for path, text in ((FROZEN, ddl()), (SCHEMA, readable())):
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            sys.stdout.write(f"written: {path}\n")


if __name__ == "__main__":
    main()
