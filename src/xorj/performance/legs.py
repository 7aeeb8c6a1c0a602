"""Valued swaps to the kernel's columns: legs by wallet and token, and the price table by day. Used by kernel and by whoever stores legs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from xorj.performance import columns as c
from xorj.performance.transfer import TransferOut
from xorj.primitives.amounts import LAMPORTS_PER_SOL
from xorj.primitives.clock import DAY_S
from xorj.primitives.ids import USDC, Mint, Wallet
from xorj.swaps.quote_rank import Direction, direction
from xorj.swaps.swap import OrderKey
from xorj.swaps.valuation import Execution, Valuation, ValuedSwap

Event = ValuedSwap | TransferOut
Row = tuple[float, ...]
TYPES = (np.uint32, np.uint32, np.uint32, np.uint32, np.float64, np.float64, np.float64, np.uint8)


@dataclass(frozen=True, slots=True)
class LegTable:
    """Legs, and the wallets and tokens that their numbers stand for."""

    legs: c.Legs
    wallets: tuple[Wallet, ...]
    tokens: tuple[Mint, ...]


def tokens_of(swaps: Iterable[ValuedSwap], transfers: Iterable[TransferOut] = ()) -> list[Mint]:
    """Every mint that has legs, in the one order in which sums over tokens are taken."""
    mints = {Mint(amount.mint) for one in swaps for amount in (one.swap.input, one.swap.output)} - {USDC}
    return sorted(mints | {Mint(one.amount.mint) for one in transfers})


def legs_of(valuation: Valuation, transfers: Sequence[TransferOut] = (), tokens: Sequence[Mint] | None = None) -> LegTable:
    """Every leg of the swaps and transfers, sorted by wallet, token and order. A transfer before the first swap takes nothing along.

    `tokens` are numbered in their order; those of the legs themselves when None.
    """
    mints = tokens_of(valuation.swaps, transfers) if tokens is None else tokens
    number = {mint: at for at, mint in enumerate(mints)}
    wallets: list[Wallet] = []
    rows: list[Row] = []
    for wallet, events in groupby(_ordered(valuation, transfers), key=_wallet_of):
        time = 0
        for at, event in enumerate(events):
            time = max(time, event.swap.block_time if isinstance(event, ValuedSwap) else event.block_time)
            for mint, *leg in event_legs(event):
                rows.append((len(wallets), number[mint], at, time, *leg))
        wallets.append(wallet)
    columns = zip(*rows, strict=True) if rows else [()] * len(TYPES)
    legs = c.Legs(*(np.array(column, dtype=kind) for column, kind in zip(columns, TYPES, strict=True)))
    order = np.lexsort((legs.swap, legs.token, legs.wallet))
    return LegTable(c.Legs(*(column[order] for column in legs)), tuple(wallets), tuple(mints))


def event_legs(event: Event) -> list[tuple[Mint, float, float, float, int]]:
    """Token, quantity, value, fee and flags of each leg of one event."""
    if isinstance(event, TransferOut):
        moved = float(event.amount.raw)
        if event.amount.mint == USDC:
            return [(USDC, 0.0, moved / 10**event.amount.decimals, 0.0, c.MOVED | c.CASH | c.PAID)]
        return [(Mint(event.amount.mint), -moved, 0.0, 0.0, c.MOVED)]
    flags, fee = _flags(event), _fee_usd(event)
    legs = [(-1, event.swap.input), (1, event.swap.output)]
    value = 0.0 if event.value_usd is None else float(event.value_usd)
    found: list[tuple[Mint, float, float, float, int]] = []
    for sign, amount in legs:
        if amount.mint != USDC:
            quantity = float(sign * amount.raw) if event.value_usd is not None else 0.0
            found.append((Mint(amount.mint), quantity, value, fee if not found else 0.0, flags if not found else flags & ~c.FIRST))
    return found


def marks_of(tokens: Sequence[Mint], executions: Mapping[Mint, Sequence[Execution]], as_of: int) -> c.Marks:
    """The price table of these tokens up to the day of `as_of`, whose own price is that of the last execution until then."""
    last_day = as_of // DAY_S
    first_day, offset, prices, size = [], [], [], 0
    for token in tokens:
        rows = [one for one in executions.get(token, ()) if one.block_time <= as_of]
        first_day.append(rows[0].block_time // DAY_S if rows else c.NEVER)
        offset.append(size)
        if rows:
            times = np.maximum.accumulate(np.array([one.block_time for one in rows], dtype=np.int64))
            ends = (np.arange(first_day[-1], last_day + 1) + 1) * DAY_S
            known = np.array([float(one.price_usd) for one in rows])
            prices.append(known[np.searchsorted(times, ends) - 1])
            size += len(prices[-1])
    flat: NDArray[np.float64] = np.concatenate(prices) if prices else np.zeros(0)
    return c.Marks(np.array(first_day, dtype=np.int64), np.array(offset, dtype=np.int64), flat)


def _ordered(valuation: Valuation, transfers: Iterable[TransferOut]) -> Iterable[Event]:
    """Swaps and transfers by wallet and order; transfers of wallets that had no swap before are left out."""
    first: dict[Wallet, OrderKey] = {}
    for one in valuation.swaps:
        first.setdefault(one.swap.wallet, one.swap.order)
    moved = [one for one in transfers if one.wallet in first and one.order > first[one.wallet]]
    return sorted((*valuation.swaps, *moved), key=_order_of) if moved else valuation.swaps


def _wallet_of(event: Event) -> Wallet:
    return event.swap.wallet if isinstance(event, ValuedSwap) else event.wallet


def _order_of(event: Event) -> tuple[Wallet, OrderKey]:
    return _wallet_of(event), event.swap.order if isinstance(event, ValuedSwap) else event.order


def _flags(one: ValuedSwap) -> int:
    swap, flags = one.swap, c.FIRST
    if one.sol_price_usd is None or swap.network_fee_lamports is None:
        flags |= c.FEE_UNKNOWN
    if one.value_usd is None:
        return flags | c.UNPRICED_SWAP
    if swap.input.mint == USDC:
        flags |= c.CASH | c.PAID
    elif swap.output.mint == USDC:
        flags |= c.CASH
    closes = direction(swap.input.mint, swap.output.mint) in (Direction.CLOSE, Direction.SWITCH)
    return flags | c.CLOSES if closes else flags


def _fee_usd(one: ValuedSwap) -> float:
    lamports = (one.swap.network_fee_lamports or 0) + one.swap.tip_lamports
    return lamports / LAMPORTS_PER_SOL * float(one.sol_price_usd or 0)
