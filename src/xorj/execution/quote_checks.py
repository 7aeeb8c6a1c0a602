"""Is this quote fit to be traded? Nothing the router says is believed: amounts, floor, impact, programs and accounts are all checked.

The floor of the trade comes from an independent price; the router can only make it tighter. The floor of an exit of which there is no such
price is the quoted output less the follower's slippage; what a dishonest quote could then take is bounded by the vault's loss cap
(docs/adr/0023-prices-of-thin-mints.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from xorj.copying.decision import Side
from xorj.execution.bounds import Bounds
from xorj.execution.intent import Intent
from xorj.execution.rejected import PASSED, Passed, Rejected
from xorj.execution.vault_state import TradeAddresses
from xorj.prices.price import Price, floor_output_raw
from xorj.primitives.amounts import BPS_PER_ONE
from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import Mint, Slot
from xorj.router import jupiter_v6
from xorj.router.jupiter_v6 import RouteHead
from xorj.router.quote import RouteQuote
from xorj.vault.accounts import (
    ASSOCIATED_TOKEN_PROGRAM,
    TOKEN_PROGRAM,
    token_account_address,
)
from xorj.vault.interface import ROUTE_ACCOUNTS_MAX, ROUTE_DATA_BYTES_MAX

CREATE_IDEMPOTENT = b"\x01"
SETUP_ACCOUNTS = 6
MISSING_PRICE_RULES = frozenset({"no_price", "price_too_old"})


@dataclass(frozen=True, slots=True)
class Approved:
    """`minimum_out_raw` is what the vault will enforce; `passing_mints` need a token account of the trade authority on the way."""

    minimum_out_raw: int
    input_decimals: int
    passing_mints: tuple[Pubkey, ...]


def check_quote(
    intent: Intent, quote: RouteQuote, prices: Mapping[Mint, Price], now: Slot, bounds: Bounds, *, input_decimals: int
) -> Approved | Rejected:
    """All checks in order; the first that fails. A refusal by price or impact may pass by itself, one by shape will not."""
    addresses = TradeAddresses.of(intent)
    for check in (_mints_and_amounts(intent, quote, bounds), check_route(intent.amount_in_raw, quote.swap_instruction, intent, addresses)):
        if isinstance(check, Rejected):
            return check
    passing = _passing_mints(quote.setup_instructions, addresses)
    if isinstance(passing, Rejected):
        return passing
    floor = own_floor(intent, prices, now, bounds)
    if isinstance(floor, Rejected) and intent.side is Side.SELL and floor.rule in MISSING_PRICE_RULES:
        floor = _quoted_floor(intent, quote, bounds)
    if isinstance(floor, Rejected):
        return floor
    if quote.out_amount < floor:
        return Rejected("worse_than_price", f"the route gives {quote.out_amount}, our price asks for {floor}", is_final=False)
    if quote.price_impact_fraction > bounds.price_impact_fraction_max:
        detail = f"{quote.price_impact_fraction:.4f} is above {bounds.price_impact_fraction_max}"
        return Rejected("price_impact", detail, is_final=False)
    return Approved(max(floor, quote.out_amount_min), input_decimals, passing)


def own_floor(intent: Intent, prices: Mapping[Mint, Price], now: Slot, bounds: Bounds) -> int | Rejected:
    """The least output by an independent price that is fresh for both mints, always above zero."""
    given, wanted = prices.get(intent.input_mint), prices.get(intent.output_mint)
    if given is None or wanted is None:
        return Rejected("no_price", f"no price of {intent.input_mint if given is None else intent.output_mint}", is_final=False)
    for price in (given, wanted):
        age = price.age_slots(now)
        if age is None or age > bounds.price_age_slots_max:
            return Rejected("price_too_old", f"{price.mint} is {age} slots old, {bounds.price_age_slots_max} at most", is_final=False)
    floor = floor_output_raw(intent.amount_in_raw, given, wanted, _slippage_bps(intent, bounds))
    return floor if floor > 0 else Rejected("worth_nothing", f"{intent.amount_in_raw} buys less than one base unit")


def _quoted_floor(intent: Intent, quote: RouteQuote, bounds: Bounds) -> int:
    """What the quote says will arrive, less the follower's slippage. The router's threshold may be anything and is no part of it."""
    return quote.out_amount * (BPS_PER_ONE - _slippage_bps(intent, bounds)) // BPS_PER_ONE


def _slippage_bps(intent: Intent, bounds: Bounds) -> int:
    return min(intent.slippage_bps, bounds.slippage_bps_max)


def check_route(amount_in_raw: int, route: Instruction, intent: Intent, addresses: TradeAddresses) -> Passed | Rejected:
    """The shape that the vault allows (route_v2 or its shared form), with our accounts in the places that name them."""
    if route.program_id != jupiter_v6.PROGRAM:
        return Rejected("route_program", f"{route.program_id} is not the router")
    data = bytes(route.data)
    if len(data) > ROUTE_DATA_BYTES_MAX or len(route.accounts) > ROUTE_ACCOUNTS_MAX:
        return Rejected("route_size", f"{len(data)} bytes, {len(route.accounts)} accounts")
    try:
        head = jupiter_v6.decode_head(data)
    except InvalidInput as error:
        return Rejected("route_data", str(error))
    if head.in_amount != amount_in_raw:
        return Rejected("route_amount", f"the route takes {head.in_amount}, not {amount_in_raw}")
    if head.platform_fee_bps or head.positive_slippage_bps or not head.steps_count:
        return Rejected("route_fee", "a fee, a share of positive slippage, or no steps")
    return _accounts_in_place(head, route, intent, addresses)


def _mints_and_amounts(intent: Intent, quote: RouteQuote, bounds: Bounds) -> Passed | Rejected:
    if (quote.input_mint, quote.output_mint) != (intent.input_mint, intent.output_mint):
        return Rejected("quote_mints", f"the quote is for {quote.input_mint} to {quote.output_mint}")
    if quote.in_amount != intent.amount_in_raw:
        return Rejected("quote_amount", f"the quote is for {quote.in_amount}, not {intent.amount_in_raw}")
    if quote.slippage_bps > bounds.slippage_bps_max or not 0 < quote.out_amount_min <= quote.out_amount:
        return Rejected("quote_floor", f"{quote.slippage_bps} bps, {quote.out_amount_min} of {quote.out_amount}")
    return PASSED


def _accounts_in_place(head: RouteHead, route: Instruction, intent: Intent, addresses: TradeAddresses) -> Passed | Rejected:
    keys = [meta.pubkey for meta in route.accounts]
    given, wanted = Pubkey.from_string(intent.input_mint), Pubkey.from_string(intent.output_mint)
    trade, source, destination = addresses.trade_authority, addresses.trade_input, addresses.trade_output
    common = (TOKEN_PROGRAM, TOKEN_PROGRAM)
    if head.shared_id is None:
        places = dict(zip(range(7), (trade, source, destination, given, wanted, *common), strict=True))
        places |= {8: jupiter_v6.EVENT_AUTHORITY, 9: jupiter_v6.PROGRAM}
        optional = {7: (jupiter_v6.PROGRAM, destination)}
    else:
        places = dict(zip((1, 2, 5, 6, 7, 8, 9), (trade, source, destination, given, wanted, *common), strict=True))
        places |= {10: jupiter_v6.EVENT_AUTHORITY, 11: jupiter_v6.PROGRAM}
        optional = {}
    if len(keys) < max(places) + 1:
        return Rejected("route_accounts", f"{len(keys)} accounts are too few")
    misplaced = [slot for slot, key in places.items() if keys[slot] != key]
    misplaced += [slot for slot, any_of in optional.items() if keys[slot] not in any_of]
    if misplaced:
        return Rejected("route_accounts", f"not ours in places {misplaced}")
    own = {addresses.vault, addresses.policy, addresses.config, addresses.vault_input, addresses.vault_output}
    own.add(Pubkey.from_string(intent.owner))
    handed_over = own & set(keys)
    if handed_over:
        return Rejected("route_accounts", f"{sorted(map(str, handed_over))} must never reach a router")
    signers = {meta.pubkey for meta in route.accounts if meta.is_signer} - {trade}
    return Rejected("route_signers", f"{sorted(map(str, signers))} cannot sign") if signers else PASSED


def _passing_mints(setup: tuple[Instruction, ...], addresses: TradeAddresses) -> tuple[Pubkey, ...] | Rejected:
    """Which token accounts of the trade authority the route wants to exist. Anything else in the setup is refused."""
    mints: list[Pubkey] = []
    for instruction in setup:
        keys = [meta.pubkey for meta in instruction.accounts]
        is_creation = instruction.program_id == ASSOCIATED_TOKEN_PROGRAM and bytes(instruction.data) == CREATE_IDEMPOTENT
        if not is_creation or len(keys) < SETUP_ACCOUNTS:
            return Rejected("route_setup", f"{instruction.program_id} does more than create a token account")
        account, owner, mint, program = keys[1], keys[2], keys[3], keys[5]
        is_ours = owner == addresses.trade_authority and program == TOKEN_PROGRAM and account == token_account_address(owner, mint)
        if not is_ours:
            return Rejected("route_setup", f"token account {account} is not one of the trade authority")
        mints.append(mint)
    return tuple(dict.fromkeys(mints))
