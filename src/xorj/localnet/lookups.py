"""Address lookup tables: which addresses a v0 message loads. Pure; used by the bank."""

from collections.abc import Callable

from solders.account import Account
from solders.pubkey import Pubkey

from xorj.localnet.effects import Resolved
from xorj.localnet.message import DecodedTransaction, Lookup
from xorj.localnet.records import Json

LOOKUP_PROGRAM = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
SLOT_HASHES = Pubkey.from_string("SysvarS1otHashes111111111111111111111111111")
# programs and sysvars for whose sake the SlotHashes sysvar must be fresh
SLOT_HASHES_READERS = frozenset((LOOKUP_PROGRAM, SLOT_HASHES))

_HEADER_BYTES = 56
_KEY_BYTES = 32


class TableError(Exception):
    """A lookup that cannot be made; its argument is Agave's name of the transaction error."""


def resolve(decoded: DecodedTransaction, read: Callable[[Pubkey], Account | None]) -> Resolved | Json:
    """All keys of the transaction in the chain's order: its own, loaded writable, loaded readonly. Else the transaction error."""
    writable: list[Pubkey] = []
    readonly: list[Pubkey] = []
    try:
        for lookup in decoded.lookups:
            addresses = _addresses(lookup, read)
            writable += [_at(addresses, index) for index in lookup.writable]
            readonly += [_at(addresses, index) for index in lookup.readonly]
    except TableError as error:
        return error.args[0]
    return Resolved(decoded, [*decoded.keys, *writable, *readonly], writable, readonly)


def _addresses(lookup: Lookup, read: Callable[[Pubkey], Account | None]) -> bytes:
    account = read(lookup.table)
    if account is None:
        raise TableError("AddressLookupTableNotFound")
    if account.owner != LOOKUP_PROGRAM:
        raise TableError("InvalidAddressLookupTableOwner")
    return account.data[_HEADER_BYTES:]


def _at(addresses: bytes, index: int) -> Pubkey:
    key = addresses[index * _KEY_BYTES : (index + 1) * _KEY_BYTES]
    if len(key) < _KEY_BYTES:
        raise TableError("InvalidAddressLookupTableIndex")
    return Pubkey.from_bytes(key)
