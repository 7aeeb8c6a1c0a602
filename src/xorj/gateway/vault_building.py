"""An owner's own transactions, built here and signed by his wallet: the instructions of each action, and the unsigned bytes.

The owner pays the fee and the rent. Nothing here can move funds without his signature.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import Message
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from xorj.chain.transactions import Blockhash
from xorj.gateway.bodies import PolicyBody
from xorj.primitives.errors import InvalidInput
from xorj.vault import instructions as vault
from xorj.vault.accounts import ALLOWLIST, ANY_MINT, TOKEN_2022_PROGRAM, TOKEN_PROGRAM, vault_address

TOKEN_PROGRAMS = (TOKEN_PROGRAM, TOKEN_2022_PROGRAM)


@dataclass(frozen=True, slots=True)
class Built:
    """`transaction` has zeros where the owner's signature goes; `message` are the bytes he signs."""

    transaction: bytes
    message: bytes
    blockhash: Blockhash


def transaction(owner: Pubkey, instructions: Sequence[Instruction], blockhash: Blockhash) -> Built:
    message = Message.new_with_blockhash(instructions, owner, Hash.from_string(blockhash.blockhash))
    unsigned = VersionedTransaction.populate(message, [Signature.default()] * message.header.num_required_signatures)
    return Built(bytes(unsigned), bytes(message), blockhash)


def deploy(owner: Pubkey, base_mint: Pubkey) -> list[Instruction]:
    """The vault, its policy, and its account for the base mint."""
    return [vault.initialize_vault(owner), vault.create_token_account(owner, vault_address(owner), base_mint)]


def deposit(owner: Pubkey, base_mint: Pubkey, amount_raw: int) -> list[Instruction]:
    return [vault.create_token_account(owner, vault_address(owner), base_mint), vault.deposit(owner, base_mint, amount_raw)]


def withdraw(owner: Pubkey, mint: Pubkey, token_program: Pubkey, amount_raw: int) -> list[Instruction]:
    """Any mint, to the owner's own account, which is made where it is missing."""
    if token_program not in TOKEN_PROGRAMS:
        raise InvalidInput("mint", given=str(mint), rule="the mint of a token")
    account = vault.create_token_account(owner, owner, mint, token_program)
    return [account, vault.withdraw(owner, mint, amount_raw, token_program=token_program)]


def policy(owner: Pubkey, body: PolicyBody) -> list[Instruction]:
    """Only what the body names changes. Raises InvalidInput when it names nothing."""
    if body == PolicyBody():
        raise InvalidInput("body", given={}, rule="at least one limit to set")
    mode = {"allowlist": ALLOWLIST, "any": ANY_MINT, None: None}[body.mint_mode]
    set_policy = vault.set_policy(
        owner,
        spend_per_trade=_raw(body.spend_per_trade_raw),
        spend_per_day=_raw(body.spend_per_day_raw),
        loss_per_day=_raw(body.loss_per_day_raw),
        spend_per_trade_bps=body.spend_per_trade_bps,
        spend_per_day_bps=body.spend_per_day_bps,
        loss_per_day_bps=body.loss_per_day_bps,
        bot_expires_at=body.bot_expires_at,
        mint_mode=mode,
        pin=[Pubkey.from_string(mint) for mint in body.pin],
        unpin=[Pubkey.from_string(mint) for mint in body.unpin],
    )
    return [set_policy]


def _raw(text: str | None) -> int | None:
    return None if text is None else int(text)
