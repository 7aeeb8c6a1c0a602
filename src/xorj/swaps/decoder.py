"""One transaction and one wallet to one outcome: swaps, not a swap, or undecodable with its reason. Used by ingestion, copying, the CLI.

Rules: the wallet's own balance change decides (balance_change.py); one token down and another up is a swap only with a known swap program
in the instruction tree and unless the token that came was minted by a pool itself; what passes through a wallet and nets to almost nothing
is a hop; one asset alone that was moved out and in again is arbitrage; anything else is undecodable. Nothing is guessed.
"""

from collections import Counter

from solders.pubkey import Pubkey

from xorj.chain.transactions import ChainTransaction
from xorj.primitives.amounts import TokenAmount
from xorj.primitives.ids import SOL, Address, Mint, Wallet
from xorj.swaps.balance_change import (
    BalanceChange,
    all_instructions,
    change_of,
    decimals_of,
    minted_and_burned,
    rows_by_account,
    token_flows,
)
from xorj.swaps.decoders import jupiter_orders
from xorj.swaps.programs import LENDING_PROGRAMS, ROUTERS, STAKE_PROGRAMS, SWAP_PROGRAMS
from xorj.swaps.swap import NotASwap, NotASwapKind, OrderKey, Outcome, Swap, Undecodable

# beside two other assets, so little SOL is cost or leftover: rent of program accounts, a terminal's fee, dust of a route
NATIVE_RESIDUE_LAMPORTS_MAX = 50_000_000
# a hop's leftover is at most this share of what passed through the wallet
HOP_LEFTOVER_PER_MILLE_MAX = 10


def decode(transaction: ChainTransaction, wallet: Wallet) -> Outcome:
    """What the transaction was for the wallet. Never raises on a transaction as parsed."""
    if transaction.error is not None:
        return NotASwap(NotASwapKind.FAILED)
    if transaction.block_time is None:
        return Undecodable("the node gives no block time")
    order_kind = jupiter_orders.order_kind(transaction, wallet)
    if order_kind is not None:
        return NotASwap(order_kind)
    change, programs = change_of(transaction, wallet), swap_programs(transaction)
    fill = jupiter_orders.fill_of(transaction, wallet)
    if fill is not None:
        return _filled(transaction, wallet, change, fill, programs)
    return _by_balances(transaction, wallet, change, programs)


def traders(transaction: ChainTransaction) -> tuple[Wallet, ...]:
    """Every signer, then every owner on the curve (so no program's address) of whom one token fell and another rose."""
    signers = [Wallet(key) for key in transaction.account_keys[: transaction.signers_count]]
    rows = (*transaction.pre_token_balances, *transaction.post_token_balances)
    owners = sorted({row.owner for row in rows if row.owner is not None} - set(signers))
    return (*signers, *(owner for owner in owners if Pubkey.from_string(owner).is_on_curve() and _like_a_trade(transaction, owner)))


def swap_programs(transaction: ChainTransaction) -> tuple[Address, ...]:
    """The known swap programs that ran, each once, in the order in which they first ran."""
    seen = (instruction.program for _, instruction in all_instructions(transaction) if instruction.program in SWAP_PROGRAMS)
    return tuple(dict.fromkeys(seen))


def _like_a_trade(transaction: ChainTransaction, owner: Wallet) -> bool:
    if jupiter_orders.fill_of(transaction, owner) is not None:
        return True
    changes = change_of(transaction, owner).by_mint.values()
    return min(changes, default=0) < 0 < max(changes, default=0)


def _filled(
    transaction: ChainTransaction, wallet: Wallet, change: BalanceChange, fill: jupiter_orders.Fill, programs: tuple[Address, ...]
) -> Outcome:
    got = dict(change.by_mint)
    got[SOL] = got.get(SOL, 0) - fill.released_lamports
    if fill.output is not None:
        got = dict([fill.output])
    gains = {mint: amount for mint, amount in got.items() if amount > 0 and mint != fill.input_mint}
    if len(gains) != 1:
        return Undecodable(f"an order's fill that brought the wallet {len(gains)} tokens")
    ((mint, amount),) = gains.items()
    return _swap(transaction, wallet, change, ((fill.input_mint, fill.input_raw), (mint, amount)), programs)


