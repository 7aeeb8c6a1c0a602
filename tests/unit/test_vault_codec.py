"""The vault program's bytes in Python: vectors of Anchor's rules, accounts in both forms, instructions there and back, events in logs."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from xorj.vault import accounts, borsh, events, idl, instructions
from xorj.vault.accounts import NonceState
from xorj.vault.errors import VaultError, message_of, name_of
from xorj.vault.instructions import Guard
from xorj.vault.interface import ACCOUNTS, CONSTANTS, ERRORS, EVENTS, INSTRUCTIONS, LIMITS, PROGRAM, TYPES, Field

ROOT = Path(__file__).resolve().parents[2]
OWNER, BOT, MINT = (Pubkey.from_bytes(bytes([byte]) * 32) for byte in (7, 9, 5))
U64 = st.integers(0, 2**64 - 1)
KEYS = st.binary(min_size=32, max_size=32).map(Pubkey.from_bytes)

# sha256("global:<name>"), ("account:<name>"), ("event:<name>"), first 8 bytes: Anchor's rule, worked out apart from this code.
DISCRIMINATORS = {
    "initialize_vault": "30bfa32c47813fa4",
    "deposit": "f223c68952e1f2b6",
    "withdraw": "b712469c946da122",
    "grant_bot_authority": "6a6d214c621af90a",
    "revoke_bot_authority": "6ef58d3082ae0f8d",
    "bot_trade": "bc3e88964eabe732",
    "deactivate_vault": "988416ecc8807cae",
    "VaultAccount": "e6fbf1538bca5d1c",
    "TradeExecuted": "296e40813c4fb350",
}


def test_discriminators_are_anchors() -> None:
    known = {each.name: each.discriminator for each in (*INSTRUCTIONS, *ACCOUNTS, *EVENTS)}
    assert {name: (known[name] or b"").hex() for name in DISCRIMINATORS} == DISCRIMINATORS
    assert len(set(known.values())) == len(known)
    assert all(each.discriminator is None for each in TYPES)


def test_error_numbers_begin_at_6000_and_have_a_sentence_each() -> None:
    assert (VaultError.Unauthorized, VaultError.SlippageExceeded, VaultError.EpochTooYoung) == (6000, 6018, 6043)
    assert len(VaultError) == len(ERRORS)
    assert (name_of(6018), message_of(6018)) == ("SlippageExceeded", "less arrived than the minimum")
    assert (name_of(3010), message_of(3010)) == ("AccountNotSigner", "AccountNotSigner")
    assert (name_of(1), message_of(1)) == ("Custom(1)", "Custom(1)")


def test_addresses_are_the_programs() -> None:
    assert str(accounts.event_authority_address()) == "Gy51BfKgtHQArDnX2UEKrSagJtCzy9osQQ8TevVPjjFX"
    vault = accounts.vault_address(OWNER)
    assert vault == Pubkey.find_program_address([b"vault", bytes(OWNER)], Pubkey.from_string(PROGRAM))[0]
    assert len({vault, accounts.policy_address(vault), accounts.trade_authority_address(vault), accounts.config_address()}) == 4


# Accounts


def vault_bytes(bot: Pubkey | None) -> bytes:
    """SPEC's layout by hand: the option shifts what follows, the tail is zero."""
    option = b"\0" if bot is None else b"\x01" + bytes(bot)
    body = bytes(OWNER) + (5).to_bytes(8, "little") + option + b"\x01" + (-9).to_bytes(8, "little", signed=True) + b"\xfe"
    return (bytes.fromhex("e6fbf1538bca5d1c") + body).ljust(91, b"\0")


@pytest.mark.parametrize("bot", [None, BOT], ids=["without a bot", "with a bot"])
def test_a_vault_is_read_in_both_forms(bot: Pubkey | None) -> None:
    assert accounts.decode_vault(vault_bytes(bot)) == accounts.VaultAccount(OWNER, 5, bot, True, -9, 254)


