"""Figures of lines and agents as the pages and the alerts want them, from the catalogue's measures."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from hotline.config.schema import Site
from hotline.core.clock import Clock
from hotline.core.events import Outcome
from hotline.core.figures import Dimension
from hotline.core.views import AgentDay, DayFigures, LineFigures
from hotline.metrics.alert_texts import TOTAL
from hotline.metrics.measures.calendar import midnight
from hotline.metrics.measures.catalogue import (
    AHT,
    ANSWER_RATE,
    ASA,
    MEAN_TALK,
    WITHIN_RATE,
    Measure,
    measures_of,
)
from hotline.metrics.measures.summing import Summing, counting_of
from hotline.metrics.measures.values import Sums, exact
from hotline.store.counts import COUNT, Count
from hotline.store.database import Sessions

AGENTS_SECONDS: Final = 5.0  # however many supervisors look

OF_A_LINE: Final[tuple[Count, ...]] = tuple(
    COUNT[one]
    for one in (
        "offered", "still_open", "closed", "closed_but_short", *(outcome.value for outcome in Outcome),
        "answered_within", "wait_ms", "talk_ms", "ring_ms", "hold_ms", "wrap_up_ms",
    )
)  # fmt: skip
MENU: Final = COUNT["menu_before_ms"]
"""Time in menus takes a look-up for each row, so it is counted where it is asked for."""


class LedgerFigures:
    """Answers the ``Figures`` port from the database."""

    def __init__(self, site: Site, sessions: Sessions, clock: Clock) -> None:
        self._site, self._clock = site, clock
        self._summing = Summing(site, counting_of(site, sessions), clock)
        self._measures = measures_of(site.figures)
        self._agents: tuple[float, tuple[AgentDay, ...]] | None = None
        self._agents_asked = asyncio.Lock()

    async def today(self) -> DayFigures:
        """Figures of the calls that began to wait since midnight of the site's zone."""
        start, end = self._today()
        total, lines = await self.of_period(start, end)
        day = start.astimezone(self._site.zone).date()
        return DayFigures(day, self._site.figures.answer_within_seconds, total, lines)

    async def agents_today(self) -> tuple[AgentDay, ...]:
        """The same calls by who answered them, asked of the database at most every few seconds."""
        async with self._agents_asked:
            now = self._clock.monotonic()
            if self._agents is None or now - self._agents[0] >= AGENTS_SECONDS:
                counts = (COUNT["answered"], *self._measures[MEAN_TALK].counts)
                (found,) = await self._summing.sums(counts, [self._today()], Dimension.AGENT)
                self._agents = (
                    now,
                    tuple(self._agent_day(agent, sums) for agent, (sums,) in found.groups.items()),
                )
            return self._agents[1]

    def _agent_day(self, agent: str, sums: Sums) -> AgentDay:
        average = exact(self._measures[MEAN_TALK], sums)
        talk_seconds = sums.get("talk_ms", 0) / 1000
        return AgentDay(
            agent, sums.get("answered", 0), talk_seconds, None if average is None else float(average)
        )

    def _today(self) -> tuple[datetime, datetime]:
        """The day of the site's zone, from midnight to midnight."""
        zone = self._site.zone
        day = self._clock.now().astimezone(zone).date()
        return midnight(zone, day), midnight(zone, day + timedelta(days=1))

    async def of_period(
        self, start: datetime, end: datetime, by: Dimension = Dimension.LINE, *, with_menu: bool = False
    ) -> tuple[LineFigures, tuple[LineFigures, ...]]:
        """The whole hotline, and every line with its children's rows included; [start, end), aware.

        ``by`` something else: its groups, which ``LineFigures.line`` then names.
        """
        counts = (*OF_A_LINE, MENU) if with_menu else OF_A_LINE
        (found,) = await self._summing.sums(counts, [(start, end)], by)
        grouping = self._summing.groupings[by]

        def shown(key: str, sums: Sums) -> LineFigures:
            group = grouping.group(key)
            return line_figures(sums, self._measures, line=key, name=group.name, parent=group.parent)

        site_name = self._site.site.name
        whole = line_figures(found.total[0], self._measures, line=TOTAL, name=site_name, parent=None)
        return whole, tuple(shown(key, sums) for key, (sums,) in found.groups.items())


def line_figures(
    sums: Sums, measures: Mapping[str, Measure], *, line: str, name: str, parent: str | None
) -> LineFigures:
    """Every rate of one line from its counts, as the site defines them."""

    def seconds(count: str) -> float:
        return sums.get(count, 0) / 1000

    def rate(measure: str) -> float | None:
        found = exact(measures[measure], sums)
        return None if found is None else float(found)

    return LineFigures(
        line=line,
        name=name,
        parent=parent,
        offered=sums.get("offered", 0),
        answered=sums.get("answered", 0),
        answered_within=sums.get("answered_within", 0),
        still_open=sums.get("still_open", 0),
        outcomes={outcome: sums.get(outcome.value, 0) for outcome in Outcome},
        wait_seconds_total=seconds("wait_ms"),
        talk_seconds_total=seconds("talk_ms"),
        answer_rate=rate(ANSWER_RATE),
        within_rate=rate(WITHIN_RATE),
        asa_seconds=rate(ASA),
        ring_seconds_total=seconds("ring_ms"),
        hold_seconds_total=seconds("hold_ms"),
        wrap_up_seconds_total=seconds("wrap_up_ms"),
        aht_seconds=rate(AHT),
        menu_seconds_total=seconds(MENU.id),
    )
