"""Ids as the chain writes them. A base58 text is checked once, at the edge, and trusted afterwards."""

from typing import NewType

from solders.pubkey import Pubkey
from solders.signature import Signature as RawSignature

from xorj.primitives.errors import InvalidInput

Wallet = NewType("Wallet", str)
Mint = NewType("Mint", str)
Address = NewType("Address", str)
Signature = NewType("Signature", str)
Slot = NewType("Slot", int)
# What the lake and the database hold a slot in: a signed integer of 64 bits.
SLOT_MAX = 2**63 - 1
UserId = NewType("UserId", str)

USDC = Mint("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")
USDT = Mint("Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB")
SOL = Mint("So11111111111111111111111111111111111111112")

# The genesis hash of every local chain, one constant so that a process knows worthless funds when it sees them.
LOCAL_GENESIS = "XorjLoca1Chain11111111111111111111111111111"


def parse_pubkey(text: str, field: str) -> str:
    """The canonical base58 text of 32 bytes. Raises InvalidInput naming the field."""
    try:
        return str(Pubkey.from_string(text))
    except (ValueError, TypeError) as error:
        raise InvalidInput(field, given=text, rule="a base58 public key of 32 bytes") from error


def parse_signature(text: str, field: str) -> Signature:
    """The canonical base58 text of 64 bytes. Raises InvalidInput naming the field."""
    try:
        return Signature(str(RawSignature.from_string(text)))
    except (ValueError, TypeError) as error:
        raise InvalidInput(field, given=text, rule="a base58 signature of 64 bytes") from error
