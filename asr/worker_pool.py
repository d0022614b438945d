"""The recogniser processes: who listens where, which leg goes to whom, what happens when one dies.

    pool = WorkerPool(section, engines, stats, clock)
    await pool.start()                                   # every process has its model and its port
    place = pool.place(uuid, side, answered, listener)   # -> Place("127.0.0.1:9092", "vosk/...")
    listener.connected(at) / hears(engine, reason) / told(Told) / gone(Reason)   # called on the loop
    pool.release(uuid)                                   # gone(RELEASED) follows after the last text
    await pool.aclose()

Worker n listens on the section's AudioSocket port + n. The ports are opened here and handed down: they stay
open while a process is started again, so that a connection waits instead of being refused.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from hotline.asr.admission import Load, Price
from hotline.asr.circles import Circles
from hotline.asr.engines import EngineOrder
from hotline.asr.messages import Connected, Expect, Gone, Hears, Message, Pong, Release, Told
from hotline.asr.reasons import Reason
from hotline.asr.stats import AsrStats
from hotline.asr.worker import WorkerSettings
from hotline.asr.worker_process import Watch, WorkerProcess, worker_settings
from hotline.config.schema import AsrSection, WhenFull
from hotline.core.backoff import backoff
from hotline.core.clock import Clock
from hotline.core.errors import SetupError
from hotline.core.events import Side

log = logging.getLogger(__name__)

STABLE_SECONDS: Final = 30.0  # a process that lived this long is started again at once
STOP_SECONDS: Final = 3.0
BACKLOG: Final = 256  # connections that wait while a process is started again
KEPT_FOR_CALLERS: Final = 2  # legs' room that agents' voices leave where callers come first
LEAVING: Final = 16  # legs a process may have beyond its share, for those that are about to go
GIVE_WAY_SECONDS: Final = 1.0  # from one agent's giving way to the next where recognition falls behind


class LegListener(Protocol):
    """Who asked for a leg. Called on the loop; ``gone`` comes once and last."""

    def connected(self, at: float) -> None:
        """Asterisk connected, at this monotonic second."""
        ...

    def hears(self, engine: str, reason: str) -> None:
        """Which engine hears from here on, and why not another."""
        ...

    def told(self, told: Told) -> None: ...

    def gone(self, reason: Reason) -> None: ...


class NoPlace(Exception):
    """No worker can take a leg now.

    Attributes:
        reason: NO_CAPACITY or NO_WORKER.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Place:
    """Where Asterisk is to send a leg's audio, and what recognises it."""

    address: str
    engine: str


@dataclass(slots=True)
class _Held:
    """A leg that a worker has. ``reason``: why we ended it, if not because its talk is over."""

    side: Side
    listener: LegListener
    reason: Reason | None = None


@dataclass(slots=True, eq=False)
class _Slot:
    """One worker's seat: its port for good, its process for now."""

    number: int
    listening: socket.socket
    address: str
    load: Load
    gave_way_at: float = float("-inf")
    process: WorkerProcess | None = None
    ready: bool = False
    legs: dict[str, _Held] = field(default_factory=dict)  # in the order they came
    retired: Counter[str] = field(default_factory=Counter)  # what its earlier processes counted
    newest: Pong | None = None
    retired_busy_seconds: float = 0.0


