"""What a validator answers to those who send: refusals before the block, failures inside it, simulation. Facts measured on Agave 4.0."""

import base64

import pytest
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.message import MessageV1, to_bytes_versioned
from solders.message.v1 import TransactionConfig
from solders.transaction import VersionedTransaction
from tests.fakes.localnet_world import (
    ANA,
    ANA_LAMPORTS,
    ANA_TOKENS_RAW,
    BEN,
    BEN_LAMPORTS,
    BEN_TOKENS,
    NOBODY,
    UNKNOWN_BLOCKHASH,
    LocalnetWorld,
    lamports_to,
    text_of,
    tokens_to,
)

PREFLIGHT_KEYS = {
    "accounts",
    "err",
    "fee",
    "innerInstructions",
    "loadedAccountsDataSize",
    "loadedAddresses",
    "logs",
    "postBalances",
    "postTokenBalances",
    "preBalances",
    "preTokenBalances",
    "replacementBlockhash",
    "returnData",
    "unitsConsumed",
}


@pytest.fixture
def world() -> LocalnetWorld:
    return LocalnetWorld()


async def test_a_repetition_is_refused_by_preflight_and_accepted_without(world: LocalnetWorld) -> None:
    transaction = world.signed(lamports_to(BEN.pubkey(), 7))
    signature = await world.sends(transaction)
    error = await world.send_error(transaction)
    assert error["code"] == -32002
    assert error["message"] == "Transaction simulation failed: This transaction has already been processed"
    assert error["data"]["err"] == "AlreadyProcessed"
    assert await world.sends(transaction, skipPreflight=True) == signature
    assert world.bank.account(BEN.pubkey()).lamports == BEN_LAMPORTS + 7


async def test_preflight_says_what_failed_with_logs_and_fee(world: LocalnetWorld) -> None:
    error = await world.send_error(world.signed(lamports_to(BEN.pubkey(), 10**15)))
    assert error["message"] == "Transaction simulation failed: Error processing Instruction 0: custom program error: 0x1"
    data = error["data"]
    assert set(data) == PREFLIGHT_KEYS
    assert (data["err"], data["fee"], data["unitsConsumed"]) == ({"InstructionError": [0, {"Custom": 1}]}, 5000, 150)
    assert data["loadedAccountsDataSize"] == 206
    assert data["logs"][1] == f"Transfer: insufficient lamports {ANA_LAMPORTS - 5000}, need {10**15}"
    assert data["preBalances"] is None


@pytest.mark.parametrize(
    ("what", "error", "sentence"),
    [
        ("no such payer", "AccountNotFound", "Attempt to debit an account but found no record of a prior credit."),
        ("unknown blockhash", "BlockhashNotFound", "Blockhash not found"),
        ("bad signature", "SignatureFailure", "Transaction did not pass signature verification"),
    ],
)
async def test_what_no_block_takes_is_refused_by_preflight(world: LocalnetWorld, what: str, error: str, sentence: str) -> None:
    transaction = _unacceptable(world, what)
    reply = await world.send_error(transaction)
    assert reply["message"] == f"Transaction simulation failed: {sentence}"
    assert (reply["data"]["err"], reply["data"]["fee"], reply["data"]["logs"]) == (error, None, [])


@pytest.mark.parametrize("what", ["no such payer", "unknown blockhash", "bad signature"])
async def test_what_no_block_takes_vanishes_without_preflight(world: LocalnetWorld, what: str) -> None:
    transaction = _unacceptable(world, what)
    assert await world.sends(transaction, skipPreflight=True) == str(transaction.signatures[0])
    assert await world.value("getSignatureStatuses", [str(transaction.signatures[0])]) == [None]


async def test_a_failing_transaction_lands_without_preflight_and_pays(world: LocalnetWorld) -> None:
    signature = await world.sends(world.signed(lamports_to(BEN.pubkey(), 10**15)), skipPreflight=True)
    world.slots_pass()
    meta = (await world.transaction(signature))["meta"]
    assert meta["err"] == {"InstructionError": [0, {"Custom": 1}]}
    assert meta["status"] == {"Err": meta["err"]}
    assert (meta["fee"], meta["preBalances"][0] - meta["postBalances"][0]) == (5000, 5000)


async def test_a_blockhash_is_good_for_150_blocks_and_not_a_block_longer(world: LocalnetWorld) -> None:
    latest = await world.value("getLatestBlockhash", {"commitment": "confirmed"})
    first, second = (world.signed(lamports_to(BEN.pubkey(), lamports)) for lamports in (1, 2))
    while world.bank.blocks.height <= latest["lastValidBlockHeight"]:
        world.slots_pass()
    await world.sends(first)
    world.slots_pass()
    assert (await world.send_error(second))["data"]["err"] == "BlockhashNotFound"
    assert not await world.value("isBlockhashValid", latest["blockhash"], {"commitment": "processed"})


