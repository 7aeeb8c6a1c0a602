"""Headers of every answer: what a browser may do with it, what is left of the limit, and who may read it from another origin."""

from urllib.parse import urlsplit

from secure import (
    CacheControl,
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    Secure,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xorj.gateway.parts import Place
from xorj.observability.problems import problem

PREFLIGHT_SECONDS = 600
ALLOWED_HEADERS = ["authorization", "content-type", "idempotency-key", "x-request-id"]
EXPOSED_HEADERS = ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "retry-after", "x-request-id"]


class OwnOrigins(CORSMiddleware):
    """Lets pages of the specification's origins and of ours read answers, with credentials."""

    def __init__(self, app: ASGIApp, place: Place) -> None:
        super().__init__(
            app,
            allow_origins=[place.origin, *place.origins],
            allow_credentials=True,
            allow_methods=["GET", "POST", "PUT"],
            allow_headers=ALLOWED_HEADERS,
            expose_headers=EXPOSED_HEADERS,
            max_age=PREFLIGHT_SECONDS,
        )


class EdgeHeaders:
    """Adds the security headers and the rate limit's, and refuses a request that calls this server by another site's name."""

    def __init__(self, app: ASGIApp, place: Place) -> None:
        self._app, self._hosts = app, {host.lower() for host in place.hosts}
        self._headers = security_headers(encrypted=place.is_encrypted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(scope, MutableHeaders(scope=message))
            await send(message)

        if self._is_ours(Headers(scope=scope).get("host", "")):
            await self._app(scope, receive, sending)
        else:
            await problem("unknown-host", 421, "This server is not known by that name.")(scope, receive, sending)

    def _is_ours(self, host: str) -> bool:
        name = urlsplit(f"//{host}").hostname or ""
        return "*" in self._hosts or name.lower() in self._hosts

    def _add(self, scope: Scope, headers: MutableHeaders) -> None:
        for name, value in self._headers.items():
            headers.setdefault(name, value)
        allowance = scope.get("state", {}).get("allowance")
        if allowance is not None:
            headers["ratelimit-limit"] = str(allowance.limit.requests)
            headers["ratelimit-remaining"] = str(allowance.remaining)
            headers["ratelimit-reset"] = str(allowance.reset_seconds)
            headers["ratelimit-policy"] = f"{allowance.limit.requests};w={allowance.limit.seconds}"


def security_headers(*, encrypted: bool) -> dict[str, str]:
    """Nothing from elsewhere, in no frame, no sniffing; only over TLS where this is reached by TLS."""
    policy = (
        ContentSecurityPolicy()
        .default_src("'none'")
        .script_src("'self'")
        .style_src("'self'")
        .img_src("'self'")
        .connect_src("'self'")
        .base_uri("'none'")
        .form_action("'self'")
        .frame_ancestors("'none'")
        .custom_directive("require-trusted-types-for", "'script'")
    )
    chosen = Secure(
        csp=policy,
        cache=CacheControl().no_store(),
        coop=CrossOriginOpenerPolicy().same_origin(),
        corp=CrossOriginResourcePolicy().same_origin(),
        hsts=StrictTransportSecurity().max_age(31_536_000).include_subdomains() if encrypted else None,
        permissions=PermissionsPolicy().geolocation().microphone().camera(),
        referrer=ReferrerPolicy().no_referrer(),
        xcto=XContentTypeOptions().nosniff(),
        xfo=XFrameOptions().deny(),
    )
    return {name.lower(): value for name, value in chosen.headers.items()}
