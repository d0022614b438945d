"""The text of calls: live ones from memory at once, final texts to the database in the background.

Policy: a final text waits in memory until it is saved; a database that is locked or away delays nothing and
loses nothing until `WAITING_LIMIT` texts wait, then the oldest are dropped and counted. The text of a call
stays in memory until the call has ended and is saved; at most `CALLS_LIMIT` calls and `CALL_SEGMENTS_LIMIT`
texts of each, the oldest going first (the database has them).
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from typing import Final

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from hotline.asr.stats import AsrStats
from hotline.core.backoff import backoff
from hotline.core.events import Side, TranscriptSegment
from hotline.core.views import Segment
from hotline.store.transcripts import TranscriptStore

log = logging.getLogger(__name__)

WAITING_LIMIT: Final = 50_000  # some 20 MB: a busy hour of a big city without its database
CALLS_LIMIT: Final = 2_000
CALL_SEGMENTS_LIMIT: Final = 4_000  # hours of talk
BATCH: Final = 500
GATHER_SECONDS: Final = 0.2  # one transaction for what comes within this time
FLUSH_SECONDS: Final = 5.0
READ_SECONDS: Final = 2.0

_Key = tuple[Side, int]


class TranscriptBook:
    """The Transcripts port, and where the hearing writes.

    Args:
        store: the database's side.
        stats: counts what waits and what was lost.
    """

    def __init__(
        self, store: TranscriptStore, stats: AsrStats, *, waiting_limit: int = WAITING_LIMIT
    ) -> None:
        self._store = store
        self._stats = stats
        self._waiting_limit = waiting_limit
        self._live: OrderedDict[str, dict[_Key, Segment]] = OrderedDict()
        self._ended: set[str] = set()
        self._waiting: deque[Segment] = deque()
        self._taken = 0  # of them, how many are in the transaction under way
        self._wake = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to save."""
        self._task = asyncio.create_task(self._run(), name="transcripts")

    async def aclose(self) -> None:
        """Save what waits, for at most FLUSH_SECONDS; idempotent."""
        self._closing = True
        self._wake.set()
        if self._task is None:
            return
        _, late = await asyncio.wait({self._task}, timeout=FLUSH_SECONDS)
        if late:
            log.error("%d final texts could not be saved before the stop", len(self._waiting))
            self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None

    def record(self, event: TranscriptSegment) -> None:
        """Take a text. Never waits."""
        segment = Segment(
            call_id=event.call_id,
            side=event.side,
            utterance=event.utterance,
            revision=event.revision,
            text=event.text,
            final=event.final,
            start_seconds=event.start_seconds,
            end_seconds=event.end_seconds,
            confidence=event.confidence,
            at=event.at,
            party=event.party,
            written=event.written,
        )
        self._remember(segment)
        if segment.final and segment.text:
            self._waiting.append(segment)
            if len(self._waiting) > self._waiting_limit:
                self._waiting.popleft()
                self._taken = max(0, self._taken - 1)
                self._stats.segments_dropped += 1
            self._stats.segments_waiting = len(self._waiting)
            self._wake.set()

    def call_ended(self, call_id: str) -> None:
        """Nothing more comes of this call; it is forgotten here once it is saved."""
        if call_id in self._live:
            self._ended.add(call_id)
            self._forget_saved()

    async def of_call(self, call_id: str) -> list[Segment]:
        """Every final segment and the newest partial of each side, by start.

        When the database does not answer in time, what is in memory.
        """
        found: dict[_Key, Segment] = {}
        try:
            async with asyncio.timeout(READ_SECONDS):
                stored = await self._store.of_call(call_id)
            found = {(segment.side, segment.utterance): segment for segment in stored}
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.warning("stored texts of a call cannot be read: %s", type(error).__name__)
        found |= self._live.get(call_id, {})
        segments = [segment for segment in found.values() if segment.text]
        return sorted(segments, key=lambda one: (one.start_seconds, one.side, one.utterance))

    async def last_utterances(self, call_id: str) -> dict[Side, int]:
        """The highest utterance number of each side, from memory and database.

        Raises:
            SQLAlchemyError, OSError, TimeoutError: the database cannot be asked.
        """
        async with asyncio.timeout(READ_SECONDS):
            last = await self._store.last_utterances(call_id)
        for side, utterance in self._live.get(call_id, {}):
            last[side] = max(last.get(side, 0), utterance)
        return last

    def _remember(self, segment: Segment) -> None:
        call = self._live.setdefault(segment.call_id, {})
        self._live.move_to_end(segment.call_id)
        call[segment.side, segment.utterance] = segment
        if len(call) > CALL_SEGMENTS_LIMIT:
            del call[next(iter(call))]
        if len(self._live) > CALLS_LIMIT:
            forgotten, _ = self._live.popitem(last=False)
            self._ended.discard(forgotten)

    def _forget_saved(self) -> None:
        if not self._ended:
            return
        unsaved = {segment.call_id for segment in self._waiting}
        for call_id in self._ended - unsaved:
            self._live.pop(call_id, None)
        self._ended &= unsaved

    async def _run(self) -> None:
        delays = backoff(initial_seconds=0.1, max_seconds=5)
        while True:
            if not self._waiting:
                if self._closing:
                    return
                self._wake.clear()
                await self._wake.wait()
                if not self._closing:
                    await asyncio.sleep(GATHER_SECONDS)
                continue
            if await self._save_some():
                delays = backoff(initial_seconds=0.1, max_seconds=5)
            else:
                await asyncio.sleep(next(delays))

    async def _save_some(self) -> bool:
        """Save the oldest texts; False when the database is to be tried again later."""
        batch = [self._waiting[place] for place in range(min(BATCH, len(self._waiting)))]
        self._taken = len(batch)
        try:
            await self._store.save(batch)
        except (SQLAlchemyError, OSError) as error:
            self._stats.save_failures += 1
            if isinstance(error, DBAPIError) and not _may_pass(error) and len(batch) > 1:
                return await self._save_each(batch)
            log.warning("final texts wait for the database: %s", type(error).__name__)
            if isinstance(error, DBAPIError) and not _may_pass(error):
                self._stats.segments_dropped += 1
                self._saved(1)
                return True
            return False
        self._saved(self._taken)
        return True

    async def _save_each(self, batch: list[Segment]) -> bool:
        """One of them is refused for what it is: save the others, give up that one."""
        for segment in batch:
            if not self._taken:
                return True
            try:
                await self._store.save([segment])
            except (SQLAlchemyError, OSError) as error:
                if not isinstance(error, DBAPIError) or _may_pass(error):
                    return False
                log.error("the database refuses a text of call %s for good", segment.call_id)
                self._stats.segments_dropped += 1
            self._saved(1)
        return True

    def _saved(self, count: int) -> None:
        for _ in range(min(count, self._taken)):
            self._waiting.popleft()
            self._taken -= 1
        self._stats.segments_waiting = len(self._waiting)
        self._forget_saved()


def _may_pass(error: DBAPIError) -> bool:
    """Locked, full or away, rather than displeased with the row."""
    return isinstance(error, OperationalError) or error.connection_invalidated
