"""The bank: executes transactions at the present slot, keeps every one with its effects, and answers for the state at a commitment.

One thread uses a bank. What `execute` did survives the death of the process at once, and of the machine after `commit`.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from solders.account import Account
from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata

from xorj.chain.transactions import Commitment
from xorj.localnet.accounts import AccountIndex
from xorj.localnet.blocks import Blocks
from xorj.localnet.effects import Balances, Resolved, balances, error_of, is_token_account, meta_of
from xorj.localnet.genesis import Genesis
from xorj.localnet.history import History
from xorj.localnet.journal import Journal, Record
from xorj.localnet.lookups import SLOT_HASHES_READERS, resolve
from xorj.localnet.message import DecodedTransaction
from xorj.localnet.node_mark import node_mark
from xorj.localnet.records import KIND_BLOCK, KIND_GENESIS, KIND_TRANSACTION, BlockRecord, Json, Meta, StoredTransaction, TokenBalanceRow
from xorj.localnet.runtime import SLOT_HASHES_KEPT, Runtime
from xorj.localnet.snapshot import Snapshot, newest_snapshot, write_snapshot
from xorj.primitives.errors import BrokenInvariant, RefusedForSafety


@dataclass(frozen=True, slots=True)
class Executed:
    """A transaction that landed, successfully or not; `error` is Agave's JSON form, None on success."""

    signature: Signature
    ordinal: int
    stored: StoredTransaction

    @property
    def slot(self) -> int:
        return self.stored.slot

    @property
    def error(self) -> Json:
        return self.stored.meta.error

    @property
    def meta(self) -> Meta:
        return self.stored.meta

    @property
    def succeeded(self) -> bool:
        return self.stored.meta.error is None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A transaction that no block takes: no fee, no trace. `error` is Agave's, such as BlockhashNotFound or AlreadyProcessed."""

    signature: Signature
    error: Json

    @property
    def succeeded(self) -> bool:
        return False


