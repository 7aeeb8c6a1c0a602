"""What a demo stands on, whichever trades are played: staff with funds, tokens, pools, wallets, and the vault program's config.

Used by opening (the demo market) and replay (recorded trades).
"""

from collections.abc import Sequence
from dataclasses import replace

from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from xorj.demo.identities import ARBITRAGE, CONFIG_ADMIN, GUARDIAN
from xorj.demo.tokens import SOL_MINT, USDC_MINT
from xorj.localnet.bank import Bank
from xorj.localnet.genesis import Genesis, local_genesis, mint_account, token_account, wallet_account
from xorj.localnet.keys import FAUCET, MINT_AUTHORITY, UPGRADE_AUTHORITY
from xorj.market import local_amm
from xorj.primitives.errors import BrokenInvariant
from xorj.vault.accounts import TOKEN_PROGRAM, token_account_address
from xorj.vault.instructions import initialize_config

WALLET_LAMPORTS = 200_000_000_000
STAFF_LAMPORTS = 10_000_000_000_000
FAUCET_USDC_RAW = 10**15
POOL_LAMPORTS = 2_000_000
VAULT_CAP_RAW = 1_000_000_000
LOOSENING_DELAY_S = 86_400
_NATIVE_AT = 109
_TRANSFER_CHECKED = b"\x0c"


class Stage:
    """The accounts of a genesis in the making."""

    def __init__(self) -> None:
        self._accounts: dict[Pubkey, Account] = {}
        for staff in (ARBITRAGE, CONFIG_ADMIN, GUARDIAN, MINT_AUTHORITY):
            self._accounts[staff.pubkey()] = wallet_account(STAFF_LAMPORTS)
        self.hold(FAUCET.pubkey(), USDC_MINT, FAUCET_USDC_RAW)

    def wallet(self, owner: Pubkey) -> None:
        """Somebody who can pay for his transactions."""
        self._accounts[owner] = wallet_account(WALLET_LAMPORTS)

    def mint(self, mint: Pubkey, decimals: int, supply_raw: int) -> None:
        self._accounts[mint] = mint_account(MINT_AUTHORITY.pubkey(), decimals=decimals, supply_raw=supply_raw)

    def hold(self, owner: Pubkey, mint: Pubkey, raw: int) -> None:
        """Gives `owner` an associated account with that balance; wrapped SOL lies in it as lamports too."""
        account = token_account(mint, owner, raw)
        self._accounts[token_account_address(owner, mint)] = _wrapped(account, raw) if mint == SOL_MINT else account

    def pool(self, mint: Pubkey, raw: int, other: Pubkey, other_raw: int) -> None:
        """The pool of a pair with these reserves."""
        pool = local_amm.pool_of(mint, other)
        _, bump = Pubkey.find_program_address([b"pool", bytes(pool.mint_a), bytes(pool.mint_b)], local_amm.PROGRAM)
        keys = b"".join(map(bytes, (pool.mint_a, pool.mint_b, pool.vault_a, pool.vault_b)))
        data = local_amm.POOL_TAG + keys + bytes([bump])
        self._accounts[pool.address] = Account(POOL_LAMPORTS, data, local_amm.PROGRAM, False, 0)
        self.hold(pool.address, mint, raw)
        self.hold(pool.address, other, other_raw)

    def genesis(self, unix_seconds: int) -> Genesis:
        """The chain that begins with all this at `unix_seconds`."""
        # the node's own marks would double the history without telling anything about the market
        return replace(local_genesis(slot=1, unix_seconds=unix_seconds).with_accounts(self._accounts), node_marks=False)


def execute(bank: Bank, instructions: Sequence[Instruction], payer: Pubkey, signers: Sequence[Keypair]) -> None:
    """Runs a transaction that cannot fail, in the present block. Raises BrokenInvariant when it does."""
    message = MessageV0.try_compile(payer, list(instructions), [], bank.latest_blockhash())
    outcome = bank.execute(VersionedTransaction(message, list(signers)), verify=False)
    if not outcome.succeeded:
        raise BrokenInvariant("a transaction of the demo failed", error=outcome.error, payer=payer, slot=bank.slot)


def token_transfer(giver: Pubkey, taker: Pubkey, mint: Pubkey, decimals: int, amount_raw: int) -> Instruction:
    """A classic token transfer between associated accounts."""
    source, target = (token_account_address(owner, mint) for owner in (giver, taker))
    metas = [AccountMeta(source, False, True), AccountMeta(mint, False, False), AccountMeta(target, False, True)]
    data = _TRANSFER_CHECKED + amount_raw.to_bytes(8, "little") + bytes([decimals])
    return Instruction(TOKEN_PROGRAM, data, [*metas, AccountMeta(giver, True, False)])


def open_vault_program(bank: Bank) -> None:
    """Initialises the vault program's config, so that vaults can be deployed."""
    instruction = initialize_config(
        CONFIG_ADMIN.pubkey(),
        UPGRADE_AUTHORITY.pubkey(),
        USDC_MINT,
        admin=CONFIG_ADMIN.pubkey(),
        guardian=GUARDIAN.pubkey(),
        vault_cap=VAULT_CAP_RAW,
        loosening_delay_s=LOOSENING_DELAY_S,
    )
    execute(bank, [instruction], CONFIG_ADMIN.pubkey(), [CONFIG_ADMIN, UPGRADE_AUTHORITY])


def _wrapped(account: Account, lamports: int) -> Account:
    """Its native field says how much of its lamports is rent."""
    rent, data = account.lamports, bytearray(account.data)
    data[_NATIVE_AT : _NATIVE_AT + 12] = (1).to_bytes(4, "little") + rent.to_bytes(8, "little")
    return Account(rent + lamports, bytes(data), TOKEN_PROGRAM, False, account.rent_epoch)
