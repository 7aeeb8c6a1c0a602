"""What a validator answers to those who read: history, statuses, accounts, tokens, blocks, protocol errors. Facts measured on Agave 4.0."""

import base64
import json
import struct
from typing import Any

import pytest
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import AccountMeta, Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from tests.fakes.localnet_world import (
    ANA,
    ANA_LAMPORTS,
    ANA_TOKENS,
    ANA_TOKENS_RAW,
    BEN,
    BEN_TOKENS,
    MINT,
    NOBODY,
    LocalnetWorld,
    lamports_to,
    tokens_to,
)

from xorj.localnet.genesis import TOKEN_PROGRAM
from xorj.localnet.lookups import LOOKUP_PROGRAM

MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
WELL_FORMED = "5" * 87


@pytest.fixture
def world() -> LocalnetWorld:
    return LocalnetWorld()


async def test_a_transfer_reads_the_same_in_every_encoding(world: LocalnetWorld) -> None:
    transaction = world.signed(lamports_to(BEN.pubkey(), 10))
    signature = await world.sends(transaction)
    world.slots_pass()
    plain, parsed, coded = [await world.transaction(signature, encoding=one) for one in ("json", "jsonParsed", "base64")]
    assert plain["transactionIndex"] == 1
    assert plain["version"] == 0
    assert plain["meta"]["costUnits"] == 1481
    assert plain["meta"]["loadedAddresses"] == {"readonly": [], "writable": []}
    assert plain["transaction"]["message"]["instructions"][0]["stackHeight"] == 1
    assert "loadedAddresses" not in parsed["meta"]
    info = {"destination": str(BEN.pubkey()), "lamports": 10, "source": str(ANA.pubkey())}
    assert parsed["transaction"]["message"]["instructions"][0]["parsed"] == {"info": info, "type": "transfer"}
    assert parsed["transaction"]["message"]["accountKeys"][0] == {
        "pubkey": str(ANA.pubkey()),
        "signer": True,
        "source": "transaction",
        "writable": True,
    }
    assert coded["transaction"] == [base64.b64encode(bytes(transaction)).decode(), "base64"]
    assert {name: plain[name] for name in ("slot", "blockTime")} == {name: coded[name] for name in ("slot", "blockTime")}


async def test_a_version_must_be_asked_for(world: LocalnetWorld) -> None:
    newer = await world.sends(world.signed(lamports_to(BEN.pubkey(), 1)))
    legacy = await world.sends(world.signed(lamports_to(BEN.pubkey(), 2), legacy=True))
    world.becomes_final()
    code, message = await world.error("getTransaction", newer, {"encoding": "json"})
    assert (code, message.endswith('parameter: "maxSupportedTransactionVersion": 0')) == (-32015, True)
    shown = await world.result("getTransaction", legacy, "json")
    assert "version" not in shown
    assert "addressTableLookups" not in shown["transaction"]["message"]
    assert (await world.transaction(legacy))["version"] == "legacy"


async def test_token_balances_carry_owner_and_program_and_a_stored_zero_has_no_ui_amount(world: LocalnetWorld) -> None:
    signature = await world.sends(world.signed(tokens_to(BEN_TOKENS, 250)))
    world.slots_pass()
    meta = (await world.transaction(signature))["meta"]
    before, after = ({row["owner"]: row for row in meta[name]} for name in ("preTokenBalances", "postTokenBalances"))
    zero = {"amount": "0", "decimals": 6, "uiAmount": None, "uiAmountString": "0"}
    assert before[str(BEN.pubkey())]["uiTokenAmount"] == zero
    assert after[str(BEN.pubkey())]["uiTokenAmount"] == {"amount": "250", "decimals": 6, "uiAmount": 0.00025, "uiAmountString": "0.00025"}
    assert after[str(ANA.pubkey())]["programId"] == str(TOKEN_PROGRAM)
    assert int(after[str(ANA.pubkey())]["uiTokenAmount"]["amount"]) == ANA_TOKENS_RAW - 250


async def test_addresses_loaded_from_a_table_stand_behind_the_message_keys(world: LocalnetWorld) -> None:
    world.becomes_final()
    table = await _lookup_table(world, [BEN.pubkey(), MINT])
    message = MessageV0.try_compile(ANA.pubkey(), [lamports_to(BEN.pubkey(), 11)], [table], world.bank.latest_blockhash())
    signature = await world.sends(VersionedTransaction(message, [ANA]))
    world.slots_pass()
    plain, parsed = [await world.transaction(signature, encoding=one) for one in ("json", "jsonParsed")]
    assert plain["meta"]["loadedAddresses"] == {"readonly": [], "writable": [str(BEN.pubkey())]}
    assert plain["transaction"]["message"]["addressTableLookups"][0]["writableIndexes"] == [0]
    assert parsed["transaction"]["message"]["accountKeys"][-1]["source"] == "lookupTable"
    assert plain["meta"]["postBalances"][-1] - plain["meta"]["preBalances"][-1] == 11
    history = await world.result("getSignaturesForAddress", str(BEN.pubkey()), {"commitment": "confirmed"})
    assert history[0]["signature"] == signature


