"""The connection to a recogniser on another machine: one WebSocket a stream, all in one thread of the worker.

The decoder's thread hands messages over and fetches answers; it never waits here. Policies: at most
`UNSENT_SECONDS` of audio wait to be sent and `UNREAD_ANSWERS` to be fetched, beyond either the stream is
given up (another engine takes the leg); answers of more than `ANSWER_BYTES` end it too. TLS is verified. No
address is logged or told further than its host: keys may be part of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from hotline.asr.remote.dialogue import Message
from hotline.core.errors import SetupError

CONNECT_SECONDS: Final = 3.0
PING_SECONDS: Final = 5.0  # between pings, and for each answer: a peer that froze is noticed within 10 s
CLOSE_SECONDS: Final = 1.0
UNSENT_SECONDS: Final = 15.0
UNREAD_ANSWERS: Final = 256
ANSWER_BYTES: Final = 1024 * 1024

_SILENT: Final = logging.getLogger("hotline.asr.remote.wire")  # requests hold keys, frames hold what is said
_SILENT.setLevel(logging.CRITICAL)


class _Connect(connect):
    """Follows no redirection: the key is for one server."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """A redirection is a refusal."""
        return exc


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is, and how it is asked.

    Attributes:
        url: ``ws://`` or ``wss://``.
        key: sent as ``Authorization: Bearer``; empty for none.
        ca: a file with the certificates that ``wss://`` is checked against; the system's when None.
        subprotocols: offered to the server.
    """

    url: str = field(repr=False)
    key: str = field(default="", repr=False)
    ca: Path | None = None
    subprotocols: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """For people and logs: nothing that may be secret."""
        parts = urlsplit(self.url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")

    def tls(self) -> ssl.SSLContext | None:
        """How to verify the server; None for ``ws://``.

        Raises:
            SetupError: the certificates cannot be read.
        """
        if not self.url.startswith("wss:"):
            return None
        try:
            return ssl.create_default_context(cafile=self.ca)
        except (OSError, ssl.SSLError) as error:
            raise SetupError(
                f"the certificates {self.ca} cannot be read", hint="name a file of PEM certificates"
            ) from error


class LineThread:
    """The event loop that all connections of a process share; started with the first."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="engine lines", daemon=True)
            self._thread.start()
        return self._loop

    def begin(self, line: Line) -> None:
        """Have a line connect."""

        def create() -> None:
            task = asyncio.ensure_future(line.run())
            self._tasks.add(task)  # the loop itself keeps no hold on it
            task.add_done_callback(self._tasks.discard)

        self.loop().call_soon_threadsafe(create)

    def close(self) -> None:
        """End every connection and the thread."""
        if self._loop is None or self._thread is None:
            return
        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._end_all(), self._loop).result(2 * CLOSE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = self._thread = None

    async def _end_all(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}  # those of the library, too
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # aborted connections are closed in the loop's next round


class Line:
    """One connection, from the first message to the last.

    Args:
        address: where to.
        tls: of the address.
        bytes_per_second: of the audio, to bound what is unsent.
        news: called, on the lines' thread, when there is an answer to fetch or the line ended.
    """

    def __init__(
        self,
        address: Address,
        tls: ssl.SSLContext | None,
        bytes_per_second: int,
        news: Callable[[], None],
        thread: LineThread,
    ) -> None:
        self.failure = ""  # why it ended; empty while it is up, and after `close`
        self.connected = False
        self._address, self._tls = address, tls
        self._bytes_per_second = bytes_per_second
        self._news = news
        self._loop = thread.loop()
        self._unsent: deque[Message] = deque()
        self._unsent_bytes = 0
        self._answers: deque[Message] = deque()
        self._lock = threading.Lock()
        self._to_send = asyncio.Event()
        self._closing = False

    @property
    def unsent_seconds(self) -> float:
        """Audio that waits to be sent."""
        return self._unsent_bytes / self._bytes_per_second

    def send(self, messages: Sequence[Message]) -> None:
        """Have messages sent once there is a connection, in order. Never waits."""
        if not messages or self._closing or self.failure:
            return
        with self._lock:
            self._unsent.extend(messages)
            self._unsent_bytes += sum(len(one) for one in messages)
        self._loop.call_soon_threadsafe(self._to_send.set)
        if self.unsent_seconds > UNSENT_SECONDS:
            self._fail("takes no audio")

    def answers(self) -> list[Message]:
        """What came since the last time."""
        with self._lock:
            found, self._answers = list(self._answers), deque()
        return found

    def later(self, seconds: float) -> None:
        """Call ``news`` after that time, whatever happens until then."""
        self._loop.call_soon_threadsafe(self._loop.call_later, seconds, self._news)

    def close(self) -> None:
        """Nothing more is wanted of it; idempotent."""
        self._closing = True
        self._loop.call_soon_threadsafe(self._to_send.set)

    async def run(self) -> None:
        """Connect, send and receive until told to close or until it fails."""
        headers = {"Authorization": f"Bearer {self._address.key}"} if self._address.key else None
        try:
            socket = await _Connect(
                self._address.url,
                ssl=self._tls,
                additional_headers=headers,
                subprotocols=[Subprotocol(name) for name in self._address.subprotocols] or None,
                open_timeout=CONNECT_SECONDS,
                ping_interval=PING_SECONDS,
                ping_timeout=PING_SECONDS,
                close_timeout=CLOSE_SECONDS,
                max_size=ANSWER_BYTES,
                compression=None,  # audio does not compress
                proxy=None,  # the address is taken as it is
                logger=_SILENT,
            )
            try:
                self.connected = True
                await self._converse(socket)
                await socket.close()
            finally:
                socket.transport.abort()  # whatever ended this: nothing stays open
        except ConnectionClosed:
            self._fail("closed the connection")
        except InvalidStatus as error:
            self._fail(f"refused with status {error.response.status_code}")
        except ssl.SSLCertVerificationError:
            self._fail("has a certificate that cannot be verified")
        except (OSError, TimeoutError, WebSocketException) as error:
            self._fail(f"cannot be reached ({type(error).__name__})")

    async def _converse(self, socket: ClientConnection) -> None:
        hearing = asyncio.create_task(self._hear(socket), name="answers of an engine")
        speaking = asyncio.create_task(self._speak(socket), name="audio to an engine")
        try:
            await asyncio.wait([hearing, speaking], return_when=asyncio.FIRST_COMPLETED)
            if speaking.done() and not hearing.done():
                speaking.result()
                return  # told to close
            hearing.result()
        finally:
            for task in (hearing, speaking):
                task.cancel()
            await asyncio.gather(hearing, speaking, return_exceptions=True)

    async def _hear(self, socket: ClientConnection) -> None:
        while not self.failure:
            answer = await socket.recv()
            with self._lock:
                self._answers.append(answer)
                full = len(self._answers) > UNREAD_ANSWERS
            if full:
                self._fail("answers faster than can be read")
            else:
                self._news()

    async def _speak(self, socket: ClientConnection) -> None:
        while not (self._closing or self.failure):
            self._to_send.clear()
            while self._unsent and not self._closing:
                with self._lock:
                    message = self._unsent.popleft()
                await socket.send(message)
                with self._lock:
                    self._unsent_bytes -= len(message)
            if not self._closing:
                await self._to_send.wait()

    def _fail(self, why: str) -> None:
        if not self.failure and not self._closing:
            self.failure = why
            self._loop.call_soon_threadsafe(self._to_send.set)
            self._news()
