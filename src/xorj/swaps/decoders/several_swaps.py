"""Several swaps of one wallet in one transaction, told apart by the top-level instructions that made them. Asked by the decoder.

Balances give only the sum of everything. Each instruction's own transfers from and to the wallet give the parts; they count only where they
add up to the balance change to the unit, so that a token that takes a fee on transfers, or a payment nobody sees, is never guessed.
"""

from collections import Counter
from dataclasses import dataclass, field

from xorj.primitives.ids import SOL, Address, Mint
from xorj.swaps.reading import NATIVE_RESIDUE_LAMPORTS_MAX, Reading, swap_programs
from xorj.swaps.swap import Outcome, Swap

SWAPS_PER_TRANSACTION_MAX = 32


@dataclass(slots=True)
class _Part:
    """One top-level instruction: its swap programs and the wallet's change by mint."""

    programs: tuple[Address, ...]
    change: Counter[Mint] = field(default_factory=Counter)


def outcome(reading: Reading) -> Outcome | None:
    """One swap for each instruction that swapped, None unless every one is a pair and together they are the balance change."""
    parts = _parts(reading)
    swapping = [part for part in parts.values() if part.programs and _without_cost(part.change)]
    if not 2 <= len(swapping) <= SWAPS_PER_TRANSACTION_MAX:
        return None
    pairs = [_pair(_without_cost(part.change)) for part in swapping]
    if any(pair is None for pair in pairs) or not _adds_up(reading, swapping):
        return None
    swaps: list[Swap] = []
    for part, pair in zip(swapping, pairs, strict=True):
        swap = reading.swap(pair, programs=part.programs, number=len(swaps)) if pair is not None else None
        if not isinstance(swap, Swap):
            return None
        swaps.append(swap)
    return tuple(swaps)


def _parts(reading: Reading) -> dict[int, _Part]:
    parts = {
        index: _Part(swap_programs([pair for pair in reading.instructions if pair[0] == index]))
        for index in range(len(reading.transaction.instructions))
    }
    tree, wallet = reading.tree, reading.wallet
    for flow in tree.flows:
        source, destination = tree.holding(flow.source), tree.holding(flow.destination)
        mint = source.mint or destination.mint
        if mint is None or source.owner == destination.owner:
            continue
        if source.owner == wallet:
            parts[flow.instruction_index].change[mint] -= flow.amount_raw
        elif destination.owner == wallet:
            parts[flow.instruction_index].change[mint] += flow.received_raw
    for paid in tree.payments:
        outward, inward = paid.source == reading.key, paid.destination == reading.key
        own = tree.is_of(paid.destination, wallet) or tree.is_of(paid.source, wallet)
        if outward != inward and not own and paid.destination not in tree.paid_in:
            parts[paid.instruction_index].change[SOL] += paid.lamports * (inward - outward)
    return parts


def _without_cost(change: Counter[Mint]) -> dict[Mint, int]:
    """The instruction's change, without a little SOL beside two other tokens."""
    kept = {mint: raw for mint, raw in change.items() if raw}
    others = [raw for mint, raw in kept.items() if mint != SOL]
    if min(others, default=0) < 0 < max(others, default=0) and abs(kept.get(SOL, 0)) <= NATIVE_RESIDUE_LAMPORTS_MAX:
        kept.pop(SOL, None)
    return kept


def _pair(change: dict[Mint, int]) -> tuple[tuple[Mint, int], tuple[Mint, int]] | None:
    given = [(mint, -raw) for mint, raw in change.items() if raw < 0]
    got = [(mint, raw) for mint, raw in change.items() if raw > 0]
    return (given[0], got[0]) if len(given) == len(got) == 1 else None


def _adds_up(reading: Reading, parts: list[_Part]) -> bool:
    total: Counter[Mint] = Counter()
    for part in parts:
        total.update(_without_cost(part.change))
    for mint in {*total, *reading.sides.mints}:
        difference = abs(total[mint] - reading.change.by_mint.get(mint, 0))
        if difference > (NATIVE_RESIDUE_LAMPORTS_MAX if mint == SOL else 0):
            return False
    return True
