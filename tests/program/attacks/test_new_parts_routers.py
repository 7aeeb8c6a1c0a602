"""Routers that put things back so that nothing shows, and routers that do whatever dice say: the vault never loses more than agreed."""

from collections.abc import Callable
from random import Random

import pytest
from solders.account import Account
from solders.pubkey import Pubkey
from solders.token.state import Mint, TokenAccount, TokenAccountState
from tests.program.attacks.harness import ROUNDS, SYSTEM, attempted, refused
from tests.program.evil_world import (
    ACCOUNT_OWNER,
    AUTHORITY,
    BURN,
    CLOSE_AUTHORITY,
    DESTINATION,
    FIRST_EXTRA,
    FREEZE,
    SIGNER,
    SOURCE,
    THAW,
    TOKENS,
    WITHDRAW_EXCESS_LAMPORTS,
    WRITABLE,
    Call,
    EvilWorld,
    approve,
    close,
    pay_lamports,
    r,
    seize,
    set_authority,
    token_call,
    transfer,
    w,
)
from tests.program.vault_world import USDC, key

from xorj.router import jupiter_v6
from xorj.vault.accounts import ASSOCIATED_TOKEN_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM, token_account_address
from xorj.vault.events import traded

REVOKE = b"\x05"
SEEDS = range(6 * ROUNDS)
SCRIPTS_PER_SEED = 60
RENT_LAMPORTS = 2_039_280
WRAPPED_SOL = Pubkey.from_string("So11111111111111111111111111111111111111112")
UNWRAP_LAMPORTS = b"\x2d"


@pytest.fixture
def world() -> EvilWorld:
    return EvilWorld()


class Recreating:
    """The router empties and closes a trade account and makes it again at its address, with lamports from a purse of its own."""

    def __init__(self, world: EvilWorld, of: Pubkey, place: int) -> None:
        self.world, self.place = world, place
        self.purse = key("the router's purse").pubkey()
        world.svm.set_account(self.purse, Account(10**12, b"", jupiter_v6.PROGRAM, False, 0))
        account = world.svm.get_account(token_account_address(world.trade, of))
        world.svm.set_account(token_account_address(world.trade, of), Account(RENT_LAMPORTS, account.data, account.owner, False, 0))
        eve = world.stranger.pubkey()
        # loot 10, pot 11, Eve 12, purse 13, the account's mint 14, programs 15 and 16
        self.extra = [*w(world.loot, world.pot, eve, self.purse), *r(of, SYSTEM, ASSOCIATED_TOKEN_PROGRAM)]

    def calls(self, lamports: int, owner: int = AUTHORITY) -> list[Call]:
        eve, purse, mint, system, associated = range(FIRST_EXTRA + 2, FIRST_EXTRA + 7)
        metas = [(eve, WRITABLE), (self.place, WRITABLE), (owner, 0), (mint, 0), (system, 0), (TOKENS, 0), (purse, WRITABLE)]
        return [close(self.place, eve), seize(purse, self.place, lamports), (associated, metas, b"\0")]


@pytest.mark.parametrize("side", ["input", "output"])
def test_an_account_closed_and_made_again_is_as_it_was_or_the_trade_fails(world: EvilWorld, side: str) -> None:
    mint, place = (world.usdc, SOURCE) if side == "input" else (world.bonk, DESTINATION)
    again = Recreating(world, mint, place)
    keep, pay = transfer(SOURCE, FIRST_EXTRA, USDC), transfer(FIRST_EXTRA + 1, DESTINATION, 777)
    address = token_account_address(world.trade, mint)
    before = bytes(world.svm.get_account(address))
    done = world.send(world.attacking(keep, *again.calls(RENT_LAMPORTS), pay, extra=again.extra))
    assert done.error is None, done.logs
    assert bytes(world.svm.get_account(address)) == before
    # Richer by a spare lamport, then made again without it.
    world.svm.set_account(
        address, Account(RENT_LAMPORTS + 1, world.svm.get_account(address).data, world.svm.get_account(address).owner, False, 0)
    )
    refused(world, world.attacking(keep, *again.calls(RENT_LAMPORTS), pay, extra=again.extra), error="VaultAccountTampered")


def test_a_hand_taken_back_before_the_end_leaves_no_trace(world: EvilWorld) -> None:
    """What matters is how the accounts stand when the router returns."""
    revoke = token_call(REVOKE, SOURCE)
    pay = transfer(FIRST_EXTRA, DESTINATION, 5)
    done = world.attack(approve(SOURCE, FIRST_EXTRA + 1), pay, revoke, extra=w(world.pot, world.stranger.pubkey()))
    assert done.error is None
    (event,) = traded(done.inner)
    assert (event.amount_in, event.amount_out) == (0, 5)


