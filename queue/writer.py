"""Rows on their way to the database: never in the way of a call, never lost while memory lasts.

Policy: the newest version of each row waits in a dictionary, so a database that is away for minutes costs one
slot a row, not one an event. When ``limit`` rows wait, the oldest are dropped and counted; the position in
queue_log stays from then on where it was saved last, so that the next start brings them back from there. A
row that the database will never take is set aside, counted, and holds up no other.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from hotline.core.backoff import backoff
from hotline.store.ledger import (
    CallRecord,
    Changes,
    EntryRecord,
    IntervalRecord,
    Ledger,
    Row,
    RowMoment,
    SurveyRecord,
    TailRecord,
    TalkRecord,
)
from hotline.store.refusals import SAVE_ERRORS, is_refusal

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.05  # between two saves: on a busy exchange each takes the changes of many calls


def _nobody(_moment: RowMoment, _row: EntryRecord) -> None:
    """Nobody counts."""


def _nobody_asks(_row: SurveyRecord) -> None:
    """Likewise."""


class LedgerWriter:
    """Saves rows in the background, retrying for ever.

    Attributes:
        known: told what became known of an entry, with its row, once that is in the database: so that who
            counts it counts it once, though the server be killed and queue_log tell it again.
        surveyed: told of a survey likewise.
    """

    def __init__(self, ledger: Ledger, limit: int = 100_000) -> None:
        self.known: Callable[[RowMoment, EntryRecord], None] = _nobody
        self.surveyed: Callable[[SurveyRecord], None] = _nobody_asks
        self.dropped = 0
        self.refused = 0
        self.failures = 0
        self._ledger = ledger
        self._limit = limit
        self._calls: dict[str, CallRecord] = {}
        self._entries: dict[str, EntryRecord] = {}
        self._talks: dict[str, TalkRecord] = {}
        self._surveys: dict[str, SurveyRecord] = {}  # each is put once
        self._intervals: dict[tuple[str, object], IntervalRecord] = {}
        self._moments: list[tuple[RowMoment, str]] = []  # of rows that wait: at most four a row
        self._tail: TailRecord | None = None
        self._wake = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()
        self._closing = False

    def put(
        self,
        *,
        calls: dict[str, CallRecord] | None = None,
        entries: dict[str, EntryRecord] | None = None,
        talks: dict[str, TalkRecord] | None = None,
        surveys: dict[str, SurveyRecord] | None = None,
        intervals: list[IntervalRecord] | None = None,
        moments: Sequence[tuple[RowMoment, str]] = (),
        tail: TailRecord | None = None,
    ) -> None:
        """Take rows to be saved. Never waits."""
        self._calls.update(calls or {})
        self._entries.update(entries or {})
        self._talks.update(talks or {})
        self._surveys.update(surveys or {})
        self._intervals.update({(row.agent, row.since): row for row in intervals or []})
        self._moments.extend(moments)
        self._tail = tail or self._tail
        for rows in (self._calls, self._entries, self._talks, self._surveys, self._intervals):
            while len(rows) > self._limit:
                rows.pop(next(iter(rows)))  # type: ignore[call-overload]
                self.dropped += 1
        if self.dropped:
            self._tail = None
        if len(self._moments) > 4 * self._limit:  # those of rows that were dropped
            self._moments = [one for one in self._moments if one[1] in self._entries]
        if self.waiting:
            self._settled.clear()
            self._wake.set()

    @property
    def waiting(self) -> int:
        """Rows not yet saved."""
        rows = (self._calls, self._entries, self._talks, self._surveys, self._intervals)
        return sum(len(one) for one in rows) + (self._tail is not None)

    async def settled(self) -> None:
        """Wait until everything taken so far is saved."""
        await self._settled.wait()

    async def run(self) -> None:
        """Save until closed. A failing save is tried again with growing pauses; rows wait meanwhile."""
        delays = backoff(initial_seconds=0.1, max_seconds=5)
        while not (self._closing and not self.waiting):
            await self._wake.wait()
            self._wake.clear()
            if not self.waiting:
                continue
            taken = Changes(
                list(self._calls.values()),
                list(self._entries.values()),
                list(self._intervals.values()),
                self._tail,
                list(self._talks.values()),
                list(self._surveys.values()),
            )
            moments, self._moments = self._moments, []
            try:
                await self._save(taken)
            except SAVE_ERRORS as error:
                self.failures += 1
                self._moments = moments + self._moments
                log.warning("ledger rows wait for the database: %s", type(error).__name__)
                await asyncio.sleep(next(delays))
                self._wake.set()
                continue
            delays = backoff(initial_seconds=0.1, max_seconds=5)
            self._forget(taken)
            self._tell_known(taken, moments)
            if not self._closing:
                await asyncio.sleep(GATHER_SECONDS)

    async def _save(self, changes: Changes) -> None:
        """Save all; if the database blames the rows, all but those."""
        try:
            await self._ledger.save(changes)
        except SAVE_ERRORS as error:
            if not is_refusal(error):
                raise
            await self._save_in_parts(changes.rows)
            await self._ledger.save(Changes(tail=changes.tail))

    async def _save_in_parts(self, rows: list[Row]) -> None:
        """Save one half, then the other, until the row is found that is to blame."""
        try:
            await self._ledger.save(Changes.of(rows))
        except SAVE_ERRORS as error:
            if not is_refusal(error):
                raise
            if len(rows) > 1:
                await self._save_in_parts(rows[: len(rows) // 2])
                await self._save_in_parts(rows[len(rows) // 2 :])
                return
            await self._ledger.set_aside(rows[0], error)
            self.refused += 1
            log.error("the database does not take a %s: it is in refused_rows", type(rows[0]).__name__)

    def _forget(self, saved: Changes) -> None:
        """Drop what was saved, but keep rows that have changed since."""
        for call in saved.calls:
            if self._calls.get(call.call_id) is call:
                del self._calls[call.call_id]
        for entry in saved.entries:
            if self._entries.get(entry.entry_id) is entry:
                del self._entries[entry.entry_id]
        for talk in saved.talks:
            if self._talks.get(talk.talk_id) is talk:
                del self._talks[talk.talk_id]
        for survey in saved.surveys:
            if self._surveys.get(survey.call_id) is survey:
                del self._surveys[survey.call_id]
        for row in saved.intervals:
            if self._intervals.get((row.agent, row.since)) is row:
                del self._intervals[(row.agent, row.since)]
        if self._tail is saved.tail:
            self._tail = None
        if self.waiting:
            self._wake.set()
        else:
            self._settled.set()

    def _tell_known(self, saved: Changes, moments: list[tuple[RowMoment, str]]) -> None:
        rows = {row.entry_id: row for row in saved.entries}
        for moment, entry_id in moments:
            if entry_id in rows:  # else it was dropped: the next start tells of it
                self.known(moment, rows[entry_id])
        for survey in saved.surveys:
            self.surveyed(survey)

    def close(self) -> None:
        """Let ``run`` end once everything is saved; whoever awaits it sets the deadline."""
        self._closing = True
        self._wake.set()
