"""The second pass: recordings decoded anew with a larger model while the machine has little else to do.

    idle (within the hours, few calls, little load) -> the next recording -> a process decodes it -> its texts

Calls come first: as soon as there are more than the site allows the process is killed, and the recording is
begun anew another time. One recording is worked on at a time. The sound goes to the process in parts, no more
of it in memory than the pipe takes; of a sealed recording no plain byte touches the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import struct
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError

from hotline.asr.engine import Word
from hotline.asr.models import model_path, read_model
from hotline.asr.written.lines import LineWriters
from hotline.config.schema import SecondPassSection
from hotline.core.clock import Clock
from hotline.core.errors import HotlineError, PeerError, SetupError
from hotline.core.events import Side
from hotline.core.ports import LivePicture
from hotline.core.views import Segment
from hotline.store.recording_archive import RecordingArchive
from hotline.store.recording_file import RecordingDamaged, RecordingReader
from hotline.store.recordings import RecordingRecord
from hotline.store.second_texts import SecondTextStore

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 10.0  # between looks whether there is something to do
WATCH_SECONDS: Final = 0.25  # between looks at the calls while a recording is decoded
SLOWEST: Final = 20.0  # times the length of the recording; then the process counts as stuck
LOAD_SECONDS: Final = 300.0  # for the model
PART_BYTES: Final = 64 * 1024
ANSWER_BYTES: Final = 1024 * 1024  # the longest line of the process


class ModelUnusable(PeerError):
    """The process did not come up: no recording is to blame for it."""


class Idleness:
    """Whether the machine has time: pure, but for the load it is told.

    Args:
        section: the site's limits.
        zone: of its hours.
        load: the load average over the last minute, of one processor.
    """

    def __init__(self, section: SecondPassSection, zone: ZoneInfo, load: Callable[[], float]) -> None:
        self._section, self._zone, self._load = section, zone, load

    def may_begin(self, now: datetime, calls: int) -> bool:
        """Whether a recording may be taken up."""
        in_hours = self._within(now.astimezone(self._zone))
        return in_hours and self.may_go_on(calls) and self._load() <= self._section.load_limit

    def may_go_on(self, calls: int) -> bool:
        """Whether one that is being decoded may be finished; its own work is load, so that does not count."""
        return calls <= self._section.max_calls

    def _within(self, local: datetime) -> bool:
        starts, ends, at = self._section.starts, self._section.ends, local.time()
        if starts < ends:
            return starts <= at < ends
        return starts == ends or at >= starts or at < ends


class SecondPass:
    """Decodes recordings, one after another.

    Args:
        section: what the site says.
        idleness: when.
        picture: how many calls there are.
        texts: what is to be done and what was heard.
        archive: the recordings.
        clock: the present.
        writers: the texts are written as live ones are.
    """

    def __init__(
        self,
        section: SecondPassSection,
        idleness: Idleness,
        picture: LivePicture,
        texts: SecondTextStore,
        archive: RecordingArchive,
        clock: Clock,
        writers: LineWriters,
    ) -> None:
        self._section, self._idleness, self._picture = section, idleness, picture
        self._texts, self._archive, self._clock, self._writers = texts, archive, clock, writers
        self._model = model_path(section.model)
        self._worker: Process | None = None
        self.busy = asyncio.Event()
        """Set while a recording is being decoded."""

    async def run(self) -> None:
        """Work until cancelled; the process is there only while there is work."""
        try:
            read_model(self._model)
        except SetupError as error:
            log.error("there is no second pass: %s", error)
            await asyncio.Event().wait()
        try:
            while True:
                try:
                    worked = await self.step()
                except (SQLAlchemyError, OSError) as error:
                    log.warning("the second pass waits: %s", type(error).__name__)
                    worked = False
                if not worked:
                    await self.aclose()
                    await asyncio.sleep(LOOK_SECONDS)
        finally:
            await self.aclose()

    async def step(self) -> bool:
        """Take up the next recording if there is one and the machine is idle; whether there was."""
        if not self._idleness.may_begin(self._clock.now(), self._calls()):
            return False
        since = self._clock.now() - timedelta(days=self._section.days)
        record = await self._texts.next_recording(since)
        if record is None:
            return False
        await self._texts.begin(record.call_id, self._model.name, self._clock.now())
        decoding = asyncio.create_task(self._decode(record), name="second pass")
        try:
            while not decoding.done() and self._idleness.may_go_on(self._calls()):
                await asyncio.wait({decoding}, timeout=WATCH_SECONDS)
            return decoding.done() and await self._keep(record, decoding)
        finally:
            self.busy.clear()
            if not decoding.done():
                decoding.cancel()
                await self.aclose()
                await asyncio.wait({decoding})
                await self._texts.give_back(record.call_id)

    def _calls(self) -> int:
        return len(self._picture.live().calls)

    async def _keep(self, record: RecordingRecord, decoded: asyncio.Task[list[Segment]]) -> bool:
        """Write down what came of an attempt; False when the next one would come to nothing too."""
        try:
            segments = decoded.result()
        except ModelUnusable as error:
            log.error("there is no second pass now: %s", error)
            await self._texts.give_back(record.call_id)
            return False
        except (HotlineError, OSError, ValueError, TimeoutError) as error:
            log.error("call %s: its recording cannot be decoded: %s", record.call_id, error)
            await self.aclose()
            await self._texts.fail(record.call_id, self._clock.now())
            return True
        await self._texts.finish(record.call_id, segments, self._clock.now())
        return True

    async def _decode(self, record: RecordingRecord) -> list[Segment]:
        """What the process hears in a recording.

        Raises:
            HotlineError, OSError, ValueError, TimeoutError: it cannot be read, or the process failed.
        """
        view = await self._archive.view(record)
        worker = await self._ready_worker()
        self.busy.set()
        reader = await asyncio.to_thread(self._archive.open, record)
        with contextlib.closing(reader):
            async with asyncio.timeout(60 + view.seconds * SLOWEST):
                sending = asyncio.create_task(_send(reader, worker), name="second pass sound")
                hearing = asyncio.create_task(_answers(worker), name="second pass text")
                try:
                    _, answers = await asyncio.gather(sending, hearing)
                finally:
                    sending.cancel()
                    hearing.cancel()
                    await asyncio.gather(sending, hearing, return_exceptions=True)
        # on a thread: the texts of an hour take some tenths of a second to write
        return await asyncio.to_thread(self._written, record, answers, view.transcript_offset_seconds)

    def _written(
        self, record: RecordingRecord, answers: list[dict[str, Any]], offset_seconds: float
    ) -> list[Segment]:
        write, at = self._writers.of(record.line).write, self._clock.now()
        return [
            Segment(
                record.call_id, Side(one["side"]), number, 1, one["text"], True,
                max(0.0, one["start"] + offset_seconds), max(0.0, one["end"] + offset_seconds),
                one["confidence"], at, written=write(one["text"], [Word(*word) for word in one["words"]]),
            )
            for number, one in enumerate(answers, 1)
        ]  # fmt: skip

    async def _ready_worker(self) -> Process:
        if self._worker is not None and self._worker.returncode is None:
            return self._worker
        command = (sys.executable, "-m", "hotline.asr.second_worker", str(self._model))
        try:
            self._worker = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, limit=ANSWER_BYTES
            )
            async with asyncio.timeout(LOAD_SECONDS):
                await _answer(self._worker)
        except (PeerError, OSError, TimeoutError) as error:
            await self.aclose()
            raise ModelUnusable(
                f"the process for {self._model} did not come up",
                hint="try it: hotline asr transcribe --model",
            ) from error
        return self._worker

    async def aclose(self) -> None:
        """Kill the process, which has nothing to save; idempotent."""
        worker, self._worker = self._worker, None
        if worker is not None:
            with contextlib.suppress(ProcessLookupError):
                worker.kill()
            await worker.wait()


def processor_load() -> float:
    """The load average over the last minute, of one processor."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)


