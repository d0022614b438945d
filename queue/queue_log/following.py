"""queue_log at work beside the live events: read on from where it was, into the call table.

What was read is known by its place in the file, and the calls it told of by their rows: a call that the table
has forgotten is remembered from the database before a line of it is read again. So a replay changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from hotline.core.clock import Clock
from hotline.core.events import CallAnswered, CallStarted, Source, TalkStarted
from hotline.queue.calls.outbox import Outbox
from hotline.queue.calls.table import CallTable
from hotline.queue.facts import AGENTS_ONLY, CallbackFact, Duty, Restarted
from hotline.queue.queue_log.follower import Batch, QueueLogFollower
from hotline.queue.queue_log.line import read_own_line
from hotline.queue.queue_log.reader import AnyFact, MalformedLine, NewsOfTheExchange
from hotline.queue.writer import LedgerWriter
from hotline.store.ledger import Ledger, TailRecord, tail_of
from hotline.store.refusals import SAVE_ERRORS

log = logging.getLogger(__name__)

CATCH_UP_SECONDS: Final = 30.0
SETTLE: Final = timedelta(seconds=10)  # lines younger than this are left to the live events
HEARD_EVERY: Final = timedelta(seconds=10)  # how often it is written down that the exchange was heard
LATELY: Final = timedelta(minutes=1)  # a younger call may have come after the list that it is not in
AHEAD: Final = timedelta(days=1)  # a line of a later time is none

ReadLine = tuple[int, AnyFact | None]
"""The place in the file just after it, and what it says; None: it is no line."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The channels that were alive in the exchange ``at`` a moment."""

    at: datetime
    channels: Set[str]


