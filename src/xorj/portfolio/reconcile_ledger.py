"""Books what changed a vault's balances without a trade of ours, at finalized, and compares ledger and chain. Run by the trade-bot.

Deposits and withdrawals name the vault, so its own history holds them all. A plain transfer names only the token account: it is looked
for there, when the sums differ. Trades are booked by settlement alone; one that has landed and is not settled leaves the ledger behind.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from xorj.chain.ports import SIGNATURES_PER_PAGE_MAX, AccountReader, HistoryReader
from xorj.chain.transactions import Commitment, SignatureInfo
from xorj.portfolio.ledger import Comparison, Differs, LedgerCause, associated_account, compare, entries_of, in_words
from xorj.portfolio.observed_vault import ObservedVault
from xorj.portfolio.ports import LedgerStore, VaultStore
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Address, Mint, Signature, Slot
from xorj.vault.accounts import config_address

PAGES_PER_READ_MAX = 100
TOKEN_AMOUNT = slice(64, 72)


@dataclass(frozen=True, slots=True)
class Books:
    """The ports of the ledger."""

    ledger: LedgerStore
    vaults: VaultStore
    history: HistoryReader
    accounts: AccountReader


async def book_changes(vault: Address, books: Books) -> int:
    """Books the vault's own finalized history after the cursor; how many entries were new. Repeating it books nothing twice."""
    found = await _history(vault, books.history, until=await books.ledger.cursor(vault))
    booked = await _book(vault, found, books)
    if found:
        await books.ledger.move_cursor(vault, found[-1].signature, found[-1].slot)
    return booked


async def ledger_matches_chain(vault: ObservedVault, books: Books) -> Comparison:
    """Compares at one finalized slot; books what is missing on the way."""
    await book_changes(vault.address, books)
    slot, chain = await _balances(vault, books)
    under_way = await books.ledger.mints_under_way(vault.address)
    found = compare(slot, await books.ledger.balances(vault.address, at=slot), chain, trades_unsettled=under_way)
    if not isinstance(found, Differs):
        return found
    account = associated_account(vault.address, found.mint)
    if not await _book(vault.address, await _history(account, books.history, until=None), books):
        return found
    return compare(slot, await books.ledger.balances(vault.address, at=slot), chain, trades_unsettled=under_way)


async def audit(books: Books) -> dict[Address, str]:
    """Vaults whose ledger and chain disagree, with the difference in words. A ledger that is only behind does not disagree."""
    found: dict[Address, str] = {}
    for vault in await books.vaults.known():
        said = await ledger_matches_chain(vault, books)
        if isinstance(said, Differs):
            found[vault.address] = in_words(said)
    return found


async def _history(address: Address, history: HistoryReader, *, until: Signature | None) -> list[SignatureInfo]:
    """Finalized signatures after `until`, oldest first."""
    found: list[SignatureInfo] = []
    for _ in range(PAGES_PER_READ_MAX):
        before = found[-1].signature if found else None
        page = await history.signatures(address, before=before, until=until, commitment=Commitment.FINALIZED)
        found += page
        if len(page) < SIGNATURES_PER_PAGE_MAX:
            return found[::-1]
    raise Unavailable("history", f"{address} has more than {PAGES_PER_READ_MAX * SIGNATURES_PER_PAGE_MAX} transactions")


async def _book(vault: Address, found: Sequence[SignatureInfo], books: Books) -> int:
    signatures = [each.signature for each in found if each.error is None]
    entries = []
    for signature, transaction in zip(signatures, await books.history.transactions(signatures), strict=True):
        if transaction is None:
            raise Unavailable("history", f"{signature} is listed and cannot be read")
        entries += [entry for entry in entries_of(vault, transaction) if entry.cause is not LedgerCause.TRADE]
    return await books.ledger.book(entries)


async def _balances(vault: ObservedVault, books: Books) -> tuple[Slot, dict[Mint, int]]:
    """Finalized balances of every mint that the ledger or a trade under way knows, and their slot."""
    known = await books.ledger.balances(vault.address, at=Slot(2**62))
    mints = list(dict.fromkeys([vault.base_mint, *known, *await books.ledger.mints_under_way(vault.address)]))
    # The config always exists, so that the answer has a slot even where no token account does.
    wanted = [Address(str(config_address())), *(associated_account(vault.address, mint) for mint in mints)]
    config, *tokens = await books.accounts.accounts(wanted, commitment=Commitment.FINALIZED)
    if config is None:
        raise Unavailable("chain", "the vault program's config cannot be read")
    held = {mint: int.from_bytes(account.data[TOKEN_AMOUNT], "little") for mint, account in zip(mints, tokens, strict=True) if account}
    return config.slot, held
