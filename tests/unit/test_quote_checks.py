"""A router's answer is believed in nothing: honest quotes pass, and each of many hostile ones is refused by its rule."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tests.fakes.simulated_chain import BONK, OWNER, TRADE, VAULT, quote_for
from tests.fakes.simulated_desk import AMOUNT_RAW, an_intent

from xorj.copying.decision import Side
from xorj.execution.bounds import Bounds
from xorj.execution.quote_checks import Approved, check_quote
from xorj.execution.rejected import Rejected
from xorj.prices.price import Price
from xorj.primitives.amounts import Usd
from xorj.primitives.ids import USDC, Mint, Slot
from xorj.router import jupiter_v6
from xorj.router.jupiter_v6 import RouteStep
from xorj.router.quote import RouteQuote
from xorj.vault import accounts
from xorj.vault.instructions import create_token_account

BOUNDS = Bounds()
NOW = Slot(1_000)
STRANGER = Keypair.from_seed(bytes([9]) * 32).pubkey()
INTENT = an_intent()
ONE = Decimal(1)


def prices(usd: Decimal = ONE, *, slot: int | None = NOW, without: str = "") -> dict[Mint, Price]:
    found = {
        USDC: Price(USDC, Usd(ONE), 6, Slot(NOW), "test"),
        BONK: Price(BONK, Usd(usd), 6, None if slot is None else Slot(slot), "test"),
    }
    return {mint: price for mint, price in found.items() if mint != without}


def checked(quote: RouteQuote, found: dict[Mint, Price] | None = None) -> Approved | Rejected:
    return check_quote(INTENT, quote, prices() if found is None else found, NOW, BOUNDS, input_decimals=6)


def honest() -> RouteQuote:
    return quote_for(USDC, BONK, AMOUNT_RAW)


def shared() -> RouteQuote:
    """The same route through the router's own accounts."""
    own = [meta.pubkey for meta in honest().swap_instruction.accounts]
    places = [STRANGER, own[0], own[1], STRANGER, STRANGER, own[2], own[3], own[4], own[5], own[6], own[8], own[9], *own[10:]]
    metas = [AccountMeta(key, key == TRADE, False) for key in places]
    data = jupiter_v6.encode_route(AMOUNT_RAW, AMOUNT_RAW, 100, [RouteStep()], shared_id=1)
    return replace(honest(), swap_instruction=Instruction(jupiter_v6.PROGRAM, data, metas))


