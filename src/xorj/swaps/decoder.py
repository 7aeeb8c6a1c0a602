"""One transaction and one wallet to one outcome: swaps, not a swap, or undecodable with its reason. Used by ingestion, copying, the CLI.

Rules: the wallet's own balance change decides (balance_change.py); one token down and another up is a swap only with a known swap program
in the instruction tree and unless the token that came was minted for the wallet by a pool; what passes through a wallet and nets to almost
nothing is a hop; one asset that went out and came back is arbitrage; what balances alone cannot tell is asked of decoders/; anything else
is undecodable. Nothing is guessed.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from solders.pubkey import Pubkey

from xorj.chain.transactions import ChainTransaction
from xorj.primitives.ids import SOL, Wallet
from xorj.swaps.balance_change import change_of
from xorj.swaps.decoders import jupiter_orders, jupiter_routes, several_swaps
from xorj.swaps.instruction_tree import InstructionTree, read_tree
from xorj.swaps.kinds import has_liquidity_share, is_stake, kind_one_sided, kind_without_swap, mixes_in, unknown_instruction
from xorj.swaps.programs import JUPITER_V6
from xorj.swaps.reading import Reading, one
from xorj.swaps.swap import NotASwap, NotASwapKind, Outcome, Undecodable

Decoder = Callable[[Reading], Outcome | None]
# asked in this order: orders before the balances are looked at, the others where balances alone leave several answers
ORDER_DECODERS: tuple[Decoder, ...] = (jupiter_orders.outcome,)
PAIR_DECODERS: tuple[Decoder, ...] = (jupiter_routes.outcome, several_swaps.outcome)
DECODERS = (*ORDER_DECODERS, *PAIR_DECODERS)


def decode(transaction: ChainTransaction, wallet: Wallet, decoders: Sequence[Decoder] = DECODERS) -> Outcome:
    """What the transaction was for the wallet. Never raises on a transaction as parsed."""
    if transaction.error is not None:
        return NotASwap(NotASwapKind.FAILED)
    if transaction.block_time is None:
        return Undecodable("the node gives no block time")
    reading = Reading(transaction, wallet)
    if reading.tree.flows and not transaction.pre_token_balances and not transaction.post_token_balances:
        return Undecodable("tokens moved and the node gives no token balances")
    asked = (decoder(reading) for decoder in ORDER_DECODERS if decoder in decoders)
    outcome = next((outcome for outcome in asked if outcome is not None), None) or _by_balances(reading, decoders)
    if isinstance(outcome, tuple) and not reading.adds_up({side.mint for swap in outcome for side in (swap.input, swap.output)}):
        return Undecodable("balances that do not add up over all accounts")
    return _with_told_venues(reading, outcome) if jupiter_routes.outcome in decoders else outcome


def traders(transaction: ChainTransaction) -> tuple[Wallet, ...]:
    """Every signer, then every owner on the curve (no program's address) of whom one token fell and another rose or an order was filled."""
    signers = [Wallet(key) for key in transaction.account_keys[: transaction.signers_count]]
    tree = read_tree(transaction)
    rows = (*transaction.pre_token_balances, *transaction.post_token_balances)
    owners = {tree.holding(transaction.account_keys[row.account_index]).owner for row in rows}
    makers = set(jupiter_orders.makers(transaction))
    candidates = sorted({owner for owner in (*owners, *makers) if owner is not None} - set(signers))
    traded = (owner for owner in candidates if owner in makers or _like_a_trade(transaction, owner, tree))
    return (*signers, *(owner for owner in traded if Pubkey.from_string(owner).is_on_curve()))


def _like_a_trade(transaction: ChainTransaction, owner: Wallet, tree: InstructionTree) -> bool:
    changes = change_of(transaction, owner, tree).by_mint.values()
    return min(changes, default=0) < 0 < max(changes, default=0)


def _by_balances(reading: Reading, decoders: Sequence[Decoder]) -> Outcome:
    sides = reading.sides
    if not reading.programs:
        unknown = unknown_instruction(reading) if sides.is_pair and not has_liquidity_share(reading) else None
        return NotASwap(kind_without_swap(reading)) if unknown is None else Undecodable(f"an instruction of {unknown} that is not known")
    if reading.is_circular:
        return NotASwap(NotASwapKind.ARBITRAGE)
    if not sides.given or not sides.got:
        return _one_sided(reading)
    if has_liquidity_share(reading):
        return NotASwap(NotASwapKind.LIQUIDITY)
    if is_stake(reading):
        return NotASwap(NotASwapKind.STAKE)
    mixed = mixes_in(reading)
    if mixed is not None:
        return Undecodable(f"a swap and {mixed} in one transaction")
    if sides.is_pair:
        return one(reading.swap(sides.pair))
    asked = (decoder(reading) for decoder in PAIR_DECODERS if decoder in decoders)
    found = next((outcome for outcome in asked if outcome is not None), None)
    return found or Undecodable(f"{len(sides.given)} tokens given and {len(sides.got)} received")


def _with_told_venues(reading: Reading, outcome: Outcome) -> Outcome:
    """The one swap of a transaction with what a router's events add: venues that no table of ours has, and the router's own fee."""
    if not isinstance(outcome, tuple) or len(outcome) != 1 or JUPITER_V6 not in reading.programs:
        return outcome
    (swap,) = outcome
    programs = (*swap.programs, *jupiter_routes.venues(reading))
    return (replace(swap, programs=programs, venue_fees=swap.venue_fees or jupiter_routes.platform_fees(reading, swap)),)


def _one_sided(reading: Reading) -> Outcome:
    transaction = reading.transaction
    rows = (*transaction.pre_token_balances, *transaction.post_token_balances)
    unknown = any(reading.tree.holding(transaction.account_keys[row.account_index]).owner is None for row in rows)
    if unknown and reading.signs and reading.sides.mints:
        return Undecodable("tokens moved through an account whose owner nothing tells")
    given = reading.sides.given
    if SOL in given and len(given) == 2 and reading.sent_away_lamports > given[SOL] and not reading.is_circular:
        return Undecodable("sold for less SOL than was paid to others beside it")
    return NotASwap(kind_one_sided(reading))
