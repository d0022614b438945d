"""Figures of a period, from the ledger's rows."""

from __future__ import annotations

import asyncio
from datetime import datetime, time, timedelta
from typing import Final

from hotline.config.schema import Line, Site
from hotline.core.clock import Clock
from hotline.core.events import Outcome
from hotline.core.views import AgentDay, DayFigures, LineFigures
from hotline.metrics.rates import Counts, line_figures
from hotline.store.counting import AgentCount, By, LineCount, count_by_agent, count_by_line
from hotline.store.database import Sessions

AGENTS_SECONDS: Final = 5.0  # however many supervisors look


class LedgerFigures:
    """Answers the ``Figures`` port from the database."""

    def __init__(self, site: Site, sessions: Sessions, clock: Clock) -> None:
        self._site, self._sessions, self._clock = site, sessions, clock
        self._agents: tuple[float, tuple[AgentDay, ...]] | None = None
        self._agents_asked = asyncio.Lock()

    async def today(self) -> DayFigures:
        """Figures of the calls that began to wait since midnight of the site's zone."""
        start, end = self._today()
        total, lines = await self.of_period(start, end)
        return DayFigures(start.date(), self._site.figures.answer_within_seconds, total, lines)

    async def agents_today(self) -> tuple[AgentDay, ...]:
        """The same calls by who answered them, asked of the database at most every few seconds."""
        async with self._agents_asked:
            now = self._clock.monotonic()
            if self._agents is None or now - self._agents[0] >= AGENTS_SECONDS:
                counts = await count_by_agent(self._sessions, *self._today())
                self._agents = now, tuple(_agent_day(count) for count in counts)
            return self._agents[1]

    def _today(self) -> tuple[datetime, datetime]:
        """The day of the site's zone, from midnight to midnight."""
        zone = self._site.zone
        day = self._clock.now().astimezone(zone).date()
        tomorrow = day + timedelta(days=1)
        return datetime.combine(day, time(), zone), datetime.combine(tomorrow, time(), zone)

    async def of_period(
        self, start: datetime, end: datetime, *, with_menu: bool = False
    ) -> tuple[LineFigures, tuple[LineFigures, ...]]:
        """The whole hotline, and every line with its children's rows included; [start, end), aware."""
        within = self._site.figures.answer_within_seconds
        rows = await count_by_line(self._sessions, start, end, within, with_menu=with_menu)
        return figures_of(self._site, rows)

    async def grouped(
        self, start: datetime, end: datetime, by: By, *, with_menu: bool = False
    ) -> tuple[LineFigures, tuple[LineFigures, ...]]:
        """The whole hotline, and every queue or language, which `LineFigures.line` names."""
        figures = self._site.figures
        within = figures.answer_within_seconds
        rows = await count_by_line(self._sessions, start, end, within, by, with_menu=with_menu)
        titles = {queue.name: queue.title for queue in self._site.queues} if by is By.QUEUE else {}
        sums = {name: Counts.none() for name in (*titles, *(row.line for row in rows))}
        total = Counts.none()
        for row in rows:
            sums[row.line].add(_counts(row))
            total.add(_counts(row))
        whole = line_figures(total, figures, line="total", name=self._site.site.name, parent=None)
        groups = (
            line_figures(counts, figures, line=name, name=titles.get(name, name), parent=None)
            for name, counts in sums.items()
        )
        return whole, tuple(groups)


def _agent_day(count: AgentCount) -> AgentDay:
    talk_seconds = count.talk_ms / 1000
    average = talk_seconds / count.ended if count.ended else None
    return AgentDay(count.agent, count.answered, talk_seconds, average)


def figures_of(site: Site, rows: list[LineCount]) -> tuple[LineFigures, tuple[LineFigures, ...]]:
    """Sum rows up the tree of lines. Rows of a line that the site no longer has keep a row of their own."""
    own: dict[str, Counts] = {}
    for row in rows:
        own.setdefault(row.line, Counts.none()).add(_counts(row))
    known = {line.id: line for line in site.lines}
    total = Counts.none()
    sums = {line.id: Counts.none() for line in site.lines}
    for line_id, counts in own.items():
        total.add(counts)
        for ancestor in _upward(known, line_id):
            sums.setdefault(ancestor, Counts.none()).add(counts)

    def shown(line_id: str) -> LineFigures:
        line = known.get(line_id)
        name, parent = (line.name, line.parent) if line else (line_id, None)
        return line_figures(sums[line_id], site.figures, line=line_id, name=name, parent=parent)

    whole = line_figures(total, site.figures, line="total", name=site.site.name, parent=None)
    return whole, tuple(shown(line_id) for line_id in sums)


def _upward(known: dict[str, Line], line_id: str) -> list[str]:
    """The line and its ancestors; ``hotline check`` has refused cycles."""
    path = [line_id]
    while (line := known.get(path[-1])) and line.parent:
        path.append(line.parent)
    return path


def _counts(row: LineCount) -> Counts:
    counts = Counts.none()
    if row.outcome is None:
        counts.still_open = row.rows
        return counts
    counts.outcomes[row.outcome], counts.menu_ms = row.rows, row.menu_ms
    if row.outcome is Outcome.ANSWERED:
        counts.answered_within, counts.wait_ms, counts.talk_ms = row.within, row.wait_ms, row.talk_ms
        counts.ring_ms, counts.hold_ms, counts.wrap_up_ms = row.ring_ms, row.hold_ms, row.wrap_up_ms
    return counts