@pytest.mark.parametrize(
    ("signature", "options", "outcome"),
    [
        ("1" * 88, {}, (-32602, "Invalid param: WrongSize")),
        ("abc", {}, (-32602, "Invalid param: WrongSize")),
        (WELL_FORMED, {"commitment": "processed"}, (-32602, "Method does not support commitment below `confirmed`")),
        (WELL_FORMED, {}, None),
    ],
)
async def test_signatures_that_cannot_be_found(world: LocalnetWorld, signature: str, options: dict[str, str], outcome: Any) -> None:
    reply = await world.reply("getTransaction", signature, options)
    error = reply.get("error")
    assert (error and (error["code"], error["message"])) == outcome


async def test_history_of_an_address_is_newest_first_and_pages(world: LocalnetWorld) -> None:
    sent = []
    for lamports in range(5):
        sent.append(await world.sends(world.signed(lamports_to(BEN.pubkey(), lamports + 1))))
        world.slots_pass()
    world.becomes_final()
    ben = str(BEN.pubkey())

    async def page(**options: Any) -> list[str]:
        return [row["signature"] for row in await world.result("getSignaturesForAddress", ben, options)]

    assert await page() == sent[::-1]
    assert await page(limit=2) == [sent[4], sent[3]]
    assert await page(limit=2, before=sent[3]) == [sent[2], sent[1]]
    assert await page(until=sent[2]) == [sent[4], sent[3]]
    assert await page(until=WELL_FORMED) == sent[::-1]
    unknown = await world.error("getSignaturesForAddress", ben, {"before": WELL_FORMED})
    assert unknown == (-32020, f"Transaction {WELL_FORMED} not found")
    for limit in (0, 1001):
        assert await world.error("getSignaturesForAddress", ben, {"limit": limit}) == (-32602, "Invalid limit; max 1000")
    assert await world.result("getSignaturesForAddress", str(NOBODY.pubkey())) == []


async def test_a_history_row_has_memo_error_and_status(world: LocalnetWorld) -> None:
    memo = Instruction(MEMO, b"hello", [AccountMeta(ANA.pubkey(), is_signer=True, is_writable=False)])
    await world.sends(world.signed(memo))
    await world.sends(world.signed(lamports_to(BEN.pubkey(), 10**15)), skipPreflight=True)
    world.slots_pass()
    rows = await world.result("getSignaturesForAddress", str(ANA.pubkey()), {"commitment": "confirmed"})
    assert [row["memo"] for row in rows] == [None, "[5] hello"]
    assert [row["err"] for row in rows] == [{"InstructionError": [0, {"Custom": 1}]}, None]
    assert {row["confirmationStatus"] for row in rows} == {"confirmed"}


async def test_commitments_follow_one_another_by_slot_distance(world: LocalnetWorld) -> None:
    world.becomes_final()
    slots = [await world.result("getSlot", {"commitment": one}) for one in ("processed", "confirmed", "finalized")]
    assert slots == [slots[0], slots[0] - 1, slots[0] - 31]
    signature = await world.sends(world.signed(lamports_to(BEN.pubkey(), 1)))
    seen = []
    for _ in range(33):
        status = (await world.value("getSignatureStatuses", [signature]))[0]
        seen.append((status["confirmationStatus"], status["confirmations"]))
        world.slots_pass()
    assert seen[:2] == [("processed", 0), ("confirmed", 1)]
    assert seen[30:] == [("confirmed", 30), ("finalized", None), ("finalized", None)]
    assert await world.error("getSlot", {"minContextSlot": 10**9}) == (-32016, "Minimum context slot has not been reached")


async def test_an_account_is_read_as_of_the_commitment(world: LocalnetWorld) -> None:
    world.becomes_final()
    await world.sends(world.signed(lamports_to(NOBODY.pubkey(), 10**9)))
    nobody = str(NOBODY.pubkey())
    assert await world.value("getBalance", nobody, {"commitment": "processed"}) == 10**9
    assert await world.value("getBalance", nobody, {"commitment": "confirmed"}) == 0
    world.slots_pass()
    assert await world.value("getBalance", nobody, {"commitment": "confirmed"}) == 10**9
    assert await world.value("getAccountInfo", nobody, {"encoding": "base64"}) is None
    world.slots_pass(30)
    assert await world.value("getBalance", nobody) == 10**9