async def test_preflight_judges_blockhashes_by_its_commitment(world: LocalnetWorld) -> None:
    world.becomes_final()
    fresh = world.signed(lamports_to(BEN.pubkey(), 1))
    assert (await world.send_error(fresh, preflightCommitment="finalized"))["data"]["err"] == "BlockhashNotFound"
    await world.sends(fresh, preflightCommitment="confirmed")


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("!!!", {"encoding": "base64"}, "invalid base64 encoding: InvalidByte(0, 33)"),
        ("aGVsbG8=", {"encoding": "base64"}, "io error: failed to fill whole buffer"),
        ("A" * 2000, {"encoding": "base64"}, "too large: 2000 bytes (max: encoded/raw 1644/1232)"),
        ("abc", {"encoding": "hex"}, "unknown variant `hex`, expected one of `binary`, `base64`, `base58`, `json`, `jsonParsed`."),
        ("0", {}, "invalid base58 encoding: InvalidCharacter { character: '0', index: 0 }"),
    ],
)
async def test_unreadable_transactions_are_named(world: LocalnetWorld, text: str, options: dict[str, str], message: str) -> None:
    code, said = await world.error("sendTransaction", text, options)
    assert code == -32602
    assert said.endswith(message)


async def test_version_1_pays_its_priority_fee_as_a_whole(world: LocalnetWorld) -> None:
    config = TransactionConfig(priority_fee=1_000, compute_unit_limit=20_000)
    message = MessageV1.try_compile(ANA.pubkey(), [lamports_to(BEN.pubkey(), 5)], world.bank.latest_blockhash(), config)
    signature = await world.sends(VersionedTransaction(message, [ANA]))
    world.slots_pass()
    code, said = await world.error("getTransaction", signature, {"maxSupportedTransactionVersion": 0, "commitment": "confirmed"})
    assert (code, said.split(".")[0]) == (-32015, "Transaction version (1) is not supported by the requesting client")
    shown = await world.transaction(signature)
    assert (shown["version"], shown["meta"]["fee"]) == (1, 6_000)
    assert shown["meta"]["preBalances"][0] - shown["meta"]["postBalances"][0] == 6_005
    assert shown["transaction"]["message"]["transactionConfig"]["priorityFee"] == 1_000


async def test_simulation_shows_balances_and_changes_nothing(world: LocalnetWorld) -> None:
    transaction = world.signed(tokens_to(BEN_TOKENS, 250))
    asked = {"encoding": "base64", "addresses": [str(BEN_TOKENS)]}
    options = {"encoding": "base64", "commitment": "processed", "sigVerify": True, "accounts": asked}
    value = await world.value("simulateTransaction", text_of(transaction), options)
    assert value["err"] is None
    assert value["fee"] == 5000
    amounts = {row["accountIndex"]: row["uiTokenAmount"]["amount"] for row in value["postTokenBalances"]}
    assert sorted(amounts.values()) == ["250", str(ANA_TOKENS_RAW - 250)]
    assert {row["uiTokenAmount"]["uiAmount"] for row in value["preTokenBalances"]} == {0.0, 1000.0}
    data = base64.b64decode(value["accounts"][0]["data"][0])
    assert int.from_bytes(data[64:72], "little") == 250
    assert (await world.value("getTokenAccountBalance", str(BEN_TOKENS), {"commitment": "processed"}))["amount"] == "0"


async def test_simulation_replaces_a_stale_blockhash_when_asked(world: LocalnetWorld) -> None:
    stale = text_of(world.signed(tokens_to(BEN_TOKENS, 1), blockhash=UNKNOWN_BLOCKHASH))
    refused = await world.value("simulateTransaction", stale, {"encoding": "base64"})
    assert (refused["err"], refused["fee"], refused["replacementBlockhash"]) == ("BlockhashNotFound", None, None)
    assert refused["preBalances"] == refused["postBalances"]
    value = await world.value("simulateTransaction", stale, {"encoding": "base64", "replaceRecentBlockhash": True})
    assert value["err"] is None
    assert set(value["replacementBlockhash"]) == {"blockhash", "lastValidBlockHeight"}
    both = {"encoding": "base64", "replaceRecentBlockhash": True, "sigVerify": True}
    assert await world.error("simulateTransaction", stale, both) == (-32602, "sigVerify may not be used with replaceRecentBlockhash")


async def test_a_fee_is_known_only_for_a_blockhash_the_commitment_knows(world: LocalnetWorld) -> None:
    world.becomes_final()
    budget = [set_compute_unit_limit(100_000), set_compute_unit_price(5_000)]
    message = base64.b64encode(to_bytes_versioned(world.signed(*budget, lamports_to(BEN.pubkey(), 1)).message)).decode()
    assert await world.value("getFeeForMessage", message) is None
    assert await world.value("getFeeForMessage", message, {"commitment": "processed"}) == 5_500


async def test_two_equal_airdrops_in_one_block_are_two(world: LocalnetWorld) -> None:
    signatures = {await world.result("requestAirdrop", str(NOBODY.pubkey()), 10**9) for _ in range(3)}
    assert len(signatures) == 3
    assert await world.value("getBalance", str(NOBODY.pubkey()), {"commitment": "processed"}) == 3 * 10**9
    assert await world.error("requestAirdrop", "xyz", 1) == (-32602, "Invalid param: WrongSize")


def _unacceptable(world: LocalnetWorld, what: str) -> VersionedTransaction:
    if what == "no such payer":
        return world.signed(lamports_to(ANA.pubkey(), 1, NOBODY), by=[NOBODY])
    if what == "unknown blockhash":
        return world.signed(lamports_to(BEN.pubkey(), 1), blockhash=UNKNOWN_BLOCKHASH)
    raw = bytearray(bytes(world.signed(lamports_to(BEN.pubkey(), 3))))
    raw[5] ^= 1
    return VersionedTransaction.from_bytes(bytes(raw))
