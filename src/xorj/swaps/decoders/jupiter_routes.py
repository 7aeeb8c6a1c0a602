"""Jupiter v6 routes: which pair the wallet asked for, through which venues, and what the router took. Asked by the decoder.

A route may leave more than one token behind: a hop that gave more than the next took. Its accounts name the pair, its events every hop, so
that a leftover is told from a second trade. Accounts and events: the program's interface, compared with landed transactions.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from solders.pubkey import Pubkey

from xorj.chain.transactions import ChainInstruction
from xorj.primitives.amounts import TokenAmount
from xorj.primitives.ids import SOL, Address, Mint
from xorj.swaps.instruction_tree import u64
from xorj.swaps.programs import EVENT_TAG, JUPITER_V6, SWAP_PROGRAMS, discriminator
from xorj.swaps.reading import Reading, one
from xorj.swaps.swap import Outcome, Swap

_SWAP_EVENT = EVENT_TAG + bytes.fromhex("40c6cde8260871e2")
_SWAPS_EVENT = EVENT_TAG + bytes.fromhex("982f4eebc0606e6a")
_EVENT_BYTES = 112


@dataclass(frozen=True, slots=True)
class _Slots:
    """Where a route's accounts stand: who gives, the source account or the source mint, the destination mint."""

    authority: int
    source_account: int | None
    source_mint: int | None
    destination_mint: int


_SLOTS: Mapping[bytes, _Slots] = {
    **dict.fromkeys(map(discriminator, ("route", "route_with_token_ledger")), _Slots(1, 2, None, 5)),
    discriminator("exact_out_route"): _Slots(1, 2, 5, 6),
    **dict.fromkeys(
        map(discriminator, ("shared_accounts_route", "shared_accounts_exact_out_route", "shared_accounts_route_with_token_ledger")),
        _Slots(2, 3, 7, 8),
    ),
    **dict.fromkeys(map(discriminator, ("route_v2", "exact_out_route_v2")), _Slots(0, 1, 3, 4)),
    **dict.fromkeys(map(discriminator, ("shared_accounts_route_v2", "shared_accounts_exact_out_route_v2")), _Slots(1, 2, 6, 7)),
}


@dataclass(frozen=True, slots=True)
class Hop:
    """One swap of a route, as the router tells it: through which program, and gross of what the router takes."""

    venue: Address
    input_mint: Mint
    input_raw: int
    output_mint: Mint
    output_raw: int


@dataclass(frozen=True, slots=True)
class Route:
    """One call of the router by its user, with the pair that was asked for."""

    instruction_index: int
    authority: Address
    input_mint: Mint
    output_mint: Mint
    hops: tuple[Hop, ...]


def outcome(reading: Reading) -> Outcome | None:
    """The pair of the wallet's one route, where whatever else changed is a leftover of that route or a cost in SOL."""
    routes = [route for route in routes_of(reading) if route.authority == reading.key]
    if len(routes) != 1:
        return None
    (route,), sides = routes, reading.sides
    if route.input_mint not in sides.given or route.output_mint not in sides.got or route.input_mint == route.output_mint:
        return None
    on_the_way = {hop.output_mint for hop in route.hops} - {route.input_mint, route.output_mint}
    left_over = sides.mints - {route.input_mint, route.output_mint}
    got_only = all(mint in sides.got for mint in left_over - {SOL})
    if not left_over <= on_the_way | ({SOL} if reading.sol_is_cost else set()) or not got_only:
        return None
    pair = (route.input_mint, sides.given[route.input_mint]), (route.output_mint, sides.got[route.output_mint])
    return one(reading.swap(pair))


def venues(reading: Reading) -> tuple[Address, ...]:
    """Venues that only the router's events name, in order: programs that stand in no table of ours."""
    return tuple(dict.fromkeys(hop.venue for route in routes_of(reading) for hop in route.hops if hop.venue not in SWAP_PROGRAMS))


def platform_fees(reading: Reading, swap: Swap) -> tuple[TokenAmount, ...]:
    """What the router took of input and output: what the wallet gave or got, against what its hops swapped. Empty where nothing tells."""
    routes = [route for route in routes_of(reading) if route.authority == reading.key]
    if len(routes) != 1 or not routes[0].hops:
        return ()
    net: Counter[str] = Counter()
    for hop in routes[0].hops:
        net[hop.input_mint] -= hop.input_raw
        net[hop.output_mint] += hop.output_raw
    taken = ((swap.input, swap.input.raw + net[swap.input.mint]), (swap.output, net[swap.output.mint] - swap.output.raw))
    # a SOL side also holds what was paid for other things, so that a difference there is no fee of the router
    return tuple(TokenAmount(side.mint, raw, side.decimals) for side, raw in taken if raw > 0 and side.mint != SOL)


def routes_of(reading: Reading) -> list[Route]:
    """Every route in order, whoever's; each with the events that followed it under the same top-level instruction."""
    routes: list[Route] = []
    for index, instruction in reading.instructions:
        if instruction.program != JUPITER_V6:
            continue
        if instruction.data.startswith(EVENT_TAG):
            if routes and routes[-1].instruction_index == index:
                routes[-1] = _with_hops(routes[-1], tuple(_hops(instruction.data)))
            continue
        route = _route(reading, index, instruction)
        if route is not None:
            routes.append(route)
    return routes


def _route(reading: Reading, index: int, instruction: ChainInstruction) -> Route | None:
    slots, accounts = _SLOTS.get(instruction.data[:8]), instruction.accounts
    if slots is None or len(accounts) <= max(slots.destination_mint, slots.source_mint or 0):
        return None
    if slots.source_mint is not None:
        source: Mint | None = Mint(accounts[slots.source_mint])
    else:
        source = reading.tree.holding(accounts[slots.source_account or 0]).mint
    return None if source is None else Route(index, accounts[slots.authority], source, Mint(accounts[slots.destination_mint]), ())


def _with_hops(route: Route, hops: tuple[Hop, ...]) -> Route:
    return Route(route.instruction_index, route.authority, route.input_mint, route.output_mint, (*route.hops, *hops))


def _hops(data: bytes) -> Iterator[Hop]:
    """v1 tells each hop by itself, venue first; v2 all at once with a count in front, venue last."""
    if data.startswith(_SWAP_EVENT) and len(data) >= 16 + _EVENT_BYTES:
        yield Hop(_key(data, 16), Mint(_key(data, 48)), u64(data, 80), Mint(_key(data, 88)), u64(data, 120))
    elif data.startswith(_SWAPS_EVENT) and len(data) >= 20:
        count = min(int.from_bytes(data[16:20], "little"), (len(data) - 20) // _EVENT_BYTES)
        for at in range(20, 20 + count * _EVENT_BYTES, _EVENT_BYTES):
            yield Hop(_key(data, at + 80), Mint(_key(data, at)), u64(data, at + 32), Mint(_key(data, at + 40)), u64(data, at + 72))


def _key(data: bytes, at: int) -> Address:
    return Address(str(Pubkey.from_bytes(data[at : at + 32])))