@pytest.mark.parametrize("quote", [honest(), shared()], ids=["route_v2", "shared_accounts_route_v2"])
def test_an_honest_quote_is_approved_at_the_tighter_of_both_floors(quote: RouteQuote) -> None:
    assert checked(quote) == Approved(AMOUNT_RAW * 99 // 100, 6, ())
    generous = replace(quote, out_amount_min=AMOUNT_RAW * 98 // 100)
    assert checked(generous) == Approved(AMOUNT_RAW * 99 // 100, 6, ())
    tight = replace(quote, out_amount_min=AMOUNT_RAW - 1)
    assert checked(tight) == Approved(AMOUNT_RAW - 1, 6, ())


def test_accounts_on_the_way_are_named() -> None:
    wanted = create_token_account(STRANGER, TRADE, STRANGER)
    assert checked(replace(honest(), setup_instructions=(wanted,))) == Approved(AMOUNT_RAW * 99 // 100, 6, (STRANGER,))


def changed(
    quote: RouteQuote, *, data: bytes | None = None, place: int | None = None, key: Pubkey = STRANGER, signer: bool = False
) -> RouteQuote:
    old = quote.swap_instruction
    metas = list(old.accounts)
    if place is not None:
        metas[place] = AccountMeta(key, signer or metas[place].is_signer, metas[place].is_writable)
    return replace(quote, swap_instruction=Instruction(old.program_id, bytes(old.data) if data is None else data, metas))


def patched(at: int, value: bytes) -> bytes:
    data = bytearray(bytes(honest().swap_instruction.data))
    data[at : at + len(value)] = value
    return bytes(data)


def appended(*keys: Pubkey, signer: bool = False) -> RouteQuote:
    old = honest().swap_instruction
    more = [AccountMeta(key, signer, True) for key in keys]
    return replace(honest(), swap_instruction=Instruction(old.program_id, bytes(old.data), [*old.accounts, *more]))


def other_program() -> RouteQuote:
    old = honest().swap_instruction
    return replace(honest(), swap_instruction=Instruction(STRANGER, bytes(old.data), list(old.accounts)))


def short() -> RouteQuote:
    old = honest().swap_instruction
    return replace(honest(), swap_instruction=Instruction(old.program_id, bytes(old.data), list(old.accounts)[:9]))


def setup(instruction: Instruction) -> RouteQuote:
    return replace(honest(), setup_instructions=(instruction,))


CREATION = create_token_account(STRANGER, TRADE, STRANGER)
HOSTILE: dict[str, tuple[Callable[[], RouteQuote], str]] = {
    "another input": (lambda: replace(honest(), input_mint=BONK), "quote_mints"),
    "another output": (lambda: replace(honest(), output_mint=USDC), "quote_mints"),
    "another amount": (lambda: replace(honest(), in_amount=AMOUNT_RAW + 1), "quote_amount"),
    "a wide slippage": (lambda: replace(honest(), slippage_bps=501), "quote_floor"),
    "no floor": (lambda: replace(honest(), out_amount_min=0), "quote_floor"),
    "a floor above the output": (lambda: replace(honest(), out_amount=1), "quote_floor"),
    "another program": (other_program, "route_program"),
    "another instruction": (lambda: changed(honest(), data=patched(0, bytes(8))), "route_data"),
    "cut short": (lambda: changed(honest(), data=bytes(honest().swap_instruction.data)[:20]), "route_data"),
    "much too long": (lambda: changed(honest(), data=bytes(honest().swap_instruction.data) + bytes(1_100)), "route_size"),
    "too many accounts": (lambda: appended(*[Pubkey([n] * 32) for n in range(1, 45)]), "route_size"),
    "the route takes more": (lambda: changed(honest(), data=patched(8, (AMOUNT_RAW + 1).to_bytes(8, "little"))), "route_amount"),
    "a platform fee": (lambda: changed(honest(), data=patched(26, b"\x01\x00")), "route_fee"),
    "a share of the better price": (lambda: changed(honest(), data=patched(28, b"\x01\x00")), "route_fee"),
    "no steps": (lambda: changed(honest(), data=patched(30, bytes(4))), "route_fee"),
    "too few accounts": (short, "route_accounts"),
    "another authority": (lambda: changed(honest(), place=0), "route_accounts"),
    "another source": (lambda: changed(honest(), place=1), "route_accounts"),
    "another destination": (lambda: changed(honest(), place=2), "route_accounts"),
    "another input mint": (lambda: changed(honest(), place=3), "route_accounts"),
    "another output mint": (lambda: changed(honest(), place=4), "route_accounts"),
    "another token program": (lambda: changed(honest(), place=5), "route_accounts"),
    "a second destination": (lambda: changed(honest(), place=7), "route_accounts"),
    "another event authority": (lambda: changed(honest(), place=8), "route_accounts"),
    "another router at its end": (lambda: changed(honest(), place=9), "route_accounts"),
    "shared: another destination": (lambda: changed(shared(), place=5), "route_accounts"),
    "shared: another router": (lambda: changed(shared(), place=11), "route_accounts"),
    "the vault itself": (lambda: appended(VAULT), "route_accounts"),
    "the policy": (lambda: appended(accounts.policy_address(VAULT)), "route_accounts"),
    "the config": (lambda: appended(accounts.config_address()), "route_accounts"),
    "the vault's tokens": (lambda: appended(accounts.token_account_address(VAULT, Pubkey.from_string(USDC))), "route_accounts"),
    "the owner": (lambda: appended(OWNER.pubkey()), "route_accounts"),
    "a second signer": (lambda: appended(STRANGER, signer=True), "route_signers"),
    "setup calls another program": (lambda: setup(Instruction(STRANGER, b"\x01", [])), "route_setup"),
    "setup is not idempotent": (lambda: setup(Instruction(CREATION.program_id, b"\x00", list(CREATION.accounts))), "route_setup"),
    "setup for a stranger": (lambda: setup(create_token_account(STRANGER, STRANGER, STRANGER)), "route_setup"),
    "setup elsewhere": (
        lambda: setup(
            Instruction(CREATION.program_id, b"\x01", [CREATION.accounts[0], AccountMeta(STRANGER, False, True), *CREATION.accounts[2:]])
        ),
        "route_setup",
    ),
}


@pytest.mark.parametrize(("make", "rule"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_quote_is_refused_for_good(make: Callable[[], RouteQuote], rule: str) -> None:
    found = checked(make())
    assert isinstance(found, Rejected)
    assert (found.rule, found.is_final) == (rule, True), str(found)


PASSING: dict[str, tuple[RouteQuote, dict[Mint, Price], str]] = {
    "worse than our price": (replace(honest(), out_amount=AMOUNT_RAW * 98 // 100, out_amount_min=1), prices(), "worse_than_price"),
    "a price of half": (honest(), prices(Decimal("0.5")), "worse_than_price"),
    "impact": (replace(honest(), price_impact_fraction=0.031), prices(), "price_impact"),
    "no price of the output": (honest(), prices(without=BONK), "no_price"),
    "no price of the input": (honest(), prices(without=USDC), "no_price"),
    "an old price": (honest(), prices(slot=NOW - 301), "price_too_old"),
    "a price without a time": (honest(), prices(slot=None), "price_too_old"),
}


@pytest.mark.parametrize(("quote", "found", "rule"), PASSING.values(), ids=PASSING)
def test_what_may_pass_by_itself_is_not_final(quote: RouteQuote, found: dict[Mint, Price], rule: str) -> None:
    rejected = checked(quote, found)
    assert isinstance(rejected, Rejected)
    assert (rejected.rule, rejected.is_final) == (rule, False)


def test_what_is_worth_less_than_one_unit_is_not_traded() -> None:
    rejected = checked(honest(), prices(Decimal(10) ** 9))
    assert isinstance(rejected, Rejected)
    assert rejected.rule == "worth_nothing"


@pytest.mark.parametrize(
    "found",
    [{}, prices(without=BONK), prices(without=USDC), prices(slot=NOW - 301), prices(slot=None)],
    ids=["no source", "no price of the token", "no price of the base", "an old price", "a price without a time"],
)
def test_a_missing_price_never_blocks_an_exit_and_then_the_quote_less_the_followers_slippage_is_its_floor(found: dict[Mint, Price]) -> None:
    exit_quote = quote_for(BONK, USDC, AMOUNT_RAW)
    selling = an_intent(Side.SELL)
    floor = exit_quote.out_amount * 99 // 100
    assert check_quote(selling, exit_quote, found, NOW, BOUNDS, input_decimals=5) == Approved(floor, 5, ())
    buying = checked(honest(), found)
    assert isinstance(buying, Rejected)
    assert buying.rule in ("no_price", "price_too_old")


UNPRICED_EXITS = {
    # what the router says: quoted output, its threshold; what the follower allows in bps; the least that must arrive
    "the router's threshold is one unit": (10_000_000, 1, 100, 9_900_000),
    "the router's threshold is a little looser": (10_000_000, 9_899_999, 100, 9_900_000),
    "the router's threshold is tighter": (10_000_000, 9_950_000, 100, 9_950_000),
    "the follower allows nothing": (10_000_000, 1, 0, 10_000_000),
    "the follower allows more than the system does": (10_000_000, 1, 9_000, 9_500_000),
    "a bag that is worth one unit": (1, 1, 100, 1),
}


@pytest.mark.parametrize(("quoted", "threshold", "slippage_bps", "least"), UNPRICED_EXITS.values(), ids=UNPRICED_EXITS)
def test_a_router_cannot_loosen_the_floor_of_an_exit_without_a_price(quoted: int, threshold: int, slippage_bps: int, least: int) -> None:
    selling = replace(an_intent(Side.SELL), slippage_bps=slippage_bps)
    loose = replace(quote_for(BONK, USDC, AMOUNT_RAW), out_amount=quoted, out_amount_min=threshold)
    assert check_quote(selling, loose, {}, NOW, BOUNDS, input_decimals=5) == Approved(least, 5, ())


def test_an_exit_of_which_there_is_a_price_is_held_to_it() -> None:
    poor = replace(quote_for(BONK, USDC, AMOUNT_RAW), out_amount=AMOUNT_RAW * 9 // 10, out_amount_min=AMOUNT_RAW // 2)
    refused = check_quote(an_intent(Side.SELL), poor, prices(), NOW, BOUNDS, input_decimals=6)
    assert isinstance(refused, Rejected)
    assert refused.rule == "worse_than_price"