@pytest.mark.parametrize(
    "data",
    [b"", bytes(91), vault_bytes(BOT)[:90], vault_bytes(None)[:48] + b"\x02" + vault_bytes(None)[49:]],
    ids=["empty", "zeroes", "cut", "option of 2"],
)
def test_what_is_no_vault_is_refused(data: bytes) -> None:
    with pytest.raises(borsh.Malformed):
        accounts.decode_vault(data)


def policy_bytes(**changes: object) -> bytes:
    structure = next(each for each in ACCOUNTS if each.name == "VaultPolicy")
    free = {"mint": accounts.NO_KEY, "pinned_from": 0, "units": 0, "base_cost": 0}
    values: dict[str, object] = {
        **dict.fromkeys((field.name for field in structure.fields), 0),
        **dict.fromkeys(("vault", "base_mint", "trade_authority"), MINT),
        "nonce_bitmap": [0] * 32,
        "spend_buckets": [0] * 25,
        "loss_buckets": [0] * 25,
        "slots": [free] * 16,
        "reserved": [0] * 56,
        **{f"pending_{name}": {"effective_at": 0, "value": 0} for name, _ in LIMITS},
    }
    assert structure.discriminator
    return structure.discriminator + borsh.encode(structure.fields, values | changes)


def policy(**changes: object) -> accounts.VaultPolicy:
    return accounts.decode_policy(policy_bytes(**changes))


def slot(mint: Pubkey, pinned_from: int = 0, units: int = 0, base_cost: int = 0) -> dict[str, object]:
    return {"mint": mint, "pinned_from": pinned_from, "units": units, "base_cost": base_cost}


def slots(*taken: dict[str, object]) -> list[dict[str, object]]:
    return [*taken, *[slot(accounts.NO_KEY)] * (16 - len(taken))]


def test_the_policy_has_its_size_and_offsets() -> None:
    assert (accounts.POLICY_BYTES, accounts.CONFIG_BYTES) == (1_692, 229)
    assert accounts.POLICY_OFFSETS["paused"] == 8 + 1 + 3 * 32 + 2
    data = policy_bytes(paused=True, bot_epoch=77)
    at = accounts.POLICY_OFFSETS["bot_epoch"]
    assert data[accounts.POLICY_OFFSETS["paused"]] == 1
    assert int.from_bytes(data[at : at + 8], "little") == 77
    assert len(data) == accounts.POLICY_BYTES


def test_limits_take_effect_when_they_are_due() -> None:
    read = policy(spend_per_day=10, pending_spend_per_day={"effective_at": 100, "value": 20})
    assert [read.limits(now).spend_per_day for now in (99, 100)] == [10, 20]
    assert list(read.pending) == ["spend_per_day"]


def test_caps_are_the_smaller_of_absolute_and_share_rounded_down() -> None:
    limits = policy(spend_per_trade=50, spend_per_trade_bps=3_333, spend_per_day=9, spend_per_day_bps=10_000, loss_per_day=10**9).stored
    assert (limits.trade_cap(100), limits.trade_cap(1_000), limits.day_cap(100), limits.loss_cap(10**6)) == (33, 50, 9, 0)


def test_what_may_still_be_spent() -> None:
    spent = [0] * 25
    spent[1_000 % 25] = 70
    read = policy(
        spend_per_trade=60,
        spend_per_trade_bps=10_000,
        spend_per_day=100,
        spend_per_day_bps=10_000,
        window_hour=1_000,
        spend_buckets=spent,
    )
    hour = 3_600
    assert read.spend_left(1_000, 1_000 * hour) == 30
    assert read.spend_left(1_000, 1_024 * hour) == 30, "the 25th bucket still counts"
    assert read.spend_left(1_000, 1_025 * hour) == 60
    assert read.spend_left(1_000, 0) == 30, "a clock that runs back forgets nothing"
    assert read.spent_in_day(10**9) == read.lost_in_day(10**9) == 0


def test_mints_that_may_be_bought() -> None:
    listed = policy(slots=slots(slot(MINT, pinned_from=100)))
    assert [listed.may_buy(MINT, now) for now in (99, 100)] == [False, True]
    assert not listed.may_buy(BOT, 100)
    anything = policy(mint_mode=accounts.ANY_MINT)
    assert anything.may_buy(BOT, 0)
    full = policy(mint_mode=accounts.ANY_MINT, slots=[slot(Pubkey.from_bytes(bytes([n + 1]) * 32)) for n in range(16)])
    assert full.may_buy(Pubkey.from_bytes(b"\x03" * 32), 0)
    assert not full.may_buy(Pubkey.from_bytes(b"\x33" * 32), 0)
    assert full.slot_of(accounts.NO_KEY) is None


