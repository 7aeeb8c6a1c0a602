"""The type of every option that names a folder: an empty text is bad input, not the folder that the command happens to run in."""

from pathlib import Path

import typer


def folder(text: str) -> Path:
    """Raises BadParameter, which is exit code 2."""
    if not text.strip():
        raise typer.BadParameter("name a folder; this is empty")
    return Path(text)