class WorkerPool:
    """Keeps the recogniser processes running and shares the legs out among them.

    Args:
        section: how many workers, their ports, legs for each.
        engines: in the order of preference.
        stats: what is counted here.
        clock: for heartbeats.
        keys: of engines that want one, by name.
        watch: when a process counts as frozen.
    """

    def __init__(
        self,
        section: AsrSection,
        engines: Sequence[EngineOrder],
        stats: AsrStats,
        clock: Clock,
        *,
        keys: Mapping[str, str] | None = None,
        watch: Watch | None = None,
    ) -> None:
        self._section = section
        self._stats = stats
        self._clock = clock
        self._watch = watch or Watch()
        self._settings: WorkerSettings = worker_settings(
            engines, keys or {}, section.chunk_milliseconds, section.legs_per_worker + LEAVING
        )
        self._price = Price()
        self._circles = Circles()
        self._slots: list[_Slot] = []
        self._supervisors: list[asyncio.Task[None]] = []
        self._room = asyncio.Event()
        self._closing = False

    async def start(self) -> None:
        """Open the ports and start the processes; return when all are ready.

        Raises:
            SetupError: a port is taken, or a process ended before it was ready.
        """
        try:
            for number in range(self._section.workers):
                self._slots.append(self._open_slot(number))
            await self._start_processes()
        except BaseException:
            await self.aclose()
            raise

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where the workers listen."""
        return tuple(slot.address for slot in self._slots)

    @property
    def pids(self) -> tuple[int | None, ...]:
        """Of the present processes, by worker."""
        return tuple(slot.process.pid if slot.process else None for slot in self._slots)

    def place(
        self,
        leg: str,
        side: Side,
        answered: float,
        listener: LegListener,
        grammar: Sequence[str] | None = None,
        hot_words: Sequence[str] = (),
    ) -> Place:
        """Give a leg to the worker with the least to do.

        Args:
            leg: the UUID that Asterisk will name.
            side: whose voice; where callers come first, an agent's gives way to a caller's.
            answered: when the call was answered, in monotonic seconds.
            listener: told of everything that happens to it.
            grammar: words to expect, for an engine that can.
            hot_words: words to hear more readily, likewise.

        Raises:
            NoPlace: no worker is ready, or all are full; `wait_for_room` tells when to ask again.
        """
        ready = [slot for slot in self._slots if slot.ready]
        if not ready or self._closing:
            raise NoPlace(Reason.NO_WORKER)
        slot = max(ready, key=lambda one: self._room_of(one, side))
        if self._room_of(slot, side) < 1 and not (side is Side.CALLER and self._make_room(slot)):
            raise NoPlace(Reason.NO_CAPACITY)
        assert slot.process is not None and slot.process.ready is not None  # noqa: S101 - ready slots have both
        slot.legs[leg] = _Held(side, listener)
        slot.load.admitted(self._clock.monotonic())
        slot.process.send(Expect(leg, answered, list(grammar) if grammar else None, list(hot_words)))
        return Place(slot.address, slot.process.ready.engine)

    def _room_of(self, slot: _Slot, side: Side) -> int:
        """How many more voices of that side a worker can hear."""
        callers_first = self._section.when_full is WhenFull.CALLERS_FIRST
        kept = KEPT_FOR_CALLERS if callers_first and side is Side.AGENT else 0
        return min(slot.load.room(kept), self._section.legs_per_worker - len(slot.legs))

    def _make_room(self, slot: _Slot) -> bool:
        """Have the newest of a worker's agents give way; whether there was one."""
        if self._section.when_full is not WhenFull.CALLERS_FIRST or slot.process is None:
            return False
        for leg, held in reversed(slot.legs.items()):
            if held.side is Side.AGENT and held.reason is None:
                held.reason = Reason.GAVE_WAY
                slot.gave_way_at = self._clock.monotonic()
                slot.process.send(Release(leg))
                return True
        return False

    async def wait_for_room(self) -> None:
        """Wait until a place became free or a worker ready."""
        self._room.clear()
        await self._room.wait()

    def release(self, leg: str) -> None:
        """End a leg; nothing happens when it is gone already."""
        for slot in self._slots:
            if leg in slot.legs and slot.process is not None:
                slot.process.send(Release(leg))

    async def aclose(self) -> None:
        """Have the processes tell their last texts and end, by force after STOP_SECONDS; idempotent."""
        self._closing = True
        for slot in self._slots:
            if slot.process is not None:
                slot.process.stop()
        if self._supervisors:
            _, late = await asyncio.wait(self._supervisors, timeout=STOP_SECONDS)
            for slot in self._slots:
                if slot.process is not None:
                    slot.process.kill()
            for task in late:
                task.cancel()
            await asyncio.gather(*self._supervisors, return_exceptions=True)
        self._supervisors.clear()
        for slot in self._slots:
            slot.listening.close()
        self._slots.clear()

    def _open_slot(self, number: int) -> _Slot:
        host = self._section.audiosocket.host
        port = self._section.audiosocket.port and self._section.audiosocket.port + number
        try:
            listening = socket.create_server(
                (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=BACKLOG
            )
        except (OSError, OverflowError) as error:
            raise SetupError(
                f"the AudioSocket port {host}:{port} cannot be opened: {error}",
                hint="end what uses it, or change asr.audiosocket in the site file",
            ) from error
        listening.setblocking(False)
        port = listening.getsockname()[1]
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return _Slot(number, listening, address, Load(self._price))

    async def _start_processes(self) -> None:
        ready = [asyncio.Event() for _ in self._slots]
        self._supervisors = [
            asyncio.create_task(self._supervise(slot, event), name=f"recogniser {slot.number}")
            for slot, event in zip(self._slots, ready, strict=True)
        ]
        all_ready = asyncio.create_task(_all_set(ready))
        try:
            await asyncio.wait([all_ready, *self._supervisors], return_when=asyncio.FIRST_COMPLETED)
            if not all_ready.done():
                raise SetupError(
                    "a recogniser process ended before it was ready",
                    hint="its reason is in the log; try the model with: hotline asr models",
                )
        finally:
            all_ready.cancel()
            await asyncio.gather(all_ready, return_exceptions=True)

    async def _supervise(self, slot: _Slot, first_ready: asyncio.Event) -> None:
        """Keep one worker running. Ends when the first process never became ready, or at the stop."""
        delays = backoff()
        while not self._closing:
            began = self._clock.monotonic()
            slot.process = WorkerProcess(
                self._settings_of(slot.number),
                slot.listening,
                heard=lambda message: self._heard(slot, message),
                pong=lambda pong: self._pong(slot, pong),
                clock=self._clock,
                watch=self._watch,
                circles=self._circles,
            )
            reason = Reason.WORKER_DIED
            was_ready = False
            try:
                reason = await slot.process.live(lambda: self._ready(slot, first_ready))
            except OSError as error:
                log.error("a recogniser process cannot be started: %s", error)
            finally:
                was_ready = slot.ready
                self._bury(slot, reason)
            if self._closing or not first_ready.is_set():
                return
            self._stats.worker_restarts += 1
            self._stats.workers_frozen += reason is Reason.WORKER_FROZEN
            log.error("recogniser %d ended (%s); it is started again", slot.number, reason.value)
            if self._clock.monotonic() - began > STABLE_SECONDS:
                delays = backoff()
            elif not was_ready or self._clock.monotonic() - began < 2.0:
                await asyncio.sleep(next(delays))

    def _settings_of(self, worker: int) -> WorkerSettings:
        """What this worker is told: engines' legs are divided among all."""
        shares = (one.share(worker, self._section.workers) for one in self._settings.engines)
        return replace(self._settings, engines=tuple(shares))

    def _ready(self, slot: _Slot, first_ready: asyncio.Event) -> None:
        slot.ready = True
        first_ready.set()
        self._stats.workers_ready = sum(one.ready for one in self._slots)
        self._room.set()

    def _heard(self, slot: _Slot, message: Message) -> None:
        match message:
            case Connected(leg, at) if leg in slot.legs:
                slot.legs[leg].listener.connected(at)
            case Hears(leg, engine, reason) if leg in slot.legs:
                slot.legs[leg].listener.hears(engine, reason)
            case Told(leg=leg) if leg in slot.legs:
                slot.legs[leg].listener.told(message)
            case Gone(leg, reason):
                held = slot.legs.pop(leg, None)
                self._room.set()
                if held is not None:
                    held.listener.gone(held.reason or Reason(reason))

    def _pong(self, slot: _Slot, pong: Pong) -> None:
        slot.newest = pong
        now = self._clock.monotonic()
        slot.load.seen(now, pong.busy_seconds, pong.backlog_seconds, len(slot.legs), pong.audio_seconds)
        if slot.load.overloaded and now - slot.gave_way_at > GIVE_WAY_SECONDS:
            self._make_room(slot)
        elif slot.load.room():
            self._room.set()
        stats = self._stats
        stats.legs_room = sum(max(0, self._room_of(one, Side.CALLER)) for one in self._slots if one.ready)
        stats.leg_price = self._price.share
        total: Counter[str] = Counter()
        busy_seconds = 0.0
        for one in self._slots:
            total.update(one.retired)
            busy_seconds += one.retired_busy_seconds
            if one.newest is not None:
                total.update({name: round(value) for name, value in one.newest.counts.items()})
                busy_seconds += one.newest.busy_seconds
        stats.counts = total
        stats.busy_seconds = busy_seconds
        pongs = [one.newest for one in self._slots if one.newest is not None]
        stats.backlog_seconds = sum(one.backlog_seconds for one in pongs)
        stats.worker_memory_megabytes = max(one.memory_megabytes for one in pongs)

    def _bury(self, slot: _Slot, reason: Reason) -> None:
        """A process is no more: keep its counts, tell its legs."""
        slot.ready = False
        slot.process = None
        if slot.newest is not None:
            slot.retired.update({name: round(value) for name, value in slot.newest.counts.items()})
            slot.retired_busy_seconds += slot.newest.busy_seconds
            slot.newest = None
        self._stats.workers_ready = sum(one.ready for one in self._slots)
        legs, slot.legs = slot.legs, {}
        slot.load = Load(self._price)
        for held in legs.values():
            held.listener.gone(Reason.RELEASED if self._closing else reason)


async def _all_set(events: Sequence[asyncio.Event]) -> None:
    for event in events:
        await event.wait()
