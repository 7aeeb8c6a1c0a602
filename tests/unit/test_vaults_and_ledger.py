"""Following vaults and keeping their ledger: what ends copying, what is booked and why, and when ledger and chain agree."""

import struct
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from solders.pubkey import Pubkey
from tests.fakes.chain_history import ChainHistory
from tests.fakes.copy_rows import BOT, MemoryRows, observed, signature, wallet
from tests.fakes.simulated_chain import OWNER, VAULT, SimulatedChain, SimulatedNode

from xorj.chain.transactions import Account, ChainInstruction, ChainTransaction, Commitment, TokenBalance
from xorj.portfolio import observed_vault
from xorj.portfolio.follow_vaults import follow_vaults, vaults_in
from xorj.portfolio.ledger import Behind, Differs, LedgerCause, LedgerEntry, Matches, associated_account, compare, entries_of, in_words
from xorj.portfolio.observed_vault import DEPOSITED_MIN_RAW, NotThere, ObservedVault, end_of_copying
from xorj.portfolio.reconcile_ledger import Books, audit, book_changes, ledger_matches_chain
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import USDC, Address, Mint, Signature, Slot, Wallet
from xorj.vault import borsh
from xorj.vault.accounts import config_address
from xorj.vault.interface import EVENTS, PROGRAM

