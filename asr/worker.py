"""A recogniser process: ``python -m hotline.asr.worker SETTINGS``, started by `worker_process`.

It loads the model, takes AudioSocket connections from Asterisk on a port that the server opened for it, and
tells texts over a socket pair. It may die at any moment without a call noticing. It imports little, so that
it stays small, and it gives way to Asterisk and the server when processors are short.

    loop thread:     who may come in (door), messages from and to the server
    decoder thread:  reading and recognising every leg
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from hotline.asr.chain import Chain
from hotline.asr.decoder import Decoder
from hotline.asr.door import Door
from hotline.asr.engines import EngineOrder, load_chain
from hotline.asr.memory import resident_megabytes
from hotline.asr.messages import (
    Expect,
    Message,
    MessageReader,
    Ping,
    Pong,
    Ready,
    Release,
    Stop,
    Told,
    pack,
)
from hotline.asr.reasons import Reason
from hotline.core.errors import HotlineError

log = logging.getLogger(__name__)

NICENESS: Final = 5
STOP_SECONDS: Final = 1.5  # for the last texts
SKIP_PARTIALS_BYTES: Final = 256 * 1024  # unread by the server: partial texts are left out
GIVE_UP_BYTES: Final = 8 * 1024 * 1024  # unread by the server: it is not there any more
KEYS_VARIABLE: Final = "HOTLINE_ENGINE_KEYS"
_PR_SET_PDEATHSIG: Final = 1


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What a worker is told at its start.

    Attributes:
        engines: in the order of preference.
        control_fd: its end of the socket pair.
        listen_fd: the listening AudioSocket port.
        chunk_milliseconds: audio to collect before it is recognised.
        max_legs: as many as it may have.
        server_pid: who started it.
        keys: of engines that want one, by their names.
    """

    engines: tuple[EngineOrder, ...]
    control_fd: int
    listen_fd: int
    chunk_milliseconds: int
    max_legs: int
    server_pid: int
    keys: dict[str, str] = field(default_factory=dict, repr=False)

    def to_json(self) -> str:
        """As an argument, which everybody on the machine can read: without the keys."""
        return json.dumps({name: value for name, value in asdict(self).items() if name != "keys"})

    def secrets(self) -> dict[str, str]:
        """The keys, for the environment of the process."""
        return {KEYS_VARIABLE: json.dumps(self.keys)} if self.keys else {}

    @classmethod
    def from_process(cls, argument: str) -> WorkerSettings:
        """What this process was told at its start."""
        values: dict[str, Any] = json.loads(argument)
        engines = tuple(EngineOrder(**order) for order in values.pop("engines"))
        keys = json.loads(os.environ.pop(KEYS_VARIABLE, "{}"))
        return cls(engines=engines, keys=keys, **values)


class Worker:
    """The process's parts, wired together.

    Args:
        settings: see there.
        engines: loaded.
        load_seconds: how long that took.
    """

    def __init__(self, settings: WorkerSettings, engines: Chain, load_seconds: float) -> None:
        self._settings = settings
        self._engines = engines
        self._load_seconds = load_seconds
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._skipped = 0
        self._writer: asyncio.StreamWriter | None = None
        chunk_seconds = settings.chunk_milliseconds / 1000
        self._decoder = Decoder(
            engines,
            chunk_seconds,
            told=lambda told: self._on_loop(self._send, told),
            gone=lambda leg, reason: self._on_loop(self._gone, leg, reason),
            alive=lambda number: self._on_loop(self._pong, number),
        )
        self._door = Door(
            self._decoder,
            chunk_seconds=chunk_seconds,
            max_legs=settings.max_legs,
            send=self._send,
            monotonic=time.monotonic,
        )

    async def run(self) -> None:
        """Serve until told to stop or until the server is gone."""
        control = socket.socket(fileno=self._settings.control_fd)
        listening = socket.socket(fileno=self._settings.listen_fd)
        reader, self._writer = await asyncio.open_unix_connection(sock=control)
        self._decoder.start()
        listening.setblocking(False)
        jobs = [
            asyncio.create_task(self._listen(reader), name="messages"),
            asyncio.create_task(self._door.let_in(listening), name="door"),
        ]
        try:
            self._send(Ready(self._engines.name, self._load_seconds, resident_megabytes()))
            await self._stopping.wait()
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
            await self._end()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        messages = MessageReader()
        try:
            while data := await reader.read(65536):
                for message in messages.receive(data):
                    self._obey(message)
        except ConnectionError:
            log.debug("the server's end of the socket pair broke")
        self._stopping.set()

    def _obey(self, message: Message) -> None:
        match message:
            case Expect():
                self._door.expect(message)
            case Release(leg):
                self._door.release(leg)
            case Ping(number):
                self._decoder.ping(number)
            case Stop():
                self._stopping.set()

    async def _end(self) -> None:
        """Tell the last texts as far as time allows."""
        deadline = time.monotonic() + STOP_SECONDS
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self._door.release_all()
        self._decoder.stop(max(0.1, deadline - time.monotonic()))
        self._door.close()
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(max(0.1, deadline - time.monotonic())):
                    await self._writer.wait_closed()

    def _on_loop(self, work: Callable[..., None], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process is ending
            self._loop.call_soon_threadsafe(work, *arguments)

    def _gone(self, leg: str, reason: Reason) -> None:
        self._door.gone(leg, reason)

    def _pong(self, number: int) -> None:
        counts = self._door.totals() | {"partials_skipped": self._skipped}
        self._send(
            Pong(number, self._door.backlog_seconds, self._decoder.busy_seconds, resident_megabytes(), counts)
        )

    def _send(self, message: Message) -> None:
        """Tell the server. Policy: when it does not read, partial texts go first, then this process."""
        if self._writer is None:
            return
        unread = self._writer.transport.get_write_buffer_size()
        if unread > GIVE_UP_BYTES:
            os._exit(3)
        if unread > SKIP_PARTIALS_BYTES and isinstance(message, Told) and not message.final:
            self._skipped += 1
            return
        self._writer.write(pack(message))


def _die_with(server_pid: int) -> None:
    """Have the kernel end this process with its server, even one that is stopped. Linux only."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != server_pid:
        sys.exit(0)


def main() -> None:
    """Entry point of the process."""
    settings = WorkerSettings.from_process(sys.argv[1])
    logging.basicConfig(level=logging.WARNING, format="recogniser %(process)d: %(levelname)s %(message)s")
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole group; the server tells us to stop
    _die_with(settings.server_pid)
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    began = time.monotonic()
    try:
        engines = load_chain(settings.engines, settings.keys, time.monotonic)
    except HotlineError as error:
        log.error("%s", error)
        sys.exit(1)
    load_seconds = time.monotonic() - began

    async def serve() -> None:
        await Worker(settings, engines, load_seconds).run()

    asyncio.run(serve())
    sys.stdout.flush()
    os._exit(0)  # the decoder's thread may still be in a recogniser


if __name__ == "__main__":
    main()