def _by_balances(transaction: ChainTransaction, wallet: Wallet, change: BalanceChange, programs: tuple[Address, ...]) -> Outcome:
    given, got = _legs(transaction, wallet, change)
    minted, burned = minted_and_burned(transaction)
    if not programs:
        return NotASwap(_kind_without_swap_program(transaction, {*given, *got}, minted, burned))
    if len(given) == len(got) == 1:
        ((paid, paid_raw),), ((bought, bought_raw),) = given.items(), got.items()
        if (bought in minted or paid in burned) and not ROUTERS.intersection(programs):
            return NotASwap(NotASwapKind.LIQUIDITY)
        return _swap(transaction, wallet, change, ((paid, paid_raw), (bought, bought_raw)), programs)
    if given and got:
        if got.keys() & minted or given.keys() & burned:
            return NotASwap(NotASwapKind.LIQUIDITY)
        return Undecodable(f"{len(given)} tokens given and {len(got)} received")
    return NotASwap(_kind_one_sided(transaction, wallet, {*given, *got}))


def _legs(transaction: ChainTransaction, wallet: Wallet, change: BalanceChange) -> tuple[dict[Mint, int], dict[Mint, int]]:
    """What was given and what received, without hops' leftovers and, beside two other assets, without a little SOL."""
    passed = _passed_through(transaction, wallet)
    kept = {mint: raw for mint, raw in change.by_mint.items() if abs(raw) * 1_000 > passed[mint] * HOP_LEFTOVER_PER_MILLE_MAX}
    others = [raw for mint, raw in kept.items() if mint != SOL]
    if min(others, default=0) < 0 < max(others, default=0) and abs(kept.get(SOL, 0)) <= NATIVE_RESIDUE_LAMPORTS_MAX:
        kept.pop(SOL, None)
    return {mint: -raw for mint, raw in kept.items() if raw < 0}, {mint: raw for mint, raw in kept.items() if raw > 0}


def _passed_through(transaction: ChainTransaction, wallet: Wallet) -> Counter[Mint]:
    """By token, what came into the wallet's accounts and left them again."""
    rows = rows_by_account(transaction)
    came: Counter[Mint] = Counter()
    left: Counter[Mint] = Counter()
    for flow in token_flows(transaction):
        source, destination = rows.get(flow.source), rows.get(flow.destination)
        if source is not None and source.owner == wallet:
            left[source.mint] += flow.amount_raw
        if destination is not None and destination.owner == wallet:
            came[destination.mint] += flow.amount_raw
    return Counter({mint: min(came[mint], left[mint]) for mint in came if left[mint]})


def _kind_one_sided(transaction: ChainTransaction, wallet: Wallet, changed: set[Mint]) -> NotASwapKind:
    """With swap programs in the tree, yet only losses or only gains."""
    if Address(wallet) not in transaction.account_keys[: transaction.signers_count]:
        return NotASwapKind.TRANSFER if changed else NotASwapKind.OTHER
    pools = [one for _, one in all_instructions(transaction) if one.program in SWAP_PROGRAMS and one.program not in ROUTERS]
    circular = any(_passed_through(transaction, wallet).values()) or len(pools) > 1
    if len(changed) <= 1 and circular:
        return NotASwapKind.ARBITRAGE
    return NotASwapKind.LIQUIDITY if changed else NotASwapKind.OTHER


def _kind_without_swap_program(
    transaction: ChainTransaction, changed: set[Mint], minted: frozenset[Mint], burned: frozenset[Mint]
) -> NotASwapKind:
    ran = {instruction.program for _, instruction in all_instructions(transaction)}
    if ran & STAKE_PROGRAMS:
        return NotASwapKind.STAKE
    if ran & LENDING_PROGRAMS:
        return NotASwapKind.LEND
    if changed & minted:
        return NotASwapKind.MINT
    if changed & burned:
        return NotASwapKind.BURN
    return NotASwapKind.TRANSFER if changed else NotASwapKind.OTHER


def _swap(
    transaction: ChainTransaction,
    wallet: Wallet,
    change: BalanceChange,
    legs: tuple[tuple[Mint, int], tuple[Mint, int]],
    programs: tuple[Address, ...],
) -> Outcome:
    decimals, (paid, bought) = decimals_of(transaction), legs
    if transaction.block_time is None:
        return Undecodable("the node gives no block time")
    return (
        Swap(
            wallet=wallet,
            signature=transaction.signature,
            order=OrderKey(transaction.slot, transaction.transaction_index or 0, 0),
            block_time=transaction.block_time,
            input=TokenAmount(paid[0], paid[1], decimals[paid[0]]),
            output=TokenAmount(bought[0], bought[1], decimals[bought[0]]),
            network_fee_lamports=change.network_fee_lamports,
            tip_lamports=change.tip_lamports,
            programs=programs,
        ),
    )