@pytest.mark.parametrize("before", [TokenAccountState.Initialized, TokenAccountState.Frozen], ids=["freezes it", "thaws it"])
def test_a_third_account_of_the_trade_authority_is_neither_frozen_nor_thawed(world: EvilWorld, before: TokenAccountState) -> None:
    """A mint whose issuer has made the trade authority its freeze authority, so that a route can sign for that."""
    issuer = world.stranger.pubkey()
    world.plant(world.wif, bytes(Mint(issuer, 10**18, 6, True, world.trade)), TOKEN_PROGRAM)
    third = world.hold(world.trade, world.wif, 50, state=before)
    extra = [*w(world.pot, third), *r(world.wif)]
    pay = transfer(FIRST_EXTRA, DESTINATION, 5)
    number = FREEZE if before == TokenAccountState.Initialized else THAW
    deed = TOKENS, [(FIRST_EXTRA + 1, WRITABLE), (FIRST_EXTRA + 2, 0), (AUTHORITY, SIGNER)], number
    refused(world, world.attacking(pay, deed, extra=extra), error="VaultAccountTampered")
    assert world.attack(pay, extra=extra).error is None


@pytest.mark.parametrize("kind", ["classic", "token-2022", "token-2022 with extensions", "wrapped sol"])
def test_a_third_account_of_the_trade_authority_of_any_kind_is_watched(world: EvilWorld, kind: str) -> None:
    """What an earlier route stranded there: taken, approved, given away, closed over its balance, or robbed of its lamports."""
    program = TOKEN_2022_PROGRAM if kind.startswith("token-2022") else TOKEN_PROGRAM
    mint = WRAPPED_SOL if kind == "wrapped sol" else world.wif
    native = RENT_LAMPORTS if kind == "wrapped sol" else None
    decimals = 9 if kind == "wrapped sol" else 6
    world.plant_mint(mint, decimals, program)
    more = b"\x02\x07\x00\x00\x00" if kind.endswith("extensions") else b""  # type 7: owner can never change
    third, eves = key("a third account").pubkey(), key("eve's account of it").pubkey()
    for address, owner in ((third, world.trade), (eves, world.stranger.pubkey())):
        token = TokenAccount(mint, owner, 50, None, TokenAccountState.Initialized, native, 0, None)
        world.plant(address, bytes(token) + more, program, lamports=RENT_LAMPORTS + 50 if native else 10**9)
    programs = r(program)
    extra = [*w(world.pot, third, eves, world.stranger.pubkey()), *programs]
    third_at, eves_at, eve_at, tokens_at = range(FIRST_EXTRA + 1, FIRST_EXTRA + 5)
    pay = transfer(FIRST_EXTRA, DESTINATION, 5)

    def deed(data: bytes, *places: int) -> Call:
        return token_call(data, *places, tokens=tokens_at)

    deeds = {
        "takes one": (
            tokens_at,
            [(third_at, WRITABLE), (FIRST_EXTRA + 5, 0), (eves_at, WRITABLE), (AUTHORITY, SIGNER)],
            b"\x0c" + (1).to_bytes(8, "little") + bytes([decimals]),
        ),
        "approves": (tokens_at, [(third_at, WRITABLE), (eve_at, 0), (AUTHORITY, SIGNER)], b"\x04" + (50).to_bytes(8, "little")),
        "sets close authority": deed(b"\x06" + CLOSE_AUTHORITY + bytes(world.stranger.pubkey()), third_at),
    }
    if not kind.endswith("extensions"):
        deeds["sets owner"] = deed(b"\x06" + ACCOUNT_OWNER + bytes(world.stranger.pubkey()), third_at)
    if native:
        deeds["closes it with all that is wrapped"] = deed(b"\x09", third_at, eve_at)
        deeds["unwraps"] = deed(UNWRAP_LAMPORTS + b"\0", third_at, eve_at)
    else:
        deeds["takes spare lamports"] = deed(WITHDRAW_EXCESS_LAMPORTS, third_at, eve_at)
    for what, call in deeds.items():
        refused(world, world.attacking(pay, call, extra=[*extra, *r(mint)]), error="VaultAccountTampered", what=what)
    assert world.attack(pay, extra=[*extra, *r(mint)]).error is None


