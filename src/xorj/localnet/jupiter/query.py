"""What a build request asks for, read from its query as Jupiter reads it. Pure; used by the API."""

from collections.abc import Mapping
from dataclasses import dataclass

from solders.pubkey import Pubkey

from xorj.localnet.blocks import BLOCKHASH_AGE_MAX_BLOCKS

U64_MAX = 2**64 - 1
SLIPPAGE_BPS_DEFAULT, SLIPPAGE_BPS_MAX = 50, 10_000
ACCOUNTS_MAX = 64
BLOCKHASH_SLOTS_MAX = 300
PRICE_IDS_MAX = 50
_TEXT_MAX = 64


class Refused(Exception):
    """A request that gets an error reply; `code` is Jupiter's word for why."""

    def __init__(self, code: str, text: str, status: int = 400) -> None:
        self.code, self.text, self.status = code, text, status
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class BuildQuery:
    """A checked build request. `destination` None means the taker's associated account of the output mint."""

    input_mint: Pubkey
    output_mint: Pubkey
    amount: int
    taker: Pubkey
    payer: Pubkey
    slippage_bps: int
    accounts_max: int
    destination: Pubkey | None
    wraps_sol: bool
    blockhash_slots: int


def read_build(query: Mapping[str, str]) -> BuildQuery:
    """Raises Refused naming the first parameter that breaks a rule."""
    _refuse_unsupported(query)
    taker = _pubkey(query, "taker")
    found = BuildQuery(
        input_mint=_pubkey(query, "inputMint"),
        output_mint=_pubkey(query, "outputMint"),
        amount=_integer(query, "amount", 1, U64_MAX),
        taker=taker,
        payer=_pubkey(query, "payer") if "payer" in query else taker,
        slippage_bps=_slippage(query),
        accounts_max=_integer(query, "maxAccounts", 1, ACCOUNTS_MAX, default=ACCOUNTS_MAX, code="MAX_ACCOUNT_GREATER_THAN_MAX"),
        destination=_pubkey(query, "destinationTokenAccount") if "destinationTokenAccount" in query else None,
        wraps_sol=_boolean(query, "wrapAndUnwrapSol", default=True),
        blockhash_slots=_integer(query, "blockhashSlotsToExpiry", 1, BLOCKHASH_SLOTS_MAX, default=BLOCKHASH_AGE_MAX_BLOCKS),
    )
    if found.input_mint == found.output_mint:
        raise Refused("CIRCULAR_ARBITRAGE_IS_DISABLED", "inputMint and outputMint are the same")
    return found


def read_ids(query: Mapping[str, str]) -> list[Pubkey]:
    """The mints of a price request, at most PRICE_IDS_MAX. Raises Refused."""
    parts = [part.strip() for part in query.get("ids", "").split(",") if part.strip()]
    if not parts:
        raise _invalid("ids", "is required")
    if len(parts) > PRICE_IDS_MAX:
        raise _invalid("ids", f"takes at most {PRICE_IDS_MAX} mints")
    return [_parsed(part, "ids") for part in parts]


def required(query: Mapping[str, str], name: str) -> str:
    """A parameter that must be there and not be empty. Raises Refused."""
    text = query.get(name, "").strip()
    if not text:
        raise _invalid(name, "is required")
    return text


def _refuse_unsupported(query: Mapping[str, str]) -> None:
    for name in ("platformFeeBps", "tipAmount"):
        if query.get(name, "0") != "0":
            raise Refused("NOT_SUPPORTED", f"{name} is not supported on the local chain")
    if "nativeDestinationAccount" in query:
        raise Refused("NOT_SUPPORTED", "nativeDestinationAccount is not supported on the local chain")
    if "dexes" in query and "excludeDexes" in query:
        raise _invalid("dexes", "cannot be given together with excludeDexes")


def _slippage(query: Mapping[str, str]) -> int:
    if query.get("slippageBps") == "rtse":
        return SLIPPAGE_BPS_DEFAULT
    return _integer(query, "slippageBps", 0, SLIPPAGE_BPS_MAX, default=SLIPPAGE_BPS_DEFAULT)


def _pubkey(query: Mapping[str, str], name: str) -> Pubkey:
    return _parsed(required(query, name), name)


def _parsed(text: str, name: str) -> Pubkey:
    try:
        if len(text) <= _TEXT_MAX:
            return Pubkey.from_string(text)
    except ValueError:
        pass
    raise _invalid(name, "is not a base58 public key")


def _integer(query: Mapping[str, str], name: str, least: int, most: int, *, default: int | None = None, code: str = "INVALID_QUERY") -> int:
    text = query.get(name)
    if text is None and default is not None:
        return default
    digits = required(query, name)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(U64_MAX)) and least <= int(digits) <= most):
        raise Refused(code, f"Query parameter {name} must be an integer from {least} to {most}")
    return int(digits)


def _boolean(query: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = query.get(name)
    if text is None:
        return default
    if text not in ("true", "false"):
        raise _invalid(name, "must be true or false")
    return text == "true"


def _invalid(name: str, rule: str) -> Refused:
    return Refused("INVALID_QUERY", f"Query parameter {name} {rule}")
