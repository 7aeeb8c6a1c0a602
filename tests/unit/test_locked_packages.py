"""The lock and what is made from it say the same: uv and pip install the same files, and no package is built on the user's machine."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def lock() -> dict[tuple[str, str], dict[str, Any]]:
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    return {(package["name"], package["version"]): package for package in packages}


def exported(name: str) -> dict[tuple[str, str], set[str]]:
    """Name and version of each requirement to the hashes that pip accepts."""
    entries = re.split(r"\n(?=\S)", (ROOT / name).read_text().strip())
    found = {}
    for entry in entries:
        package, version = re.match(r"([\w.-]+)(?:\[[\w,-]+\])?==([^\s;]+)", entry).groups()  # type: ignore[union-attr]
        found[package, version] = set(re.findall(r"--hash=(sha256:\w+)", entry))
    return found


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-peers.txt"])
def test_pip_gets_the_lock_s_files_and_no_others(name: str, lock: dict[tuple[str, str], dict[str, Any]]) -> None:
    for package, hashes in exported(name).items():
        locked = lock[package]
        files = [*locked.get("wheels", []), *([locked["sdist"]] if "sdist" in locked else [])]
        assert hashes == {file["hash"] for file in files}, package


def test_developers_and_peers_get_all_that_users_get(lock: dict[tuple[str, str], dict[str, Any]]) -> None:
    users, developers, peers = (exported(f"requirements{kind}.txt") for kind in ("", "-dev", "-peers"))
    assert users.items() <= developers.items()
    assert users.items() <= peers.items()
    assert set(developers) | set(peers) | {("xorj", lock_version())} >= set(lock)


def lock_version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def test_no_package_has_to_be_built(lock: dict[tuple[str, str], dict[str, Any]]) -> None:
    assert [name for (name, _), package in lock.items() if not package.get("wheels") and name != "xorj"] == []