def test_the_loss_cap_counts_the_larger_of_deposits_and_cost() -> None:
    read = policy(slots=slots(slot(MINT, base_cost=30), slot(BOT, base_cost=40)))
    assert (read.loss_basis(69), read.loss_basis(71)) == (70, 71)


def test_nonces() -> None:
    read = policy(nonce_base=100, nonce_bitmap=[0b101, *[0] * 30, 0b1000_0000])
    states = {99: NonceState.TOO_OLD, 100: NonceState.USED, 101: NonceState.FREE, 355: NonceState.USED, 356: NonceState.FREE}
    assert {nonce: read.nonce_state(nonce) for nonce in states} == states
    assert [read.nonce_state(nonce) for nonce in (611, 612)] == [NonceState.FREE, NonceState.TOO_FAR]
    assert read.next_nonce() == 356


def test_a_config_is_read() -> None:
    structure = next(each for each in ACCOUNTS if each.name == "Config")
    values = {field.name: 0 for field in structure.fields} | {
        "admin": OWNER,
        "pending_admin": accounts.NO_KEY,
        "guardian": BOT,
        "base_mint": MINT,
        "vault_cap": 10**12,
        "reserved": [0] * 64,
    }
    assert structure.discriminator
    config = accounts.decode_config(structure.discriminator + borsh.encode(structure.fields, values))
    assert (config.pending_admin, config.admin, config.deposit_cap) == (None, OWNER, 1_000_000_000)


# Instructions

GUARD = Guard(nonce=3, bot_epoch=1_000, deadline_slot=1_100)
ROUTE = (AccountMeta(OWNER, True, True), AccountMeta(BOT, False, False))


def trade() -> Instruction:
    return instructions.bot_trade(
        BOT,
        OWNER,
        input_mint=MINT,
        output_mint=BOT,
        router_program=MINT,
        amount_in=11,
        minimum_amount_out=12,
        route_data=b"route",
        route_accounts=ROUTE,
        guard=GUARD,
    )


def test_a_trade_is_built_as_spec_lays_it_out_and_read_back() -> None:
    built = trade()
    arguments = (
        b"".join(n.to_bytes(8, "little") for n in (11, 12))
        + b"\x05\0\0\0route"
        + b"".join(n.to_bytes(8, "little") for n in (3, 1_000, 1_100))
    )
    assert bytes(built.data) == bytes.fromhex("bc3e88964eabe732") + arguments
    read = instructions.decode_bot_trade(built)
    vault = accounts.vault_address(OWNER)
    assert (read.vault, read.bot_authority, read.amount_in, read.minimum_amount_out) == (vault, BOT, 11, 12)
    assert (read.route_data, read.guard, read.route_accounts) == (b"route", GUARD, (OWNER, BOT))
    assert not any(meta.is_signer for meta in built.accounts[1:]), "only the bot signs"
    assert built.accounts[15].is_writable


