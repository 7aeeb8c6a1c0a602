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

from xorj.chain.transactions import Account, Blockhash, TokenHolding
from xorj.gateway.bodies import PolicyBody
from xorj.primitives.errors import InvalidInput
from xorj.vault import instructions as vault
from xorj.vault.accounts import ALLOWLIST, ANY_MINT, TOKEN_2022_PROGRAM, TOKEN_PROGRAM, trade_authority_address, vault_address
from xorj.vault.open_vault import TOKEN_ACCOUNT_BYTES_MIN

TOKEN_PROGRAMS = (TOKEN_PROGRAM, TOKEN_2022_PROGRAM)
# As many as a transaction of 1,232 bytes has room for, with what wallets add to it.
ACCOUNTS_PER_TRANSACTION_MAX = 8


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


@dataclass(frozen=True, slots=True)
class Taking:
    """So much out of one of the vault's token accounts."""

    account: Pubkey
    amount_raw: int


@dataclass(frozen=True, slots=True)
class CannotTake:
    """Why the amount cannot be taken in one transaction."""

    why: str


def takings(held: Sequence[TokenHolding], usual: Pubkey, amount_raw: int) -> list[Taking] | CannotTake:
    """How to take `amount_raw` out of the token accounts that hold it: the `usual` one first, then the fullest, each as far as needed."""
    left, found = amount_raw, list[Taking]()
    for one in sorted(held, key=lambda one: (one.address != str(usual), -one.amount_raw, one.address)):
        if left and one.amount_raw:
            found.append(Taking(Pubkey.from_string(one.address), min(left, one.amount_raw)))
            left -= found[-1].amount_raw
    if left:
        return CannotTake(f"the vault holds {amount_raw - left} base units in {len(held)} token accounts")
    if len(found) > ACCOUNTS_PER_TRANSACTION_MAX:
        most = sum(one.amount_raw for one in found[:ACCOUNTS_PER_TRANSACTION_MAX])
        return CannotTake(f"it lies in {len(found)} token accounts; one transaction takes at most {most} base units")
    return found


def withdraw(owner: Pubkey, mint: Pubkey, token_program: Pubkey, taken: Sequence[Taking]) -> list[Instruction]:
    """Any mint, to the owner's own account, which is made where it is missing."""
    account = vault.create_token_account(owner, owner, mint, token_program)
    out = [vault.withdraw(owner, mint, one.amount_raw, vault_token=one.account, token_program=token_program) for one in taken]
    return [account, *out]


def recover(owner: Pubkey, mint: Pubkey, token_program: Pubkey, left_in: Sequence[Pubkey]) -> list[Instruction]:
    """What trades have left behind in these accounts of the trade authority, to the vault's account, which is made where it is missing."""
    account = vault.create_token_account(owner, vault_address(owner), mint, token_program)
    return [account, *(vault.recover_trade_account(owner, mint, trade_token=one, token_program=token_program) for one in left_in)]


def close_account(owner: Pubkey, account: Account) -> list[Instruction]:
    """Raises InvalidInput unless it is a token account of the owner's vault or of its trade authority."""
    program, of = Pubkey.from_string(account.owner), vault_address(owner)
    rule = f"a token account of the vault {of} or of its trade authority"
    if program not in TOKEN_PROGRAMS or len(account.data) < TOKEN_ACCOUNT_BYTES_MIN:
        raise InvalidInput("account", given=account.address, rule=rule)
    mint, holder = (Pubkey.from_bytes(account.data[at : at + 32]) for at in (0, 32))
    if holder not in (of, trade := trade_authority_address(of)):
        raise InvalidInput("account", given=account.address, rule=rule)
    key = Pubkey.from_string(account.address)
    return [vault.close_token_account(owner, mint, of_trade_authority=holder == trade, token_account=key, token_program=program)]


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
