"""Logs: one line an event with its ids, and no secret on any way into them."""

import io
import json
import logging as standard
from collections.abc import Iterator
from dataclasses import dataclass

import orjson
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from xorj.observability import logging
from xorj.observability.redaction import REDACTED, Redactor

CANARY = "correct-horse-battery-staple"


@dataclass
class Logs:
    stream: io.StringIO

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def events(self) -> list[dict[str, object]]:
        return [orjson.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def logs() -> Iterator[Logs]:
    root = standard.getLogger()
    before = (root.handlers, root.level)
    stream = io.StringIO()
    logging.configure("trade-bot", form="json", secrets=[CANARY], stream=stream)
    yield Logs(stream)
    root.handlers, root.level = before
    structlog.reset_defaults()


def test_an_event_is_one_line_with_time_level_service_part_and_bound_ids(logs: Logs) -> None:
    with logging.bound(request_id="r1", intent_id="i1"):
        logging.get("execution").info("intent_settled", slot=7)
    logging.get("execution").info("idle")
    first, second = logs.events
    assert {name: first[name] for name in ("event", "level", "service", "part", "request_id", "intent_id", "slot")} == {
        "event": "intent_settled",
        "level": "info",
        "service": "trade-bot",
        "part": "execution",
        "request_id": "r1",
        "intent_id": "i1",
        "slot": 7,
    }
    assert str(first["timestamp"]).endswith("Z")
    assert "request_id" not in second


def test_levels_below_the_chosen_one_and_chatty_libraries_are_silent(logs: Logs) -> None:
    logging.get("x").debug("hidden")
    standard.getLogger("uvicorn.error").info("Started server process")
    standard.getLogger("sqlalchemy.engine").info("SELECT 1")
    assert logs.text == ""


def test_libraries_go_through_the_same_pipeline(logs: Logs) -> None:
    standard.getLogger("psycopg").warning("connecting with %s failed", f"postgresql://xorj:{CANARY}@db/x")
    (event,) = logs.events
    assert (event["service"], event["level"], REDACTED in str(event["event"])) == ("trade-bot", "warning", True)
    assert CANARY not in logs.text


WAYS_IN = {
    "as a value": lambda log: log.info("e", note=CANARY),
    "inside a text": lambda log: log.info(f"failed for {CANARY}"),
    "nested": lambda log: log.info("e", facts={"a": [{"b": (f"x{CANARY}x",)}]}),
    "as a dictionary's key's value": lambda log: log.info("e", headers={"Authorization": "short1"}),
    "in an object's text": lambda log: log.info("e", error=ValueError(CANARY)),
    "in bytes": lambda log: log.info("e", body=CANARY.encode()),
    "in an exception": None,
}


@pytest.mark.parametrize("way", WAYS_IN)
def test_a_known_secret_is_in_no_line_whichever_way_it_came(way: str, logs: Logs) -> None:
    log = logging.get("x")
    if (write := WAYS_IN[way]) is not None:
        write(log)
    else:
        try:
            raise RuntimeError(f"could not open {CANARY}")
        except RuntimeError:
            log.exception("failed")
    assert CANARY not in logs.text
    assert "short1" not in logs.text
    assert REDACTED in logs.text


@pytest.mark.parametrize("form", ["json", "console"])
def test_both_forms_are_redacted(form: str) -> None:
    stream = io.StringIO()
    root = standard.getLogger()
    before = (root.handlers, root.level)
    logging.configure("x", form="json" if form == "json" else "console", secrets=[CANARY], stream=stream)
    logging.get("x").warning("e", passphrase="p", note=CANARY)
    root.handlers, root.level = before
    structlog.reset_defaults()
    assert CANARY not in stream.getvalue()
    assert stream.getvalue().count(REDACTED) == 2


def clean(**event: object) -> dict[str, object]:
    return dict(Redactor()(None, "info", dict(event)))


SECRET_NAMES = ["key", "api_key", "apiKey", "private_key", "signer_keypair", "passphrase", "password", "session_token", "Authorization"]
SECRET_NAMES += ["set-cookie", "jwt", "client_secret", "mnemonic"]
PUBLIC_NAMES = ["public_key", "order_key", "idempotency_key", "token_account", "key_count", "mint", "signature", "wallet", "monkey"]


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_what_is_named_like_a_secret_is_cut(name: str) -> None:
    assert clean(**{name: "v"}) == {name: REDACTED}


@pytest.mark.parametrize("name", PUBLIC_NAMES)
def test_what_only_sounds_like_one_is_kept(name: str) -> None:
    assert clean(**{name: "v"}) == {name: "v"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://u:pw@h/db", f"postgresql://u:{REDACTED}@h/db"),
        ("redis://:pw@h:6379/0", f"redis://:{REDACTED}@h:6379/0"),
        ("https://rpc.example/?api-key=abc123&x=1", f"https://rpc.example/?api-key={REDACTED}&x=1"),
        ("Authorization: Bearer abcdef123456", f"Authorization: Bearer {REDACTED}"),
        ("token eyJhbGciOiJI.eyJzdWIi.c2ln", f"token {REDACTED}"),
        (str([7] * 64), REDACTED),
        ("signature 5VERv8NMvzbJMEkV8xnrLkEaWRtSz9CosKDYjCJjBRnb", "signature 5VERv8NMvzbJMEkV8xnrLkEaWRtSz9CosKDYjCJjBRnb"),
        ("at 10:30 of a@b", "at 10:30 of a@b"),
    ],
)
def test_shapes_of_secrets_are_cut_from_texts(text: str, shown: str) -> None:
    assert clean(note=text) == {"note": shown}


def test_key_bytes_and_secret_settings_are_cut() -> None:
    assert clean(bytes_of=list(range(64)), setting=SecretStr("x"))["bytes_of"] == REDACTED
    assert "x" not in str(clean(setting=SecretStr("x"))["setting"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.text("abcdefghijklmnop", min_size=8, max_size=20))
def test_no_shape_of_event_carries_a_known_secret(value: object, secret: str) -> None:
    planted = {"a": value, "b": [f"x{secret}y", {"c": secret}], secret: 1}
    cleaned = Redactor([secret])(None, "info", {"planted": planted})
    assert secret not in json.dumps(cleaned)
