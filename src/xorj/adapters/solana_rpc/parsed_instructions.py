"""Instructions that a node has parsed, written back as the accounts and bytes they were: so that every reader sees one form.

Only those of the system, token and associated account programs that move funds or open and close accounts; any other parsed instruction
keeps its program with no data. Used by transactions.py.
"""

import struct
from collections.abc import Callable

import msgspec

from xorj.primitives import base58
from xorj.primitives.errors import InvalidInput

U64_MAX = 2**64 - 1
_U64_DIGITS = len(str(U64_MAX))


class ParsedAmount(msgspec.Struct, gc=False):
    """A raw token amount: nodes write it as a decimal text so that no parser can round it."""

    amount: str
    decimals: int = 0


class Info(msgspec.Struct, gc=False):
    """Every field that one of the instructions below has; which it must have, its writer says."""

    source: str | None = None
    destination: str | None = None
    account: str | None = None
    wallet: str | None = None
    mint: str | None = None
    owner: str | None = None
    authority: str | None = None
    multisig_authority: str | None = msgspec.field(default=None, name="multisigAuthority")
    new_account: str | None = msgspec.field(default=None, name="newAccount")
    rent_sysvar: str | None = msgspec.field(default=None, name="rentSysvar")
    lamports: int | None = None
    space: int | None = None
    amount: str | None = None
    token_amount: ParsedAmount | None = msgspec.field(default=None, name="tokenAmount")
    fee_amount: ParsedAmount | None = msgspec.field(default=None, name="feeAmount")


_INFO = msgspec.json.Decoder(Info)
Written = tuple[tuple[str | None, ...], bytes]
Writer = Callable[[Info], Written]


def written_back(program: str | None, kind: str, info: bytes | msgspec.Raw) -> Written:
    """Accounts and data; nothing where the instruction is none of these. Raises InvalidInput, msgspec.ValidationError."""
    write = _WRITERS.get((program, kind))
    if write is None:
        return (), b""
    accounts, data = write(_INFO.decode(info))
    if None in accounts:
        raise InvalidInput(f"{program}.{kind}", given="an account that is missing", rule="every account of the instruction")
    return accounts, data


def amount_of(text: str | None, path: str) -> int:
    """Raises InvalidInput unless it is a decimal text of at most 64 bits."""
    # `isdecimal` is true of other scripts' digits as well, and a longer text is beyond 64 bits whatever it says
    if text is not None and len(text) <= _U64_DIGITS and text.isascii() and text.isdecimal() and (amount := int(text)) <= U64_MAX:
        return amount
    raise InvalidInput(path, given=text, rule="a decimal text from 0 to 2^64 - 1")


def _natural(value: int | None, path: str) -> int:
    if value is None or not 0 <= value <= U64_MAX:
        raise InvalidInput(path, given=value, rule="an integer from 0 to 2^64 - 1")
    return value


def _amount(info: Info) -> int:
    """Where a plain instruction and where a checked one has it."""
    return amount_of(info.token_amount.amount if info.token_amount else info.amount, "parsed.info.amount")


def _decimals(info: Info) -> int:
    decimals = info.token_amount.decimals if info.token_amount else -1
    if not 0 <= decimals <= 255:
        raise InvalidInput("parsed.info.tokenAmount.decimals", given=decimals, rule="0 to 255")
    return decimals


def _key(text: str | None) -> bytes:
    try:
        key = base58.decode(text or "")
    except base58.NotBase58 as error:
        raise InvalidInput("parsed.info.owner", given=text, rule="a base58 public key of 32 bytes") from error
    if len(key) != 32:
        raise InvalidInput("parsed.info.owner", given=text, rule="a base58 public key of 32 bytes")
    return key


def _authority(info: Info) -> str | None:
    return info.authority or info.multisig_authority


def _system_transfer(info: Info) -> Written:
    return (info.source, info.destination), struct.pack("<IQ", 2, _natural(info.lamports, "parsed.info.lamports"))


def _create_account(info: Info) -> Written:
    lamports, space = _natural(info.lamports, "parsed.info.lamports"), _natural(info.space, "parsed.info.space")
    return (info.source, info.new_account), struct.pack("<IQQ", 0, lamports, space) + _key(info.owner)


def _allocate(info: Info) -> Written:
    return (info.account,), struct.pack("<IQ", 8, _natural(info.space, "parsed.info.space"))


def _create_associated_account(info: Info) -> Written:
    return (info.source, info.account, info.wallet, info.mint), b"\x01"


def _initialize_account(info: Info) -> Written:
    return (info.account, info.mint, info.owner, info.rent_sysvar or info.owner), b"\x01"


def _initialize_account_3(info: Info) -> Written:
    return (info.account, info.mint), b"\x12" + _key(info.owner)


def _close_account(info: Info) -> Written:
    return (info.account, info.destination), b"\x09"


def _mint_to(info: Info) -> Written:
    return (info.mint, info.account), struct.pack("<BQ", 7, _amount(info))


def _burn(info: Info) -> Written:
    return (info.account, info.mint), struct.pack("<BQ", 8, _amount(info))


def _token_transfer(info: Info) -> Written:
    return (info.source, info.destination, _authority(info)), struct.pack("<BQ", 3, _amount(info))


def _token_transfer_checked(info: Info) -> Written:
    return (info.source, info.mint, info.destination, _authority(info)), struct.pack("<BQB", 12, _amount(info), _decimals(info))


def _token_transfer_with_fee(info: Info) -> Written:
    fee = amount_of(info.fee_amount.amount if info.fee_amount else None, "parsed.info.feeAmount")
    data = b"\x1a\x01" + struct.pack("<QBQ", _amount(info), _decimals(info), fee)
    return (info.source, info.mint, info.destination, _authority(info)), data


_TOKEN_WRITERS: dict[str, Writer] = {
    "transfer": _token_transfer,
    "transferChecked": _token_transfer_checked,
    "transferCheckedWithFee": _token_transfer_with_fee,
    "closeAccount": _close_account,
    "initializeAccount": _initialize_account,
    "initializeAccount2": _initialize_account_3,
    "initializeAccount3": _initialize_account_3,
    "mintTo": _mint_to,
    "mintToChecked": _mint_to,
    "burn": _burn,
    "burnChecked": _burn,
}
_WRITERS: dict[tuple[str | None, str], Writer] = {
    ("system", "transfer"): _system_transfer,
    ("system", "createAccount"): _create_account,
    # written back without its seed: who paid for which account with how much is what its readers ask
    ("system", "createAccountWithSeed"): _create_account,
    ("system", "allocate"): _allocate,
    ("spl-associated-token-account", "create"): _create_associated_account,
    ("spl-associated-token-account", "createIdempotent"): _create_associated_account,
    **{(program, kind): write for program in ("spl-token", "spl-token-2022") for kind, write in _TOKEN_WRITERS.items()},
}
