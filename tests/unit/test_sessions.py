"""Sessions: a token opens exactly its own session while that lasts; rotated, ended, expired, altered or foreign ones open nothing."""

import asyncio
import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from solders.keypair import Keypair
from tests.fakes.identity_memory import MemoryChallenges, MemorySessions, MemoryUsers, SetClock

from xorj.identity.authenticate_wallet import Doorkeeper, SignedIn
from xorj.identity.challenge import Site
from xorj.identity.permissions import FOLLOWER, OPERATOR, VISITOR
from xorj.identity.session import SESSION_LIFE, Session, SessionTokens, Unauthenticated
from xorj.primitives.errors import InvalidInput, RefusedForSafety
from xorj.primitives.ids import Signature, Wallet

SEED = bytes(range(32))
ANA = Keypair.from_seed(bytes([1]) * 32)
ANAS = Wallet(str(ANA.pubkey()))


def door(clock: SetClock | None = None, **changes: Any) -> Doorkeeper:
    parts: dict[str, Any] = {
        "site": Site.of_origin("http://127.0.0.1:3000", "localnet"),
        "tokens": SessionTokens(SEED),
        "challenges": MemoryChallenges(),
        "sessions": MemorySessions(),
        "users": MemoryUsers(),
        "clock": clock or SetClock(),
    }
    return Doorkeeper(**parts | changes)


async def signs_in(at: Doorkeeper, key: Keypair = ANA) -> SignedIn:
    wallet = Wallet(str(key.pubkey()))
    asked = await at.challenge(wallet)
    return await at.authenticate(wallet, Signature(str(key.sign_message(asked.text.encode()))), asked.text)


async def test_a_token_opens_its_session_with_the_specified_payload() -> None:
    at = door()
    done = await signs_in(at)
    found = await at.session_of(done.token)
    assert isinstance(found, Session)
    assert (found, found.wallet, found.permissions) == (done.session, ANAS, FOLLOWER)
    payload = jwt.decode(done.token, options={"verify_signature": False})
    issued = int(at.clock.now().timestamp())
    expected = {
        "user_id": found.user_id,
        "wallet_address": ANAS,
        "issued_at": issued,
        "expires_at": issued + 600,
        "permissions": sorted(FOLLOWER),
    }
    assert {name: payload[name] for name in expected} == expected


async def test_a_challenge_signs_in_once() -> None:
    at = door()
    asked = await at.challenge(ANAS)
    signature = Signature(str(ANA.sign_message(asked.text.encode())))
    outcomes = await asyncio.gather(*(at.authenticate(ANAS, signature, asked.text) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(one, SignedIn) for one in outcomes) == 1
    assert all(isinstance(one, SignedIn | InvalidInput) for one in outcomes)


async def test_the_same_wallet_is_the_same_user() -> None:
    at = door()
    assert (await signs_in(at)).session.user_id == (await signs_in(at)).session.user_id


async def test_a_closed_user_stays_out() -> None:
    with pytest.raises(RefusedForSafety):
        await signs_in(door(users=MemoryUsers(frozenset({ANAS}))))


async def test_operators_are_those_that_are_named() -> None:
    assert (await signs_in(door(operators=frozenset({ANAS})))).session.permissions == OPERATOR
    assert (await signs_in(door())).session.permissions == FOLLOWER


async def test_a_visitor_may_press_stop_and_nothing_else() -> None:
    at = door()
    found = await at.session_of((await at.visit()).token)
    assert isinstance(found, Session)
    assert (found.permissions, found.wallet) == (VISITOR, "")


async def test_refreshing_ends_the_old_token() -> None:
    at = door()
    first = await signs_in(at)
    second = await at.refresh(first.session)
    assert isinstance(second, SignedIn)
    assert isinstance(await at.session_of(first.token), Unauthenticated)
    assert isinstance(await at.session_of(second.token), Session)
    assert isinstance(await at.refresh(first.session), Unauthenticated)


async def test_leaving_ends_it_at_once() -> None:
    at = door()
    done = await signs_in(at)
    await at.leave(done.session)
    assert isinstance(await at.session_of(done.token), Unauthenticated)


async def test_it_ends_by_itself() -> None:
    clock = SetClock()
    at = door(clock)
    done = await signs_in(at)
    clock.passes(SESSION_LIFE - timedelta(seconds=1))
    assert isinstance(await at.session_of(done.token), Session)
    clock.passes(timedelta(seconds=2))
    assert isinstance(await at.session_of(done.token), Unauthenticated)


async def test_a_lost_store_lets_nobody_in() -> None:
    at = door()
    done = await signs_in(at)
    assert isinstance(await door(sessions=MemorySessions()).session_of(done.token), Unauthenticated)


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def forgeries(token: str, payload: dict[str, Any], header: dict[str, Any]) -> dict[str, str]:
    """Tokens that RFC 8725 warns of, and every single part changed or left out."""
    key = Ed25519PrivateKey.from_private_bytes(SEED)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    head, body, signature = token.split(".")

    def by_us(claims: dict[str, Any], **headers: Any) -> str:
        return jwt.encode(claims, key, algorithm="EdDSA", headers=header | headers)

    made = {
        "unsigned": f"{encoded({'alg': 'none', 'typ': 'at+jwt'})}.{body}.",
        "unsigned with a signature": f"{encoded(header | {'alg': 'none'})}.{body}.{signature}",
        "HMAC with our public key": jwt.encode(payload, public, algorithm="HS256", headers={k: v for k, v in header.items() if k != "alg"}),
        "another key": jwt.encode(payload, Ed25519PrivateKey.generate(), algorithm="EdDSA", headers=header),
        "another type": by_us(payload, typ="JWT"),
        "another kid": by_us(payload, kid="other"),
        "a key of its own": by_us(payload, jwk={"kty": "OKP"}),
        "a key from elsewhere": by_us(payload, jku="https://evil.example/keys"),
        "a certificate": by_us(payload, x5u="https://evil.example"),
        "a critical extension": by_us(payload, crit=["exp"]),
        "no signature": f"{head}.{body}.",
        "half a signature": f"{head}.{body}.{signature[: len(signature) // 2]}",
        "two dots too many": f"{token}..",
        "nothing": "",
        "no token": "not a token",
        "endless": "e" * 5_000,
        "the session of another": f"{head}.{encoded(payload | {'sid': 'x'})}.{signature}",
        "another issuer": by_us(payload | {"iss": "xorj.example"}),
        "a longer issuer": by_us(payload | {"iss": "xorj-evil"}),
        "another audience": by_us(payload | {"aud": "other"}),
        "an expiry that is a text": by_us(payload | {"exp": str(payload["exp"])}),
        "an expiry that is no number": by_us(payload | {"exp": None}),
        "a session that is a number": by_us(payload | {"sid": 7}),
    }
    return made | {f"without {name}": by_us({k: v for k, v in payload.items() if k != name}) for name in payload}


async def test_no_forged_token_opens_anything() -> None:
    at = door()
    done = await signs_in(at)
    payload = jwt.decode(done.token, options={"verify_signature": False})
    let_in = [
        name
        for name, forged in forgeries(done.token, payload, jwt.get_unverified_header(done.token)).items()
        if not isinstance(await at.session_of(forged), Unauthenticated)
    ]
    assert let_in == []


async def test_no_altered_character_opens_anything() -> None:
    at = door()
    token = (await signs_in(at)).token
    last_of_signature = len(token) - 1  # its low bits are padding: several characters stand for the same bytes
    for position in range(last_of_signature):
        altered = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        assert isinstance(await at.session_of(altered), Unauthenticated), position
