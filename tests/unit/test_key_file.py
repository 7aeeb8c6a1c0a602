"""The bot's key on disk: made once, opened by its passphrase alone, never by a file that others may read."""

import os
from pathlib import Path

import orjson
import pytest
from solders.keypair import Keypair

from xorj.adapters.signer import key_file
from xorj.adapters.signer.epoch_file import EpochFile
from xorj.primitives.errors import InvalidInput, RefusedForSafety, Unavailable

PASSPHRASE = b"a passphrase of some length"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "keys" / "bot.json", tmp_path / "keys" / "bot.passphrase"


def test_a_new_key_is_private_and_opens(files: tuple[Path, Path]) -> None:
    address = key_file.create(*files)
    assert [path.stat().st_mode & 0o777 for path in files] == [0o600, 0o600]
    assert files[0].parent.stat().st_mode & 0o777 == 0o700
    assert str(key_file.load(*files).pubkey()) == address == key_file.address_of(files[0])
    assert key_file.create(*files) == address, "a second call keeps what is there"


def test_one_file_without_the_other_is_never_overwritten(files: tuple[Path, Path]) -> None:
    key_file.create(*files)
    files[1].unlink()
    with pytest.raises(RefusedForSafety):
        key_file.create(*files)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o700, 0o660])
@pytest.mark.parametrize("which", [0, 1])
def test_a_file_that_others_may_use_is_refused(files: tuple[Path, Path], mode: int, which: int) -> None:
    key_file.create(*files)
    files[which].chmod(mode)
    with pytest.raises(RefusedForSafety):
        key_file.load(*files)


def test_a_link_to_a_key_is_refused(files: tuple[Path, Path], tmp_path: Path) -> None:
    key_file.create(*files)
    link = tmp_path / "link"
    link.symlink_to(files[0])
    with pytest.raises(InvalidInput):
        key_file.load(link, files[1])


def test_a_missing_or_huge_file_is_named(files: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"bot\.passphrase"):
        key_file.load(*files)
    huge = tmp_path / "huge"
    descriptor = os.open(huge, os.O_CREAT | os.O_WRONLY, 0o600)
    os.write(descriptor, bytes(key_file.FILE_BYTES_MAX + 1))
    os.close(descriptor)
    with pytest.raises(InvalidInput, match="at most"):
        key_file.read_private(huge)


def test_another_passphrase_opens_nothing_and_is_not_shown() -> None:
    sealed = key_file.sealed(Keypair.from_seed(bytes(32)), PASSPHRASE)
    with pytest.raises(InvalidInput) as refused:
        key_file.opened(sealed, b"another passphrase altogether", "key")
    assert "another" not in str(refused.value)


def test_a_short_passphrase_is_refused(files: tuple[Path, Path]) -> None:
    key_file.create(*files)
    files[1].write_text("short\n")
    with pytest.raises(InvalidInput, match="at least"):
        key_file.load(*files)


@pytest.mark.parametrize("name", ["public_key", "nonce", "ciphertext", "kdf", "cipher"])
def test_a_changed_field_opens_nothing(name: str) -> None:
    fields = orjson.loads(key_file.sealed(Keypair.from_seed(bytes(32)), PASSPHRASE))
    other = orjson.loads(key_file.sealed(Keypair.from_seed(bytes([1]) * 32), PASSPHRASE))
    fields[name] = other[name] if name != "cipher" else "none"
    with pytest.raises(InvalidInput):
        key_file.opened(orjson.dumps(fields), PASSPHRASE, "key")


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"format":"xorj-key/2","public_key":"x"}', b'{"format":"xorj-key/1"}'])
def test_another_format_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="xorj-key/1"):
        key_file.opened(data, PASSPHRASE, "key")


@pytest.mark.parametrize("change", [{"n": 2}, {"n": 2**30}, {"r": 1}, {"p": 64}, {"name": "pbkdf2"}])
def test_a_derivation_that_is_too_cheap_or_too_dear_is_refused(change: dict[str, object]) -> None:
    fields = orjson.loads(key_file.sealed(Keypair.from_seed(bytes(32)), PASSPHRASE))
    fields["kdf"] |= change
    with pytest.raises(InvalidInput):
        key_file.opened(orjson.dumps(fields), PASSPHRASE, "key")


def test_the_newest_epoch_survives_a_restart_and_older_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bot.epoch"
    first = EpochFile(path)
    assert first.accept(3)
    assert first.accept(3)
    assert not first.accept(2)
    again = EpochFile(path)
    assert again.newest == 3
    assert not again.accept(2)
    assert again.accept(4)


@pytest.mark.parametrize("text", ["", "four", "-1", "9" * 30, "٣"])
def test_a_damaged_epoch_file_is_no_reason_to_begin_at_zero(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bot.epoch"
    path.write_text(text)
    with pytest.raises(InvalidInput):
        EpochFile(path)


def test_a_key_that_cannot_be_written_names_its_file(tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.touch()
    with pytest.raises(Unavailable, match=r"key file .*bot\.passphrase"):
        key_file.create(blocked / "keys" / "bot.json", blocked / "keys" / "bot.passphrase")
