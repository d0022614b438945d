"""Answers to questions about measures, and explanations of the answers: the ``MeasuredFigures`` port."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
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
from hotline.metrics.measures.calendar import Shift, edges, moment
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
        shifted = {to: self._shifted(question, to, cut) for to in question.compare}
        periods = [cut, *shifted.values()]
        groups_known = len(self._summing.groupings[question.by].known) if question.by is not None else 1
        if groups_known * (len(cut) - 1) * len(periods) > MOST_FIGURES:
            raise UsageError(
                f"more than {MOST_FIGURES} figures", hint="ask for a shorter period, or a coarser grain"
            )
        found = await self._summing.sums(measure.counts, periods, question.by, question.only)
        # beside the loop, which has calls to follow
        return await asyncio.to_thread(self._answered, question, measure, cut, shifted, found)

    def _answered(
        self,
        question: FigureQuestion,
        measure: Measure,
        cut: tuple[datetime, ...],
        shifted: Mapping[Comparison, tuple[datetime, ...]],
        found: Sequence[Summed],
    ) -> FigureAnswer:
        """The figures of sums. Pure."""
        now, then = found[0], dict(zip(shifted, found[1:], strict=True))

        def series(key: str | None) -> tuple[Point, ...]:
            others = {to: (shifted[to], _of(then[to], key, len(cut) - 1)) for to in shifted}
            return self._points(measure, cut, _of(now, key, len(cut) - 1), others)

        whole = Series("total", self._site.site.name, series(None))
        groups = []
        for key in now.groups:
            group = self._summing.groupings[question.by or Dimension.LINE].group(key)
            groups.append(Series(key, group.name, series(key), group.parent))
        return FigureAnswer(self._info(measure), question, whole, tuple(groups))

    async def explain(
        self, question: FigureQuestion, side: CountSide, *, limit: int, after: str | None = None
    ) -> Explanation:
        """One figure (``grain``, ``by`` and ``compare`` do not matter) with the rows of one of its counts.

        Raises:
            UsageError: as ``answer``; or the measure has no such side.
        """
        question = replace(question, grain=None, by=None, compare=())
        measure = self._checked(question)
        counts = measure.numerator if side is CountSide.NUMERATOR else measure.denominator
        if not counts:
            raise UsageError(f"{measure.id} has no denominator", hint="ask for the numerator's rows")
        cut = edges(self._site.zone, question.start, question.end, None)
        (found,) = await self._summing.sums(measure.counts, [cut], None, question.only)
        only = only_of(self._summing.groupings, question.only)
        within = self._site.figures.answer_within_seconds
        behind = Behind(counts, cut[0], cut[-1], within, self._clock.now(), only)
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
            figure=values.figure(measure, sums, self._site.figures),
            numerator=told(measure.numerator),
            denominator=told(measure.denominator),
            side=side,
            rows=tuple(rows),
            after=further,
        )

    def _info(self, measure: Measure) -> MeasureInfo:
        known = [
            dimension
            for dimension, grouping in self._summing.groupings.items()
            if grouping.dim is None or grouping.dim in measure.dims
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
        return measure

    def _shifted(
        self, question: FigureQuestion, to: Comparison, cut: tuple[datetime, ...]
    ) -> tuple[datetime, ...]:
        shift = Shift(self._site.zone, question.start, question.end, question.grain, to)
        return tuple(shift(edge) for edge in cut)

    def _points(
        self,
        measure: Measure,
        cut: tuple[datetime, ...],
        sums: list[dict[str, int]],
        others: Mapping[Comparison, tuple[tuple[datetime, ...], list[dict[str, int]]]],
    ) -> tuple[Point, ...]:
        site, points = self._site.figures, []
        for number, own in enumerate(sums):
            figure = values.figure(measure, own, site)
            changes = {}
            for to, (edges_then, sums_then) in others.items():
                start, end = edges_then[number], edges_then[number + 1]
                then = values.figure(measure, sums_then[number], site)
                there = then.value if end > start else None
                changes[to] = Change(start, end, then, *values.change(measure.unit, figure.value, there))
            points.append(Point(cut[number], cut[number + 1], figure, changes))
        return tuple(points)


def _of(found: Summed, key: str | None, size: int) -> list[dict[str, int]]:
    """The sums of a group, or (None) of everything; a group without any row then has none."""
    return found.total if key is None else found.groups.get(key, [{} for _ in range(size)])