def sound_begins(head: bytes) -> int:
    """Where the samples of a kept recording begin: behind the header of its ``data`` chunk (RFC 2361).

    Raises:
        RecordingDamaged: it is not two channels of A-law.
    """
    at = 12
    while head[:4] == b"RIFF" and at + 8 <= len(head):
        name, size = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], "little")
        if name == b"fmt " and struct.unpack_from("<HHI", head, at + 8) != (6, 2, 8000):
            break
        if name == b"data":
            return at + 8
        at += 8 + size
    raise RecordingDamaged("this is no recording of two channels of A-law")


async def _send(reader: RecordingReader, worker: Process) -> None:
    """The recording's sound to the process, as fast as it takes it."""
    assert worker.stdin is not None  # noqa: S101 - for the type checker
    at = sound_begins(await asyncio.to_thread(reader.read, 0, 100))
    worker.stdin.write(b"%d\n" % ((reader.size_bytes - at) // 2 * 2))
    while part := await asyncio.to_thread(reader.read, at, min(PART_BYTES, reader.size_bytes - at)):
        worker.stdin.write(part)
        await worker.stdin.drain()
        at += len(part)


async def _answers(worker: Process) -> list[dict[str, Any]]:
    """What the process heard in one recording."""
    found = []
    while "done" not in (answer := await _answer(worker)):
        found.append(answer)
    return found


async def _answer(worker: Process) -> dict[str, Any]:
    assert worker.stdout is not None  # noqa: S101 - for the type checker
    line = await worker.stdout.readline()
    if not line:
        raise PeerError("the process of the second pass ended", hint="try the model: hotline asr transcribe")
    answer: dict[str, Any] = json.loads(line)
    return answer
