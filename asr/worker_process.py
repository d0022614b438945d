"""The server's side of one recogniser process: start it, talk with it, notice that it froze, end it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hotline.asr.circles import Circles
from hotline.asr.engines import EngineOrder
from hotline.asr.messages import Message, MessageReader, Ping, Pong, Ready, Stop, Told, pack
from hotline.asr.process_state import Activity, ProcessState, look_at
from hotline.asr.reasons import Reason
from hotline.asr.worker import WorkerSettings
from hotline.core.clock import Clock
from hotline.core.errors import PeerError

log = logging.getLogger(__name__)

START_SECONDS: Final = 180.0  # the largest models are over a gigabyte
STOP_SECONDS: Final = 3.0
PING_SECONDS: Final = 0.2
LOOK_SECONDS: Final = 0.3  # an answer this late is worth a look at the process
ASLEEP_SECONDS: Final = 0.6  # asleep and not answering: it waits for something that does not come
WORKING_SECONDS: Final = 5.0  # at work and not answering, until it is known how long that may take: `circles`
LATE_SECONDS: Final = 0.1  # an answer this late is worth measuring what it took
WATCH_SECONDS: Final = 0.1
_NOT_LOOKED_AT: Final = ProcessState(Activity.UNKNOWN, -1)


@dataclass(frozen=True, slots=True)
class Watch:
    """How long a process may take to start, and to answer (see the constants above)."""

    start_seconds: float = START_SECONDS
    look_seconds: float = LOOK_SECONDS
    asleep_seconds: float = ASLEEP_SECONDS
    working_seconds: float = WORKING_SECONDS


def is_frozen(waited_seconds: float, before: ProcessState, now: ProcessState, watch: Watch) -> bool:
    """Whether a process that has owed an answer for so long is given up.

    Args:
        waited_seconds: since it was asked.
        before: how it was when it was asked or first found late.
        now: how it is.
        watch: the limits.
    """
    if waited_seconds < watch.look_seconds:
        return False
    if now.activity is Activity.STOPPED:
        return True
    if waited_seconds >= watch.working_seconds:
        return True
    idle = now.activity is Activity.ASLEEP and now.ticks == before.ticks
    return idle and waited_seconds >= watch.asleep_seconds


class WorkerProcess:
    """One process from its start to its end; make a new object for the next one.

    Args:
        settings: for the process; its descriptors are filled in here.
        listening: the AudioSocket port it serves; the server keeps it open across restarts, so that
            Asterisk is never refused.
        heard: called with each message but Ready and Pong.
        pong: called with each Pong.
        clock: for the heartbeat.
        watch: when it counts as frozen.
        circles: what the pool's processes were seen to need.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        listening: socket.socket,
        *,
        heard: Callable[[Message], None],
        pong: Callable[[Pong], None],
        clock: Clock,
        watch: Watch,
        circles: Circles,
    ) -> None:
        self.ready: Ready | None = None
        self._settings = settings
        self._listening = listening
        self._heard, self._pong = heard, pong
        self._clock = clock
        self._watch = watch
        self._circles = circles
        self._became_ready = asyncio.Event()
        self._stopping = False
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._ping = 0
        self._asked_at: float | None = None
        self._asked = self._seen = _NOT_LOOKED_AT

    @property
    def pid(self) -> int | None:
        """Of the process, once it is started."""
        return self._process.pid if self._process else None

    def send(self, message: Message) -> None:
        """Tell it something; nothing happens when it is gone (its legs are then reported gone)."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(pack(message))

    async def live(self, on_ready: Callable[[], None]) -> Reason:
        """Run the process from start to end; return why it ended. Cancelling ends it at once."""
        ours, its = socket.socketpair()
        try:
            self._process = await self._spawn(its)
        except BaseException:
            ours.close()
            raise
        finally:
            its.close()
        jobs: list[asyncio.Task[Reason]] = []
        try:
            reader, self._writer = await asyncio.open_unix_connection(sock=ours)
            jobs = [
                asyncio.create_task(self._listen(reader, on_ready), name="recogniser messages"),
                asyncio.create_task(self._keep_watch(), name="recogniser heartbeat"),
            ]
            done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
            return Reason.WORKER_FROZEN if jobs[1] in done and not jobs[0].done() else Reason.WORKER_DIED
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
            await self._end()

    def stop(self) -> None:
        """Ask it to tell its last texts and to end; ``live`` then returns."""
        self._stopping = True
        self.send(Stop())

    def kill(self) -> None:
        """End it at once; ``live`` then returns."""
        self._stopping = False
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def _spawn(self, its: socket.socket) -> asyncio.subprocess.Process:
        settings = replace(self._settings, control_fd=its.fileno(), listen_fd=self._listening.fileno())
        environment = os.environ | {
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "2",  # two busy threads; more arenas are memory for nothing
            **settings.secrets(),
        }
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # not the current folder's modules
            "-m",
            "hotline.asr.worker",
            settings.to_json(),
            pass_fds=(its.fileno(), self._listening.fileno()),
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C at the server's terminal is the server's to pass on
        )

    async def _listen(self, reader: asyncio.StreamReader, on_ready: Callable[[], None]) -> Reason:
        messages = MessageReader()
        try:
            while data := await reader.read(65536):
                for message in messages.receive(data):
                    self._take(message, on_ready)
        except ConnectionError:
            log.debug("a recogniser's end of the socket pair broke")
        except PeerError as error:
            log.error("%s; it is ended", error)
        return Reason.WORKER_DIED

    def _take(self, message: Message, on_ready: Callable[[], None]) -> None:
        match message:
            case Ready():
                self.ready = message
                self._became_ready.set()
                on_ready()
            case Pong(number):
                if number == self._ping:
                    self._answered()
                self._pong(message)
            case _:
                if isinstance(message, Told) and message.final:
                    self._circles.told()
                self._heard(message)

    async def _keep_watch(self) -> Reason:
        """Return when the process is frozen; before it is ready, when it takes too long."""
        try:
            async with asyncio.timeout(self._watch.start_seconds):
                await self._became_ready.wait()
        except TimeoutError:
            log.error("a recogniser was not ready within %g s", self._watch.start_seconds)
            return Reason.WORKER_FROZEN
        next_ping = due = self._clock.monotonic()
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            now = self._clock.monotonic()
            late, due = now - due > 3 * WATCH_SECONDS, now
            if self._stopping:
                continue  # it tells its last texts and nothing else; who stops it ends it in time
            if late:
                continue  # this process was held up: read what came before judging others
            if self._asked_at is None and now >= next_ping:
                next_ping = now + PING_SECONDS
                self._ask(now)
            elif self._asked_at is not None and self._judge(now - self._asked_at):
                return Reason.WORKER_FROZEN

    def _ask(self, now: float) -> None:
        self._ping += 1
        self._asked_at = now
        self._seen = _NOT_LOOKED_AT
        self._asked = look_at(self._process.pid) if self._process else _NOT_LOOKED_AT
        self.send(Ping(self._ping))

    def _answered(self) -> None:
        asked_at, self._asked_at = self._asked_at, None
        if asked_at is None or self._process is None or self._clock.monotonic() - asked_at < LATE_SECONDS:
            return
        self._circles.answered(look_at(self._process.pid).busy_seconds_since(self._asked))

    def _judge(self, waited_seconds: float) -> bool:
        if waited_seconds < self._watch.look_seconds or self._process is None:
            return False
        state = look_at(self._process.pid)
        if self._seen.ticks < 0:
            self._seen = state
        busy_seconds = state.busy_seconds_since(self._asked)
        in_circles = busy_seconds >= self._circles.limit(self._watch.working_seconds)
        if in_circles:
            self._circles.gave_up()
        frozen = in_circles or is_frozen(waited_seconds, self._seen, state, self._watch)
        if frozen:
            log.error(
                "recogniser %d has not answered for %.1f s (%s, %.1f s of processor time)",
                self._process.pid,
                waited_seconds,
                state.activity.value,
                busy_seconds,
            )
        elif state.ticks != self._seen.ticks:
            self._seen = state
        return frozen

    async def _end(self) -> None:
        process = self._process
        if self._writer is not None:
            self._writer.transport.abort()
        if process is None:
            return
        if self._stopping:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await process.wait()
        self.kill()
        await asyncio.shield(process.wait())


def worker_settings(
    engines: Sequence[EngineOrder], keys: Mapping[str, str], chunk_milliseconds: int, max_legs: int
) -> WorkerSettings:
    """Settings whose descriptors are not known yet."""
    return WorkerSettings(tuple(engines), -1, -1, chunk_milliseconds, max_legs, os.getpid(), dict(keys))
