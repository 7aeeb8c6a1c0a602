"""Many who ask at once for what is not kept: each gets an answer of his own, and nobody waits for ever."""

import asyncio
from collections.abc import Hashable

from starlette.types import Message, Receive, Scope, Send

from xorj.gateway.kept_answers import KeptAnswers

ANSWERED_S_MAX = 5.0


class Refusing:
    """Answers every question with 401, the first as soon as it is let, the others in the order in which they came to it."""

    def __init__(self) -> None:
        self.asked: list[asyncio.Event] = []
        self.came: asyncio.Queue[asyncio.Event] = asyncio.Queue()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        let = asyncio.Event()
        self.asked.append(let)
        self.came.put_nowait(let)
        await let.wait()
        await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body", "body": str(len(self.asked)).encode()})


class OfOneKey(KeptAnswers):
    """Everybody asks the same with the same rights."""

    async def _key(self, scope: Scope) -> Hashable:
        return "key"


async def status_of(answers: KeptAnswers) -> int:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    await answers({"type": "http", "method": "GET", "path": "/api/user/status", "query_string": b"", "headers": []}, receive, send)
    return int(sent[0]["status"])


async def test_who_waited_for_an_answer_that_is_not_kept_gets_his_own_and_so_does_who_comes_later() -> None:
    app = Refusing()
    answers = OfOneKey(app)
    async with asyncio.timeout(ANSWERED_S_MAX):
        asking = [asyncio.create_task(status_of(answers)) for _ in range(3)]
        (await app.came.get()).set()
        second, third = await app.came.get(), await app.came.get()
        asking.append(asyncio.create_task(status_of(answers)))
        fourth = await app.came.get()
        for let in (second, third, fourth):
            let.set()
        assert await asyncio.gather(*asking) == [401] * 4
    assert len(app.asked) == 4


async def test_when_who_asked_first_goes_away_the_others_are_answered() -> None:
    app = Refusing()
    answers = OfOneKey(app)
    async with asyncio.timeout(ANSWERED_S_MAX):
        first, other = (asyncio.create_task(status_of(answers)) for _ in range(2))
        await app.came.get()
        first.cancel()
        (await app.came.get()).set()
        assert await other == 401
