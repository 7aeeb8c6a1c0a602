"""The text a wallet signs to sign in: Sign-In With Solana, in one canonical form that is compared byte for byte.

Fields and their order are those of the wallet-standard (solana:signIn, version 1). What deviates by a byte is refused.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from solders.pubkey import Pubkey
from solders.signature import Signature as RawSignature
from solders.transaction import VersionedTransaction

from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import Signature, Wallet

CHALLENGE_LIFE = timedelta(minutes=5)
# Wallets compare the text's time with their own clock; a server's may be off by this much.
CLOCK_SKEW_MAX = timedelta(seconds=60)
NONCE_BYTES = 16
MESSAGE_CHARACTERS_MAX = 2_000
VERSION = "1"
STATEMENT = "Sign in to XORJ. This is not a transaction and moves nothing."
# The specification's message. It is the same for ever, so whoever has seen it signed once could sign in for ever.
STATIC_MESSAGE = "XORJ Authentication"

_NONCE = re.compile(r"[0-9a-f]{32}")
_TEXT = re.compile(
    r"(?P<domain>[^\n]+) wants you to sign in with your Solana account:\n"
    r"(?P<wallet>[1-9A-HJ-NP-Za-km-z]{32,44})\n\n"
    r"(?P<statement>[^\n]+)\n\n"
    r"URI: (?P<uri>[^\n]+)\n"
    r"Version: (?P<version>[^\n]+)\n"
    r"Chain ID: (?P<chain_id>[^\n]+)\n"
    r"Nonce: (?P<nonce>[^\n]+)\n"
    r"Issued At: (?P<issued_at>[^\n]+)\n"
    r"Expiration Time: (?P<expires_at>[^\n]+)"
)


@dataclass(frozen=True, slots=True)
class Site:
    """Where people sign in: the page's host with its port, its origin, and the chain's id. From configuration, never from a request."""

    domain: str
    uri: str
    chain_id: str

    @classmethod
    def of_origin(cls, origin: str, chain_id: str) -> "Site":
        """The site at `origin`, such as https://app.example or http://127.0.0.1:3000. Raises InvalidInput."""
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path not in {"", "/"} or "@" in parts.netloc:
            raise InvalidInput("public_origin", given=origin, rule="scheme and host, and nothing after them: https://app.example")
        return cls(parts.netloc, f"{parts.scheme}://{parts.netloc}", chain_id)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the server asked one wallet to sign. `nonce` is used once; times are UTC in whole seconds."""

    site: Site
    wallet: Wallet
    nonce: str
    issued_at: datetime
    expires_at: datetime

    @property
    def text(self) -> str:
        """The canonical text, the only one that is accepted."""
        return (
            f"{self.site.domain} wants you to sign in with your Solana account:\n{self.wallet}\n\n{STATEMENT}\n\n"
            f"URI: {self.site.uri}\nVersion: {VERSION}\nChain ID: {self.site.chain_id}\nNonce: {self.nonce}\n"
            f"Issued At: {_shown(self.issued_at)}\nExpiration Time: {_shown(self.expires_at)}"
        )


def challenge(site: Site, wallet: Wallet, nonce: bytes, now: datetime) -> Challenge:
    """A new challenge. `nonce` is NONCE_BYTES of randomness."""
    issued_at = now.replace(microsecond=0)
    return Challenge(site, wallet, nonce.hex(), issued_at, issued_at + CHALLENGE_LIFE)


def verify(text: str, signature: Signature, wallet: Wallet, site: Site, now: datetime) -> Challenge:
    """The challenge that `text` is, once everything but the single use of its nonce has been checked.

    Raises InvalidInput naming `message`, `wallet_address` or `signature`: the text is not one of ours to the byte, is for another
    site, chain, wallet or time, could be a transaction, or was not signed by the wallet.
    """
    _refuse_what_is_no_challenge(text)
    read = _parsed(text)
    if read.site != site:
        raise InvalidInput(
            "message", given=f"{read.site.uri} on {read.site.chain_id}", rule=f"a challenge of {site.uri} on {site.chain_id}"
        )
    if read.wallet != wallet:
        raise InvalidInput("wallet_address", given=wallet, rule="the wallet that the message names")
    if read.expires_at - read.issued_at != CHALLENGE_LIFE or not read.issued_at - CLOCK_SKEW_MAX <= now < read.expires_at:
        raise InvalidInput("message", given=f"expires at {_shown(read.expires_at)}", rule="a challenge that has not expired")
    if not RawSignature.from_string(signature).verify(Pubkey.from_string(wallet), text.encode()):
        raise InvalidInput("signature", given=signature, rule="the wallet's Ed25519 signature over the exact text of the message")
    return read


def could_be_a_transaction(message: bytes) -> bool:
    """Whether these bytes parse as a transaction or as the message of one, of any version: signing them might move funds."""
    # A signed message is what a transaction's signature covers, so the bytes are tried alone and behind no signatures.
    return any(_parses(candidate) for candidate in (message, b"\x00" + message))


def _refuse_what_is_no_challenge(text: str) -> None:
    if text == STATIC_MESSAGE:
        rule = "the text of POST /auth/challenge; a fixed message could be replayed for ever"
        raise InvalidInput("message", given=STATIC_MESSAGE, rule=rule)
    if len(text) > MESSAGE_CHARACTERS_MAX:
        raise InvalidInput("message", given=f"{len(text)} characters", rule=f"at most {MESSAGE_CHARACTERS_MAX} characters")
    if could_be_a_transaction(text.encode("utf-8", "surrogatepass")):
        raise InvalidInput("message", given="bytes of a transaction", rule="the text of POST /auth/challenge")


def _parsed(text: str) -> Challenge:
    """Raises InvalidInput unless rendering what was read gives the same text."""
    found = _TEXT.fullmatch(text)
    if found and _NONCE.fullmatch(found["nonce"]):
        site = Site(found["domain"], found["uri"], found["chain_id"])
        try:
            times = [datetime.strptime(found[name], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC) for name in ("issued_at", "expires_at")]
        except ValueError:
            times = []
        if times and (read := Challenge(site, Wallet(found["wallet"]), found["nonce"], *times)).text == text:
            return read
    raise InvalidInput("message", given=text, rule="the exact text of POST /auth/challenge")


def _parses(raw: bytes) -> bool:
    try:
        VersionedTransaction.from_bytes(raw)
    except Exception:  # noqa: BLE001 - whatever the parser says of bytes that are none, they are none
        return False
    return True


def _shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
