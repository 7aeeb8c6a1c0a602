"""An instruction that a node has parsed is written back to the accounts and bytes that it had."""

import struct
from typing import Any

import orjson
import pytest
from solders.pubkey import Pubkey
from tests.fakes.made_swaps import wallet
from tests.unit.test_history_commands import reply

from xorj.adapters.solana_rpc.parsed_instructions import amount_of, written_back
from xorj.adapters.solana_rpc.transactions import parse_result
from xorj.primitives.errors import InvalidInput

A, B, C, D = (wallet(name) for name in ("a", "b", "c", "d"))
KEY_D = bytes(Pubkey.from_string(D))
CHECKED = {"amount": "7", "decimals": 6, "uiAmount": 0.000007, "uiAmountString": "0.000007"}
WRITTEN: dict[str, tuple[str, str, dict[str, Any], tuple[str, ...], bytes]] = {
    "lamports": ("system", "transfer", {"source": A, "destination": B, "lamports": 7}, (A, B), struct.pack("<IQ", 2, 7)),
    "an account": (
        "system",
        "createAccount",
        {"source": A, "newAccount": B, "lamports": 7, "space": 165, "owner": D},
        (A, B),
        struct.pack("<IQQ", 0, 7, 165) + KEY_D,
    ),
    "space": ("system", "allocate", {"account": A, "space": 165}, (A,), struct.pack("<IQ", 8, 165)),
    "tokens": (
        "spl-token",
        "transfer",
        {"source": A, "destination": B, "authority": C, "amount": "7"},
        (A, B, C),
        b"\x03" + struct.pack("<Q", 7),
    ),
    "tokens of several signers": (
        "spl-token",
        "transfer",
        {"source": A, "destination": B, "multisigAuthority": C, "signers": [D], "amount": "7"},
        (A, B, C),
        b"\x03" + struct.pack("<Q", 7),
    ),
    "checked tokens": (
        "spl-token-2022",
        "transferChecked",
        {"source": A, "mint": D, "destination": B, "authority": C, "tokenAmount": CHECKED},
        (A, D, B, C),
        struct.pack("<BQB", 12, 7, 6),
    ),
    "tokens with a fee": (
        "spl-token-2022",
        "transferCheckedWithFee",
        {"source": A, "mint": D, "destination": B, "authority": C, "tokenAmount": CHECKED, "feeAmount": {"amount": "1", "decimals": 6}},
        (A, D, B, C),
        b"\x1a\x01" + struct.pack("<QBQ", 7, 6, 1),
    ),
    "a closing": ("spl-token", "closeAccount", {"account": A, "destination": B, "owner": C}, (A, B), b"\x09"),
    "an initialisation": ("spl-token", "initializeAccount3", {"account": A, "mint": B, "owner": D}, (A, B), b"\x12" + KEY_D),
    "an old initialisation": (
        "spl-token",
        "initializeAccount",
        {"account": A, "mint": B, "owner": C, "rentSysvar": D},
        (A, B, C, D),
        b"\x01",
    ),
    "a mint": (
        "spl-token",
        "mintToChecked",
        {"mint": A, "account": B, "mintAuthority": C, "tokenAmount": CHECKED},
        (A, B),
        b"\x07" + struct.pack("<Q", 7),
    ),
    "a burn": ("spl-token", "burn", {"account": A, "mint": B, "authority": C, "amount": "7"}, (A, B), b"\x08" + struct.pack("<Q", 7)),
    "an associated account": (
        "spl-associated-token-account",
        "createIdempotent",
        {"source": A, "account": B, "wallet": C, "mint": D, "systemProgram": A, "tokenProgram": A},
        (A, B, C, D),
        b"\x01",
    ),
    "another program's": ("vote", "vote", {"voteAccount": A, "vote": {"slots": [1]}}, (), b""),
    "one of no interest": ("spl-token", "syncNative", {"account": A}, (), b""),
}


@pytest.mark.parametrize(("program", "kind", "info", "accounts", "data"), WRITTEN.values(), ids=WRITTEN.keys())
def test_what_was_parsed_is_written_back(program: str, kind: str, info: dict[str, Any], accounts: tuple[str, ...], data: bytes) -> None:
    assert written_back(program, kind, orjson.dumps(info)) == (accounts, data)


@pytest.mark.parametrize("text", ["", "-1", "1.0", "1e3", "٣", "0x10", str(2**64), "9" * 5_000, None])
def test_an_amount_is_a_decimal_text_of_64_bits(text: str | None) -> None:
    with pytest.raises(InvalidInput, match="decimal text"):
        amount_of(text, "amount")


@pytest.mark.parametrize("missing", ["source", "destination", "lamports"])
def test_a_parsed_instruction_without_what_it_must_have_is_refused(missing: str) -> None:
    info = {name: value for name, value in WRITTEN["lamports"][2].items() if name != missing}
    broken = reply()
    parsed = {"programId": "1" * 32, "program": "system", "parsed": {"type": "transfer", "info": info}}
    broken["transaction"]["message"]["instructions"] = [parsed]
    with pytest.raises(InvalidInput):
        parse_result(orjson.dumps(broken))


def test_a_note_is_kept_as_an_instruction_without_data() -> None:
    noted = reply()
    noted["transaction"]["message"]["instructions"] += [{"programId": A, "program": "spl-memo", "parsed": "gm"}]
    assert parse_result(orjson.dumps(noted)).instructions[-1].data == b""


@pytest.mark.parametrize("index", [-1, 5, 2.0, "0", None, True])
def test_an_index_that_points_nowhere_is_refused(index: object) -> None:
    for place in ("accounts", "programIdIndex"):
        broken = reply()
        instruction = broken["transaction"]["message"]["instructions"][0]
        instruction[place] = [index] if place == "accounts" else index
        if index is None and place == "programIdIndex":
            continue
        with pytest.raises(InvalidInput):
            parse_result(orjson.dumps(broken))
