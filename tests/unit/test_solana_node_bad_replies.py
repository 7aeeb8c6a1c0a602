"""What a node may answer and must not be believed: cut off, not JSON, busy, null, too large, somebody else's."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import orjson
import pytest
import stamina

from xorj.adapters.solana_rpc.json_rpc import READ_ATTEMPTS_MAX, REPLY_BYTES_MAX
from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.chain.transactions import SendHint
from xorj.primitives.errors import InvalidInput, Unavailable
from xorj.primitives.ids import SOL, Address, Signature

ADDRESS = Address(str(SOL))
SIGNATURE = Signature("1" * 64)
Answer = Callable[[httpx2.Request], httpx2.Response]


@pytest.fixture(autouse=True)
def without_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=READ_ATTEMPTS_MAX):
        yield


class Scripted:
    """Answers in the order given, the last one for ever, and keeps what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.asked: list[Any] = []
        self._answers = list(answers)
        self.node = SolanaNode("http://node.test/?api-key=secret", transport=httpx2.MockTransport(self))

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(orjson.loads(request.content))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx2.Response) else httpx2.Response(200, content=orjson.dumps(answer))


def result(value: Any) -> Any:
    return {"jsonrpc": "2.0", "id": 0, "result": value}


def refusal(code: int, message: str) -> Any:
    return {"jsonrpc": "2.0", "id": 0, "error": {"code": code, "message": message}}


NOT_USABLE = {
    "cut off": httpx2.Response(200, content=b'{"jsonrpc":"2.0","id":0,"resu'),
    "a page of HTML": httpx2.Response(200, content=b"<html>Welcome</html>"),
    "an empty body": httpx2.Response(200, content=b""),
    "null": None,
    "a list for one question": [],
    "neither result nor error": {"jsonrpc": "2.0", "id": 0},
    "an answer to another question": {"jsonrpc": "2.0", "id": 5, "result": 1},
    "an error without a code": {"jsonrpc": "2.0", "id": 0, "error": {"message": "boom"}},
    "an error that is a text": {"jsonrpc": "2.0", "id": 0, "error": "boom"},
    "a gateway's failure": httpx2.Response(502, content=b"<html>bad gateway</html>"),
    "no access": httpx2.Response(401, content=b"{}"),
    "a time-out": httpx2.ReadTimeout("too slow"),
    "a closed connection": httpx2.RemoteProtocolError("gone"),
    "a null where a number must be": result(None),
    "a text where a number must be": result("5"),
    "a number with a fraction": result(5.5),
    "a negative number": result(-1),
    "a truth where a number must be": result(True),
    "a number wider than 64 bits": httpx2.Response(200, content=b'{"jsonrpc":"2.0","id":0,"result":18446744073709551616}'),
}


@pytest.mark.parametrize("answer", NOT_USABLE.values(), ids=NOT_USABLE.keys())
async def test_what_is_no_answer_makes_the_node_unavailable_and_never_shows_its_key(answer: Any) -> None:
    with pytest.raises(Unavailable) as caught:
        await Scripted(answer).node.slot()
    assert caught.value.system == "node.test"
    assert "secret" not in str(caught.value)


async def test_a_busy_node_is_asked_again() -> None:
    script = Scripted(httpx2.Response(429, headers={"retry-after": "1"}), refusal(-32005, "Node is behind"), result(7))
    assert await script.node.slot() == 7
    assert len(script.asked) == 3


async def test_a_node_that_stays_busy_is_given_up_after_the_named_number_of_attempts() -> None:
    script = Scripted(httpx2.Response(503))
    with pytest.raises(Unavailable, match="HTTP 503"):
        await script.node.slot()
    assert len(script.asked) == READ_ATTEMPTS_MAX


async def test_a_refusal_is_not_repeated() -> None:
    script = Scripted(refusal(-32602, "Invalid params"))
    with pytest.raises(Unavailable, match=r"Invalid params \(-32602\)"):
        await script.node.slot()
    assert len(script.asked) == 1


async def test_the_pause_a_node_asks_for_is_kept() -> None:
    with stamina.set_testing(False):
        pauses: list[float] = []
        stamina.instrumentation.set_on_retry_hooks([lambda details: pauses.append(details.wait_for)])
        try:
            assert await Scripted(httpx2.Response(429, headers={"retry-after": "1"}), result(1)).node.slot() == 1
        finally:
            stamina.instrumentation.set_on_retry_hooks(None)
    assert pauses == [1.0]


@pytest.mark.parametrize("answer", [*NOT_USABLE.values(), refusal(-32002, "no")][:14], ids=str)
async def test_a_send_is_tried_once_and_its_failure_is_a_hint(answer: Any) -> None:
    script = Scripted(answer)
    hint = await script.node.send(b"signed")
    assert isinstance(hint, SendHint)
    assert not hint.accepted
    assert len(script.asked) == 1


