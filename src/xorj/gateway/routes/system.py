"""How the system is: database and services. For anybody; nothing here names a host or shows a secret."""

from importlib.metadata import version
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from xorj.gateway.limiting import read_limit
from xorj.gateway.parts import PartsOf
from xorj.observability.health import Health, State
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Slot

router = APIRouter(tags=["system"], dependencies=[read_limit])

Word = Literal["healthy", "degraded", "unhealthy"]
WORDS: dict[State, Word] = {State.OK: "healthy", State.DEGRADED: "degraded", State.FAILED: "unhealthy"}


class DatabaseStatus(BaseModel):
    """`schema_current`: the database is at the revision that this version of the code needs."""

    status: Word
    latency_ms: float | None
    schema_current: bool
    connections: int | None
    connections_max: int | None
    detail: str


class ServiceStatus(BaseModel):
    status: Word
    detail: str


class SystemStatus(BaseModel):
    """`status` is the worst of what the page needs: a database that answers, a chain that moves, engines that are ready."""

    status: Word
    environment: str
    version: str
    chain_genesis: str
    worthless: bool
    slot: Slot | None
    services: dict[str, ServiceStatus]


@router.get("/database/health")
async def database_health(parts: PartsOf, response: Response) -> DatabaseStatus:
    """503 while the database does not answer or has another schema."""
    try:
        found = await parts.system.database()
    except Unavailable as error:
        response.status_code = 503
        return DatabaseStatus(
            status="unhealthy", latency_ms=None, schema_current=False, connections=None, connections_max=None, detail=error.cause
        )
    current = found.revision == found.revision_needed
    response.status_code = 200 if current else 503
    return DatabaseStatus(
        status="healthy" if current else "unhealthy",
        latency_ms=round(found.latency_ms, 3),
        schema_current=current,
        connections=found.connections,
        connections_max=found.connections_max,
        detail="" if current else f"at revision {found.revision}, needs {found.revision_needed}",
    )


@router.get("/system/status")
async def system_status(parts: PartsOf, response: Response) -> SystemStatus:
    """Every process that this one can reach. 503 only when the database does not answer: without an engine the page still shows."""
    found = await parts.system.services()
    try:
        slot = (await parts.clock.now()).slot
        found["chain"] = Health(State.OK)
    except Unavailable as error:
        slot = None
        found["chain"] = Health(State.FAILED, error.cause)
    database_failed = found["database"].state is State.FAILED
    response.status_code = 503 if database_failed else 200
    worst: Word = "unhealthy" if database_failed else "degraded" if any(one.state is not State.OK for one in found.values()) else "healthy"
    return SystemStatus(
        status=worst,
        environment=parts.place.environment,
        version=version("xorj"),
        chain_genesis=parts.place.genesis,
        worthless=parts.place.is_worthless,
        slot=slot,
        services={name: ServiceStatus(status=WORDS[one.state], detail=one.detail) for name, one in found.items()},
    )
