"""Which pools a transaction went through, what went in and out of each, and what they held before and after. Used by ingestion.

A hop is a swap instruction of a pool with the transfers under it. Reserves are those of the whole transaction. Pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import itemgetter

from xorj.chain.transactions import ChainInstruction, ChainTransaction
from xorj.primitives.ids import SOL, Address, Mint, Wallet
from xorj.swaps.instruction_tree import InstructionTree, TokenFlow, all_instructions, read_part, read_tree
from xorj.swaps.programs import SWAP_PROGRAMS, Role
from xorj.swaps.swap import Swap

_POOL_ROLES = (Role.POOL, Role.LAUNCHPAD, Role.BOOK)
_Pair = tuple[TokenFlow, TokenFlow]


@dataclass(frozen=True, slots=True)
class Reserve:
    """What a pool held of one token before and after the transaction, raw; None where the node's balances do not show it."""

    mint: Mint
    before_raw: int | None
    after_raw: int | None


@dataclass(frozen=True, slots=True)
class PoolHop:
    """One swap against one pool: what it took and what it gave, raw. `pool` is None where the program's accounts do not name it for us.

    The fees are what went to others under the same instruction: from the trader beside what the pool took, from the pool beside what the
    trader got.
    """

    instruction_index: int
    program: Address
    pool: Address | None
    taken_raw: int
    given_raw: int
    reserve_in: Reserve
    reserve_out: Reserve
    fee_in_raw: int = 0
    fee_out_raw: int = 0


@dataclass(frozen=True, slots=True)
class SwapFacts:
    """What stands beside a swap in the lake. `program`, `pool` and reserves are those of its one pool, None when there was not just one.

    The fees, of the input and of the output, are what the program sent to others than trader and pool; what a pool keeps for itself and its
    depositors stays in its reserve and is not told.
    """

    fee_payer: Address
    hops: int
    program: Address | None
    pool: Address | None
    reserve_in: Reserve | None
    reserve_out: Reserve | None
    fee_in_raw: int = 0
    fee_out_raw: int = 0


def facts_of(transaction: ChainTransaction, swap: Swap) -> SwapFacts:
    """The facts of one swap; a transaction that holds several has the hops that trade each one's tokens."""
    hops = pool_hops(transaction, swap.wallet)
    direct = [hop for hop in hops if (hop.reserve_in.mint, hop.reserve_out.mint) == (swap.input.mint, swap.output.mint)]
    alone = direct[0] if len(direct) == 1 and (len(hops) == 1 or len(swap.programs) == 1) else None
    payer = transaction.account_keys[0]
    if alone is None:
        return SwapFacts(payer, len(hops), None, None, None, None)
    return SwapFacts(payer, 1, alone.program, alone.pool, alone.reserve_in, alone.reserve_out, alone.fee_in_raw, alone.fee_out_raw)


def pool_hops(transaction: ChainTransaction, wallet: Wallet) -> tuple[PoolHop, ...]:
    """Every hop in order of execution, also those that others' tokens took; `wallet` helps to tell trader from pool."""
    return tuple(_hops(transaction, wallet))


def _hops(transaction: ChainTransaction, wallet: Wallet) -> Iterator[PoolHop]:
    tree = read_tree(transaction)
    for index, caused in groupby(all_instructions(transaction), key=itemgetter(0)):
        run = [instruction for _, instruction in caused]
        starts = [at for at, one in enumerate(run) if _is_pool_swap(one)]
        for at, end in pairwise([*starts, len(run)]):
            hop = _hop(transaction, tree, index, run[at], run[at + 1 : end], wallet)
            if hop is not None:
                yield hop


def _is_pool_swap(instruction: ChainInstruction) -> bool:
    row = SWAP_PROGRAMS.get(instruction.program)
    return row is not None and row.role in _POOL_ROLES and row.is_swap(instruction.data)


