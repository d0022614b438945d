"""After a call: its raw voices become one kept recording. And once a day: what is too old is deleted.

The folder of raw files is the queue of this work, so that nothing is lost whenever the server ends:

    raw files -> joined file, safe on disk -> its row -> raw files deleted

A server that ends between two of these steps does the whole again from the raw files at its next start. A
full disk or an absent database leaves the raw files where they are; they are tried again every minute. One
call is worked on at a time, on a thread of its own: calls in progress are not touched by any of this.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from sqlalchemy.exc import SQLAlchemyError

from hotline.core.bus import follow
from hotline.core.clock import Clock
from hotline.core.events import CallEnded, Side
from hotline.core.ports import Bus
from hotline.queue.recording.join import RATE_HZ, Voice, join
from hotline.queue.recording.retention import Retention
from hotline.store.recording_file import Written, key_id, write_recording
from hotline.store.recordings import RecordingRecord, RecordingStore
from hotline.telephony.ami.errors import AmiError
from hotline.telephony.ami.events import CoreShowChannel
from hotline.telephony.asterisk_config.callback import is_callback
from hotline.telephony.asterisk_config.recording import RawName

log = logging.getLogger(__name__)

FEED_LIMIT: Final = 20_000
LOOK_SECONDS: Final = 60.0  # between looks at the folder when no call's end brings one
SETTLE = timedelta(seconds=2)  # Asterisk writes a file's last second a moment after the call is over
TOLERANCE = timedelta(seconds=5)
PRUNE_EVERY = timedelta(days=1)


class Manager(Protocol):
    """The part of the AMI client that this needs."""

    async def core_show_channels(self) -> tuple[CoreShowChannel, ...]: ...


@dataclass(slots=True)
class RecordingCounters:
    """What happened since the start, for the metrics."""

    kept: int = 0
    failures: int = 0  # attempts; the raw files wait and are tried again
    waiting: int = 0  # calls whose raw files wait for the next attempt
    short: int = 0  # kept, but Asterisk could not write all of it


class RecordingKeeper:
    """Makes recordings of raw files, and deletes old ones.

    Args:
        raw_dir: where Asterisk writes.
        data_dir: kept recordings lie below its ``recordings``.
        key: to seal them with; None: they are kept plain.
        manager: says which calls are alive.
        bus: tells of ended calls.
        store: the rows.
        retention: what is deleted daily.
    """

    def __init__(
        self,
        raw_dir: Path,
        data_dir: Path,
        key: str | None,
        manager: Manager,
        bus: Bus,
        store: RecordingStore,
        retention: Retention,
        clock: Clock,
    ) -> None:
        self.counters = RecordingCounters()
        self._raw_dir, self._data_dir, self._key = raw_dir, data_dir, key
        self._manager, self._bus, self._store = manager, bus, store
        self._retention, self._clock = retention, clock
        self._wake = asyncio.Event()
        self._wake.set()
        self._ended: set[str] = set()  # calls said to be over, until a sweep finds no raw file of theirs
        self._pruned_at: datetime | None = None

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hear_ends(), name="recordings-ends")
            tasks.create_task(self._work(), name="recordings-work")

    async def _hear_ends(self) -> None:
        feed = self._bus.subscribe("recordings", limit=FEED_LIMIT)
        async for envelope in follow(self._bus, feed, "recordings", limit=FEED_LIMIT):
            if isinstance(envelope.event, CallEnded):
                self._ended.add(envelope.event.call_id)
                self._wake.set()

    async def _work(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()
            self._wake.clear()
            unsettled = await self.sweep()
            await self._prune_daily()
            if unsettled:
                await asyncio.sleep(SETTLE.total_seconds())
                self._wake.set()

    async def sweep(self) -> bool:
        """Keep the recording of every call that is over; true if one ended too recently to be read yet."""
        try:
            ended = self._ended.copy()
            raw = await asyncio.to_thread(self._raw_files)
            self._ended -= ended - raw.keys()
            if not raw:
                self.counters.waiting = 0
                return False
            alive = {channel.linkedid for channel in await self._manager.core_show_channels()}
        except AmiError:
            return False  # it cannot be told which calls are over: the files wait
        except OSError as error:
            self._failed("the raw recordings cannot be read", error)
            return False
        unsettled, waiting = False, 0
        for call_id, files in raw.items():
            if call_id in alive:
                unsettled |= call_id in ended  # its last channel is about to go
                continue
            try:
                if not await asyncio.to_thread(self._settled, files):
                    unsettled = True
                    continue
                await self._keep(call_id, files)
            except (OSError, SQLAlchemyError) as error:
                waiting += 1
                self._failed(f"call {call_id}: its recording waits", error)
        self.counters.waiting = waiting
        return unsettled

    def _failed(self, what: str, error: Exception) -> None:
        self.counters.failures += 1
        reason = error.strerror if isinstance(error, OSError) else type(error).__name__
        log.error("%s: %s; it is tried again, calls go on", what, reason)

    def _raw_files(self) -> dict[str, dict[Path, RawName]]:
        """The raw files there are, by call."""
        found: dict[str, dict[Path, RawName]] = defaultdict(dict)
        with contextlib.suppress(FileNotFoundError):
            for path in sorted(self._raw_dir.iterdir()):
                if name := RawName.parse(path.name):
                    found[name.call_id][path] = name
        return found

    def _settled(self, files: Mapping[Path, RawName]) -> bool:
        newest = max(path.stat().st_mtime for path in files)
        return datetime.fromtimestamp(newest, UTC) <= self._clock.now() - SETTLE

    async def _keep(self, call_id: str, files: Mapping[Path, RawName]) -> None:
        """Of a callback only if the citizen answered and may be recorded: then there is that voice too."""
        wanted = not is_callback(call_id) or any(name.side is Side.CALLER for name in files.values())
        if wanted and await self._store.one(call_id) is None:
            made = await asyncio.to_thread(self._write, call_id, files)
            if made is not None:
                path, written, began_at, samples, levels = made
                await self._store.add(
                    RecordingRecord(
                        call_id=call_id,
                        line=await self._store.line_of(call_id),
                        started_at=began_at,
                        duration_ms=round(samples * 1000 / RATE_HZ),
                        size_bytes=written.size_bytes,
                        sha256=written.sha256,
                        encrypted=self._key is not None,
                        key_id=key_id(self._key) if self._key is not None else "",
                        path=str(path.relative_to(self._data_dir)),
                        levels=levels,
                    )
                )
                self.counters.kept += 1
                await self._compare(call_id, timedelta(seconds=samples / RATE_HZ))
        await asyncio.to_thread(_delete, files)

    async def _compare(self, call_id: str, recorded: timedelta) -> None:
        """Say so when much less was recorded than the talk was long.

        Asterisk's disk was full for a while, or neither side sent anything: then MixMonitor writes nothing.
        """
        answered_at, ended_at = await self._store.talk(call_id)
        if answered_at is not None and ended_at is not None and ended_at - answered_at > recorded + TOLERANCE:
            self.counters.short += 1
            missing = (ended_at - answered_at - recorded).total_seconds()
            log.error(
                "call %s: %.0f s of its recording are missing: the disk was full, or both sides were silent",
                call_id,
                missing,
            )

    def _write(
        self, call_id: str, files: Mapping[Path, RawName]
    ) -> tuple[Path, Written, datetime, int, bytes] | None:
        """Join and write; None when nobody answered. On a thread."""
        with ExitStack() as opened:
            sound = join(
                [_voice(name, opened.enter_context(path.open("rb"))) for path, name in files.items()]
            )
            if sound is None:
                return None
            folder = self._data_dir / "recordings" / sound.began_at.strftime("%Y/%m/%d")
            path = folder / f"{call_id}.{'sealed' if self._key else 'wav'}"
            written = write_recording(path, sound.size_bytes, sound.pieces(), self._key)
            levels = sound.levels()
            return path, written, sound.began_at, sound.samples, levels[Side.CALLER] + levels[Side.AGENT]

    async def _prune_daily(self) -> None:
        now = self._clock.now()
        if self._pruned_at is not None and now - self._pruned_at < PRUNE_EVERY:
            return
        try:
            pruned = await self._retention.prune("server")
            self._pruned_at = now
            if pruned.undeletable:
                self.counters.failures += 1
                log.error(
                    "%d old recordings could not be deleted (%s); they are tried again tomorrow",
                    pruned.undeletable,
                    pruned.why,
                )
        except (OSError, SQLAlchemyError) as error:
            self._failed("old recordings could not be deleted", error)


def _voice(name: RawName, file: BinaryIO) -> Voice:
    def read(first: int, count: int) -> bytes:
        file.seek(first)
        return file.read(count)

    return Voice(name.side, name.began_at, file.seek(0, 2), read)


def _delete(files: Mapping[Path, RawName]) -> None:
    for path in files:
        path.unlink(missing_ok=True)
