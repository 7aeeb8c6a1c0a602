"""One transaction as one wallet saw it: what it gave, what it got, what only passed through. Made by the decoder, read by its parts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from xorj.chain.transactions import ChainInstruction, ChainTransaction, TokenBalance
from xorj.primitives.amounts import TokenAmount
from xorj.primitives.ids import SOL, Address, Mint, Wallet
from xorj.swaps.balance_change import BalanceChange, change_of, decimals_of
from xorj.swaps.instruction_tree import InstructionTree, all_instructions, read_tree
from xorj.swaps.programs import SWAP_PROGRAMS, TOKEN_PROGRAM
from xorj.swaps.swap import OrderKey, Outcome, Swap, Undecodable
from xorj.swaps.tip_accounts import TIP_ACCOUNTS

# beside two other assets, so little SOL is cost or leftover: rent of program accounts, a terminal's fee, dust of a route
NATIVE_RESIDUE_LAMPORTS_MAX = 50_000_000
# a hop's leftover is at most this share of what passed through the wallet
HOP_LEFTOVER_PER_MILLE_MAX = 10
DECIMALS_MAX = 18


@dataclass(frozen=True, slots=True)
class Sides:
    """What was given and what received, both positive, by mint."""

    given: dict[Mint, int]
    got: dict[Mint, int]

    @property
    def is_pair(self) -> bool:
        return len(self.given) == len(self.got) == 1

    @property
    def pair(self) -> tuple[tuple[Mint, int], tuple[Mint, int]]:
        ((paid,), (bought,)) = self.given.items(), self.got.items()
        return paid, bought

    @property
    def mints(self) -> set[Mint]:
        return {*self.given, *self.got}


@dataclass(frozen=True)
class Reading:
    """Everything is worked out when first asked for, and once."""

    transaction: ChainTransaction
    wallet: Wallet

    @cached_property
    def instructions(self) -> tuple[tuple[int, ChainInstruction], ...]:
        return tuple(all_instructions(self.transaction))

    @cached_property
    def tree(self) -> InstructionTree:
        return read_tree(self.transaction)

    @cached_property
    def change(self) -> BalanceChange:
        return change_of(self.transaction, self.wallet, self.tree)

    @cached_property
    def key(self) -> Address:
        return Address(self.wallet)

    @cached_property
    def signs(self) -> bool:
        return self.key in self.transaction.account_keys[: self.transaction.signers_count]

    @cached_property
    def programs(self) -> tuple[Address, ...]:
        return swap_programs(self.instructions)

    @cached_property
    def moves(self) -> tuple[tuple[Mint, int], ...]:
        """Every token transfer from (negative) or to the wallet, in order; moves between its own accounts are neither."""
        moves: list[tuple[Mint, int]] = []
        for flow in self.tree.flows:
            source, destination = self.tree.holding(flow.source), self.tree.holding(flow.destination)
            mint = source.mint or destination.mint
            if mint is None or source.owner == destination.owner:
                continue
            if source.owner == self.wallet:
                moves.append((mint, -flow.amount_raw))
            elif destination.owner == self.wallet:
                moves.append((mint, flow.received_raw))
        return tuple(moves)

    @cached_property
    def passed(self) -> Counter[Mint]:
        """By token, what came into the wallet's accounts and left them again, in whatever order."""
        came: Counter[Mint] = Counter()
        left: Counter[Mint] = Counter()
        for mint, raw in self.moves:
            (came if raw > 0 else left)[mint] += abs(raw)
        return Counter({mint: min(came[mint], left[mint]) for mint in came if left[mint]})

    @cached_property
    def returned(self) -> Counter[Mint]:
        """By token, what left and came back later. A hop's token comes first, and so does what a keeper only carries."""
        away: Counter[Mint] = Counter()
        back: Counter[Mint] = Counter()
        for mint, raw in self.moves:
            if raw < 0:
                away[mint] -= raw
            elif away[mint]:
                back[mint] += min(raw, away[mint])
                away[mint] -= min(raw, away[mint])
        return back

    @cached_property
    def sides(self) -> Sides:
        """The balance change without hops' leftovers and, beside two other assets, without SOL that is a cost."""
        kept = {mint: raw for mint, raw in self.change.by_mint.items() if abs(raw) * 1_000 > self.passed[mint] * HOP_LEFTOVER_PER_MILLE_MAX}
        if len(kept) > 2 and _both_signs(kept):
            real = {mint: raw for mint, raw in kept.items() if abs(raw) > self.passed[mint]}
            kept = real if _both_signs(real) else kept
        others = {mint: raw for mint, raw in kept.items() if mint != SOL}
        if SOL in kept and _both_signs(others) and self.sol_is_cost:
            kept = others
        return Sides({mint: -raw for mint, raw in kept.items() if raw < 0}, {mint: raw for mint, raw in kept.items() if raw > 0})

    @cached_property
    def sol_is_cost(self) -> bool:
        """Whether the change of SOL is small, or just what the transaction itself sent to others."""
        change = self.change.by_mint.get(SOL, 0)
        return abs(change) <= NATIVE_RESIDUE_LAMPORTS_MAX or -change == self.sent_away_lamports

    @cached_property
    def sent_away_lamports(self) -> int:
        """Plain payments to others, tips apart: written into the transaction itself, and not into an account of the wallet."""
        return sum(
            paid.lamports
            for paid in self.tree.payments
            if paid.is_top_level
            and paid.source == self.key != paid.destination
            and paid.destination not in TIP_ACCOUNTS
            and not self.tree.is_of(paid.destination, self.wallet)
        )

    @cached_property
    def is_circular(self) -> bool:
        """One asset went out and came in again, and nothing else changed but SOL as its cost or leftover."""
        mints, back = self.sides.mints, self.returned
        if not back or len(mints) > 2:
            return False
        if len(mints) == 2 and SOL not in mints:
            return False
        if SOL in mints and not self.sol_is_cost:
            return mints == {SOL} and self._came_round(SOL)
        return all(self._came_round(mint) for mint in mints - {SOL})

    def _came_round(self, mint: Mint) -> bool:
        change = self.change.by_mint[mint]
        return self.returned[mint] > -change if change < 0 else self.returned[mint] > 0

    def adds_up(self, mints: Iterable[str]) -> bool:
        """Whether what these tokens' accounts gained others lost. A reply that makes tokens out of nothing is no ground for a swap.

        Tokens that were minted or burned are not asked, nor those of Token-2022, which may withhold a part that balances do not show.
        """
        return all(self._sol_adds_up() if mint == SOL else self._token_adds_up(mint) for mint in mints)

    def _token_adds_up(self, mint: str) -> bool:
        tree, transaction = self.tree, self.transaction
        if mint in tree.minted_to.values() or mint in tree.burned_from.values():
            return True
        sides = ((-1, transaction.pre_token_balances), (1, transaction.post_token_balances))
        rows = [(sign, row) for sign, held in sides for row in held if row.mint == mint]
        if any(row.program not in (None, TOKEN_PROGRAM) for _, row in rows):
            return True
        return sum(sign * row.amount_raw for sign, row in rows) == 0

    def _sol_adds_up(self) -> bool:
        transaction = self.transaction
        if sum(transaction.pre_balances) - sum(transaction.post_balances) != transaction.fee_lamports:
            return False
        before, after = ({row.account_index: row.amount_raw for row in rows if self._wraps(row)} for rows in self._rows)
        return all(
            at not in after or transaction.post_balances[at] - transaction.pre_balances[at] == after[at] - raw for at, raw in before.items()
        )

    @property
    def _rows(self) -> tuple[tuple[TokenBalance, ...], tuple[TokenBalance, ...]]:
        return self.transaction.pre_token_balances, self.transaction.post_token_balances

    def _wraps(self, row: TokenBalance) -> bool:
        return row.mint == SOL and self.tree.is_of(self.transaction.account_keys[row.account_index], self.wallet)

    def swap(
        self,
        sides: tuple[tuple[Mint, int], tuple[Mint, int]],
        *,
        programs: Sequence[Address] | None = None,
        number: int = 0,
        venue_fees: tuple[TokenAmount, ...] = (),
    ) -> Swap | Undecodable:
        """The swap of these sides. Fee and tip are the transaction's, so they stand with its first swap alone."""
        decimals, block_time, transaction = decimals_of(self.transaction), self.transaction.block_time, self.transaction
        if block_time is None:
            return Undecodable("the node gives no block time")
        if any(mint not in decimals for mint, _ in sides):
            return Undecodable("a token whose decimals nothing tells")
        if max(decimals[mint] for mint, _ in sides) > DECIMALS_MAX:
            return Undecodable(f"a token of more than {DECIMALS_MAX} decimals")
        paid, bought = (TokenAmount(mint, raw, decimals[mint]) for mint, raw in sides)
        return Swap(
            wallet=self.wallet,
            signature=transaction.signature,
            order=OrderKey(transaction.slot, transaction.transaction_index or 0, number),
            block_time=block_time,
            input=paid,
            output=bought,
            network_fee_lamports=self.change.network_fee_lamports if number == 0 else 0,
            tip_lamports=self.change.tip_lamports if number == 0 else 0,
            programs=tuple(self.programs if programs is None else programs),
            venue_fees=venue_fees,
        )


def one(swap: Swap | Undecodable) -> Outcome:
    """The outcome of a transaction that holds one swap."""
    return (swap,) if isinstance(swap, Swap) else swap


def swap_programs(instructions: Sequence[tuple[int, ChainInstruction]]) -> tuple[Address, ...]:
    """The known swap programs of which a swap instruction ran, each once, in the order in which they first did."""
    ran = (
        instruction.program
        for _, instruction in instructions
        if instruction.program in SWAP_PROGRAMS and SWAP_PROGRAMS[instruction.program].is_swap(instruction.data)
    )
    return tuple(dict.fromkeys(ran))


def _both_signs(changes: dict[Mint, int]) -> bool:
    return min(changes.values(), default=0) < 0 < max(changes.values(), default=0)