def test_each_builder_gives_what_the_program_reads() -> None:
    built = [
        instructions.initialize_config(OWNER, OWNER, MINT, admin=OWNER, guardian=BOT, vault_cap=1, loosening_delay_s=3_600),
        instructions.update_config(OWNER, pending_admin=BOT, paused=True),
        instructions.accept_admin(OWNER),
        instructions.initialize_vault(OWNER),
        instructions.deposit(OWNER, MINT, 5),
        instructions.withdraw(OWNER, MINT, 5, hook_accounts=[AccountMeta(BOT, False, False)]),
        instructions.grant_bot_authority(OWNER, BOT),
        instructions.revoke_bot_authority(OWNER),
        trade(),
        instructions.deactivate_vault(OWNER),
        instructions.set_policy(OWNER, mint_mode=accounts.ANY_MINT, pin=[MINT]),
        instructions.pause_vault(BOT, OWNER),
        instructions.resume_vault(OWNER),
        instructions.burn_nonce(BOT, OWNER, GUARD),
        instructions.recover_trade_account(OWNER, MINT),
        instructions.close_token_account(OWNER, MINT, of_trade_authority=True),
        instructions.close_vault(OWNER),
    ]
    read = [instructions.decode(bytes(each.data), [meta.pubkey for meta in each.accounts]) for each in built]
    assert [each.name for each in read] == [interface.name for interface in INSTRUCTIONS]
    assert read[1].arguments["paused"] is True
    assert read[1].arguments["guardian"] is None
    assert read[5].rest == (BOT,)
    assert read[10].arguments["pin"] == [MINT]
    for instruction, interface in zip(built, INSTRUCTIONS, strict=True):
        flags = [(meta.is_signer, meta.is_writable) for meta in instruction.accounts[: len(interface.accounts)]]
        assert flags == [(role.is_signer, role.is_writable) for role in interface.accounts], interface.name


def test_an_associated_account_is_made_by_its_own_program() -> None:
    made = instructions.create_token_account(OWNER, BOT, MINT)
    assert (made.program_id, bytes(made.data)) == (accounts.ASSOCIATED_TOKEN_PROGRAM, b"\x01")
    assert made.accounts[1].pubkey == accounts.token_account_address(BOT, MINT)


def test_what_the_program_would_not_parse_is_malformed() -> None:
    built = trade()
    keys = [meta.pubkey for meta in built.accounts]
    for data, given_keys, word in (
        (b"\xff" * 8, keys, "no instruction"),
        (bytes(built.data) + b"\0", keys, "after the arguments"),
        (bytes(built.data)[:-1], keys, "bytes left"),
        (bytes(built.data), keys[:14], "needs 15 accounts"),
    ):
        with pytest.raises(borsh.Malformed, match=word):
            instructions.decode(data, given_keys)
    with pytest.raises(borsh.Malformed, match="not bot_trade"):
        instructions.decode_bot_trade(instructions.close_vault(OWNER))
    with pytest.raises(borsh.Malformed, match="not an instruction of the vault program"):
        instructions.decode_bot_trade(Instruction(MINT, bytes(built.data), built.accounts))


# Borsh

FIELDS = (
    Field("small", "u8"),
    Field("flag", "bool"),
    Field("maybe", {"option": "u16"}),
    Field("many", {"vec": "pubkey"}),
    Field("raw", "bytes"),
    Field("past", "i64"),
    Field("pair", {"array": ["u32", 2]}),
)
VALUES = st.fixed_dictionaries(
    {
        "small": st.integers(0, 255),
        "flag": st.booleans(),
        "maybe": st.none() | st.integers(0, 65_535),
        "many": st.lists(KEYS, max_size=3),
        "raw": st.binary(max_size=20),
        "past": st.integers(-(2**63), 2**63 - 1),
        "pair": st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=2),
    }
)


@given(VALUES, st.binary(max_size=5))
def test_values_come_back_and_what_follows_is_left(values: dict[str, object], rest: bytes) -> None:
    assert borsh.decode(FIELDS, borsh.encode(FIELDS, values) + rest) == (values, rest)


@given(VALUES, st.data())
def test_a_cut_is_malformed(values: dict[str, object], data: st.DataObject) -> None:
    whole = borsh.encode(FIELDS, values)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(borsh.Malformed):
        borsh.decode(FIELDS, whole[:cut])


def test_sizes_and_shapes_that_do_not_fit() -> None:
    assert borsh.size_of({"array": ["pubkey", 3]}) == 96
    with pytest.raises(ValueError, match="no fixed size"):
        borsh.size_of({"vec": "u8"})
    with pytest.raises(ValueError, match="1 elements where 2 belong"):
        borsh.encode(FIELDS[-1:], {"pair": [1]})
    with pytest.raises(OverflowError):
        borsh.encode(FIELDS[:1], {"small": 256})


# Events

TRADE = events.TradeExecuted(MINT, BOT, MINT, OWNER, 1, 2, 3, 4)