# Whatever dice say

# Places after the fixed ones: Eve's two purses of either mint, the pot, a third account of the trade authority, Eve, the system program.
LOOT, LURE, POT, THIRD, EVE, SYSTEM_AT = range(FIRST_EXTRA, FIRST_EXTRA + 6)
TOKENS_OF = {"usdc": (SOURCE, LOOT), "bonk": (DESTINATION, LURE, POT)}


def a_call(dice: Random, world: EvilWorld) -> Call:
    """One deed of a router that means ill or well."""
    mint = dice.choice(["usdc", "bonk"])
    one, other = dice.sample(TOKENS_OF[mint], 2)
    anywhere = dice.choice((SOURCE, DESTINATION, THIRD))
    amount = dice.choice((0, 1, 777, USDC // 2, USDC - 1, USDC))
    deeds: list[Callable[[], Call]] = [
        lambda: transfer(SOURCE, LOOT, amount),
        lambda: transfer(POT, DESTINATION, dice.choice((1, 777, 10**6))),
        lambda: transfer(one, other, amount),
        lambda: transfer(THIRD, dice.choice((LOOT, LURE)), 1),
        lambda: approve(anywhere, EVE),
        lambda: token_call(REVOKE, anywhere),
        lambda: set_authority(dice.choice((ACCOUNT_OWNER, CLOSE_AUTHORITY)), anywhere, dice.choice((world.stranger.pubkey(), world.trade))),
        lambda: close(anywhere, EVE),
        lambda: token_call(WITHDRAW_EXCESS_LAMPORTS, anywhere, EVE),
        lambda: token_call(BURN + (1).to_bytes(8, "little"), anywhere, EVE),
        lambda: pay_lamports(SYSTEM_AT, AUTHORITY, EVE, dice.choice((0, 1))),
        lambda: (SYSTEM_AT, [(AUTHORITY, SIGNER | WRITABLE)], (1).to_bytes(4, "little") + bytes(jupiter_v6.PROGRAM)),
    ]
    weights = [6, 8, 4, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    return dice.choices(deeds, weights)[0]()


def whole(world: EvilWorld, address: Pubkey, owner: Pubkey) -> bool:
    token = TokenAccount.from_bytes(bytes(world.svm.get_account(address).data))
    return token.owner == owner and token.delegate is None and token.close_authority is None


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_a_router_does(seed: int) -> None:
    """It fails and nothing has moved, or the vault gave at most amount_in, got at least the minimum, and nobody has a hand on anything."""
    dice, world = Random(seed), EvilWorld()
    eve, lure = world.stranger.pubkey(), world.hold(world.stranger.pubkey(), world.bonk, 0, at=key("lure").pubkey())
    third = world.hold(world.trade, world.wif, 50, at=key("a third account").pubkey())
    tokens = {token_account_address(owner, mint): owner for owner in (world.vault, world.trade) for mint in (world.usdc, world.bonk)}
    tokens[third] = world.trade
    landed = 0
    for _ in range(SCRIPTS_PER_SEED):
        calls = [a_call(dice, world) for _ in range(dice.randrange(1, 6))]
        minimum = dice.choice((1, 777, 778))
        extra = [*w(world.loot, lure, world.pot, third, eve), *r(SYSTEM)]
        trade = world.attacking(*calls, extra=extra, minimum=minimum)
        usdc, bonk, lamports = (
            world.balance(world.vault, world.usdc),
            world.balance(world.vault, world.bonk),
            world.svm.get_balance(world.trade),
        )
        spent = world.read_policy().spent_in_day(world.now)
        done, moved = attempted(world, trade)
        if done.error is not None:
            assert moved == [], (calls, done.error)
            continue
        landed += 1
        gave, got = usdc - world.balance(world.vault, world.usdc), world.balance(world.vault, world.bonk) - bonk
        (event,) = traded(done.inner)
        assert 0 <= gave <= USDC, calls
        assert got >= minimum, calls
        assert (event.amount_in, event.amount_out) == (gave, got)
        assert world.read_policy().spent_in_day(world.now) == spent + USDC
        assert all(whole(world, address, owner) for address, owner in tokens.items()), calls
        assert world.balance(world.trade, world.usdc) == world.balance(world.trade, world.bonk) == 0
        assert world.amount(third) >= 50
        assert (world.svm.get_balance(world.trade) or 0) >= (lamports or 0)
    assert 0 < landed < SCRIPTS_PER_SEED
