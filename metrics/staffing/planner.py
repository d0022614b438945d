"""Answers the ``Staffing`` port: history from the ledger, forecast, agents needed, shifts beside them."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from hotline.config.schema import Site
from hotline.config.shifts import Roster, roster_of
from hotline.core.clock import Clock
from hotline.core.errors import UnknownName, UsageError
from hotline.core.figures import Dimension
from hotline.core.staffing import (
    ForecastErrors,
    StaffingDay,
    StaffingPlan,
    StaffingQuarter,
    StaffingQuestion,
    TooLittleHistory,
)
from hotline.metrics.measures.summing import Summing, counting_of
from hotline.metrics.staffing.backtest import Backtest, backtest
from hotline.metrics.staffing.calendar import day_of
from hotline.metrics.staffing.erlang import Load, agents_needed, rostered, service
from hotline.metrics.staffing.forecast import MIN_DAYS, forecast
from hotline.metrics.staffing.past import COUNTS, Past, past_of
from hotline.metrics.staffing.planned import QUARTER, planned_agents, quarter_starts
from hotline.store.counts import COUNT
from hotline.store.database import Sessions

HISTORY_DAYS: Final = 182  # by quarter hour
EARLIER_DAYS: Final = 2 * 364 - HISTORY_DAYS  # before them, by day: for the time of year
MAX_DAYS: Final = 14  # in one answer
MAX_AHEAD_DAYS: Final = 400
_OFFERED: Final = COUNT["offered"]
KEPT: Final = 64  # histories kept in memory, a line and day each; the longest unused goes first


@dataclass(frozen=True, slots=True)
class _Known:
    """What one line's past tells, counted once a day."""

    past: Past
    errors: Backtest | None


