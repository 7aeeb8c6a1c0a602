"""What a settled trade did, read from the transaction itself and not from what we expected of it."""

from collections import defaultdict
from dataclasses import dataclass

from solders.pubkey import Pubkey

from xorj.chain.transactions import ChainTransaction, TokenBalance
from xorj.execution.attempt import Attempt
from xorj.execution.intent import Intent
from xorj.primitives.errors import BrokenInvariant
from xorj.primitives.ids import Mint, Signature, Slot
from xorj.vault.events import traded


@dataclass(frozen=True, slots=True)
class BalanceChange:
    """What the transaction did to the vault's balance of one mint; never zero."""

    mint: Mint
    delta_raw: int


@dataclass(frozen=True, slots=True)
class Fill:
    """Amounts as measured on chain. `changes` are all changes of the vault's token balances, which strangers' dust may be part of."""

    signature: Signature
    slot: Slot
    block_time: int | None
    input_raw: int
    output_raw: int
    fee_lamports: int
    rent_lamports: int
    changes: tuple[BalanceChange, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a landed transaction took from the bot: the network's fee, and rent of accounts it made."""

    fee_lamports: int
    rent_lamports: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A transaction that landed and failed; `error` is the chain's."""

    slot: Slot
    error: str
    cost: Cost


def fill_of(intent: Intent, attempt: Attempt, transaction: ChainTransaction) -> Fill:
    """Raises BrokenInvariant when a successful transaction of ours does not hold exactly the trade it was built for."""
    inner = [(Pubkey.from_string(one.program), one.data) for group in transaction.inner_instructions for one in group.instructions]
    events = [event for event in traded(inner) if str(event.vault) == intent.vault]
    if transaction.signature != attempt.signature or len(events) != 1:
        raise BrokenInvariant("a settled transaction does not hold its trade", attempt=attempt.id, signature=transaction.signature)
    event = events[0]
    if (str(event.input_mint), str(event.output_mint)) != (intent.input_mint, intent.output_mint) or event.amount_in > intent.amount_in_raw:
        raise BrokenInvariant("a settled trade is not the one of its intent", attempt=attempt.id, signature=transaction.signature)
    cost = cost_of(transaction)
    return Fill(
        signature=transaction.signature,
        slot=transaction.slot,
        block_time=transaction.block_time,
        input_raw=event.amount_in,
        output_raw=event.amount_out,
        fee_lamports=cost.fee_lamports,
        rent_lamports=cost.rent_lamports,
        changes=changes_of(intent.vault, transaction),
    )


def cost_of(transaction: ChainTransaction) -> Cost:
    """The first key paid; what it lost beyond the fee is rent."""
    lost = transaction.pre_balances[0] - transaction.post_balances[0]
    return Cost(transaction.fee_lamports, max(0, lost - transaction.fee_lamports))


def changes_of(owner: str, transaction: ChainTransaction) -> tuple[BalanceChange, ...]:
    """By mint, over every token account that `owner` has in the transaction."""
    deltas: defaultdict[Mint, int] = defaultdict(int)
    for sign, balances in ((-1, transaction.pre_token_balances), (1, transaction.post_token_balances)):
        for balance in balances:
            _add(deltas, balance, sign, owner)
    return tuple(BalanceChange(mint, delta) for mint, delta in sorted(deltas.items()) if delta)


def _add(deltas: defaultdict[Mint, int], balance: TokenBalance, sign: int, owner: str) -> None:
    if balance.owner == owner:
        deltas[balance.mint] += sign * balance.amount_raw
