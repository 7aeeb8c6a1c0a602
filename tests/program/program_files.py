"""The program files that the program tests run: the committed ones, or a fresh build in the folder XORJ_PROGRAM_FILES."""

import os
from importlib.resources import files
from pathlib import Path

HERE = Path(__file__).parent


def program(name: str) -> bytes:
    """An ELF by its crate's name; what only tests load lies beside this file."""
    fresh = os.environ.get("XORJ_PROGRAM_FILES")
    if fresh:
        return (Path(fresh) / f"{name}.so").read_bytes()
    test_only = HERE / f"{name}.so"
    return test_only.read_bytes() if test_only.exists() else (files("xorj.localnet") / "programs" / f"{name}.so").read_bytes()
