"""Both IDL files and the vectors of other clients come from one table: they say the same, and a file that was changed by hand is named."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from xorj.cli.generate import ROOT, differing
from xorj.vault import accounts, events, instructions
from xorj.vault.errors import name_of
from xorj.vault.interface import ACCOUNTS, EVENTS, INSTRUCTIONS

FILES = ("idl/xorj_vault.json", "idl/xorj_vault.legacy.json", "idl/xorj_vault.vectors.json")


def read(name: str) -> Any:
    return json.loads((ROOT / name).read_text())


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the interface's files, which a test may spoil."""
    shutil.copytree(ROOT / "idl", tmp_path / "idl")
    return tmp_path


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_differs_from_its_source_is_named(checkout: Path, name: str) -> None:
    assert differing(checkout, FILES) == []
    spoilt = checkout / name
    spoilt.write_text(spoilt.read_text().replace("minimum", "maximum", 1))
    assert differing(checkout, FILES) == [name]
    spoilt.unlink()
    assert differing(checkout, FILES) == [name]


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def as_legacy(kind: Any) -> Any:
    """A type of the newer format in the older one's words."""
    if isinstance(kind, str):
        return "publicKey" if kind == "pubkey" else kind
    if "defined" in kind:
        return {"defined": kind["defined"]["name"]}
    if "array" in kind:
        return {"array": [as_legacy(kind["array"][0]), kind["array"][1]]}
    return {word: as_legacy(inner) for word, inner in kind.items()}


def fields(given: Any) -> list[tuple[str, Any]]:
    return [(camel(each["name"]), as_legacy(each["type"])) for each in given]


def legacy_fields(given: Any) -> list[tuple[str, Any]]:
    return [(each["name"], each["type"]) for each in given]


def test_both_formats_declare_the_same() -> None:
    newer, older = (read(name) for name in FILES[:2])
    assert newer["address"] == older["metadata"]["address"]
    assert newer["errors"] == older["errors"]
    assert newer["constants"] == older["constants"]
    for one, other in zip(newer["instructions"], older["instructions"], strict=True):
        roles = [(camel(each["name"]), each.get("writable", False), each.get("signer", False)) for each in one["accounts"]]
        assert (camel(one["name"]), fields(one["args"])) == (other["name"], legacy_fields(other["args"]))
        assert roles == [(each["name"], each["isMut"], each["isSigner"]) for each in other["accounts"]]
    structs = {each["name"]: fields(each["type"]["fields"]) for each in newer["types"]}
    older_structs = {each["name"]: legacy_fields(each["type"]["fields"]) for each in (*older["accounts"], *older["types"])}
    assert structs == older_structs | {each["name"]: legacy_fields(each["fields"]) for each in older["events"]}


@pytest.mark.parametrize("vector", read(FILES[2])["instructions"], ids=lambda vector: f"{vector['name']} {vector['case']}")
def test_our_own_reader_reads_every_instruction(vector: Any) -> None:
    keys = [accounts.Pubkey.from_string(each["key"]) for each in (*vector["accounts"].values(), *vector["remaining_accounts"])]
    read_back = instructions.decode(bytes.fromhex(vector["data"]), keys)
    assert read_back.name == vector["name"]
    assert {name: str(key) for name, key in read_back.accounts.items()} == {n: each["key"] for n, each in vector["accounts"].items()}
    assert len(read_back.rest) == len(vector["remaining_accounts"])


@pytest.mark.parametrize("vector", read(FILES[2])["events"], ids=lambda vector: f"{vector['name']} {vector['case']}")
def test_our_own_reader_reads_every_event(vector: Any) -> None:
    event = events.decode_event(bytes.fromhex(vector["data"]))
    assert type(event).__name__ == vector["name"]
    shown = {name: getattr(event, name) for name in vector["values"]}
    assert {name: value if value is None or isinstance(value, bool) else str(value) for name, value in shown.items()} == vector["values"]


def test_our_own_reader_reads_every_account() -> None:
    readers = {"VaultAccount": accounts.decode_vault, "VaultPolicy": accounts.decode_policy, "Config": accounts.decode_config}
    for vector in read(FILES[2])["accounts"]:
        decoded: Any = readers[vector["name"]](bytes.fromhex(vector["data"]))
        plain = {name: str(getattr(decoded, name)) for name in ("owner", "total_deposited", "vault", "admin") if hasattr(decoded, name)}
        assert plain == {name: vector["values"][name] for name in plain}


def test_no_instruction_account_event_or_code_is_without_a_vector() -> None:
    vectors = read(FILES[2])
    named = {kind: {each["name"] for each in vectors[kind]} for kind in ("instructions", "accounts", "events")}
    assert named["instructions"] == {each.name for each in INSTRUCTIONS}
    assert named["accounts"] == {each.name for each in ACCOUNTS}
    assert named["events"] == {each.name for each in EVENTS}
    codes = vectors["errors"] | vectors["framework_errors"]
    assert codes == {code: name_of(int(code)) for code in codes}
