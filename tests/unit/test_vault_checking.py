"""What an owner may send through us: his own signed transaction about his own vault, and nothing else."""

import base64

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.compute_budget import set_compute_unit_limit
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.token.associated import get_associated_token_address
from solders.transaction import VersionedTransaction

from xorj.chain.transactions import Blockhash
from xorj.gateway import vault_building as building
from xorj.gateway.bodies import PolicyBody
from xorj.gateway.vault_checking import LIGHTHOUSE, check
from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import USDC, Slot, Wallet
from xorj.vault import instructions as vault
from xorj.vault.accounts import TOKEN_PROGRAM, vault_address

ANA, BEN = (Keypair.from_seed(bytes([seed]) * 32) for seed in (1, 2))
ANAS, BENS = ANA.pubkey(), BEN.pubkey()
OWNER = Wallet(str(ANAS))
BASE = Pubkey.from_string(USDC)
BASE_ACCOUNT = get_associated_token_address(vault_address(ANAS), BASE, TOKEN_PROGRAM)
BLOCKHASH = Blockhash("11111111111111111111111111111111", 250, Slot(100))


def signed(*instructions: Instruction, signers: tuple[Keypair, ...] = (ANA,)) -> str:
    return encoded(VersionedTransaction(Message.new_with_blockhash(list(instructions), signers[0].pubkey(), Hash.default()), list(signers)))


def encoded(transaction: VersionedTransaction) -> str:
    return base64.b64encode(bytes(transaction)).decode()


@pytest.mark.parametrize(
    ("built", "actions"),
    [
        (building.deploy(ANAS, BASE), ("initialize_vault",)),
        (building.deposit(ANAS, BASE, 1), ("deposit",)),
        (building.withdraw(ANAS, BASE, TOKEN_PROGRAM, [building.Taking(BASE_ACCOUNT, 1)]), ("withdraw",)),
        (building.policy(ANAS, PolicyBody(mint_mode="any")), ("set_policy",)),
        ([vault.grant_bot_authority(ANAS, BENS)], ("grant_bot_authority",)),
        ([vault.pause_vault(ANAS, ANAS)], ("pause_vault",)),
        ([vault.revoke_bot_authority(ANAS), vault.close_vault(ANAS)], ("revoke_bot_authority", "close_vault")),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else "",
)
def test_what_we_build_and_he_signs_passes(built: list[Instruction], actions: tuple[str, ...]) -> None:
    unsigned = building.transaction(ANAS, built, BLOCKHASH)
    complete = b"\x01" + bytes(ANA.sign_message(unsigned.message)) + unsigned.message
    checked = check(base64.b64encode(complete).decode(), OWNER)
    assert (checked.actions, checked.raw) == (actions, complete)
    assert unsigned.transaction == b"\x01" + bytes(64) + unsigned.message


def test_what_a_wallet_adds_passes_too() -> None:
    assertion = Instruction(LIGHTHOUSE, b"\x00", [AccountMeta(vault_address(ANAS), False, False)])
    check(signed(set_compute_unit_limit(200_000), vault.resume_vault(ANAS), assertion), OWNER)


def test_a_versioned_message_passes_too() -> None:
    check(encoded(VersionedTransaction(MessageV0.try_compile(ANAS, [vault.resume_vault(ANAS)], [], Hash.default()), [ANA])), OWNER)


def with_lookup_table() -> str:
    table = AddressLookupTableAccount(Pubkey.default(), [vault_address(ANAS)])
    return encoded(VersionedTransaction(MessageV0.try_compile(ANAS, [vault.resume_vault(ANAS)], [table], Hash.default()), [ANA]))


def unsigned() -> str:
    return base64.b64encode(building.transaction(ANAS, [vault.resume_vault(ANAS)], BLOCKHASH).transaction).decode()


def altered() -> str:
    raw = bytearray(base64.b64decode(signed(vault.deposit(ANAS, BASE, 1))))
    raw[-1] ^= 1
    return base64.b64encode(bytes(raw)).decode()


def bot_trade() -> Instruction:
    guard = vault.Guard(1, 1, 1)
    amounts = {"amount_in": 1, "minimum_amount_out": 1}
    mints = {"input_mint": BASE, "output_mint": BENS}
    return vault.bot_trade(ANAS, ANAS, **mints, **amounts, router_program=BENS, route_data=b"", route_accounts=[], guard=guard)


REFUSED = {
    "his own funds moved and no vault": signed(transfer(TransferParams(from_pubkey=ANAS, to_pubkey=BENS, lamports=1))),
    "a vault of somebody else's": signed(vault.resume_vault(BENS), signers=(ANA, BEN)),
    "another wallet's transaction": signed(vault.resume_vault(BENS), signers=(BEN,)),
    "a second signer": signed(vault.resume_vault(ANAS), vault.resume_vault(BENS), signers=(ANA, BEN)),
    "a strange program": signed(vault.resume_vault(ANAS), Instruction(BENS, b"", [])),
    "a bot's trade": signed(bot_trade()),
    "the operator's config": signed(vault.update_config(ANAS, paused=True)),
    "no instruction of the vault": signed(set_compute_unit_limit(1)),
    "a vault instruction that does not parse": signed(Instruction(vault.PROGRAM_ID, b"\x00" * 8, [AccountMeta(ANAS, True, True)])),
    "a lookup table": with_lookup_table(),
    "no signature": unsigned(),
    "a byte changed after signing": altered(),
    "bytes after the end": base64.b64encode(base64.b64decode(signed(vault.resume_vault(ANAS))) + b"\x00").decode(),
    "no base64": "not base64 at all!",
    "nothing": "",
    "no transaction": "AAAA",
}


@pytest.mark.parametrize("what", REFUSED)
def test_anything_else_is_refused(what: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check(REFUSED[what], OWNER)
    assert refused.value.field == "transaction"


@given(st.binary(max_size=400))
def test_bytes_that_are_none_never_fail_otherwise(raw: bytes) -> None:
    with pytest.raises(InvalidInput):
        check(base64.b64encode(raw).decode(), OWNER)


@given(st.integers(0, 1_000), st.integers(0, 255))
@example(390, 0)
def test_no_single_byte_can_be_changed(position: int, value: int) -> None:
    raw = bytearray(base64.b64decode(signed(vault.deposit(ANAS, BASE, 1))))
    if raw[position % len(raw)] == value:
        return
    raw[position % len(raw)] = value
    with pytest.raises(InvalidInput):
        check(base64.b64encode(bytes(raw)).decode(), OWNER)


def test_a_policy_that_changes_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput):
        building.policy(ANAS, PolicyBody())