class LogFollowing:
    """Follows one exchange's queue_log.

    Args:
        path: the file; None where it cannot be read (then an outage leaves gaps).
        node: the exchange.
        queues: the site's queues; lines of others are not ours.
        table: what the lines are told to.
        ledger: remembers forgotten calls and where reading stands; ``writer`` saves both.
        tell: takes what came of a line.
        logged: takes each line as it is: agents' are for others.

    Attributes:
        malformed: lines that are none.
        recovered: ledger rows that only queue_log could close, by class.
        untold: calls that had ended before anybody was told of them; nobody is, and they leave the set again.
    """

    def __init__(
        self,
        path: Path | None,
        node: str,
        queues: Set[str],
        table: CallTable,
        ledger: Ledger,
        writer: LedgerWriter,
        clock: Clock,
        tell: Callable[[Outbox], None],
        logged: Callable[[AnyFact], None],
    ) -> None:
        self.malformed = 0
        self.recovered: Counter[str] = Counter()
        self.untold: set[str] = set()
        self._node, self._queues = node, queues
        self._table, self._ledger, self._writer, self._clock, self._tell = table, ledger, writer, clock, tell
        self._logged = logged
        self._follower = QueueLogFollower(path, tail_of(node)) if path else None
        self._tail = TailRecord(tail_of(node), 0, 0)
        self._busy = asyncio.Lock()

    async def restore(self) -> TailRecord:
        """Find where to go on, and tell; call once, before anything else."""
        tail = await self._ledger.tail(self._tail.path)
        self._tail = tail or await self._begin()
        return self._tail

    async def _begin(self) -> TailRecord:
        """The first start of all: whatever happened until now is for the import."""
        tail = self._tail
        if self._follower is not None:
            try:
                tail = await asyncio.to_thread(self._follower.at_its_end)
            except OSError as error:
                log.warning("queue_log cannot be read: %s", error.strerror)
        if self._follower is not None and tail.offset:
            log.info(
                "queue_log is followed from its end; what it tells of the past comes into the ledger by: "
                "hotline queue-log import %s --site FILE", self._follower.path,
            )  # fmt: skip
        tail = replace(tail, heard_at=self._clock.now())
        self._writer.put(tail=tail)
        return tail

    def heard(self, now: datetime) -> None:
        """The exchange is there, and its live events are in the rows put so far."""
        if self._tail.heard_at is None or not timedelta() <= now - self._tail.heard_at < HEARD_EVERY:
            self._tail = replace(self._tail, heard_at=now)
            self._writer.put(tail=self._tail)

    async def run(self) -> None:
        """Read what the live events did not tell, until cancelled."""
        while self._follower is not None:
            await asyncio.sleep(CATCH_UP_SECONDS)
            await self.catch_up(everything=False)

    async def catch_up(self, *, everything: bool, seen: Seen | None = None) -> None:
        """Read on from where it was left, and let the table make of it what it did not know.

        Args:
            everything: also the youngest lines; false leaves those to the live events that are on their way.
            seen: calls that are older and not in it are over: nobody is told that they began.
        """
        if self._follower is None:
            return
        async with self._busy:
            try:
                while batch := await asyncio.to_thread(self._follower.read, self._tail):
                    lines = self._read(batch)
                    await self._remember(lines)
                    whole = self._take(batch, lines, everything, seen)
                    if not (whole and batch.more):
                        return
            except OSError as error:
                log.warning("queue_log cannot be read now: %s", error.strerror)

    def _read(self, batch: Batch) -> list[ReadLine]:
        """What the lines of a batch say of our queues."""
        latest = self._clock.now() + AHEAD
        lines: list[ReadLine] = []
        for end, line in batch.lines:
            try:
                fact = read_own_line(line, latest) if line.strip() else None
            except MalformedLine:
                lines.append((end, None))
                continue
            if fact is not None and (isinstance(fact, NewsOfTheExchange) or fact.queue in self._queues):
                lines.append((end, fact))
        return lines

    async def _remember(self, lines: list[ReadLine]) -> None:
        """Have the table know the calls that the lines are about, as far as the database has them."""
        channels = {
            fact.call_id if isinstance(fact, CallbackFact) else fact.uniqueid
            for _, fact in lines
            if fact and not isinstance(fact, Restarted | Duty)
        }
        forgotten = [uniqueid for uniqueid in channels if self._table.call_of_channel(uniqueid) is None]
        if not forgotten:
            return
        try:
            known = await self._ledger.of_channels(self._node, forgotten)
        except SAVE_ERRORS as error:
            log.warning("queue_log is read without looking for known calls: %s", type(error).__name__)
            return
        self._table.restore(known.calls, known.entries, known.talks, self._tail.read_to, known.surveys)

    def _take(self, batch: Batch, lines: list[ReadLine], everything: bool, seen: Seen | None) -> bool:
        """Let the lines happen; false if some were too young and must be read again."""
        horizon = self._clock.now() - SETTLE
        kept = self._tail
        passed_to = None
        for end, fact in lines:
            if fact is None:
                self.malformed += 1
                kept = replace(batch.tail, offset=end)
                continue
            if not everything and fact.at > horizon:
                self._keep(kept, passed_to)
                return False
            if not isinstance(fact, AGENTS_ONLY):
                out = self._table.apply(fact, Source.QUEUE_LOG)
                if seen is not None and fact.at < seen.at - LATELY:
                    self._hush(out, seen)
                self.recovered.update(row.outcome or "" for row in out.entries.values() if row.closed_at)
                self._tell(out)
            self._logged(fact)
            kept = replace(batch.tail, offset=end)
            passed_to = fact.at
        self._keep(batch.tail, passed_to)
        if seen is not None and passed_to is not None:
            self._tell(self._table.end_past(passed_to, seen.channels))
        return True

    def _hush(self, out: Outbox, seen: Seen) -> None:
        """Of a call that is over nobody is told that it began, nor that somebody answers now."""
        for event in out.events:
            if isinstance(event, CallStarted) and event.call_id not in seen.channels:
                self.untold.add(event.call_id)
        out.events = [
            event
            for event in out.events
            if not isinstance(event, CallAnswered | TalkStarted) or event.call_id in seen.channels
        ]

    def _keep(self, tail: TailRecord, passed_to: datetime | None) -> None:
        """Remember how far the file is read, together with the rows that came of it."""
        tail = replace(tail, heard_at=self._tail.heard_at, read_to=passed_to or self._tail.read_to)
        if tail != self._tail:
            self._tail = tail
            self._writer.put(tail=tail)
