"""Every change of a vault's balances with its cause: trades booked by settlement, the rest by reconcile_ledger. Equals the chain."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from solders.pubkey import Pubkey

from xorj.chain.transactions import ChainTransaction
from xorj.primitives.ids import Address, Mint, Signature, Slot
from xorj.vault.accounts import token_account_address
from xorj.vault.events import Deposited, TradeExecuted, Withdrawn, parse_logs


class LedgerCause(StrEnum):
    """TRANSFER is whatever reached a token account of the vault without the vault program's doing."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TRADE = "trade"
    TRANSFER = "transfer"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What one transaction did to the vault's balance of one mint. `delta_raw` is never zero."""

    vault: Address
    mint: Mint
    delta_raw: int
    cause: LedgerCause
    signature: Signature
    slot: Slot
    block_time: int | None


@dataclass(frozen=True, slots=True)
class Matches:
    """Ledger and chain agree for every mint at finalized `slot`."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class Differs:
    """They do not, and no trade of ours is on its way that could explain it."""

    slot: Slot
    mint: Mint
    ledger_raw: int
    chain_raw: int


@dataclass(frozen=True, slots=True)
class Behind:
    """A landed trade is not settled yet; ask again."""

    slot: Slot
    mint: Mint


Comparison = Matches | Differs | Behind


def associated_account(vault: Address, mint: Mint) -> Address:
    """The token account that the ledger counts. What strangers put into other accounts of the vault never takes part in a trade."""
    return Address(str(token_account_address(Pubkey.from_string(vault), Pubkey.from_string(mint))))


def entries_of(vault: Address, transaction: ChainTransaction) -> list[LedgerEntry]:
    """What a transaction did to the vault's associated token accounts, by mint, and why. A failed transaction did nothing."""
    if transaction.error is not None:
        return []
    before, after = _balances(vault, transaction, after=False), _balances(vault, transaction, after=True)
    deltas = {mint: after.get(mint, 0) - before.get(mint, 0) for mint in sorted(before | after)}
    causes = _causes(vault, transaction)
    return [
        LedgerEntry(
            vault,
            mint,
            delta,
            causes.get(mint, LedgerCause.TRANSFER),
            transaction.signature,
            transaction.slot,
            transaction.block_time,
        )
        for mint, delta in deltas.items()
        if delta
    ]


def compare(slot: Slot, ledger: Mapping[Mint, int], chain: Mapping[Mint, int], *, trades_unsettled: frozenset[Mint]) -> Comparison:
    """Sums of the ledger against balances of the chain, both as of `slot`. The first difference, by mint; one that an unsettled trade
    explains only says that the ledger is behind."""
    behind: Comparison = Matches(slot)
    for mint in sorted({*ledger, *chain}):
        booked, held = ledger.get(mint, 0), chain.get(mint, 0)
        if booked == held:
            continue
        if mint not in trades_unsettled:
            return Differs(slot, mint, booked, held)
        behind = Behind(slot, mint)
    return behind


def in_words(comparison: Comparison) -> str:
    """For logs and the demo's report."""
    if isinstance(comparison, Matches):
        return f"ledger and chain agree at slot {comparison.slot}"
    if isinstance(comparison, Behind):
        return f"a trade in {comparison.mint} is not settled at slot {comparison.slot}"
    return f"{comparison.mint}: ledger {comparison.ledger_raw}, chain {comparison.chain_raw} at slot {comparison.slot}"


def _balances(vault: Address, transaction: ChainTransaction, *, after: bool) -> dict[Mint, int]:
    rows = transaction.post_token_balances if after else transaction.pre_token_balances
    return {
        row.mint: row.amount_raw
        for row in rows
        if str(row.owner) == vault and transaction.account_keys[row.account_index] == associated_account(vault, row.mint)
    }


def _causes(vault: Address, transaction: ChainTransaction) -> dict[Mint, LedgerCause]:
    causes: dict[Mint, LedgerCause] = {}
    for event in parse_logs(transaction.logs):
        if str(event.vault) != vault:
            continue
        if isinstance(event, Deposited):
            causes[Mint(str(event.mint))] = LedgerCause.DEPOSIT
        elif isinstance(event, Withdrawn):
            causes[Mint(str(event.mint))] = LedgerCause.WITHDRAWAL
        elif isinstance(event, TradeExecuted):
            causes |= {Mint(str(mint)): LedgerCause.TRADE for mint in (event.input_mint, event.output_mint)}
    return causes
