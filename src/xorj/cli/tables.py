"""Tables for people: as wide as the terminal, and wide enough for whole addresses where there is none. Used by the reporting commands."""

import sys

from rich.console import Console
from rich.table import Table

COLUMNS_WITHOUT_TERMINAL = 200


def show(table: Table) -> None:
    Console(width=None if sys.stdout.isatty() else COLUMNS_WITHOUT_TERMINAL).print(table)
