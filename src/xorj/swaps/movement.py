"""Every change of a wallet's balances in one transaction, by what it was and with whom. Used by ingestion: the lake cannot be asked later.

The movements of one transaction add up to the wallet's whole change of balance, network fee, tip and rent included; wrapped SOL is SOL.
"""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from solders.pubkey import Pubkey

from xorj.chain.transactions import ChainTransaction
from xorj.primitives.ids import SOL, Address, Mint, Wallet
from xorj.swaps.reading import Reading
from xorj.swaps.swap import NotASwap, NotASwapKind, Outcome
from xorj.swaps.tip_accounts import TIP_ACCOUNTS


class MovementKind(StrEnum):
    """What a change was. Where the transaction was no swap, its tokens moved as what it was; OTHER is what nothing explains."""

    SWAP = "swap"
    NETWORK_FEE = "network_fee"
    TIP = "tip"
    RENT = "rent"
    TRANSFER = "transfer"
    LIQUIDITY = "lp"
    STAKE = "stake"
    LEND = "lend"
    MINT = "mint"
    BURN = "burn"
    ORDER = "order"
    ARBITRAGE = "arbitrage"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Movement:
    """A signed raw change of one token. `counterparty` is the wallet or program account on the other side, None where there is none."""

    kind: MovementKind
    mint: Mint
    raw: int
    counterparty: Address | None = None

    @property
    def is_internal(self) -> bool:
        """Whether the other side is an account that a program made: a pool, an escrow, a vault. Nobody holds a key of it."""
        return self.counterparty is not None and not Pubkey.from_string(self.counterparty).is_on_curve()


_KINDS = {
    NotASwapKind.LIQUIDITY: MovementKind.LIQUIDITY,
    NotASwapKind.STAKE: MovementKind.STAKE,
    NotASwapKind.LEND: MovementKind.LEND,
    NotASwapKind.ORDER_OPEN: MovementKind.ORDER,
    NotASwapKind.ORDER_CANCEL: MovementKind.ORDER,
    NotASwapKind.ARBITRAGE: MovementKind.ARBITRAGE,
}


def movements(transaction: ChainTransaction, wallet: Wallet, outcome: Outcome) -> tuple[Movement, ...]:
    """In the order: costs, swaps, what moved and with whom, then what is left. Never raises; the same for every order of balance rows."""
    reading = Reading(transaction, wallet)
    found = [*_costs(reading)]
    swapped: set[str] = set()
    for swap in outcome if isinstance(outcome, tuple) else ():
        found += [_swapped(swap.input.mint, -swap.input.raw), _swapped(swap.output.mint, swap.output.raw)]
        swapped |= {swap.input.mint, swap.output.mint}
    kind = _KINDS.get(outcome.kind, MovementKind.TRANSFER) if isinstance(outcome, NotASwap) else MovementKind.TRANSFER
    if transaction.error is None:
        found += _moved(reading, kind, swapped)
    left = _whole_change(reading)
    for movement in found:
        left[movement.mint] -= movement.raw
    # an order's fill takes its input from escrow: the wallet gave it before, so that what is left of it is the order's
    ordered = swapped if kind is not MovementKind.ORDER else set(left)
    return (
        *found,
        *(Movement(MovementKind.ORDER if mint in ordered else MovementKind.OTHER, mint, raw) for mint, raw in left.items() if raw),
    )


def _swapped(mint: str, raw: int) -> Movement:
    return Movement(MovementKind.SWAP, Mint(mint), raw)


def _costs(reading: Reading) -> list[Movement]:
    tips: Counter[Address] = Counter()
    for paid in reading.tree.payments:
        if paid.source == reading.key and paid.destination in TIP_ACCOUNTS and reading.transaction.error is None:
            tips[paid.destination] += paid.lamports
    fee = reading.transaction.fee_lamports if reading.transaction.account_keys[0] == reading.key else 0
    rent = reading.change.rent_lamports if reading.transaction.error is None else 0
    costs = [Movement(MovementKind.NETWORK_FEE, SOL, -fee), *(Movement(MovementKind.TIP, SOL, -raw, to) for to, raw in tips.items())]
    return [cost for cost in (*costs, Movement(MovementKind.RENT, SOL, -rent)) if cost.raw]


def _moved(reading: Reading, kind: MovementKind, swapped: set[str]) -> list[Movement]:
    """By counterparty: transfers of tokens that were not swapped, mints and burns, and payments where SOL was not swapped."""
    tree, wallet = reading.tree, reading.wallet
    moved: Counter[tuple[MovementKind, Mint, Address | None]] = Counter()
    for flow in tree.flows:
        source, destination = tree.holding(flow.source), tree.holding(flow.destination)
        mint = source.mint or destination.mint
        if mint is None or mint in swapped or source.owner == destination.owner:
            continue
        if source.owner == wallet:
            moved[kind, mint, Address(destination.owner or flow.destination)] -= flow.amount_raw
        elif destination.owner == wallet:
            moved[kind, mint, Address(source.owner or flow.source)] += flow.received_raw
    if SOL not in swapped:
        _count_payments(reading, kind, moved)
    minted = {mint for account, mint in tree.minted_to.items() if tree.is_of(account, wallet)} - swapped
    burned = {mint for account, mint in tree.burned_from.items() if tree.is_of(account, wallet)} - swapped
    found = [Movement(how, mint, raw, who) for (how, mint, who), raw in moved.items() if raw]
    change = Counter(reading.change.by_mint)
    for one in found:
        change[one.mint] -= one.raw
    found += [Movement(MovementKind.MINT, mint, change[mint]) for mint in sorted(minted) if change[mint] > 0]
    return found + [Movement(MovementKind.BURN, mint, change[mint]) for mint in sorted(burned - minted) if change[mint] < 0]


def _count_payments(reading: Reading, kind: MovementKind, moved: Counter[tuple[MovementKind, Mint, Address | None]]) -> None:
    """Lamports to and from others, apart from tips, rent, and the wallet's own accounts."""
    tree, key = reading.tree, reading.key
    for paid in tree.payments:
        out, own = paid.source == key, tree.is_of(paid.destination, reading.wallet) or tree.is_of(paid.source, reading.wallet)
        if own or out == (paid.destination == key) or (out and (paid.destination in TIP_ACCOUNTS or paid.destination in tree.paid_in)):
            continue
        moved[kind, SOL, paid.destination if out else paid.source] += paid.lamports * (-1 if out else 1)


def _whole_change(reading: Reading) -> Counter[Mint]:
    change = reading.change
    whole = Counter(change.by_mint)
    whole[SOL] -= change.network_fee_lamports + change.tip_lamports + change.rent_lamports
    return whole
