"""The journal of the local chain: what is torn at its end goes, what is damaged before it is refused, one writer at a time."""

from pathlib import Path

import pytest
from tests.fakes.localnet_world import BEN_TOKENS, world_genesis

from xorj.localnet.bank import Bank
from xorj.localnet.genesis import local_genesis
from xorj.localnet.journal import HEADER, Journal
from xorj.primitives.errors import BrokenInvariant, RefusedForSafety

PAYLOADS = [b"one", b"two" * 50, b"", b"four"]


def written(folder: Path, payloads: list[bytes]) -> Path:
    journal = Journal(folder)
    for kind, payload in enumerate(payloads):
        journal.append(kind, payload)
    journal.close()
    return folder / "journal"


def read(folder: Path) -> list[bytes]:
    journal = Journal(folder)
    try:
        return [record.payload for record in journal.records()]
    finally:
        journal.close()


def test_records_come_back_in_order(tmp_path: Path) -> None:
    written(tmp_path, PAYLOADS)
    assert read(tmp_path) == PAYLOADS


@pytest.mark.parametrize("missing", [1, 3, len(PAYLOADS[-1]) + HEADER.size - 1])
def test_a_torn_tail_is_cut_off_and_writing_goes_on(tmp_path: Path, missing: int) -> None:
    file = written(tmp_path, PAYLOADS)
    file.write_bytes(file.read_bytes()[:-missing])
    assert read(tmp_path) == PAYLOADS[:-1]
    written(tmp_path, [b"five"])
    assert read(tmp_path) == [*PAYLOADS[:-1], b"five"]


@pytest.mark.parametrize("at", [0, 5, 9, HEADER.size, HEADER.size * 2 + 20])
def test_damage_before_the_end_is_refused_with_its_place(tmp_path: Path, at: int) -> None:
    file = written(tmp_path, PAYLOADS)
    content = bytearray(file.read_bytes())
    content[at] ^= 0xFF
    file.write_bytes(content)
    with pytest.raises(BrokenInvariant, match="damaged before its end bad_offset="):
        read(tmp_path)
    assert file.read_bytes() == content


def test_what_is_buffered_can_be_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    offset = journal.append(1, b"payload")
    assert journal.read(offset, 7) == b"payload"
    journal.close()


def test_a_folder_has_one_writer(tmp_path: Path) -> None:
    bank = Bank.open(tmp_path, world_genesis())
    with pytest.raises(RefusedForSafety, match="open in another process"):
        Bank.open(tmp_path, world_genesis())
    bank.close()
    Bank.open(tmp_path, world_genesis()).close()


def test_another_genesis_is_refused(tmp_path: Path) -> None:
    Bank.open(tmp_path, world_genesis()).close()
    with pytest.raises(RefusedForSafety, match="another genesis"):
        Bank.open(tmp_path, local_genesis())


def test_a_chain_keeps_its_first_slot_and_time(tmp_path: Path) -> None:
    Bank.open(tmp_path, world_genesis(slot=500, unix_seconds=1_600_000_000)).close()
    bank = Bank.open(tmp_path, world_genesis(slot=9, unix_seconds=1_800_000_000))
    assert (bank.blocks.first_slot, bank.slot, bank.unix_seconds) == (500, 502, 1_600_000_000)
    assert bank.account(BEN_TOKENS) is not None
    bank.close()
