"""anchorpy reads the legacy IDL and agrees with our own codec to the byte: instructions, accounts in both forms, events, errors."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.legacy_client.environment import PackagesUnavailable, python

from xorj.vault.errors import message_of
from xorj.vault.interface import PROGRAM

ROOT = Path(__file__).resolve().parents[2]
CLIENT_S_MAX = 60


@pytest.fixture(scope="module")
def vectors() -> Any:
    return json.loads((ROOT / "idl" / "xorj_vault.vectors.json").read_text())


@pytest.fixture(scope="module")
def made(vectors: Any) -> Any:
    """What anchorpy made of the vectors."""
    try:
        interpreter = python()
    except PackagesUnavailable as unavailable:
        pytest.skip(f"NOT CHECKED with anchorpy: its packages cannot be fetched ({unavailable})")
    command = [
        str(interpreter),
        "-I",
        str(ROOT / "tests" / "legacy_client" / "anchorpy_client.py"),
        str(ROOT / "idl" / "xorj_vault.legacy.json"),
    ]
    done = subprocess.run(command, input=json.dumps(vectors), capture_output=True, text=True, timeout=CLIENT_S_MAX)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_builds_every_instruction(vectors: Any, made: Any) -> None:
    for vector, built in zip(vectors["instructions"], made["instructions"], strict=True):
        metas = [*vector["accounts"].values(), *vector["remaining_accounts"]]
        assert built == {"program": PROGRAM, "accounts": metas, "data": vector["data"]}, f"{vector['name']} {vector['case']}"


def test_it_reads_every_account(vectors: Any, made: Any) -> None:
    for vector, read in zip(vectors["accounts"], made["accounts"], strict=True):
        assert read == {"name": vector["name"], "values": as_text(vector["values"])}, vector["case"]


def test_it_reads_every_event_once_and_no_other_programs(vectors: Any, made: Any) -> None:
    for vector, read in zip(vectors["events"], made["events"], strict=True):
        assert read == [{"name": vector["name"], "values": as_text(vector["values"])}], vector["case"]


def test_it_knows_every_error(made: Any) -> None:
    assert made["errors"] == {code: message_of(int(code)) for code in made["errors"]}
    assert all(made["framework_errors"].values())


def as_text(value: Any) -> Any:
    """Every number as text: anchorpy's have no size."""
    if isinstance(value, dict):
        return {name: as_text(each) for name, each in value.items()}
    if isinstance(value, list):
        return [as_text(each) for each in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