def encoded(event: events.VaultEvent) -> bytes:
    structure = next(each for each in EVENTS if each.name == type(event).__name__)
    assert structure.discriminator
    return structure.discriminator + borsh.encode(structure.fields, {field.name: getattr(event, field.name) for field in structure.fields})


ALL = [
    TRADE,
    events.Deposited(MINT, OWNER, BOT, 1, 2, -3),
    events.Withdrawn(MINT, OWNER, BOT, 1, 2, 3),
    events.AuthorityChanged(MINT, None, BOT, 5, 6, 7),
    events.PolicyChanged(MINT, 8),
    events.VaultPaused(MINT, BOT, False, 9),
    events.VaultDeactivated(MINT, OWNER, 10),
]


@pytest.mark.parametrize("event", ALL, ids=lambda event: type(event).__name__)
def test_events_come_back(event: events.VaultEvent) -> None:
    assert events.decode_event(encoded(event)) == event
    with pytest.raises(borsh.Malformed, match="1 bytes after"):
        events.decode_event(encoded(event) + b"\0")


def data_line(data: bytes) -> str:
    return "Program data: " + base64.b64encode(data).decode()


def test_only_lines_of_the_running_program_count() -> None:
    router = str(MINT)
    forged = data_line(encoded(ALL[1]))
    logs = [
        "Program ComputeBudget111111111111111111111111111111 invoke [1]",
        "Program ComputeBudget111111111111111111111111111111 success",
        f"Program {PROGRAM} invoke [1]",
        f"Program {router} invoke [2]",
        forged,
        "Program log: Program data: nothing",
        f"Program {router} success",
        data_line(encoded(TRADE)),
        data_line(b"something else of ours"),
        "Program data: not base64!",
        f"Program {PROGRAM} invoke [2]",
        f"Program {PROGRAM} success",
        data_line(encoded(ALL[4])),
        f"Program {PROGRAM} success",
        forged,
    ]
    assert events.parse_logs(logs) == [TRADE, ALL[4]]


def test_the_self_call_is_read_and_other_calls_are_not() -> None:
    program = Pubkey.from_string(PROGRAM)
    inner = [
        (program, events.EVENT_TAG + encoded(TRADE)),
        (program, events.EVENT_TAG + encoded(ALL[1])),
        (MINT, events.EVENT_TAG + encoded(TRADE)),
        (program, b"\0" * 16),
    ]
    assert events.traded(inner) == [TRADE]


def test_an_event_nobody_knows() -> None:
    with pytest.raises(borsh.Malformed, match="no event"):
        events.decode_event(bytes(50))


# IDL


def test_the_idl_files_are_what_the_interface_gives() -> None:
    assert (ROOT / "idl" / "xorj_vault.json").read_text() == idl.anchor()
    assert (ROOT / "idl" / "xorj_vault.legacy.json").read_text() == idl.legacy()


def test_both_formats_tell_the_same() -> None:
    new, old = json.loads(idl.anchor()), json.loads(idl.legacy())
    assert new["address"] == old["metadata"]["address"] == PROGRAM
    assert [each["code"] for each in new["errors"]] == [each["code"] for each in old["errors"]]
    for ours, theirs in zip(new["instructions"], old["instructions"], strict=True):
        assert [bool(each.get("signer")) for each in ours["accounts"]] == [each["isSigner"] for each in theirs["accounts"]]
        assert [bool(each.get("writable")) for each in ours["accounts"]] == [each["isMut"] for each in theirs["accounts"]]
    assert {each["name"]: int(each["value"]) for each in new["constants"]} == {name: value for name, _, value in CONSTANTS}


def test_a_client_finds_addresses_by_the_idl() -> None:
    trade_accounts = {each["name"]: each for each in json.loads(idl.anchor())["instructions"][8]["accounts"]}
    assert trade_accounts["policy"]["pda"]["seeds"] == [
        {"kind": "const", "value": list(b"policy")},
        {"kind": "account", "path": "vault"},
    ]
    assert trade_accounts["program"]["address"] == PROGRAM
    assert "pda" not in trade_accounts["vault"], "the bot does not sign for the owner, so the vault has to be given"
