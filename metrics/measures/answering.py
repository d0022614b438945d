"""Answers to questions about measures, and explanations of the answers: the ``MeasuredFigures`` port."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Final, Protocol

from hotline.config.schema import Site
from hotline.core.clock import Clock
from hotline.core.errors import UsageError
from hotline.core.figures import (
    Change,
    Comparison,
    CountInfo,
    CountSide,
    Dimension,
    Explanation,
    FigureAnswer,
    FigureQuestion,
    FigureRow,
    MeasureInfo,
    Point,
    Series,
)
from hotline.metrics.measures import values
from hotline.metrics.measures.calendar import Shift, edges, is_part_of, moment
from hotline.metrics.measures.catalogue import Measure, measures_of
from hotline.metrics.measures.dimensions import only_of
from hotline.metrics.measures.summing import Summed, Summing, Tallies
from hotline.store.count_rows import Behind
from hotline.store.counts import Count

MOST_FIGURES: Final = 36_000
"""Of all groups together in one answer, what they are compared with included: a second's work at the most."""


class Counted(Tallies, Protocol):
    """Adds up counts and finds the rows behind them (the store's ``Counting``)."""

    async def rows(
        self, wanted: Behind, *, limit: int, after: str | None
    ) -> tuple[list[FigureRow], str | None]: ...


