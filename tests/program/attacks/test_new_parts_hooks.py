"""Withdrawals of Token-2022 mints with a will of their own: a hook that calls the issuer's program, a fee, a pause."""

import struct

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.token.state import Mint, TokenAccount, TokenAccountState
from tests.program.attacks.harness import refused
from tests.program.evil_world import EVIL
from tests.program.vault_world import VaultWorld, key

from xorj.vault import instructions
from xorj.vault.accounts import TOKEN_2022_PROGRAM, TOKEN_PROGRAM, token_account_address

MINT_KIND, ACCOUNT_KIND = b"\x01", b"\x02"
HOOK_OF_MINT, HOOK_OF_ACCOUNT = 14, 15


class HookedWorld(VaultWorld):
    """The vault holds 9 of a mint whose every transfer asks a program of Eve's, the trade authority 4."""

    def __init__(self) -> None:
        super().__init__()
        self.with_vault()
        self.hook, self.hooked = key("hook").pubkey(), key("hooked mint").pubkey()
        self.svm.add_program(self.hook, EVIL)
        mint = bytes(Mint(self.admin.pubkey(), 10**18, 6, True, None)).ljust(165, b"\0") + MINT_KIND
        mint += struct.pack("<HH", HOOK_OF_MINT, 64) + bytes(self.stranger.pubkey()) + bytes(self.hook)
        self.plant(self.hooked, mint, TOKEN_2022_PROGRAM)
        for holder, amount in ((self.vault, 9), (self.owner.pubkey(), 0), (self.trade, 4)):
            self.hold_hooked(holder, amount)

    def hold_hooked(self, owner: Pubkey, amount: int) -> None:
        token = bytes(TokenAccount(self.hooked, owner, amount, None, TokenAccountState.Initialized, None, 0, None))
        data = token + ACCOUNT_KIND + struct.pack("<HH", HOOK_OF_ACCOUNT, 1) + b"\0"
        self.plant(token_account_address(owner, self.hooked, TOKEN_2022_PROGRAM), data, TOKEN_2022_PROGRAM)

    def held(self, owner: Pubkey) -> int:
        return self.amount(token_account_address(owner, self.hooked, TOKEN_2022_PROGRAM))


@pytest.fixture
def world() -> HookedWorld:
    return HookedWorld()


def read(*keys: Pubkey) -> list[AccountMeta]:
    return [AccountMeta(each, False, False) for each in keys]


@pytest.mark.parametrize("needs_tokens", [False, True], ids=["a hook alone", "a hook that moves tokens"])
def test_what_a_hook_needs_is_passed_on(world: HookedWorld, needs_tokens: bool) -> None:
    """Also the token programs themselves, which a hook that moves tokens names among its accounts."""
    owner = world.owner.pubkey()
    needed = read(world.hook, *([TOKEN_2022_PROGRAM, TOKEN_PROGRAM] if needs_tokens else []))
    world.ok(instructions.withdraw(owner, world.hooked, 5, token_program=TOKEN_2022_PROGRAM, hook_accounts=needed))
    assert (world.held(world.vault), world.held(owner)) == (4, 5)
    recover = instructions.recover_trade_account(owner, world.hooked, token_program=TOKEN_2022_PROGRAM)
    recover.accounts = [*recover.accounts, *needed]
    world.ok(recover)
    assert (world.held(world.trade), world.held(world.vault)) == (0, 8)


def test_without_the_hook_nothing_moves(world: HookedWorld) -> None:
    out = instructions.withdraw(world.owner.pubkey(), world.hooked, 5, token_program=TOKEN_2022_PROGRAM)
    refused(world, out, error="MissingAccount")


class WilfulWorld(VaultWorld):
    """The vault holds 1,000,000 of a mint with this extension; `of_account` is what the token accounts carry for it."""

    def __init__(self, kind: int, data: bytes, of_account: bytes) -> None:
        super().__init__()
        self.with_vault()
        self.mint = key("wilful mint").pubkey()
        mint = (
            bytes(Mint(self.admin.pubkey(), 10**18, 6, True, None)).ljust(165, b"\0")
            + MINT_KIND
            + struct.pack("<HH", kind, len(data))
            + data
        )
        self.plant(self.mint, mint, TOKEN_2022_PROGRAM)
        for holder, amount in ((self.vault, 10**6), (self.owner.pubkey(), 0)):
            token = bytes(TokenAccount(self.mint, holder, amount, None, TokenAccountState.Initialized, None, 0, None))
            address = token_account_address(holder, self.mint, TOKEN_2022_PROGRAM)
            self.plant(address, token + ACCOUNT_KIND + of_account, TOKEN_2022_PROGRAM)

    def out(self, amount: int) -> Instruction:
        return instructions.withdraw(self.owner.pubkey(), self.mint, amount, token_program=TOKEN_2022_PROGRAM)

    def held(self, owner: Pubkey) -> int:
        return self.amount(token_account_address(owner, self.mint, TOKEN_2022_PROGRAM))


def test_a_mint_that_keeps_a_fee_comes_out_less_the_fee() -> None:
    """One percent stays with the issuer; the vault gives exactly what was asked."""
    rate = struct.pack("<QQH", 0, 10**9, 100)
    world = WilfulWorld(1, bytes(64) + bytes(8) + rate + rate, struct.pack("<HHQ", 2, 8, 0))
    world.ok(world.out(500_000))
    assert (world.held(world.vault), world.held(world.owner.pubkey())) == (500_000, 495_000)


def test_a_paused_mint_stays_until_its_issuer_lets_it_go() -> None:
    paused, running = bytes(32) + b"\x01", bytes(32) + b"\x00"
    world = WilfulWorld(26, paused, struct.pack("<HH", 27, 0))
    refused(world, world.out(5), error="Custom(67)")
    world = WilfulWorld(26, running, struct.pack("<HH", 27, 0))
    world.ok(world.out(5))
    assert world.held(world.owner.pubkey()) == 5