async def test_a_send_leaves_preflight_and_repeats_to_us() -> None:
    script = Scripted(result(SIGNATURE))
    assert await script.node.send(b"signed") == SendHint(accepted=True, detail=SIGNATURE)
    assert script.asked[0]["params"] == ["c2lnbmVk", {"encoding": "base64", "skipPreflight": True, "maxRetries": 0}]


async def test_a_batch_is_matched_by_number_and_asks_for_every_version() -> None:
    replies = [{"jsonrpc": "2.0", "id": number, "result": None} for number in (1, 0)]
    script = Scripted(replies)
    assert await script.node.transactions([SIGNATURE, SIGNATURE]) == [None, None]
    assert {one["params"][1]["maxSupportedTransactionVersion"] for one in script.asked[0]} == {1}


@pytest.mark.parametrize(
    "replies",
    [
        [{"jsonrpc": "2.0", "id": 0, "result": None}],
        [{"jsonrpc": "2.0", "id": 0, "result": None}, {"jsonrpc": "2.0", "id": 0, "result": None}],
        [{"jsonrpc": "2.0", "id": 0, "result": None}, "gone"],
        {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "batches are not served"}},
        {"jsonrpc": "2.0", "id": None, "result": []},
        [{"jsonrpc": "2.0", "id": 0, "result": None}, {"jsonrpc": "2.0", "id": 1, "error": {"code": -32015, "message": "version"}}],
    ],
    ids=["one missing", "one twice", "not an object", "refused whole", "not a list", "one refused"],
)
async def test_a_batch_is_whole_or_not_at_all(replies: Any) -> None:
    with pytest.raises(Unavailable):
        await Scripted(replies).node.transactions([SIGNATURE, SIGNATURE])


async def test_more_transactions_than_a_batch_holds_are_asked_in_several() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(len(orjson.loads(request.content)))
        rows = [{"jsonrpc": "2.0", "id": one["id"], "result": None} for one in orjson.loads(request.content)]
        return httpx2.Response(200, content=orjson.dumps(rows))

    asked: list[int] = []
    node = SolanaNode("http://node.test", transport=httpx2.MockTransport(answer))
    assert len(await node.transactions([SIGNATURE] * 250)) == 250
    assert sorted(asked) == [50, 100, 100]


@pytest.mark.parametrize(
    "value",
    [
        {"context": {"slot": 5}, "value": []},
        {"context": {"slot": 5}, "value": [{"lamports": 1, "owner": ADDRESS, "data": ["!!", "base64"]}]},
        {"context": {"slot": 5}, "value": [{"lamports": 1, "owner": ADDRESS, "data": ["", "base58"]}]},
        {"context": {"slot": 5}, "value": [{"lamports": 2**64, "owner": ADDRESS, "data": ["", "base64"]}]},
        {"context": {"slot": 5}, "value": [{"lamports": 1, "owner": "not base58 0OIl", "data": ["", "base64"]}]},
        {"context": {}, "value": [None]},
        {"value": [None]},
        {"context": {"slot": 5}},
    ],
    ids=["too few", "not base64", "another encoding", "too wide", "a bad owner", "no slot", "no context", "no value"],
)
async def test_an_account_is_read_strictly(value: Any) -> None:
    body = json.dumps(result(value)).encode()  # writes integers of any width, as a node might
    with pytest.raises(Unavailable):
        await Scripted(httpx2.Response(200, content=body)).node.accounts([ADDRESS])


async def test_a_status_of_unknown_commitment_is_refused() -> None:
    status = {"slot": 1, "confirmationStatus": "certain", "err": None}
    with pytest.raises(Unavailable, match="confirmationStatus"):
        await Scripted(result({"context": {"slot": 1}, "value": [status]})).node.statuses([SIGNATURE])


async def test_limits_of_a_call_are_named_before_anything_is_asked() -> None:
    script = Scripted(result(None))
    for call in (
        script.node.accounts([ADDRESS] * 101),
        script.node.statuses([SIGNATURE] * 257),
        script.node.recent_priority_fees([ADDRESS] * 129),
    ):
        with pytest.raises(InvalidInput):
            await call
    assert script.asked == []


async def test_an_answer_larger_than_the_limit_is_not_read_to_its_end() -> None:
    with pytest.raises(Unavailable, match=f"larger than {REPLY_BYTES_MAX} bytes"):
        await Scripted(httpx2.Response(200, content=b"[" + b" " * REPLY_BYTES_MAX)).node.slot()


@pytest.mark.parametrize("url", ["", "ftp://node", "node:8899", "http://"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="rpc_url"):
        SolanaNode(url)
