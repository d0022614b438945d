"""uvicorn inside the running loop: no signal handlers of its own, no access log, a stop that ends.

ConsoleServer(deps).start()   the port is open and pages are pushed to when it returns
ConsoleServer.aclose()        stop accepting, close sockets with 1012, a few seconds for requests, abort
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Iterator
from typing import Any, Final

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

from hotline.agent_console.app import create_app
from hotline.agent_console.deps import ConsoleDeps
from hotline.agent_console.hub import CLOSE_RESTART
from hotline.agent_console.room import Room
from hotline.agent_console.sockets import CUT_EXTENSION
from hotline.core.backoff import backoff
from hotline.core.errors import SetupError

log = logging.getLogger(__name__)

STOP_SECONDS: Final = 3  # for requests under way when the server stops
CUT_SECONDS: Final = 3.0  # for a page to take its close frame before its connection is aborted
PING_SECONDS: Final = 20.0
MAX_SOCKET_FRAME_BYTES: Final = (
    16 * 1024
)  # beyond it the frame is not even read; 4 KiB is the contract's bound
HEAD_SECONDS: Final = 10.0  # for a request's line and headers; up to twice that on a connection used before
MAX_HEADER_BYTES: Final = 32 * 1024
TRUSTED_PROXIES: Final = "127.0.0.1,::1"  # whose X-Forwarded-For is believed


class ConsoleSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket with a way to end a connection whose peer does not read.

    ASGI's own close waits for room in the send buffer, which such a peer never makes. ``cut`` appends the
    close frame behind what already waits and aborts the connection when the peer has not answered in time.
    """

    async def run_asgi(self) -> None:
        """Offer ``cut`` to the application."""
        extensions: dict[str, Any] = self.scope.setdefault("extensions", {})
        extensions[CUT_EXTENSION] = self.cut
        await super().run_asgi()

    def cut(self, code: int, reason: str) -> None:
        """Say goodbye without waiting; no error when the connection is already ending."""
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self.stop_keepalive()
        with contextlib.suppress(InvalidState):
            self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(CUT_SECONDS, self.transport.abort)


class ConsoleHttp(H11Protocol):
    """uvicorn's HTTP with a bound on how long a request's head may take.

    uvicorn closes connections that are idle, but waits for ever for one that began a request and does not end
    it; a few thousand of those would use up the process's file descriptors.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begun: object = None  # the request before the one that has begun to come
        self._look_in = self.loop.call_later(HEAD_SECONDS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        self._look_in.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        """End the connection if it has been sending the same head since the last look."""
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return
        waiting = self.conn.their_state is h11.IDLE
        begun = waiting and bool(self.conn.trailing_data[0])
        if waiting and (self.cycle is None or (begun and self._begun is self.cycle)):
            self.transport.abort()
            return
        self._begun = self.cycle if begun else None
        self._look_in = self.loop.call_later(HEAD_SECONDS, self._look)


class _Uvicorn(uvicorn.Server):
    """uvicorn that leaves signals alone and stops at once when told."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self.stop = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the composition root's."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        """Keep the Date header fresh once a second until told to stop."""
        while not self.stop.is_set():
            await self.on_tick(0)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self.stop.wait()

    def abort_all(self) -> None:
        """End what the graceful stop left over."""
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket.

    Raises:
        SetupError: the port is taken, not allowed, or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SetupError(
                f"port {port} on {host} is taken", hint="stop the program that has it, or change web.port"
            ) from error
        if error.errno == errno.EACCES:
            raise SetupError(f"port {port} needs more rights", hint="set web.port above 1023") from error
        raise SetupError(
            f"cannot listen on {host} port {port}: {error.strerror}", hint="correct web.host in the site file"
        ) from error


class ConsoleServer:
    """The console on a port of this machine.

    Args:
        deps: what the console needs; ``deps.accounts`` stays its owner's to close.
        listener: an open listening socket to use instead of ``web.host`` and ``web.port``.
    """

    def __init__(self, deps: ConsoleDeps, *, listener: socket.socket | None = None) -> None:
        self.app: FastAPI = create_app(deps)
        self._web = deps.site.web
        self._room: Room = self.app.state.room
        self._listener = listener
        self._port = int(listener.getsockname()[1]) if listener else self._web.port
        self._uvicorn: _Uvicorn | None = None
        self._serving: asyncio.Task[None] | None = None
        self._pushing: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._port

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the pages."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self._web.host, self._web.host)  # noqa: S104
        host = f"[{host}]" if ":" in host and not host.startswith("[") else host
        return f"http://{host}:{self.port}/"

    @property
    def pages(self) -> int:
        """Pages connected now."""
        return len(self._room.hub.consoles)

    @property
    def pages_cut_off(self) -> int:
        """Pages ended since the start because they did not keep up."""
        return self._room.hub.cut_off

    async def start(self) -> None:
        """Open the port and begin to serve.

        Raises:
            SetupError: the port cannot be had.
        """
        if self._listener is None:
            self._listener = listen(self._web.host, self._web.port)
        logging.getLogger("uvicorn.error").setLevel(
            logging.WARNING
        )  # its INFO lines hold addresses and queries
        self._uvicorn = _Uvicorn(_config(self.app))
        self._pushing = asyncio.create_task(_push(self._room), name="console-push")
        self._serving = asyncio.create_task(self._uvicorn.serve([self._listener]), name="console-serve")
        ready = asyncio.create_task(self._uvicorn.ready.wait(), name="console-ready")
        try:
            await asyncio.wait({ready, self._serving}, return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            await self.aclose()
            raise
        finally:
            ready.cancel()
        if self._serving.done():
            await self.aclose()
            raise SetupError("the web server did not start", hint="see the log")

    async def aclose(self) -> None:
        """Stop; idempotent, and done within about four seconds whatever the peers do."""
        self._room.hub.close_all(CLOSE_RESTART, "the server is stopping")
        server, serving, pushing = self._uvicorn, self._serving, self._pushing
        self._serving = self._pushing = None
        try:
            if server is not None and serving is not None:
                server.stop.set()
                await serving
        finally:
            if server is not None:
                server.abort_all()
            if pushing is not None:
                pushing.cancel()
                await asyncio.wait({pushing})
            if self._listener is not None:
                self._listener.close()


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="none",
        http=ConsoleHttp,
        ws=ConsoleSocket,
        ws_max_size=MAX_SOCKET_FRAME_BYTES,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=False,  # frames are small, and a compressor a page costs more than it saves
        lifespan="off",
        log_config=None,
        access_log=False,
        workers=1,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=TRUSTED_PROXIES,
        timeout_keep_alive=20,
        timeout_graceful_shutdown=STOP_SECONDS,
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
    )


async def _push(room: Room) -> None:
    """Keep the hub and the watch over sessions running; after a fault all pages come back and start anew."""
    waits = backoff()
    while True:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(room.hub.run(), name="console-hub")
                group.create_task(room.door.watch(), name="console-watch")
        except Exception:
            log.exception("pushing to the pages failed and starts anew")
            room.hub.close_all(CLOSE_RESTART, "the server starts anew")
            await asyncio.sleep(next(waits))
