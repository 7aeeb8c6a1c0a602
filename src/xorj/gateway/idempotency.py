"""A write that must not happen twice because an answer was lost: the same Idempotency-Key gets the first answer again."""

import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Annotated

import orjson
from fastapi import Header, Request, Response
from pydantic import BaseModel

from xorj.gateway.parts import Parts
from xorj.gateway.refusals import Refusal, conflict
from xorj.identity.idempotency import Fresh, OtherRequest, Replayed
from xorj.identity.session import Session
from xorj.primitives.errors import InvalidInput

KEY = re.compile(r"[\x21-\x7e]{8,128}")

IdempotencyKey = Annotated[str | None, Header(description="Any 8 to 128 visible characters, new for every new wish.")]


async def once(request: Request, parts: Parts, session: Session, key: str | None, act: Callable[[], Awaitable[BaseModel]]) -> Response:
    """What `act` answers, done once for each key of this user. Without a key it is simply done.

    A Refusal or invalid input changed nothing and frees the key. Raises InvalidInput for a malformed key.
    """
    if key is None:
        return _json(200, (await act()).model_dump(mode="json"))
    if not KEY.fullmatch(key):
        raise InvalidInput("idempotency-key", given=key, rule="8 to 128 visible ASCII characters")
    begun = await parts.idempotency.begin(session.user_id, key, await _hash(request))
    if isinstance(begun, Replayed):
        return _json(begun.status_code, begun.body, replayed=True)
    if isinstance(begun, OtherRequest):
        raise Refusal("idempotency-key-reused", 422, "This Idempotency-Key was used for another request.")
    if not isinstance(begun, Fresh):
        raise conflict("idempotency-key-in-use", "The first request with this Idempotency-Key is still being done.")
    try:
        body = (await act()).model_dump(mode="json")
    except BaseException:
        await parts.idempotency.forget(session.user_id, key)
        raise
    await parts.idempotency.finish(session.user_id, key, 200, body)
    return _json(200, body)


async def _hash(request: Request) -> str:
    return hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + await request.body()).hexdigest()


def _json(status: int, body: object, *, replayed: bool = False) -> Response:
    headers = {"idempotency-replayed": "true"} if replayed else None
    return Response(orjson.dumps(body), status, headers, "application/json")