class StaffingPlanner:
    """Plans for one site. Counting runs in the database, arithmetic in a thread."""

    def __init__(self, site: Site, sessions: Sessions, clock: Clock) -> None:
        self._site, self._clock = site, clock
        self._summing = Summing(site, counting_of(site, sessions), clock)
        self._known: OrderedDict[tuple[str | None, date], _Known] = OrderedDict()
        self._counting = asyncio.Lock()  # the database is asked for one history at a time

    async def plan(self, question: StaffingQuestion) -> StaffingPlan:
        """Expected calls and agents for every quarter hour of the days asked about.

        Raises:
            UsageError: numbers that mean nothing.
            TooLittleHistory: the past tells too little.
            UnknownName: there is no such line.
        """
        today = self._clock.now().astimezone(self._site.zone).date()
        _check(question, today, self._site)
        known = await self._past(question.line, min(today, question.day) - timedelta(days=1))
        return await asyncio.to_thread(_plan, self._site, question, known)

    async def _past(self, line: str | None, last: date) -> _Known:
        async with self._counting:
            known = self._known.get((line, last))
            if known is None:
                starts, edges = self._quarters(last)
                only = None if line is None else {Dimension.LINE: line}
                [summed] = await self._summing.sums(COUNTS, [edges], only=only)
                [earlier] = await self._summing.sums((_OFFERED,), [self._earlier(starts[0])], only=only)
                days = [one.get(_OFFERED.id, 0) for one in earlier.total]
                known = await asyncio.to_thread(_look_back, starts, summed.total, days)
                self._known[line, last] = known
                if len(self._known) > KEPT:
                    self._known.popitem(last=False)
            self._known.move_to_end((line, last))
            return known

    def _quarters(self, last: date) -> tuple[list[datetime], tuple[datetime, ...]]:
        """All quarter hours of the history up to a day: their local beginnings, and their edges."""
        zone = self._site.zone
        end = datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC)
        start = datetime.combine(last - timedelta(days=HISTORY_DAYS), time(), zone).astimezone(UTC)
        edges = tuple(start + number * QUARTER for number in range((end - start) // QUARTER + 1))
        return [edge.astimezone(zone) for edge in edges[:-1]], edges

    def _earlier(self, first: datetime) -> tuple[datetime, ...]:
        """The edges of the days before the quarter hours."""
        zone, day = self._site.zone, first.date()
        return tuple(
            datetime.combine(day - timedelta(days=back), time(), zone).astimezone(UTC)
            for back in range(EARLIER_DAYS, -1, -1)
        )


def _look_back(starts: list[datetime], sums: list[dict[str, int]], earlier: list[int]) -> _Known:
    past = past_of(starts, sums, earlier)
    enough = len(past.history.days) >= MIN_DAYS
    return _Known(past, backtest(past.history) if enough else None)


def _check(question: StaffingQuestion, today: date, site: Site) -> None:
    if question.line is not None and all(line.id != question.line for line in site.lines):
        known = ", ".join(line.id for line in site.lines[:20])
        raise UnknownName(f"there is no line {question.line}", hint=f"the site has: {known}")
    if not 1 <= question.days <= MAX_DAYS:
        raise UsageError(f"{question.days} days", hint=f"ask for 1 to {MAX_DAYS}")
    if (question.day - today).days > MAX_AHEAD_DAYS:
        raise UsageError(f"{question.day} is too far ahead", hint="ask for a day within a year")
    if not 0 < question.volume <= 100:
        raise UsageError(f"{question.volume:g} times the calls", hint="give a factor above 0, as 1.2")


def _plan(site: Site, question: StaffingQuestion, known: _Known) -> StaffingPlan:
    history = known.past.history
    days = [day_of(question.day + timedelta(days=number)) for number in range(question.days)]
    calls = forecast(history, days) * question.volume
    if question.aht_seconds is None and known.past.aht_seconds is None:
        raise TooLittleHistory("no call was handled in four weeks", hint="give the handling time: --aht, aht")
    roster = roster_of(site.roster, {agent.id for agent in site.agents})
    quarters: list[StaffingQuarter] = []
    ask = _Ask(site, question, known.past, roster)
    for one, came in zip(days, calls, strict=True):
        quarters += ask.day(one.day, [float(number) for number in came])
    return StaffingPlan(
        line=question.line,
        target=ask.target,
        within_seconds=ask.within_seconds,
        patience_seconds=ask.patience_seconds,
        shrinkage=question.shrinkage,
        volume=question.volume,
        history_from=history.days[0].day,
        history_days=len(history.days),
        errors=_errors(known.errors),
        days=tuple(
            StaffingDay(one.day, one.kind.value, one.published, round(float(came.sum()), 1))
            for one, came in zip(days, calls, strict=True)
        ),
        quarters=tuple(quarters),
        problems=roster.problems,
    )


class _Ask:
    """One question with everything it leaves to the site filled in."""

    def __init__(self, site: Site, question: StaffingQuestion, past: Past, roster: Roster) -> None:
        self._site, self._question, self._past, self._roster = site, question, past, roster
        norm = site.figures
        self.target = norm.answer_rate_norm if question.target is None else question.target
        within = question.within_seconds
        self.within_seconds = float(norm.answer_within_seconds if within is None else within)
        self.patience_seconds = question.patience_seconds or past.patience_seconds

    def day(self, day: date, calls: list[float]) -> list[StaffingQuarter]:
        """The quarter hours of one day."""
        site = self._site
        planned = None
        if site.shifts or site.roster:
            planned = planned_agents(site, self._roster, day, self._question.line)
        return [
            self._quarter(start, number, None if planned is None else planned[place])
            for place, (start, number) in enumerate(zip(quarter_starts(site, day), calls, strict=True))
        ]

    def _quarter(self, start: datetime, calls: float, planned: int | None) -> StaffingQuarter:
        question = self._question
        aht = question.aht_seconds or (self._past.aht_seconds or (0.0,) * 24)[start.hour]
        load = Load(4 * calls, aht)
        patient = None if self.patience_seconds is None else Load(4 * calls, aht, self.patience_seconds)
        norm = self.target, self.within_seconds
        needed = agents_needed(load, *norm)
        on_roster = rostered(needed, question.shrinkage)
        there = None if planned is None else math.floor(planned * (1 - question.shrinkage) + 1e-9)
        served = None
        if there is not None:
            served = service(patient or load, there, self.within_seconds).service_level if there else 0.0
        return StaffingQuarter(
            starts=start,
            calls=round(calls, 2),
            aht_seconds=round(aht, 1),
            needed=needed,
            needed_patience=None if patient is None else agents_needed(patient, *norm),
            rostered=on_roster,
            planned=planned,
            gap=None if planned is None else planned - on_roster,
            planned_service=None if served is None else round(served, 4),
        )


def _errors(known: Backtest | None) -> ForecastErrors | None:
    if known is None:
        return None
    ours, naive = known.ours, known.naive
    return ForecastErrors(
        known.weeks, ours.wape, ours.day_wape, ours.bias, naive.wape, naive.day_wape, naive.bias
    )