async def test_an_account_in_every_encoding(world: LocalnetWorld) -> None:
    raw = world.bank.account(MINT).data
    shown = {one: await world.value("getAccountInfo", str(MINT), {"encoding": one}) for one in ("base58", "base64", "base64+zstd")}
    assert base64.b64decode(shown["base64"]["data"][0]) == raw
    assert shown["base58"]["data"][1] == "base58"
    assert base64.b64decode(shown["base64+zstd"]["data"][0])[:4] == b"\x28\xb5\x2f\xfd"
    assert (shown["base64"]["space"], shown["base64"]["rentEpoch"]) == (82, 2**64 - 1)
    parsed = await world.value("getAccountInfo", str(MINT), {"encoding": "jsonParsed"})
    assert parsed["data"]["parsed"]["info"]["mintAuthority"] == str(ANA.pubkey())
    part = await world.value("getAccountInfo", str(MINT), {"encoding": "base64", "dataSlice": {"offset": 4, "length": 8}})
    assert base64.b64decode(part["data"][0]) == raw[4:12]
    assert (await world.value("getAccountInfo", str(ANA.pubkey())))["data"] == ""
    code, message = await world.error("getAccountInfo", str(MINT), {"encoding": "hex"})
    assert (code, message.count("`")) == (-32602, 12)


@pytest.mark.parametrize(
    ("method", "params", "message"),
    [
        ("getBalance", ["not-a-key"], "Invalid param: Invalid"),
        ("getBalance", ["1111"], "Invalid param: WrongSize"),
        ("getMultipleAccounts", [[str(MINT)] * 101], "Too many inputs provided; max 100"),
        ("getSignatureStatuses", [[WELL_FORMED] * 257], "Too many inputs provided; max 256"),
        ("getProgramAccounts", [str(TOKEN_PROGRAM), {"filters": [{"dataSize": 1}] * 5}], "Too many filters provided; max 4"),
        ("getTokenAccountBalance", [str(ANA.pubkey())], "Invalid param: not a Token account"),
        ("getTokenAccountBalance", [str(NOBODY.pubkey())], "Invalid param: could not find account"),
        ("getTokenAccountsByOwner", [str(ANA.pubkey()), {"mint": str(NOBODY.pubkey())}], "Invalid param: could not find mint"),
        ("isBlockhashValid", ["zz"], "WrongSize"),
        ("sendTransaction", [], "`params` should have at least 1 argument(s)"),
    ],
)
async def test_arguments_are_refused_in_the_nodes_words(world: LocalnetWorld, method: str, params: list[Any], message: str) -> None:
    assert await world.error(method, *params) == (-32602, message)


async def test_token_accounts_by_owner_and_by_filter(world: LocalnetWorld) -> None:
    by_mint = await world.value("getTokenAccountsByOwner", str(ANA.pubkey()), {"mint": str(MINT)}, {"encoding": "jsonParsed"})
    assert [row["pubkey"] for row in by_mint] == [str(ANA_TOKENS)]
    assert by_mint[0]["account"]["data"]["parsed"]["info"]["tokenAmount"]["uiAmountString"] == "1000"
    owned = {"memcmp": {"offset": 32, "bytes": str(BEN.pubkey())}}
    filters = {"encoding": "base64", "filters": [{"dataSize": 165}, owned], "dataSlice": {"offset": 0, "length": 64}}
    rows = await world.result("getProgramAccounts", str(TOKEN_PROGRAM), filters)
    assert [row["pubkey"] for row in rows] == [str(BEN_TOKENS)]
    assert (await world.value("getTokenSupply", str(MINT)))["amount"] == str(ANA_TOKENS_RAW)


async def test_blocks_skip_slots_and_say_so(world: LocalnetWorld) -> None:
    signature = await world.sends(world.signed(lamports_to(BEN.pubkey(), 1)))
    slot = world.bank.slot
    world.bank.advance(5)
    world.becomes_final()
    block = await world.result("getBlock", slot, {"maxSupportedTransactionVersion": 0, "rewards": False})
    assert [row["version"] for row in block["transactions"]] == ["legacy", 0]
    assert block["transactions"][1]["meta"]["rewards"] is None
    assert (block["parentSlot"], "rewards" in block) == (slot - 1, False)
    listed = await world.result("getBlock", slot, {"transactionDetails": "signatures", "maxSupportedTransactionVersion": 0})
    assert listed["signatures"][1] == signature
    assert await world.result("getBlocks", slot, slot + 6) == [slot, slot + 5, slot + 6]
    assert await world.result("getBlocksWithLimit", slot, 2) == [slot, slot + 5]
    assert (await world.error("getBlock", slot + 2, {}))[0] == -32007
    assert await world.error("getBlock", 10**9, {}) == (-32004, "Block not available for slot 1000000000")
    assert await world.error("getBlockTime", 10**9) == (-32004, "Block not available for slot 1000000000")
    assert (await world.error("getBlock", slot, {}))[0] == -32015