BEN, NOW = wallet("ben"), 1_000
OPEN = observed(BEN)
BONK = Mint(wallet("bonk"))
TOKEN_PROGRAM = Address("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
ENDS: dict[str, tuple[ObservedVault, str | None]] = {
    "it may go on": (OPEN, None),
    "closed": (replace(OPEN, is_closed=True, is_active=False), "vault closed"),
    "deactivated": (replace(OPEN, is_active=False, bot_authority=None), "vault deactivated"),
    "revoked": (replace(OPEN, bot_authority=None), "bot authority revoked"),
    "given to another": (replace(OPEN, bot_authority=wallet("eve")), "bot authority given to another key"),
    "paused": (replace(OPEN, is_paused=True), "vault paused"),
    "run out": (replace(OPEN, bot_expires_at=NOW), "bot authority expired"),
    "withdrawn": (replace(OPEN, total_deposited_raw=DEPOSITED_MIN_RAW - 1), "withdrawn below the minimum"),
}


@pytest.mark.parametrize("case", ENDS)
def test_copying_ends_where_the_vault_cannot_copy(case: str) -> None:
    vault, reason = ENDS[case]
    assert end_of_copying(vault, OPEN, bot=BOT, now_unix=NOW) == reason


def test_a_vault_that_never_held_more_has_not_been_withdrawn_from() -> None:
    small = replace(OPEN, total_deposited_raw=5)
    assert end_of_copying(small, small, bot=BOT, now_unix=NOW) is None
    assert end_of_copying(small, None, bot=BOT, now_unix=NOW) is None


# What is read


def accounts_of(chain: SimulatedChain, vault: Address) -> list[Account | None]:
    return [chain.account(address, Slot(chain.slot)) for address in observed_vault.addresses(vault)]


def test_a_vault_is_read_from_its_two_accounts() -> None:
    chain = SimulatedChain()
    seen = observed_vault.observe(Address(str(VAULT)), accounts_of(chain, Address(str(VAULT))), now_unix=NOW)
    assert isinstance(seen, ObservedVault)
    assert (seen.owner, seen.is_active, seen.is_paused, seen.slot) == (str(OWNER.pubkey()), True, False, chain.slot)


@pytest.mark.parametrize("broken", ["missing", "of another program", "malformed"])
def test_whatever_else_is_at_the_address_is_no_vault(broken: str) -> None:
    vault, policy = accounts_of(SimulatedChain(), Address(str(VAULT)))
    assert vault is not None
    changed = {
        "missing": None,
        "of another program": replace(vault, owner=TOKEN_PROGRAM),
        "malformed": replace(vault, data=b"nothing of the kind"),
    }
    assert isinstance(observed_vault.observe(Address(str(VAULT)), [changed[broken], policy], now_unix=NOW), NotThere)


async def test_a_users_vault_is_found_a_strangers_when_it_is_named_and_a_closed_one_ends_copying() -> None:
    rows, chain = MemoryRows(), SimulatedChain()
    node = SimulatedNode(chain)
    stranger = Address(wallet("nobody's vault"))
    assert await follow_vaults(rows.stores.vaults, node, node, bot=BOT, also=[stranger]) == []
    assert await rows.stores.vaults.known() == []
    await rows.user(Wallet(str(OWNER.pubkey())))
    await follow_vaults(rows.stores.vaults, node, node, bot=BOT)
    (found,) = await rows.stores.vaults.known()
    assert found.address == str(VAULT)
    await rows.order(found.address)
    gone = replace(found, address=OPEN.address, owner=BEN)
    await rows.stores.vaults.observe(gone)
    await rows.user(BEN)
    await rows.order(gone.address)
    ended = await follow_vaults(rows.stores.vaults, node, node, bot=Wallet(str(found.bot_authority)))
    assert [(each.vault, each.reason) for each in ended] == [(gone.address, "vault closed")]
    assert [vault.address for vault in await rows.stores.vaults.known()] == [found.address]


# The ledger


def event(name: str, **values: object) -> str:
    structure = next(each for each in EVENTS if each.name == name)
    given = {field.name: _nothing(field.type) for field in structure.fields} | values
    return "Program data: " + b64encode((structure.discriminator or b"") + borsh.encode(structure.fields, given)).decode()


def _nothing(kind: object) -> object:
    return Pubkey.default() if kind == "pubkey" else None if isinstance(kind, dict) else False if kind == "bool" else 0


def logs(line: str, program: str = PROGRAM) -> tuple[str, ...]:
    return (f"Program {program} invoke [1]", line, f"Program {program} success")


def moved(
    name: str, *, slot: int, held: tuple[int, int], mint: Mint = USDC, said: tuple[str, ...] = (), names_vault: bool = True
) -> ChainTransaction:
    """A transaction that took the vault's balance of one mint from one number to the other."""
    account = associated_account(OPEN.address, mint)
    keys = (Address(BEN), account, *([OPEN.address] if names_vault else []))
    rows = [(TokenBalance(1, mint, Wallet(OPEN.address), TOKEN_PROGRAM, raw, 6),) for raw in held]
    return ChainTransaction(
        signature=Signature(signature(name)),
        slot=Slot(slot),
        transaction_index=0,
        block_time=slot,
        version=0,
        error=None,
        fee_lamports=5_000,
        signers_count=1,
        account_keys=keys,
        pre_balances=(1,) * len(keys),
        post_balances=(1,) * len(keys),
        pre_token_balances=rows[0],
        post_token_balances=rows[1],
        instructions=(ChainInstruction(Address(PROGRAM), (), b"", 1),),
        inner_instructions=(),
        logs=said,
    )


VAULT_KEY, USDC_KEY = Pubkey.from_string(OPEN.address), Pubkey.from_string(USDC)
DEPOSIT = moved("deposit", slot=10, held=(0, 500), said=logs(event("Deposited", vault=VAULT_KEY, mint=USDC_KEY)))
WITHDRAWAL = moved("withdrawal", slot=20, held=(500, 300), said=logs(event("Withdrawn", vault=VAULT_KEY, mint=USDC_KEY)))
TRANSFER = moved("transfer", slot=30, held=(300, 307), names_vault=False)
TRADE = moved("trade", slot=40, held=(307, 207), said=logs(event("TradeExecuted", vault=VAULT_KEY, input_mint=USDC_KEY)))
CAUSES = [
    (DEPOSIT, 500, LedgerCause.DEPOSIT),
    (WITHDRAWAL, -200, LedgerCause.WITHDRAWAL),
    (TRANSFER, 7, LedgerCause.TRANSFER),
    (TRADE, -100, LedgerCause.TRADE),
]


@pytest.mark.parametrize(("transaction", "delta", "cause"), CAUSES, ids=[cause for _, _, cause in CAUSES])
def test_each_change_is_booked_with_its_cause(transaction: ChainTransaction, delta: int, cause: LedgerCause) -> None:
    (entry,) = entries_of(OPEN.address, transaction)
    assert (entry.delta_raw, entry.cause, entry.mint, entry.slot) == (delta, cause, USDC, transaction.slot)


def test_what_failed_changed_nothing_and_what_another_program_or_vault_says_counts_for_nothing() -> None:
    assert entries_of(OPEN.address, replace(DEPOSIT, error="{}")) == []
    forged = logs(event("Deposited", vault=VAULT_KEY, mint=USDC_KEY), program=wallet("evil"))
    assert entries_of(OPEN.address, replace(DEPOSIT, logs=forged))[0].cause is LedgerCause.TRANSFER
    others = logs(event("Deposited", vault=Pubkey.default(), mint=USDC_KEY))
    assert entries_of(OPEN.address, replace(DEPOSIT, logs=others))[0].cause is LedgerCause.TRANSFER


def test_a_token_account_of_the_vault_that_trades_never_use_is_not_counted() -> None:
    elsewhere = replace(DEPOSIT, account_keys=(Address(BEN), Address(wallet("some other account")), OPEN.address))
    assert entries_of(OPEN.address, elsewhere) == []


def test_events_name_the_vaults_that_a_transaction_changed() -> None:
    assert vaults_in(DEPOSIT) == [OPEN.address]
    assert vaults_in(TRANSFER) == []


def test_a_difference_is_explained_by_a_trade_under_way_or_by_nothing() -> None:
    under_way = frozenset({USDC})
    assert compare(Slot(9), {USDC: 5}, {USDC: 5}, trades_unsettled=frozenset()) == Matches(Slot(9))
    assert compare(Slot(9), {USDC: 5}, {USDC: 4}, trades_unsettled=under_way) == Behind(Slot(9), USDC)
    assert compare(Slot(9), {USDC: 5, BONK: 1}, {USDC: 4}, trades_unsettled=under_way) == Differs(Slot(9), BONK, 1, 0)
    assert in_words(Matches(Slot(9))) == "ledger and chain agree at slot 9"
    assert in_words(Behind(Slot(9), USDC)) == f"a trade in {USDC} is not settled at slot 9"
    assert in_words(Differs(Slot(9), USDC, 5, 4)) == f"{USDC}: ledger 5, chain 4 at slot 9"


@dataclass
class Balances:
    """The chain's token accounts at one finalized slot. Implements AccountReader as far as the ledger asks."""

    slot: int
    held: dict[Mint, int] = field(default_factory=dict)
    has_config: bool = True

    async def accounts(
        self, addresses: Sequence[Address], *, commitment: Commitment = Commitment.CONFIRMED, slot_min: Slot | None = None
    ) -> list[Account | None]:
        assert commitment is Commitment.FINALIZED
        known = {associated_account(OPEN.address, mint): raw for mint, raw in self.held.items()}
        return [self._account(address, known) for address in addresses]

    def _account(self, address: Address, known: dict[Address, int]) -> Account | None:
        if address == str(config_address()):
            return Account(address, Address(PROGRAM), 1, b"", Slot(self.slot)) if self.has_config else None
        if address not in known:
            return None
        return Account(address, TOKEN_PROGRAM, 1, bytes(64) + struct.pack("<Q", known[address]) + bytes(93), Slot(self.slot))


async def books(history: ChainHistory, chain: Balances) -> Books:
    rows = MemoryRows()
    await rows.user(BEN)
    await rows.stores.vaults.observe(OPEN)
    return Books(rows.stores.ledger, rows.stores.vaults, history, chain)  # type: ignore[arg-type]  # as much of the ports as is asked


async def test_deposits_and_withdrawals_are_booked_from_the_vaults_history_once() -> None:
    kept = await books(ChainHistory([DEPOSIT, WITHDRAWAL, TRADE]), Balances(50, {USDC: 300}))
    assert await book_changes(OPEN.address, kept) == 2
    assert await book_changes(OPEN.address, kept) == 0
    assert await kept.ledger.balances(OPEN.address, at=Slot(99)) == {USDC: 300}
    assert await kept.ledger.cursor(OPEN.address) == TRADE.signature


async def test_a_plain_transfer_is_found_where_it_happened() -> None:
    kept = await books(ChainHistory([DEPOSIT, WITHDRAWAL, TRANSFER]), Balances(50, {USDC: 307}))
    assert await ledger_matches_chain(OPEN, kept) == Matches(Slot(50))
    assert await audit(kept) == {}


async def test_a_trade_that_nobody_settled_is_a_difference() -> None:
    kept = await books(ChainHistory([DEPOSIT, WITHDRAWAL, TRANSFER, TRADE]), Balances(50, {USDC: 207}))
    assert await ledger_matches_chain(OPEN, kept) == Differs(Slot(50), USDC, 307, 207)
    assert await audit(kept) == {OPEN.address: f"{USDC}: ledger 307, chain 207 at slot 50"}


async def test_what_was_booked_after_the_slot_is_not_compared() -> None:
    kept = await books(ChainHistory([DEPOSIT]), Balances(15, {USDC: 500}))
    late = LedgerEntry(OPEN.address, USDC, -1, LedgerCause.TRADE, Signature(signature("late")), Slot(16), None)
    await kept.ledger.book([late])
    assert await ledger_matches_chain(OPEN, kept) == Matches(Slot(15))


async def test_what_cannot_be_read_is_not_guessed() -> None:
    history = ChainHistory([DEPOSIT])
    history.withheld.add(DEPOSIT.signature)
    with pytest.raises(Unavailable, match="cannot be read"):
        await book_changes(OPEN.address, await books(history, Balances(50)))
    with pytest.raises(Unavailable, match="config"):
        await ledger_matches_chain(OPEN, await books(ChainHistory([]), Balances(50, has_config=False)))
