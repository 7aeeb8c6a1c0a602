"""Value that one address gave another for nothing: what shows who belongs together. Pure; made from the lake's movements for links."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from xorj.primitives.ids import SOL, USDC, USDT, Address, Mint, Signature, Slot
from xorj.swaps.movement import MovementKind
from xorj.swaps.record import WalletMovement
from xorj.trust.copy_replay import Prices

# what everybody holds is made by nobody whom a link could point to
_QUOTES = frozenset({USDC, USDT, SOL})


@dataclass(frozen=True, slots=True, order=True)
class Payment:
    """One token of one transaction; worth in USD when it was given, 0 where the token had no price."""

    slot: Slot
    signature: Signature
    mint: Mint
    giver: Address
    taker: Address
    value_usd: float


def payments_of(movements: Iterable[WalletMovement], prices: Prices) -> tuple[Payment, ...]:
    """Every transfer between two addresses that somebody holds the key of, oldest first. One that both sides tell of counts once."""
    found: dict[tuple[Signature, Mint, Address, Address], Payment] = {}
    keyless: dict[Address, bool] = {}
    for one in movements:
        moved = one.movement
        if moved.kind is not MovementKind.TRANSFER or moved.counterparty is None or one.block_time is None:
            continue
        if moved.counterparty not in keyless:
            keyless[moved.counterparty] = moved.is_internal
        if keyless[moved.counterparty]:
            continue
        giver, taker = (Address(one.wallet), moved.counterparty) if moved.raw < 0 else (moved.counterparty, Address(one.wallet))
        value = abs(moved.raw) * (prices.at(moved.mint, one.block_time) or 0.0)
        payment = Payment(one.order.slot, one.signature, moved.mint, giver, taker, value)
        key = one.signature, moved.mint, giver, taker
        if giver != taker and (key not in found or found[key].value_usd < value):
            found[key] = payment
    return tuple(sorted(found.values()))


def hash_of(movements: Iterable[WalletMovement]) -> str:
    """SHA-256 over every movement, in the order given; hex."""
    digest = sha256()
    for one in movements:
        order, moved = one.order, one.movement
        place = f"{one.wallet} {one.signature} {order.slot} {order.transaction_index} {order.instruction_index} {one.block_time}"
        digest.update(f"{place} {moved.kind} {moved.mint} {moved.raw} {moved.counterparty}\n".encode())
    return digest.hexdigest()


def makers_of(movements: Iterable[WalletMovement], first_swaps: Mapping[Mint, Slot]) -> dict[Mint, frozenset[Address]]:
    """Who minted a token to himself, or filled its pool in or before the slot of the first swap known of it."""
    found: dict[Mint, set[Address]] = {}
    for one in movements:
        moved = one.movement
        if moved.mint in _QUOTES:
            continue
        fills_first = (
            moved.kind is MovementKind.LIQUIDITY and moved.raw < 0 and one.order.slot <= first_swaps.get(moved.mint, one.order.slot)
        )
        if fills_first or (moved.kind is MovementKind.MINT and moved.raw > 0):
            found.setdefault(moved.mint, set()).add(Address(one.wallet))
    return {mint: frozenset(makers) for mint, makers in found.items()}
