"""Signing in: only the exact text of our own challenge, for this site, chain, wallet and time, signed by the wallet, lets anybody in."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message, MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature as RawSignature
from solders.transaction import VersionedTransaction
from tests.fakes.identity_memory import SetClock

from xorj.identity.challenge import CHALLENGE_LIFE, STATEMENT, STATIC_MESSAGE, Challenge, Site, challenge, could_be_a_transaction, verify
from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import Signature, Wallet

ANA, BEN = (Keypair.from_seed(bytes([seed]) * 32) for seed in (1, 2))
ANAS = Wallet(str(ANA.pubkey()))
SITE = Site.of_origin("https://app.example:8443", "mainnet")
NOW = SetClock().now()
ASKED = challenge(SITE, ANAS, bytes(range(16)), NOW)


def signed(text: str, key: Keypair = ANA) -> Signature:
    return Signature(str(key.sign_message(text.encode("utf-8", "surrogatepass"))))


def verified(text: str, *, signature: Signature | None = None, wallet: Wallet = ANAS, later: timedelta = timedelta()) -> Challenge:
    return verify(text, signature or signed(text), wallet, SITE, NOW + later)


def test_the_text_is_the_wallet_standards() -> None:
    assert ASKED.text == (
        f"app.example:8443 wants you to sign in with your Solana account:\n{ANAS}\n\n{STATEMENT}\n\n"
        "URI: https://app.example:8443\nVersion: 1\nChain ID: mainnet\nNonce: 000102030405060708090a0b0c0d0e0f\n"
        "Issued At: 2026-01-02T03:04:05Z\nExpiration Time: 2026-01-02T03:09:05Z"
    )


def test_an_answered_challenge_is_the_one_that_was_asked() -> None:
    assert verified(ASKED.text) == ASKED


ALTERED = {
    "another domain": ("app.example:8443 wants", "evil.example wants"),
    "a domain that looks alike": ("app.example:8443 wants", "аpp.example:8443 wants"),
    "a domain without its port": ("app.example:8443 wants", "app.example wants"),
    "another uri": ("URI: https://app.example:8443", "URI: https://evil.example"),
    "no uri": ("URI: https://app.example:8443\n", ""),
    "two uris": ("URI: https://app.example:8443\n", "URI: https://app.example:8443\nURI: https://app.example:8443\n"),
    "another version": ("Version: 1", "Version: 2"),
    "no version": ("Version: 1\n", ""),
    "another chain": ("Chain ID: mainnet", "Chain ID: devnet"),
    "no chain": ("Chain ID: mainnet\n", ""),
    "version after chain": ("Version: 1\nChain ID: mainnet", "Chain ID: mainnet\nVersion: 1"),
    "a short nonce": ("Nonce: 000102030405060708090a0b0c0d0e0f", "Nonce: 0001"),
    "a nonce in capitals": ("0a0b0c0d0e0f", "0A0B0C0D0E0F"),
    "a nonce in the statement": (STATEMENT, "Nonce: 000102030405060708090a0b0c0d0e0f"),
    "another statement": (STATEMENT, "Give me everything."),
    "no statement": (f"{STATEMENT}\n\n", ""),
    "no expiry": ("\nExpiration Time: 2026-01-02T03:09:05Z", ""),
    "a longer life": ("Expiration Time: 2026-01-02T03:09:05Z", "Expiration Time: 2027-01-02T03:09:05Z"),
    "a time with an offset": ("Issued At: 2026-01-02T03:04:05Z", "Issued At: 2026-01-02T03:04:05+00:00"),
    "a time that is none": ("Issued At: 2026-01-02T03:04:05Z", "Issued At: 2026-13-02T03:04:05Z"),
    "a resource": ("Expiration Time: 2026-01-02T03:09:05Z", "Expiration Time: 2026-01-02T03:09:05Z\nResources:\n- https://evil.example"),
    "a newline at the end": ("03:09:05Z", "03:09:05Z\n"),
    "windows line ends": ("\n", "\r\n"),
    "a space at the end": ("03:09:05Z", "03:09:05Z "),
    "a header of a wallet's": ("app.example:8443 wants", "\x19Solana Signed Message:\napp.example:8443 wants"),
}


@pytest.mark.parametrize("what", ALTERED)
def test_a_text_that_is_not_ours_to_the_byte_is_refused_though_signed(what: str) -> None:
    old, new = ALTERED[what]
    text = ASKED.text.replace(old, new)
    assert text != ASKED.text
    with pytest.raises(InvalidInput) as refused:
        verified(text)
    assert refused.value.field == "message"


@pytest.mark.parametrize("position", range(0, len(ASKED.text), 3))
def test_no_byte_may_be_left_out(position: int) -> None:
    with pytest.raises(InvalidInput):
        verified(ASKED.text[:position] + ASKED.text[position + 1 :])


def test_the_specifications_fixed_message_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="replayed for ever"):
        verified(STATIC_MESSAGE)


class TestTime:
    def test_the_whole_life_counts(self) -> None:
        assert verified(ASKED.text, later=CHALLENGE_LIFE - timedelta(seconds=1)) == ASKED

    @pytest.mark.parametrize("later", [CHALLENGE_LIFE, timedelta(days=1), -timedelta(seconds=61)])
    def test_before_and_after_it_is_refused(self, later: timedelta) -> None:
        with pytest.raises(InvalidInput, match="not expired"):
            verified(ASKED.text, later=later)


class TestSignature:
    def test_another_wallets_is_refused(self) -> None:
        with pytest.raises(InvalidInput) as refused:
            verified(ASKED.text, signature=signed(ASKED.text, BEN))
        assert refused.value.field == "signature"

    def test_a_wallet_cannot_answer_for_another(self) -> None:
        with pytest.raises(InvalidInput) as refused:
            verified(ASKED.text, signature=signed(ASKED.text, BEN), wallet=Wallet(str(BEN.pubkey())))
        assert refused.value.field == "wallet_address"

    def test_every_altered_bit_is_refused(self) -> None:
        good = bytes(RawSignature.from_string(signed(ASKED.text)))
        for bit in range(512):
            bad = bytearray(good)
            bad[bit // 8] ^= 1 << bit % 8
            with pytest.raises(InvalidInput):
                verified(ASKED.text, signature=Signature(str(RawSignature.from_bytes(bytes(bad)))))

    def test_the_other_form_of_s_is_refused(self) -> None:
        order = 2**252 + 27742317777372353535851937790883648493
        good = bytes(RawSignature.from_string(signed(ASKED.text)))
        malleable = good[:32] + (int.from_bytes(good[32:], "little") + order).to_bytes(32, "little")
        with pytest.raises(InvalidInput):
            verified(ASKED.text, signature=Signature(str(RawSignature.from_bytes(malleable))))

    @pytest.mark.parametrize(
        "key",
        [
            "0100000000000000000000000000000000000000000000000000000000000000",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0000000000000000000000000000000000000000000000000000000000000080",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        ],
    )
    def test_keys_of_small_order_sign_nothing(self, key: str) -> None:
        """Under such a key one signature fits many messages, so nobody needs to know a secret."""
        wallet = Wallet(str(Pubkey.from_bytes(bytes.fromhex(key))))
        asked = challenge(SITE, wallet, bytes(16), NOW)
        identity = bytes([1]) + bytes(31)
        for r in (identity, bytes.fromhex(key)):
            with pytest.raises(InvalidInput):
                verify(asked.text, Signature(str(RawSignature.from_bytes(r + bytes(32)))), wallet, SITE, NOW)


KEYS = st.binary(min_size=32, max_size=32).map(Pubkey.from_bytes)
INSTRUCTIONS = st.builds(
    Instruction,
    KEYS,
    st.binary(max_size=64),
    st.lists(st.builds(AccountMeta, KEYS, st.just(False), st.booleans()), max_size=4),
)


@given(st.lists(INSTRUCTIONS, min_size=1, max_size=3), KEYS, st.sampled_from(["legacy", "v0"]))
def test_bytes_that_are_a_transaction_are_never_taken_for_a_text(instructions: list[Instruction], payer: Pubkey, form: str) -> None:
    blockhash = Hash.default()
    message = (
        Message.new_with_blockhash(instructions, payer, blockhash)
        if form == "legacy"
        else MessageV0.try_compile(payer, instructions, [], blockhash)
    )
    whole = VersionedTransaction.populate(message, [RawSignature.default()] * message.header.num_required_signatures)
    assert could_be_a_transaction(to_bytes_versioned(message))
    assert could_be_a_transaction(bytes(whole))


@given(st.binary(min_size=16, max_size=16), KEYS)
def test_no_challenge_of_ours_could_be_a_transaction(nonce: bytes, wallet: Pubkey) -> None:
    assert not could_be_a_transaction(challenge(SITE, Wallet(str(wallet)), nonce, NOW).text.encode())


@pytest.mark.parametrize(
    "origin", ["", "app.example", "ftp://app.example", "https://app.example/page", "https://me@app.example", "https://"]
)
def test_a_site_is_scheme_and_host_alone(origin: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Site.of_origin(origin, "mainnet")
    assert refused.value.field == "public_origin"
