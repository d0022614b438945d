"""``hotline queue-log import`` at work: another system's queue_log files into the ledger.

What is finished is saved in short transactions, each together with how far the files are done with: up to the
first line of the oldest call that is not finished. So an import that was ended in any way goes on there, and
what it reads twice is known by its key. Memory holds some hours of the log's calls, however long the log is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from hotline.config.schema import Site
from hotline.core.backoff import backoff
from hotline.core.clock import Clock
from hotline.core.errors import SetupError
from hotline.core.events import Outcome
from hotline.queue.facts import ABOUT_AGENTS, AGENTS_ONLY, Restarted
from hotline.queue.queue_log.agent_history import AgentHistory
from hotline.queue.queue_log.files import LogFile, read_blocks
from hotline.queue.queue_log.history import History, PastCall, Place
from hotline.queue.queue_log.line import read_line
from hotline.queue.queue_log.reader import MalformedLine
from hotline.queue.routing import HistoryNames
from hotline.store.ledger import HistoryRows, Ledger, TailRecord
from hotline.store.refusals import SAVE_ERRORS, is_refusal

TOLD_LINES = 20  # malformed lines named one by one; the others are counted
PATIENCE_SECONDS = 60.0  # how long a database that somebody else holds is waited for
NOTHING = HistoryRows([], [], [], [], [], [])
YIELD_SECONDS = 0.002  # between two saves, so that a server on the same SQLite file gets its turn


@dataclass(slots=True)
class Summary:
    """What an import did.

    Attributes:
        lines: read this time; ``malformed`` of them are no lines of a queue_log.
        strays: lines about calls that began before the first line.
        outcomes: rows by ledger class, those included that were there before.
        intervals: times of agents in one state, likewise.
        open_calls: calls still going on at the end of the newest file: not saved.
        first_at: the first moment a line tells of; ``last_at`` the last.
        went_on: an earlier import had read part of the files.
    """

    node: str
    lines: int = 0
    malformed: int = 0
    strays: int = 0
    calls: int = 0
    outcomes: dict[Outcome, int] = field(default_factory=dict)
    intervals: int = 0
    open_calls: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    unknown_queues: list[str] = field(default_factory=list)
    unknown_agents: list[str] = field(default_factory=list)
    went_on: bool = False

    @property
    def entries(self) -> int:
        """Ledger rows."""
        return sum(self.outcomes.values())


@dataclass(slots=True)
class _Begun:
    """A file being imported: its name in the database, how far it is read and how far that is saved."""

    name: str
    read: int
    saved: int


class LogImport:
    """One import.

    Args:
        site: whose lines, queues and agents the names mean.
        node: the exchange that wrote the files.
        ledger: where the rows go.
        clock: lines of a time to come are malformed.
        say: told one line of text for each thing a person should look at.
        advance: told how many bytes on disk are read, of all files together.
        stopped: asked between saves; true ends the import there.
    """

    def __init__(
        self,
        site: Site,
        node: str,
        ledger: Ledger,
        clock: Clock,
        say: Callable[[str], None],
        advance: Callable[[int], None],
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._names = HistoryNames(site)
        self._history = History(node, self._names, site.figures.short_abandon_seconds)
        self._agents: AgentHistory
        self._ledger, self._clock, self._say, self._advance = ledger, clock, say, advance
        self._stopped = stopped
        self._latest = clock.now() + timedelta(days=1)
        self._summary = Summary(node)
        self._told: set[str] = set()
        self._begun: list[_Begun] = []

    async def run(self, files: list[LogFile], *, anew: bool = False) -> Summary:
        """Import ``files``, given in their order.

        Args:
            files: see ``log_files.in_order``.
            anew: read everything again, also what an earlier import has read.

        Raises:
            KeyboardInterrupt: ``stopped`` says so; what was saved stays.
            SetupError: the database cannot be written; what was saved before stays.
            PeerError: a compressed file is broken; likewise.
        """
        node = self._summary.node
        standings = [] if anew else await self._ledger.standings(node)
        self._agents = AgentHistory(node, self._names, await self._ledger.live_since(), standings)
        before = 0
        for number, file in enumerate(files):
            begun = await self._begin(file, anew or self._summary.lines > 0)
            for block in read_blocks(file, begun.read):
                begun.read = block.offset
                for index, raw in enumerate(block.lines):
                    self._line(file.path, block.number + index, raw, (number, begun.read))
                    begun.read += len(raw) if raw.endswith(b"\n") else 0
                await self._save(self._history.unfinished)
                self._advance(before + block.read_bytes)
                self._go_on()
            before += file.size_bytes
            self._advance(before)
        await self._save(self._history.end(self._clock.now()))
        return self._summed_up()

    def _go_on(self) -> None:
        """Between two saves is the place to end: a cancelled save may end the cancelling instead."""
        if self._stopped():
            raise KeyboardInterrupt

    async def _begin(self, file: LogFile, from_its_start: bool) -> _Begun:
        """Where to read: on from the earlier import, unless lines of a file before this one are new."""
        name = f"import {self._summary.node} {file.beginning}"
        known = None if from_its_start else await self._ledger.tail(name)
        offset = known.offset if known else 0
        self._summary.went_on |= offset > 0
        self._begun.append(_Begun(name, offset, offset))
        return self._begun[-1]

    def _line(self, path: Path, number: int, raw: bytes, place: Place) -> None:
        summary = self._summary
        summary.lines += 1
        try:
            fact = read_line(raw.decode("utf-8", "replace"), self._latest)
        except MalformedLine as error:
            summary.malformed += 1
            if summary.malformed <= TOLD_LINES:
                self._say(f"{path}:{number}: skipped: {error}")
            elif summary.malformed == TOLD_LINES + 1:
                self._say("further malformed lines are only counted")
            return
        if fact is None:
            return
        if isinstance(fact, Restarted):
            self._history.restarted(fact.at)
            self._agents.restarted()
            return
        if summary.first_at is None or fact.at < summary.first_at:
            summary.first_at = fact.at
        if summary.last_at is None or fact.at > summary.last_at:
            summary.last_at = fact.at
        if isinstance(fact, ABOUT_AGENTS):
            self._agents.take(fact)
        if not isinstance(fact, AGENTS_ONLY):
            self._history.take(fact, place)

    async def _save(self, needed: Place | None) -> None:
        """Save what is finished, and that the files need not be read again up to the line ``needed``."""
        rows = self._rows(self._history.finished(), self._tails(needed))
        if rows != NOTHING:
            await self._write(rows)
            await asyncio.sleep(YIELD_SECONDS)
        for queue in self._history.unknown_queues:
            self._say_once(f"queue {queue} is not in the site file: its calls keep that name")
        for agent in self._agents.unknown_agents:
            self._say_once(f"agent {agent} is not in the site file: calls and times keep that name")

    def _say_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._say(text)

    def _rows(self, finished: list[PastCall], tails: list[TailRecord]) -> HistoryRows:
        node, intervals = self._summary.node, self._agents.finished()
        self._summary.calls += len(finished)
        self._summary.intervals += len(intervals)
        return HistoryRows(
            calls=[past.call.record(node) for past in finished],
            entries=[entry.record() for past in finished for entry in past.call.entries],
            talks=[talk for past in finished for talk in past.talks],
            intervals=intervals,
            standings=self._agents.standings(),
            tails=tails,
        )

    def _tails(self, needed: Place | None) -> list[TailRecord]:
        """The positions that have changed: whole files, then the one where the needed line stands."""
        last, offset = needed or (len(self._begun), 0)
        tails = []
        for number, file in enumerate(self._begun[: last + 1]):
            reached = offset if number == last else file.read
            if reached > file.saved:
                file.saved = reached
                tails.append(TailRecord(file.name, 0, reached))
        return tails

    async def _write(self, rows: HistoryRows) -> None:
        delays, waited = backoff(initial_seconds=0.05, max_seconds=2), 0.0
        while True:
            try:
                await self._ledger.add_history(rows)
                return
            except SAVE_ERRORS as error:  # locked by others, full, away, or a deadlock
                if is_refusal(error) or waited >= PATIENCE_SECONDS:
                    raise SetupError(
                        f"the database cannot be written: {getattr(error, 'orig', None) or error}",
                        hint="mend that and run the same command again: it goes on where it was",
                    ) from error
                self._go_on()
                pause = next(delays)
                waited += pause + 5  # SQLite itself has waited that long
                await asyncio.sleep(pause)

    def _summed_up(self) -> Summary:
        history, summary = self._history, self._summary
        summary.outcomes = {outcome: history.outcomes[outcome] for outcome in Outcome}
        summary.strays = 0 if summary.went_on else history.strays
        summary.open_calls = history.open_calls
        summary.unknown_queues = list(history.unknown_queues)
        summary.unknown_agents = list(self._agents.unknown_agents)
        return summary
