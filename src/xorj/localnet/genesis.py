"""What a local chain starts from: programs, accounts, first slot and time. Used by the bank, the demo market and tests."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from importlib import resources

from solders.account import Account
from solders.pubkey import Pubkey

from xorj.localnet.keys import FAUCET, MINT_AUTHORITY, NODE, UPGRADE_AUTHORITY, VOTE_ACCOUNT
from xorj.market import local_amm
from xorj.primitives.ids import LOCAL_GENESIS, SOL, USDC, USDT
from xorj.router import jupiter_v6
from xorj.vault import accounts as vault

TOKEN_PROGRAM = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
VOTE_PROGRAM = Pubkey.from_string("Vote111111111111111111111111111111111111111")
UPGRADEABLE_LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")
SYSTEM_PROGRAM = Pubkey.default()

RENT_EPOCH_NEVER = 2**64 - 1
FAUCET_LAMPORTS = 500_000_000_000_000_000
NODE_LAMPORTS = 500_000_000_000_000
VOTE_STATE_BYTES = 3_762
STABLE_DECIMALS = 6
MINT_BYTES = 82

_UPGRADE_AUTHORITY = UPGRADE_AUTHORITY.pubkey()


@dataclass(frozen=True, slots=True)
class Genesis:
    """The first state of a chain. A folder opens with any genesis of the same fingerprint and keeps its own first slot and time.

    `programs` are ELF files by program id, loaded as upgradeable programs of `upgrade_authority`. `node_marks` puts a transaction of
    the node itself at the head of every block that has transactions, where a validator's vote stands.
    """

    programs: Mapping[Pubkey, bytes] = field(default_factory=dict)
    accounts: Mapping[Pubkey, Account] = field(default_factory=dict)
    slot: int = 1
    unix_seconds: int = 1_700_000_000
    genesis_hash: str = LOCAL_GENESIS
    upgrade_authority: Pubkey = _UPGRADE_AUTHORITY
    node_marks: bool = True

    def fingerprint(self) -> str:
        """sha256 over programs, accounts and rules, hex."""
        digest = sha256(f"{self.genesis_hash} {self.upgrade_authority} {self.node_marks}".encode())
        for address, elf in sorted(self.programs.items(), key=lambda item: bytes(item[0])):
            digest.update(b"program" + bytes(address) + sha256(elf).digest())
        for address, account in sorted(self.accounts.items(), key=lambda item: bytes(item[0])):
            digest.update(b"account" + bytes(address) + bytes(account))
        return digest.hexdigest()

    def with_accounts(self, accounts: Mapping[Pubkey, Account]) -> "Genesis":
        """The same genesis with more accounts; one given again is replaced."""
        return replace(self, accounts={**self.accounts, **accounts})


def local_genesis(*, slot: int = 1, unix_seconds: int = 1_700_000_000, programs: Mapping[Pubkey, bytes] | None = None) -> Genesis:
    """The usual local chain: faucet, node, USDC, USDT and wrapped SOL at their mainnet addresses; the bundled programs unless others."""
    loaded = bundled_programs() if programs is None else dict(programs)
    return Genesis(programs=loaded, accounts=_usual_accounts(), slot=slot, unix_seconds=unix_seconds)


def bundled_programs() -> dict[Pubkey, bytes]:
    """The vault, the pool program, and at Jupiter's program id the router that speaks Jupiter's format."""
    names = {vault.PROGRAM_ID: "xorj_vault", jupiter_v6.PROGRAM: "local_router", local_amm.PROGRAM: "local_amm"}
    return {address: bundled_program(name) for address, name in names.items()}


def bundled_program(name: str) -> bytes:
    """The committed program file `name`.so of this package. Raises FileNotFoundError when it has not been built."""
    return resources.files("xorj.localnet").joinpath("programs", f"{name}.so").read_bytes()


def mint_account(authority: Pubkey, *, decimals: int, supply_raw: int = 0, lamports: int = 1_461_600) -> Account:
    """A classic SPL mint without freeze authority."""
    data = struct.pack("<I32sQBB", 1, bytes(authority), supply_raw, decimals, 1).ljust(MINT_BYTES, b"\0")
    return Account(lamports, data, TOKEN_PROGRAM, False, RENT_EPOCH_NEVER)


def wallet_account(lamports: int) -> Account:
    """A plain account of the system program."""
    return Account(lamports, b"", SYSTEM_PROGRAM, False, RENT_EPOCH_NEVER)


def token_account(mint: Pubkey, owner: Pubkey, amount_raw: int, *, lamports: int = 2_039_280) -> Account:
    """An initialised classic SPL token account."""
    data = bytes(mint) + bytes(owner) + struct.pack("<Q", amount_raw) + bytes(36) + b"\x01" + bytes(56)
    return Account(lamports, data, TOKEN_PROGRAM, False, RENT_EPOCH_NEVER)


def _usual_accounts() -> dict[Pubkey, Account]:
    return {
        FAUCET.pubkey(): wallet_account(FAUCET_LAMPORTS),
        NODE.pubkey(): wallet_account(NODE_LAMPORTS),
        VOTE_ACCOUNT.pubkey(): Account(27_074_400, _vote_state(), VOTE_PROGRAM, False, RENT_EPOCH_NEVER),
        Pubkey.from_string(USDC): mint_account(MINT_AUTHORITY.pubkey(), decimals=STABLE_DECIMALS),
        Pubkey.from_string(USDT): mint_account(MINT_AUTHORITY.pubkey(), decimals=STABLE_DECIMALS),
        Pubkey.from_string(SOL): _native_mint(),
    }


def _native_mint() -> Account:
    data = struct.pack("<I32sQBB", 0, bytes(32), 0, 9, 1).ljust(MINT_BYTES, b"\0")
    return Account(1_000_000_000, data, TOKEN_PROGRAM, False, RENT_EPOCH_NEVER)


def _vote_state() -> bytes:
    """A vote account's state, version 3 of the vote program, whose node, voter and withdrawer are the node itself."""
    node = bytes(NODE.pubkey())
    voters = struct.pack("<QQ32s", 1, 0, node)
    prior_voters = bytes(32 * 48) + struct.pack("<Q?", 31, True)
    state = struct.pack("<I", 2) + node + node + struct.pack("<BQB", 0, 0, 0) + voters + prior_voters + struct.pack("<QQq", 0, 0, 0)
    return state.ljust(VOTE_STATE_BYTES, b"\0")
