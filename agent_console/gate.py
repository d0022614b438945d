"""The outermost layer of the console: what is refused before any route sees it, and headers on all answers.

foreign Origin      403 (requests that change something, and WebSockets)
body over 64 KiB    413, whatever Content-Length claims; slower than 10 s: 408
body not JSON       415
unexpected fault    500 in the one error shape; the details go to the log, never to the answer
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hotline.agent_console.errors import ApiError, error_response

log = logging.getLogger(__name__)

MAX_BODY_BYTES: Final = 64 * 1024
DISCARD_BYTES: Final = 1024 * 1024  # read and thrown away so that the sender gets to read the answer
BODY_SECONDS: Final = 10.0
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # the component library sets positions through style attributes
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def own_origin(origins: list[str], host: str, allowed: Collection[str]) -> bool:
    """Whether a request with these Origin headers may act: none, the site's own, or an allowed one.

    Own is what bears the host and port that the request itself was sent to; the scheme may differ, since TLS
    may end in front of this server. ``null`` (a sandboxed page, a file) is foreign.
    """
    return all(origin in allowed or _host_of(origin) == _split_host(host, origin) for origin in origins)


def _host_of(origin: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(origin)
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.path or parts.query:
            return None
        return parts.hostname, parts.port or _DEFAULT_PORTS[parts.scheme]
    except ValueError:
        return None


def _split_host(host: str, origin: str) -> tuple[str, int] | str:
    scheme = "https" if origin.startswith("https:") else "http"
    return _host_of(f"{scheme}://{host}") or "no such host"  # never equals a parsed origin


class Gate:
    """ASGI middleware; see the module."""

    def __init__(self, app: ASGIApp, allowed_origins: Collection[str]) -> None:
        self._app = app
        self._allowed = frozenset(allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _own(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        return own_origin(headers.getlist("origin"), headers.get("host", ""), self._allowed)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._own(scope):
            await self._app(scope, receive, send)
        else:
            log.warning("a WebSocket from a foreign origin was refused")
            await send({"type": "websocket.close", "code": 4403})  # before accepting: the server answers 403

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _add_headers(message, scope["path"])
            await send(message)

        try:
            if scope["method"] not in SAFE_METHODS:
                receive = _replay(await self._body(scope, receive), receive)
            await self._app(scope, receive, send_with_headers)
        except ApiError as error:
            await error_response(error)(scope, receive, send_with_headers)
        except Exception:
            log.exception("a console request failed")
            if started:
                raise
            fault = ApiError(500, "internal", "the server could not do this", hint="see the server's log")
            await error_response(fault)(scope, receive, send_with_headers)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        headers = Headers(scope=scope)
        if not self._own(scope):
            raise ApiError(403, "wrong_origin", "the request comes from a foreign page")
        claimed = headers.get("content-length", "0")
        if not claimed.isascii() or not claimed.isdigit() or int(claimed[:20]) > DISCARD_BYTES:
            raise _too_large()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _read(receive)
        except TimeoutError:
            raise ApiError(408, "too_slow", "the body did not come in time") from None
        if body and headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            raise ApiError(415, "not_json", "a body must be application/json")
        return body


async def _read(receive: Receive) -> bytes:
    body, size_bytes = bytearray(), 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ApiError(400, "bad_request", "the request broke off")
        size_bytes += len(message.get("body", b""))
        if size_bytes <= MAX_BODY_BYTES:
            body += message.get("body", b"")
        last = not message.get("more_body", False)
        if size_bytes > DISCARD_BYTES or (last and size_bytes > MAX_BODY_BYTES):
            raise _too_large()
        if last:
            return bytes(body)


def _too_large() -> ApiError:
    return ApiError(
        413, "too_large", f"a body has at most {MAX_BODY_BYTES} bytes", headers={"Connection": "close"}
    )


def _replay(body: bytes, receive: Receive) -> Receive:
    """A receive that hands out the body that was read already, then goes on with the original."""
    handed = False

    async def replay() -> Message:
        nonlocal handed
        if handed:
            return await receive()
        handed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _add_headers(message: Message, path: str) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in SECURITY_HEADERS.items():
        headers[name] = value
    if path.startswith("/api/"):
        headers["Cache-Control"] = "no-store"
