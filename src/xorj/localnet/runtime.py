"""LiteSVM as the bank drives it: mainnet features, checks of signature and blockhash off because the bank does them itself."""

import struct
from collections.abc import Sequence

from solders.account import Account
from solders.clock import Clock
from solders.hash import Hash
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, SimulatedTransactionInfo, TransactionMetadata

from xorj.localnet.genesis import RENT_EPOCH_NEVER, UPGRADEABLE_LOADER, Genesis

SLOTS_PER_EPOCH = 432_000
SLOT_HASHES_KEPT = 512

_PROGRAM_STATE, _PROGRAM_DATA_STATE = 2, 3


class Runtime:
    """One virtual machine and its accounts."""

    def __init__(self, genesis: Genesis) -> None:
        self._svm = LiteSVM().with_mainnet_features().with_sigverify(False).with_blockhash_check(False).with_transaction_history(0)
        self.set_clock(genesis.slot, genesis.unix_seconds)
        for program, elf in genesis.programs.items():
            self._load_program(program, elf, genesis.upgrade_authority)
        for address, account in genesis.accounts.items():
            self._svm.set_account(address, account)

    def run(self, transaction: VersionedTransaction) -> TransactionMetadata | FailedTransactionMetadata:
        return self._svm.send_transaction(transaction)

    def simulate(self, transaction: VersionedTransaction) -> SimulatedTransactionInfo | FailedTransactionMetadata:
        """Runs without effect. A failure carries no accounts: they are what they were, but for the fee."""
        return self._svm.simulate_transaction(transaction)

    def account(self, address: Pubkey) -> Account | None:
        """The account as it is now; one without lamports does not exist."""
        account = self._svm.get_account(address)
        return account if account is not None and account.lamports else None

    def set_account(self, address: Pubkey, account: Account) -> None:
        self._svm.set_account(address, account)

    def program_accounts(self, program: Pubkey) -> list[tuple[Pubkey, Account]]:
        return [(address, account) for address, account in self._svm.get_program_accounts(program) if account.lamports]

    def set_clock(self, slot: int, unix_seconds: int) -> None:
        epoch = slot // SLOTS_PER_EPOCH
        self._svm.set_clock(Clock(slot, unix_seconds, epoch, epoch + 1, unix_seconds))

    def set_slot_hashes(self, hashes: Sequence[tuple[int, Hash]]) -> None:
        self._svm.set_slot_hashes(hashes)

    def rent_exempt_lamports(self, size_bytes: int) -> int:
        return self._svm.minimum_balance_for_rent_exemption(size_bytes)

    def _load_program(self, program: Pubkey, elf: bytes, authority: Pubkey) -> None:
        data_address = program_data_address(program)
        data = struct.pack("<IQB32s", _PROGRAM_DATA_STATE, 0, 1, bytes(authority)) + elf
        pointer = struct.pack("<I32s", _PROGRAM_STATE, bytes(data_address))
        for address, content, executable in ((data_address, data, False), (program, pointer, True)):
            lamports = self.rent_exempt_lamports(len(content))
            self._svm.set_account(address, Account(lamports, content, UPGRADEABLE_LOADER, executable, RENT_EPOCH_NEVER))


def program_data_address(program: Pubkey) -> Pubkey:
    """Where the upgradeable loader keeps a program's ELF file and upgrade authority."""
    return Pubkey.find_program_address([bytes(program)], UPGRADEABLE_LOADER)[0]