def _hop(
    transaction: ChainTransaction,
    tree: InstructionTree,
    index: int,
    swap: ChainInstruction,
    under: Sequence[ChainInstruction],
    wallet: Wallet,
) -> PoolHop | None:
    part = read_part(index, under)
    slot = SWAP_PROGRAMS[swap.program].pool_slot(swap.data)
    pool = swap.accounts[slot] if slot is not None and slot < len(swap.accounts) else None
    pair = _pair(transaction, tree, part.flows, wallet)
    if pair is None:
        return _curve_hop(transaction, tree, swap, pool, part)
    taken, given = pair
    reserves = (_reserve(transaction, tree, taken.destination), _reserve(transaction, tree, given.source))
    fees = (
        sum(flow.amount_raw for flow in part.flows if flow.source == taken.source and flow.destination != taken.destination),
        sum(flow.amount_raw for flow in part.flows if flow.source == given.source and flow.destination != given.destination),
    )
    return PoolHop(index, swap.program, pool, taken.received_raw, given.amount_raw, *reserves, *fees)


def _pair(transaction: ChainTransaction, tree: InstructionTree, flows: Sequence[TokenFlow], wallet: Wallet) -> _Pair | None:
    """What the pool took and what it gave. Whoever gives one token and gets another is the trader or the pool: the wallet is a trader, and
    a pool's reserve of what it took has grown, of what it gave has shrunk, which the router's own accounts have not."""
    pairs = []
    for owner in dict.fromkeys(tree.holding(flow.source).owner for flow in flows):
        exchange = _exchange(tree, flows, owner) if owner is not None else None
        if exchange is not None and owner == wallet:
            return exchange
        if exchange is not None:
            pairs += [exchange, (exchange[1], exchange[0])]
    in_order = sorted(pairs, key=lambda pair: flows.index(pair[0]))
    return max(in_order, key=lambda pair: _grew(transaction, tree, *pair), default=None)


def _exchange(tree: InstructionTree, flows: Sequence[TokenFlow], owner: Wallet) -> _Pair | None:
    """The largest transfers from and to one owner, of two tokens."""
    gave = [flow for flow in flows if tree.is_of(flow.source, owner) and not tree.is_of(flow.destination, owner)]
    largest = max(gave, key=lambda flow: flow.amount_raw, default=None)
    if largest is None:
        return None
    got = [flow for flow in flows if tree.is_of(flow.destination, owner) and _mint(tree, flow) != _mint(tree, largest)]
    back = max(got, key=lambda flow: flow.amount_raw, default=None)
    return None if back is None else (largest, back)


def _mint(tree: InstructionTree, flow: TokenFlow) -> Mint | None:
    return tree.holding(flow.source).mint or tree.holding(flow.destination).mint


def _grew(transaction: ChainTransaction, tree: InstructionTree, taken: TokenFlow, given: TokenFlow) -> int:
    """How many of the two reserves moved as a pool's do."""
    into, out_of = _reserve(transaction, tree, taken.destination), _reserve(transaction, tree, given.source)
    return ((into.after_raw or 0) > (into.before_raw or 0)) + ((out_of.after_raw or 0) < (out_of.before_raw or 0))


def _curve_hop(
    transaction: ChainTransaction, tree: InstructionTree, swap: ChainInstruction, pool: Address | None, part: InstructionTree
) -> PoolHop | None:
    """A curve that holds its SOL as lamports: the token's transfer, and the lamports of the curve's account before and after."""
    if pool is None or pool not in transaction.account_keys:
        return None
    at = transaction.account_keys.index(pool)
    before, after = transaction.pre_balances[at], transaction.post_balances[at]
    lamports = Reserve(SOL, before, after)
    paid_to_others = sum(paid.lamports for paid in part.payments if paid.destination != pool)
    for flow in sorted(part.flows, key=lambda flow: -flow.amount_raw):
        index, curve = flow.instruction_index, Wallet(pool)
        if tree.is_of(flow.source, curve) and after > before:
            token = _reserve(transaction, tree, flow.source)
            return PoolHop(index, swap.program, pool, after - before, flow.amount_raw, lamports, token, fee_in_raw=paid_to_others)
        if tree.is_of(flow.destination, curve) and before > after:
            token = _reserve(transaction, tree, flow.destination)
            return PoolHop(index, swap.program, pool, flow.received_raw, before - after, token, lamports)
    return None


def _reserve(transaction: ChainTransaction, tree: InstructionTree, account: Address) -> Reserve:
    rows = {
        side: next((row.amount_raw for row in held if transaction.account_keys[row.account_index] == account), None)
        for side, held in (("before", transaction.pre_token_balances), ("after", transaction.post_token_balances))
    }
    return Reserve(tree.holding(account).mint or Mint(""), rows["before"], rows["after"])