async def test_the_chain_describes_itself(world: LocalnetWorld) -> None:
    assert await world.result("getHealth") == "ok"
    assert set(await world.result("getVersion")) == {"feature-set", "solana-core"}
    assert await world.result("getGenesisHash") == "XorjLoca1Chain11111111111111111111111111111"
    info = await world.result("getEpochInfo", {"commitment": "processed"})
    assert (info["absoluteSlot"], info["slotsInEpoch"]) == (world.bank.slot, 432_000)
    assert await world.result("getMinimumBalanceForRentExemption", 165) == 2_039_280
    supply = await world.value("getSupply")
    assert supply["total"] == supply["circulating"] + supply["nonCirculating"]
    assert supply["circulating"] >= ANA_LAMPORTS


async def test_priority_fees_are_listed_by_block(world: LocalnetWorld) -> None:
    price = Instruction(Pubkey.from_string("ComputeBudget111111111111111111111111111111"), b"\x03" + struct.pack("<Q", 1_000), [])
    await world.sends(world.signed(price, lamports_to(BEN.pubkey(), 1)))
    world.slots_pass()
    rows = await world.result("getRecentPrioritizationFees", [str(BEN.pubkey())])
    assert rows == [{"prioritizationFee": 1_000, "slot": world.bank.slot - 1}]


@pytest.mark.parametrize(
    ("body", "reply"),
    [
        ('{"jsonrpc": "2.0", "id": 1', {"error": {"code": -32700, "message": "Parse error"}, "id": None}),
        ('{"foo": 1}', {"error": {"code": -32600, "message": "Invalid request"}, "id": None}),
        ('{"jsonrpc": "1.0", "id": 1, "method": "getHealth"}', {"error": {"code": -32600, "message": "Invalid request"}, "id": 1}),
        ('{"jsonrpc": "2.0", "id": "x", "method": "getHealth"}', {"result": "ok", "id": "x"}),
        ('{"jsonrpc": "2.0", "id": 1, "method": "getNothing"}', {"error": {"code": -32601, "message": "Method not found"}, "id": 1}),
        (
            '{"jsonrpc": "2.0", "id": 1, "method": "getBalance", "params": {"pubkey": "x"}}',
            {"error": {"code": -32602, "message": "`params` should be an array"}, "id": 1},
        ),
        (
            '{"jsonrpc": "2.0", "id": 1, "method": "getHealth", "params": [1, "a"]}',
            {
                "error": {
                    "code": -32602,
                    "message": "Invalid parameters: No parameters were expected",
                    "data": 'Array([Number(1), String("a")])',
                },
                "id": 1,
            },
        ),
    ],
)
async def test_the_protocol_around_the_methods(world: LocalnetWorld, body: str, reply: dict[str, Any]) -> None:
    assert await world.post(body.encode()) == {"jsonrpc": "2.0"} | reply


async def test_batches_answer_each_and_nothing_where_nothing_is_asked(world: LocalnetWorld) -> None:
    requests = [{"jsonrpc": "2.0", "id": number, "method": method} for number, method in enumerate(("getHealth", "nope"))]
    replies = await world.post(json.dumps([*requests, {"jsonrpc": "2.0", "method": "getHealth"}]).encode())
    assert [one["id"] for one in replies] == [0, 1]
    assert replies[1]["error"]["code"] == -32601
    assert await world.post(b"[]") is None
    assert await world.post(b'{"jsonrpc": "2.0", "method": "getHealth"}') is None


async def _lookup_table(world: LocalnetWorld, addresses: list[Pubkey]) -> AddressLookupTableAccount:
    slot = await world.result("getSlot", {"commitment": "finalized"})
    table, bump = Pubkey.find_program_address([bytes(ANA.pubkey()), struct.pack("<Q", slot)], LOOKUP_PROGRAM)
    accounts = [
        AccountMeta(table, is_signer=False, is_writable=True),
        AccountMeta(ANA.pubkey(), is_signer=True, is_writable=False),
        AccountMeta(ANA.pubkey(), is_signer=True, is_writable=True),
        AccountMeta(Pubkey.default(), is_signer=False, is_writable=False),
    ]
    create = Instruction(LOOKUP_PROGRAM, struct.pack("<IQB", 0, slot, bump), accounts)
    extend = Instruction(LOOKUP_PROGRAM, struct.pack("<IQ", 2, len(addresses)) + b"".join(map(bytes, addresses)), accounts)
    await world.sends(world.signed(create, extend))
    world.slots_pass()
    return AddressLookupTableAccount(table, addresses)
