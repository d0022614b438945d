"""The console as an outsider sees it: its HTTP API and its WebSocket, signed in as one user."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from hotline.core.backoff import backoff
from hotline.core.errors import PeerError
from hotline.server.demo.whole_texts import WholeTexts

HTTP_SECONDS = 10.0

#: The largest frame taken: a snapshot of every call with its text.
MAX_FRAME_BYTES = 16 * 1024 * 1024

#: The server says `alive` after 15 s of quiet; a line that says nothing for so long is dead.
QUIET_SECONDS = 40.0

#: Close codes after which coming back would not help: see docs/console-api.md.
FINAL_CODES = frozenset({4400, 4401, 4403, 4429})


class ConsoleClient:
    """One user's session.

    Args:
        url: where the console is, ``http://host:port``.
        user: the account's name.
    """

    def __init__(self, url: str, user: str) -> None:
        self.user = user
        self.pause_reasons: list[str] = []
        parts = urlsplit(url)
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or 80
        self._cookie = ""

    async def sign_in(self, password: str) -> None:
        """Open a session; `PeerError` when the console refuses."""
        await self._request("POST", "/api/session", {"user": self.user, "password": password})
        site = await self._request("GET", "/api/site")
        self.pause_reasons = [str(reason) for reason in site["pause_reasons"]]

    async def sign_out(self) -> None:
        """Close the session."""
        await self._request("DELETE", "/api/session")
        self._cookie = ""

    async def agent(self, action: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Do one of ``sign-in``, ``sign-out``, ``pause`` and ``resume`` at the user's own seat."""
        return await self.post(f"/api/agent/{action}", body)

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Do something of the API."""
        return await self._request("POST", path, body)

    async def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Replace something of the API."""
        return await self._request("PUT", path, body)

    async def get(self, path: str) -> dict[str, Any]:
        """Read something of the API."""
        return await self._request("GET", path)

    async def frames(self, topics: list[str]) -> AsyncGenerator[dict[str, Any], None]:
        """Every frame of the WebSocket, partial texts whole, for ever; after a break it goes on where it was.

        Raises:
            PeerError: the server closed it for good.
        """
        boot_id: str | None = None
        last_seq: int | None = None
        pauses = backoff()
        while True:
            try:
                url = f"ws://{self._host}:{self._port}/ws"
                async with connect(
                    url,
                    additional_headers={"Cookie": self._cookie},
                    max_size=MAX_FRAME_BYTES,
                    compression=None,  # a frame's time counts here, not its size
                    proxy=None,
                ) as socket:
                    hello = {"type": "hello", "topics": topics, "boot_id": boot_id, "last_seq": last_seq}
                    await socket.send(json.dumps(hello))
                    texts = WholeTexts()
                    while True:
                        async with asyncio.timeout(QUIET_SECONDS):
                            frame = json.loads(await socket.recv())
                        pauses = backoff()
                        boot_id = frame.get("boot_id", boot_id)
                        last_seq = frame.get("seq", last_seq)
                        if (whole := texts.of(frame)) is not None:
                            yield whole
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd is not None else 1006
                if code in FINAL_CODES:
                    raise PeerError(f"the console closed the WebSocket for good: {code}") from closed
            except (OSError, InvalidHandshake, TimeoutError):
                pass  # it comes back, or the demo ends: the pause below is the policy
            await asyncio.sleep(next(pauses))

    async def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return await asyncio.to_thread(self._exchange, method, path, body)

    def _exchange(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        """One request and its answer; runs in a thread."""
        headers = {"Cookie": self._cookie} if self._cookie else {}
        payload = None
        if body is not None:
            payload = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection(self._host, self._port, timeout=HTTP_SECONDS)
        try:
            connection.request(method, path, payload, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise PeerError(f"the console does not answer: {error}") from error
        finally:
            connection.close()
        cookie = response.getheader("Set-Cookie")
        if cookie and response.status < 300 and method == "POST":
            self._cookie = cookie.split(";")[0]
        if response.status >= 300:
            raise PeerError(f"the console refused {method} {path}: {response.status} {_reason(content)}")
        return dict(json.loads(content) or {}) if content else {}


def _reason(content: bytes) -> str:
    """The code in an error's body, as far as there is one."""
    try:
        return str(json.loads(content)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return ""