class Answers:
    """Answers the ``MeasuredFigures`` port.

    Args:
        site: its lines, norms and choices.
        counting: where the rows are.
        clock: the present.
    """

    def __init__(self, site: Site, counting: Counted, clock: Clock) -> None:
        self._site, self._counting, self._clock = site, counting, clock
        self._summing = Summing(site, counting, clock)
        self._measures = measures_of(site.figures)

    def catalogue(self) -> tuple[MeasureInfo, ...]:
        """Every measure."""
        return tuple(self._info(measure) for measure in self._measures.values())

    def period(self, first: str, last: str) -> tuple[datetime, datetime]:
        """From two days (the last included) or moments as people write them, in the site's zone."""
        return moment(self._site.zone, first), moment(self._site.zone, last, end=True)

    async def answer(self, question: FigureQuestion) -> FigureAnswer:
        """The figures asked for.

        Raises:
            UsageError: no such measure or group, a measure that is not known by that dimension, an empty
                period or too many points.
        """
        measure = self._checked(question)
        cut = edges(self._site.zone, question.start, question.end, question.grain)
        groups_known = len(self._summing.groupings[question.by].known) if question.by is not None else 1
        if groups_known * (len(cut) - 1) * (1 + len(question.compare)) > MOST_FIGURES:
            raise UsageError(
                f"more than {MOST_FIGURES} figures", hint="ask for a shorter period, or a coarser grain"
            )
        now = self._clock.now()
        own, others = await self._summed(measure, question, cut, now)
        # beside the loop, which has calls to follow
        return await asyncio.to_thread(self._answered, question, measure, cut, own, others, now)

    def _answered(
        self,
        question: FigureQuestion,
        measure: Measure,
        cut: tuple[datetime, ...],
        own: Summed,
        others: Mapping[Comparison, _Other],
        now: datetime,
    ) -> FigureAnswer:
        """The figures of sums. Pure."""

        def series(key: str | None) -> tuple[Point, ...]:
            then = {to: (other, _of(other.parts, key)) for to, other in others.items()}
            return self._points(measure, cut, _of([own], key), then, now)

        whole = Series("total", self._site.site.name, series(None))
        groups = []
        for key in own.groups:
            group = self._summing.groupings[question.by or Dimension.LINE].group(key)
            groups.append(Series(key, group.name, series(key), group.parent))
        return FigureAnswer(self._info(measure), question, whole, tuple(groups))

    async def explain(
        self, question: FigureQuestion, side: CountSide, *, limit: int, after: str | None = None
    ) -> Explanation:
        """One figure (``grain`` and ``by`` do not matter) with the rows of one of its counts.

        Raises:
            UsageError: as ``answer``; or the measure has no such side.
        """
        question = replace(question, grain=None, by=None)
        measure = self._checked(question)
        counts = measure.numerator if side is CountSide.NUMERATOR else measure.denominator
        if not counts:
            raise UsageError(f"{measure.id} has no denominator", hint="ask for the numerator's rows")
        cut = edges(self._site.zone, question.start, question.end, None)
        now = self._clock.now()
        found, others = await self._summed(measure, question, cut, now)
        (point,) = self._points(
            measure, cut, found.total, {to: (one, _of(one.parts, None)) for to, one in others.items()}, now
        )
        only = only_of(self._summing.groupings, question.only)
        within = self._site.figures.answer_within_seconds
        behind = Behind(counts, cut[0], cut[-1], within, now, only)
        rows, further = await self._counting.rows(behind, limit=limit, after=after)
        sums = found.total[0]

        def told(counts: Sequence[Count]) -> tuple[CountInfo, ...]:
            return tuple(
                CountInfo(
                    one.id, one.name, one.name_en, one.unit.value, one.origin.value, sums.get(one.id, 0)
                )
                for one in counts
            )

        return Explanation(
            measure=self._info(measure),
            question=question,
            figure=point.figure,
            numerator=told(measure.numerator),
            denominator=told(measure.denominator),
            side=side,
            rows=tuple(rows),
            after=further,
            changes=point.changes,
        )

    def _info(self, measure: Measure) -> MeasureInfo:
        known = [
            dimension
            for dimension, grouping in self._summing.groupings.items()
            if grouping.dim in measure.dims
        ]
        return replace(measure.info(), dimensions=tuple(known))

    def _checked(self, question: FigureQuestion) -> Measure:
        measure = self._measures.get(question.measure)
        if measure is None:
            names = ", ".join(self._measures)
            raise UsageError(f"no measure {question.measure}", hint=f"one of: {names}")
        asked = [*([question.by] if question.by is not None else []), *question.only]
        known = self._info(measure).dimensions
        for dimension in asked:
            if dimension not in known:
                names = ", ".join(one.value for one in known)
                raise UsageError(f"{measure.id} is not known by {dimension.value}", hint=f"it is by: {names}")
        part = question.part_of
        if part is not None and not is_part_of(self._site.zone, question.start, question.end, part):
            raise UsageError(
                f"the period is neither one {part.value} nor the beginning of one",
                hint="ask without part_of, or for one from its first moment on",
            )
        return measure

    async def _summed(
        self, measure: Measure, question: FigureQuestion, cut: tuple[datetime, ...], now: datetime
    ) -> tuple[Summed, dict[Comparison, _Other]]:
        """The sums of a period, and of those that it is compared with."""
        part, zone = question.grain or question.part_of, self._site.zone
        spans = _spans(cut, now)
        shifts = {to: Shift(zone, question.start, question.end, part, to) for to in question.compare}
        moved = {to: [tuple(shift(edge) for edge in span) for span in spans] for to, shift in shifts.items()}
        periods = [cut, *(span for each in moved.values() for span in each)]
        own, *found = await self._summing.sums(measure.counts, periods, question.by, question.only)
        parts = iter(found)
        return own, {
            to: _Other([pair for span in each for pair in pairwise(span)], [next(parts) for _ in each])
            for to, each in moved.items()
        }

    def _points(
        self,
        measure: Measure,
        cut: tuple[datetime, ...],
        sums: list[dict[str, int]],
        others: Mapping[Comparison, tuple[_Other, list[dict[str, int]]]],
        now: datetime,
    ) -> tuple[Point, ...]:
        site, points = self._site.figures, []
        for number, own in enumerate(sums):
            start, end = cut[number], cut[number + 1]
            figure = values.figure(measure, own, site)
            changes: dict[Comparison, Change] = {}
            until = end if start >= now else min(end, now)
            to_come = cut[0] < now <= start
            for to, (other, sums_then) in others.items():
                first, last = other.spans[number]
                then = values.figure(measure, sums_then[number], site)
                there = then.value if last > first and not to_come else None
                told = values.change(measure.unit, figure.value, there)
                changes[to] = Change(first, last, then, *told, until)
            points.append(Point(start, end, figure, changes))
        return tuple(points)


@dataclass(frozen=True, slots=True)
class _Other:
    """What a period is compared with: the span of each part, and the sums of all, one after another."""

    spans: list[tuple[datetime, datetime]]
    parts: list[Summed]


def _spans(cut: tuple[datetime, ...], now: datetime) -> list[tuple[datetime, ...]]:
    """The edges of what is compared: of a period that goes on what is over, and apart what is to come."""
    over = bisect_left(cut, now)
    if over in (0, len(cut)):
        return [cut]
    passed, to_come = (*cut[:over], now), cut[over:]
    return [passed, to_come] if len(to_come) > 1 else [passed]


def _of(parts: Sequence[Summed], key: str | None) -> list[dict[str, int]]:
    """The sums of a group, or (None) of everything; a group without any row then has none."""
    return [
        sums
        for part in parts
        for sums in (part.total if key is None else part.groups.get(key, [{} for _ in part.total]))
    ]
