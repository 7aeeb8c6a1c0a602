"""A bot's key on disk, encrypted with a passphrase that lies in another file. Both must be readable by their owner alone.

Format 1, JSON: scrypt over the passphrase gives an AES-256-GCM key; the seed of the Ed25519 key is sealed with the header as associated
data. `create` makes both files for a demonstration (services/signer offers it to the command line); production brings its own.
"""

import os
import stat
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from solders.keypair import Keypair

from xorj.primitives.errors import InvalidInput, RefusedForSafety, Unavailable
from xorj.primitives.ids import Address

FORMAT = "xorj-key/1"
FILE_BYTES_MAX = 16_384
PASSPHRASE_BYTES_MIN, SEED_BYTES = 16, 32
SALT_BYTES, NONCE_BYTES = 16, 12
# 64 MiB and a fraction of a second: paid once at start, or for every guess.
SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**16, 8, 1
SCRYPT_N_MAX = 2**20


def create(path: Path, passphrase_path: Path) -> Address:
    """Makes a new key and a random passphrase, each in a new file of mode 0600, and answers the key's address.

    Where both exist already they are kept, and their address is answered. Raises RefusedForSafety when one is there without the other,
    Unavailable where no file can be made.
    """
    if path.exists() and passphrase_path.exists():
        return address_of(path)
    if path.exists() or passphrase_path.exists():
        raise RefusedForSafety(
            f"of {path} and {passphrase_path} only one exists; a key without its passphrase is lost, so nothing is overwritten"
        )
    passphrase = b64encode(os.urandom(32))
    keypair = Keypair()
    _write_private(passphrase_path, passphrase + b"\n")
    _write_private(path, sealed(keypair, passphrase))
    return Address(str(keypair.pubkey()))


def load(path: Path, passphrase_path: Path) -> Keypair:
    """Raises RefusedForSafety for files that others may read, InvalidInput for a wrong passphrase or a file of another format."""
    passphrase = read_private(passphrase_path).strip()
    if len(passphrase) < PASSPHRASE_BYTES_MIN:
        raise InvalidInput(str(passphrase_path), given=f"{len(passphrase)} bytes", rule=f"at least {PASSPHRASE_BYTES_MIN} bytes")
    return opened(read_private(path), passphrase, str(path))


def address_of(path: Path) -> Address:
    """Whose key it is, without opening it. The address is only believed once the key has been opened."""
    return Address(str(_fields(read_private(path), str(path))["public_key"]))


def sealed(keypair: Keypair, passphrase: bytes) -> bytes:
    """The file's bytes."""
    header = {
        "format": FORMAT,
        "public_key": str(keypair.pubkey()),
        "kdf": {"name": "scrypt", "n": SCRYPT_N, "r": SCRYPT_R, "p": SCRYPT_P, "salt": b64encode(os.urandom(SALT_BYTES)).decode()},
        "cipher": "aes-256-gcm",
        "nonce": b64encode(os.urandom(NONCE_BYTES)).decode(),
    }
    seed = bytes(keypair)[:SEED_BYTES]
    ciphertext = AESGCM(_key(header["kdf"], passphrase)).encrypt(b64decode(str(header["nonce"])), seed, _associated(header))
    return orjson.dumps(header | {"ciphertext": b64encode(ciphertext).decode()}, option=orjson.OPT_INDENT_2) + b"\n"


def opened(data: bytes, passphrase: bytes, name: str) -> Keypair:
    """The key. Raises InvalidInput, whose text never holds what was tried."""
    fields = _fields(data, name)
    ciphertext = fields.pop("ciphertext", "")
    try:
        seed = AESGCM(_key(fields["kdf"], passphrase)).decrypt(b64decode(fields["nonce"]), b64decode(ciphertext), _associated(fields))
        keypair = Keypair.from_seed(seed)
    except (InvalidTag, ValueError, KeyError, TypeError):
        raise InvalidInput(name, given="a key file", rule="one that this passphrase opens") from None
    if str(keypair.pubkey()) != fields["public_key"]:
        raise InvalidInput(name, given="a key file", rule="one whose key is the named one")
    return keypair


def read_private(path: Path) -> bytes:
    """The bytes of a regular file that belongs to us and only we may read. Raises RefusedForSafety, InvalidInput."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise InvalidInput(str(path), given=error.strerror, rule="a file that can be read") from None
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o177:
            raise RefusedForSafety(f"{path} must be a regular file of ours with mode 0600, not {stat.S_IMODE(found.st_mode):04o}")
        data = file.read(FILE_BYTES_MAX + 1)
    if len(data) > FILE_BYTES_MAX:
        raise InvalidInput(str(path), given=f"{len(data)} bytes", rule=f"at most {FILE_BYTES_MAX}")
    return data


def _fields(data: bytes, name: str) -> dict[str, Any]:
    try:
        fields = orjson.loads(data)
    except orjson.JSONDecodeError:
        fields = None
    if not isinstance(fields, dict) or fields.get("format") != FORMAT or not isinstance(fields.get("public_key"), str):
        raise InvalidInput(name, given="another format", rule=FORMAT)
    return fields


def _key(kdf: Any, passphrase: bytes) -> bytes:
    if kdf["name"] != "scrypt" or not 2**14 <= kdf["n"] <= SCRYPT_N_MAX or kdf["r"] != SCRYPT_R or kdf["p"] != SCRYPT_P:
        raise ValueError("another key derivation")
    return Scrypt(salt=b64decode(kdf["salt"]), length=32, n=kdf["n"], r=kdf["r"], p=kdf["p"]).derive(passphrase)


def _associated(header: dict[str, Any]) -> bytes:
    return orjson.dumps({name: header[name] for name in sorted(header)}, option=orjson.OPT_SORT_KEYS)


def _write_private(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise Unavailable(f"the key file {path}", error.strerror or str(error)) from None
