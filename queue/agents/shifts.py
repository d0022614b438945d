"""Who should be here, who is, and how well the two agree. Pure, but for ``ShiftBook``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

from hotline.config.schema import Agent, Site
from hotline.config.shifts import Roster, roster_of, shifts_of
from hotline.core.clock import Clock
from hotline.core.events import AgentState
from hotline.core.views import PlannedShift, ShiftRow, ShiftView
from hotline.store.ledger import IntervalRecord, Ledger

AWAY: Final = frozenset({AgentState.SIGNED_OUT, AgentState.UNREACHABLE})
"""Everything else is being present: also a break and a wrap-up."""

Span = tuple[datetime, datetime]


def shift_row(
    agent: Agent, planned: Sequence[Span], told: Iterable[IntervalRecord], now: datetime
) -> ShiftRow:
    """One agent's day.

    Args:
        agent: whom it is about.
        planned: the shifts of the day, in order.
        told: the agent's states around them.
        now: until when to look; a moment of the past for a day that is over.
    """
    state, here = AgentState.SIGNED_OUT, []
    for row in told:
        until = now if row.until is None else min(row.until, now)
        if AgentState(row.state) not in AWAY and row.since < until:
            here.append((row.since, until))
        if row.since <= now and (row.until is None or now < row.until):
            state = AgentState(row.state)
    merged = _merged(here)
    begun = [(start, min(end, now)) for start, end in planned if start < now]
    shift_seconds = sum(_seconds(span) for span in begun)
    here_seconds = sum(_seconds(_shared(one, other)) for one in begun for other in merged)
    return ShiftRow(
        agent=agent.id,
        name=agent.name,
        planned=tuple(PlannedShift(start, end) for start, end in planned),
        due=any(start <= now < end for start, end in planned),
        present=state not in AWAY,
        state=state,
        adherence=round(here_seconds / shift_seconds, 4) if shift_seconds else None,
        late_seconds=_late(begun[-1], merged) if begun else 0.0,
    )


def _late(shift: Span, here: Sequence[Span]) -> float:
    """From the beginning of the shift to the first presence in it; all of it so far if there is none."""
    came = next((start for start, end in here if end > shift[0]), shift[1])
    return max(0.0, _seconds((shift[0], min(came, shift[1]))))


def _merged(spans: list[Span]) -> list[Span]:
    """Without overlaps: time in two of them counts once."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _shared(one: Span, other: Span) -> Span:
    return max(one[0], other[0]), min(one[1], other[1])


def _seconds(span: Span) -> float:
    return max(0.0, (span[1] - span[0]).total_seconds())


class ShiftBook:
    """Answers the ``Shifts`` port from the site file, the roster and the ledger's intervals.

    The roster is read anew each time: it is edited while the server runs. One that cannot be read leaves the
    patterns of the site file, and is told.
    """

    def __init__(self, site: Site, ledger: Ledger, clock: Clock) -> None:
        self._site, self._ledger, self._clock = site, ledger, clock

    async def now(self) -> ShiftView:
        """The present day, as far as it has gone."""
        today = self._clock.now().astimezone(self._site.zone).date()
        return await self._view((today - timedelta(days=1), today))  # a night shift began the day before

    async def of(self, day: date) -> ShiftView:
        """The shifts that begin on a day of the site's zone, up to their end or so far."""
        return await self._view((day,))

    async def _view(self, days: tuple[date, ...]) -> ShiftView:
        now, zone, last_day = self._clock.now(), self._site.zone, days[-1]
        start = datetime.combine(last_day, time(), zone)
        end = datetime.combine(last_day + timedelta(days=1), time(), zone)
        roster = await asyncio.to_thread(self._roster)
        planned = {
            agent.id: [
                span
                for day in days
                for span in shifts_of(agent.id, day, self._site.shifts, roster, zone)
                if span[1] > start
            ]
            for agent in self._site.agents
        }
        at = min(now, max([end, *(last for spans in planned.values() for _, last in spans)]))
        told: dict[str, list[IntervalRecord]] = {}
        for row in await self._ledger.intervals(start - timedelta(days=1), at):
            told.setdefault(row.agent, []).append(row)
        rows = (
            shift_row(agent, planned[agent.id], told.get(agent.id, ()), at) for agent in self._site.agents
        )
        return ShiftView(at, tuple(row for row in rows if row.planned or row.agent in told), roster.problems)

    def _roster(self) -> Roster:
        return roster_of(self._site.roster, {agent.id for agent in self._site.agents})