class Bank:
    """A chain of one node. Open it with `Bank.open`."""

    def __init__(self, journal: Journal, genesis: Genesis, directory: Path | None) -> None:
        self._journal = journal
        self._directory = directory
        self.genesis = genesis
        self.runtime = Runtime(genesis)
        self.blocks = Blocks(genesis.genesis_hash, genesis.slot, genesis.unix_seconds)
        self.history = History(journal)
        self.accounts = AccountIndex(self.runtime)
        self._before: deque[tuple[int, dict[Pubkey, Account | None]]] = deque([(self.blocks.height, {})])
        self._clock_slot = -1
        self._marked_height = -1
        self._snapshot_count = 0

    @classmethod
    def open(cls, directory: Path | None, genesis: Genesis) -> Self:
        """Opens or creates the chain in `directory`; without one it lives in memory and a temporary file.

        Raises RefusedForSafety when another process has it open or it was begun from another genesis, BrokenInvariant when it is damaged.
        """
        journal = Journal(directory)
        try:
            bank = cls(journal, genesis, directory)
            bank._restore()
        except BaseException:
            journal.close()
            raise
        return bank

    @property
    def slot(self) -> int:
        """The present slot: the block that takes transactions now."""
        return self.blocks.slot

    @property
    def unix_seconds(self) -> int:
        """The present block's time."""
        return self.blocks.unix_seconds

    @property
    def journal_end(self) -> int:
        """Where the journal ends; compare with journal_synced to know whether something is on the disk."""
        return self._journal.end

    @property
    def journal_synced(self) -> int:
        return self._journal.synced

    def latest_blockhash(self) -> Hash:
        """The newest blockhash a transaction may carry, good for 150 blocks."""
        return self.blocks.newest_hash(Commitment.PROCESSED)

    def account(self, address: Pubkey, commitment: Commitment = Commitment.PROCESSED) -> Account | None:
        """The account as of the newest block at that commitment."""
        height = self.blocks.height_at(commitment)
        for block_height, before in self._before:
            if block_height > height and address in before:
                return before[address]
        return self.runtime.account(address)

    def program_accounts(self, program: Pubkey, commitment: Commitment) -> list[tuple[Pubkey, Account]]:
        """All accounts a program owns as of the newest block at that commitment."""
        present = dict(self.runtime.program_accounts(program))
        for address in self._changed_since(self.blocks.height_at(commitment)):
            account = self.account(address, commitment)
            if account is not None and account.owner == program:
                present[address] = account
            else:
                present.pop(address, None)
        return list(present.items())

    def token_accounts(self, owner: Pubkey, commitment: Commitment) -> list[tuple[Pubkey, Account]]:
        """All token accounts a wallet owns as of the newest block at that commitment."""
        wanted = bytes(owner)
        addresses = self.accounts.token_accounts(owner) | self._changed_since(self.blocks.height_at(commitment))
        found = [(address, self.account(address, commitment)) for address in addresses]
        return [
            (address, account)
            for address, account in found
            if account is not None and is_token_account(account, data := account.data) and data[32:64] == wanted
        ]

    def changed_in(self, height: int) -> Sequence[Pubkey]:
        """The accounts that a block not yet final changed."""
        return next((list(before) for block_height, before in self._before if block_height == height), [])

    def _changed_since(self, height: int) -> set[Pubkey]:
        return {address for block_height, before in self._before if block_height > height for address in before}

    def advance(self, slots: int = 1, unix_seconds: int | None = None) -> None:
        """Closes the block and opens the next one, `slots` further on; slots between are skipped. Time never runs backwards."""
        if slots < 1:
            raise ValueError(f"a chain only moves forward: {slots} slots")
        time = max(self.unix_seconds, self.unix_seconds if unix_seconds is None else unix_seconds)
        self.blocks.open(self.slot + slots, time)
        self._journal.append(KIND_BLOCK, BlockRecord(self.slot, self.blocks.height, time).encode())
        self._before.append((self.blocks.height, {}))
        final = self.blocks.height_at(Commitment.FINALIZED)
        while self._before[0][0] <= final - 1:
            self._before.popleft()

    def execute(self, transaction: VersionedTransaction | bytes, *, verify: bool = True) -> Executed | Rejected:
        """Runs a transaction in the present block and keeps it with its effects.

        Raises ValueError when the bytes are no transaction. `verify=False` skips the signature check for a caller who just signed.
        """
        decoded = DecodedTransaction.of(transaction)
        refusal = self.refusal(decoded, verify=verify)
        if refusal is not None:
            return Rejected(decoded.signature, refusal)
        if self.genesis.node_marks and self._marked_height != self.blocks.height:
            self._marked_height = self.blocks.height
            self._land(DecodedTransaction.of(node_mark(self.latest_blockhash())))
        landed = self._land(decoded)
        self._journal.flush()
        return landed

    def refusal(self, decoded: DecodedTransaction, *, verify: bool, commitment: Commitment = Commitment.PROCESSED) -> Json:
        """Why no block on top of that commitment would take the transaction, before running it; None when it may run."""
        if verify and not all(decoded.transaction.verify_with_results()):
            return "SignatureFailure"
        if not self.blocks.is_valid(decoded.blockhash, commitment):
            return "BlockhashNotFound"
        if self.history.ordinal(bytes(decoded.signature)) is not None:
            return "AlreadyProcessed"
        return None

    def prepare(self) -> None:
        """Gives the machine the present block's clock."""
        if self._clock_slot != self.slot:
            self._clock_slot = self.slot
            self.runtime.set_clock(self.slot, self.unix_seconds)

    def resolve(self, decoded: DecodedTransaction) -> Resolved | Json:
        """The transaction with its address tables loaded, or the error a node gives when they cannot be."""
        if SLOT_HASHES_READERS.intersection(decoded.keys):
            self.runtime.set_slot_hashes(self.blocks.recent_hashes(SLOT_HASHES_KEPT))
        return resolve(decoded, self.runtime.account)

    def balances(self, resolved: Resolved) -> Balances:
        """The present balances of all accounts of a transaction."""
        return balances(resolved.keys, [self.runtime.account(key) for key in resolved.keys], self.accounts.decimals)

    def commit(self) -> None:
        """Waits until everything executed so far is on the disk."""
        self._journal.sync()

    def commit_in_thread(self) -> None:
        """As commit, callable from another thread while this one goes on: execute has flushed already."""
        self._journal.sync_file()

    def snapshot(self) -> None:
        """Writes all changed accounts, so that the next start need not run the journal again."""
        if self._directory is None or len(self.history) == self._snapshot_count:
            return
        self._journal.sync()
        accounts = {address: account for address in self.accounts.touched if (account := self.runtime.account(address)) is not None}
        write_snapshot(self._directory, Snapshot(self.genesis.fingerprint(), len(self.history), accounts, set(self.accounts.touched)))
        self._snapshot_count = len(self.history)

    def close(self) -> None:
        """Writes a snapshot, syncs and lets go of the folder."""
        self.snapshot()
        self._journal.close()

    def _land(self, decoded: DecodedTransaction) -> Executed | Rejected:
        self.prepare()
        resolved = self.resolve(decoded)
        if not isinstance(resolved, Resolved):
            return Rejected(decoded.signature, resolved)
        accounts = [self.runtime.account(key) for key in resolved.keys]
        before = balances(resolved.keys, accounts, self.accounts.decimals)
        priority_fee = decoded.priority_fee_lamports()
        if priority_fee and not self._take(decoded.keys[0], accounts[0], priority_fee):
            return Rejected(decoded.signature, "InsufficientFundsForFee")
        outcome = self.runtime.run(decoded.transaction)
        if isinstance(outcome, FailedTransactionMetadata) and not self._fee_was_paid(decoded, before.lamports[0] - priority_fee):
            if priority_fee and accounts[0] is not None:
                self.runtime.set_account(decoded.keys[0], accounts[0])
            return Rejected(decoded.signature, error_of(outcome))
        meta = self._finish(resolved, outcome, dict(zip(resolved.keys, accounts, strict=True)), before, priority_fee)
        stored = StoredTransaction(decoded.raw, self.slot, self.blocks.count_transaction(), meta)
        payload = stored.encode()
        offset = self._journal.append(KIND_TRANSACTION, payload)
        ordinal = self.history.add(bytes(decoded.signature), resolved.keys, offset, len(payload))
        return Executed(decoded.signature, ordinal, stored)

    def _finish(
        self,
        resolved: Resolved,
        outcome: TransactionMetadata | FailedTransactionMetadata,
        was: dict[Pubkey, Account | None],
        before: Balances,
        priority_fee: int,
    ) -> Meta:
        now = dict(was)
        block_before = self._before[-1][1]
        for key in resolved.writable:
            block_before.setdefault(key, was[key])
            now[key] = self.runtime.account(key)
            self.accounts.changed(key, now[key])
        after = balances(resolved.keys, [now[key] for key in resolved.keys], self.accounts.decimals)
        loaded = self.accounts.loaded_bytes(resolved.keys, was)
        details = outcome.meta() if isinstance(outcome, FailedTransactionMetadata) else outcome
        return meta_of(resolved, outcome, before, after, fee=details.fee() + priority_fee, loaded=loaded)

    def _take(self, payer: Pubkey, account: Account | None, lamports: int) -> bool:
        """Takes a v1 message's priority fee from its payer: LiteSVM charges for signatures alone."""
        if account is None or account.lamports < lamports:
            return False
        rest = Account(account.lamports - lamports, account.data, account.owner, account.executable, account.rent_epoch)
        self.runtime.set_account(payer, rest)
        return True

    def _fee_was_paid(self, decoded: DecodedTransaction, lamports_before: int) -> bool:
        payer = self.runtime.account(decoded.keys[0])
        return (payer.lamports if payer is not None else 0) < lamports_before

    def _restore(self) -> None:
        """Reads the journal from its start: indexes everything and runs what the snapshot does not hold."""
        fingerprint = self.genesis.fingerprint()
        snapshot = newest_snapshot(self._directory, fingerprint) if self._directory is not None else None
        records = self._journal.records()
        first = next(records, None)
        if first is None:
            self._begin(fingerprint)
            return
        if first.kind != KIND_GENESIS or first.payload.decode() != fingerprint:
            raise RefusedForSafety("this folder holds a chain that was begun from another genesis; choose another folder or reset it")
        self._start_from(next(records, None))
        known = self._load(snapshot) if snapshot is not None else 0
        for record in records:
            if record.kind == KIND_BLOCK:
                block = BlockRecord.decode(record.payload)
                self.blocks.open(block.slot, block.unix_seconds)
                self._before.append((self.blocks.height, {}))
            elif record.kind == KIND_TRANSACTION:
                self._restore_transaction(record.payload, record.offset, run=len(self.history) >= known)
        self.blocks.settle_history()
        self._snapshot_count = known
        self.advance()
        self._before = deque([(self.blocks.height, {})])
        self._journal.flush()

    def _start_from(self, record: Record | None) -> None:
        """The chain's first block, as it was when the folder was new."""
        if record is None or record.kind != KIND_BLOCK:
            raise BrokenInvariant("the chain's journal has no first block")
        block = BlockRecord.decode(record.payload)
        self.blocks = Blocks(self.genesis.genesis_hash, block.slot, block.unix_seconds)
        self._before = deque([(self.blocks.height, {})])

    def _begin(self, fingerprint: str) -> None:
        self._journal.append(KIND_GENESIS, fingerprint.encode())
        self._journal.append(KIND_BLOCK, BlockRecord(self.slot, self.blocks.height, self.unix_seconds).encode())
        # the first block stays empty: it is what the first transactions' blockhash names
        self.advance()
        self._journal.sync()

    def _load(self, snapshot: Snapshot) -> int:
        for address in snapshot.touched:
            account = snapshot.accounts.get(address)
            self.runtime.set_account(address, account if account is not None else Account.default())
            self.accounts.changed(address, account)
        return snapshot.transactions

    def _restore_transaction(self, payload: bytes, offset: int, *, run: bool) -> None:
        decoded = DecodedTransaction.of(StoredTransaction.raw_of(payload))
        keys = decoded.keys
        if run or decoded.lookups:
            stored = StoredTransaction.decode(payload)
            keys = [*keys, *map(Pubkey.from_string, (*stored.meta.loaded_writable, *stored.meta.loaded_readonly))]
            if run:
                self._run_again(decoded, stored)
        self.blocks.count_transaction()
        self.history.add(bytes(decoded.signature), keys, offset, len(payload))

    def _run_again(self, decoded: DecodedTransaction, stored: StoredTransaction) -> None:
        self.prepare()
        resolved = self.resolve(decoded)
        priority_fee = decoded.priority_fee_lamports()
        if isinstance(resolved, Resolved):
            accounts = [self.runtime.account(key) for key in resolved.keys]
            before = balances(resolved.keys, accounts, self.accounts.decimals)
            if priority_fee:
                self._take(decoded.keys[0], accounts[0], priority_fee)
            outcome = self.runtime.run(decoded.transaction)
            meta = self._finish(resolved, outcome, dict(zip(resolved.keys, accounts, strict=True)), before, priority_fee)
            if (meta.error, meta.post_balances, meta.post_token_balances) == _effects(stored):
                return
        raise BrokenInvariant("running the journal again does not give what it says", signature=decoded.signature, slot=stored.slot)


def _effects(stored: StoredTransaction) -> tuple[Json, list[int], list[TokenBalanceRow]]:
    return stored.meta.error, stored.meta.post_balances, stored.meta.post_token_balances
