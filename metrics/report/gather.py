"""A report's figures: of the ledger, of what calls were about, and of a data file what neither knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from hotline.config.schema import Site
from hotline.core.clock import Clock
from hotline.core.errors import UsageError
from hotline.core.events import Outcome
from hotline.core.views import LineFigures
from hotline.metrics.figures import LedgerFigures
from hotline.metrics.measures.summing import Summing, calendar_of, counting_of
from hotline.metrics.report.compared import Between, compared, counted
from hotline.metrics.report.data import (
    Breakdown,
    Counted,
    FileSection,
    LineCount,
    Period,
    Phone,
    PhoneCounts,
    ReportData,
    Sections,
    Source,
    Span,
    TrendPoint,
)
from hotline.metrics.report.dialled import dials_of
from hotline.metrics.report.gather_stored import COMPARED, StoredImports
from hotline.metrics.report.periods import bounds, day_name, leading_to
from hotline.metrics.report.ranked import ranking_of, scheme_of
from hotline.metrics.report.surveyed import surveys_of
from hotline.metrics.report.words import OUTCOMES, TYPES, UNKNOWN_TYPE
from hotline.metrics.scoring.schemes import known_schemes
from hotline.store.counts import COUNT
from hotline.store.database import Sessions
from hotline.store.point_counts import PointCount, count_points
from hotline.store.trials import TrialStore

Figures = tuple[LineFigures, tuple[LineFigures, ...]]
_MACHINE = COUNT["machine_served"]
_KEPT = ("total", "previous", "year_ago")  # the counts of a phone: of now, of before, of a year ago
OWN_CALLS = "（本号）"
"""The calls that a line with lines under it got itself: a row of its own, so that the rows sum up."""


class Gathering:
    """Gathers reports of one site."""

    def __init__(self, site: Site, sessions: Sessions, clock: Clock) -> None:
        self._site, self._sessions, self._clock = site, sessions, clock
        self._figures = LedgerFigures(site, sessions, clock)
        self._imports = StoredImports(sessions, site.zone)
        self._summing = Summing(site, counting_of(site, sessions), clock)

    async def of(
        self, period: Period, imported: FileSection | None = None, ranked: Path | None = None
    ) -> ReportData:
        """The figures of a period; what is given, or was imported before, takes the place of our own.

        Args:
            period: a day, a week or a month.
            imported: a data file.
            ranked: sub-centres: their figures, or the ranking worked out already; see `ranking_of`.

        Raises:
            UsageError: the data file is for another period.
            ConfigError: ``ranked`` cannot be read or used.
        """
        if imported is not None and imported.period != period.name:
            hint = f"write period: {period.name} in it, or take the file of that period"
            raise UsageError(f"the data file is for {imported.period}, not {period.name}", hint=hint)
        until = self._until(period)
        trials = await TrialStore(self._sessions).between(*bounds(period, self._site.zone))
        own = await self._own(period, until)
        if trials:
            own["test_calls"] = dials_of(trials)
        given = {name: value for name in Sections.model_fields if (value := getattr(imported, name, None))}
        stored = await self._imports.of(period, until, given)
        sections: dict[str, Any] = {**own, **stored.sections}
        sources = {name: _source_of(name) for name in own} | stored.sources
        if "trend" in own and sections["trend"] is own["trend"]:
            sections["trend"] = await self._with_accepted(period, sections)
            if any(point.accepted is not None for point in sections["trend"]):
                stored.origins["trend"] = "受理量为填报数据"
        scheme = scheme_of(sections.get("scores", ()), known_schemes(self._site))
        if ranked is not None:
            ranking = ranking_of(ranked, self._site, trials)
            scheme, sections["scores"], sources["scores"] = ranking.scheme, ranking.scores, Source.SCORED
            stored.origins.pop("scores", None)
        return ReportData.model_validate(
            {
                **sections,
                **self._about(),
                "period": period,
                "until": until,
                "scheme": scheme,
                "sources": sources,
                "origins": stored.origins,
                "remarks": [text for _, text in stored.remarks],
            }
        )

    def _about(self) -> dict[str, object]:
        """What a report takes of the site."""
        chosen = self._site.reports
        return {
            "site": self._site.site.name,
            "timezone": self._site.site.timezone,
            "cards": chosen.cards,
            "topics_shown": chosen.topics_shown,
            "zero_over_zero": chosen.zero_over_zero,
        }

    async def _with_accepted(self, period: Period, sections: Mapping[str, Any]) -> tuple[TrendPoint, ...]:
        """Our own trend with the requests that were accepted, as far as they were imported."""
        *earlier, _ = leading_to(period)
        counts = dict(zip(map(_trend_name, earlier), await self._imports.accepted(earlier), strict=True))
        accepted = sections.get("accepted")
        counts[_trend_name(period)] = accepted.total if accepted else None
        return tuple(point.model_copy(update={"accepted": counts[point.name]}) for point in sections["trend"])

    def _until(self, period: Period) -> datetime | None:
        """Now, if the period goes on."""
        now = self._clock.now().astimezone(self._site.zone)
        return now if now < bounds(period, self._site.zone)[1] else None

    async def _own(self, period: Period, until: datetime | None) -> dict[str, Any]:
        """The sections that our own tables fill."""
        zone = self._site.zone
        now = counted(period, until, zone)
        before, ago = (compared(period, until, zone, to) for to in COMPARED)
        *earlier, _ = leading_to(period)
        trend = {one.name: bounds(one, zone) for one in earlier} | {period.name: now}
        wanted = dict.fromkeys((now, before, ago, *trend.values()))
        found = {one: await self._phone(one) for one in wanted if one is not None}
        own: dict[str, Any] = {}
        if (figures := found[now]) is not None:
            times = zip(_KEPT, (now, before, ago), strict=True)
            kept = {name: one for name, one in times if one and found[one]}
            phone = self._phone_section(figures, *(found[one] if one else None for one in (before, ago)))
            own["phone"] = await self._with_machine(phone, kept)
            own["trend"] = _trend([*earlier, period], [found[one] for one in trend.values()])
        if surveys := await surveys_of(self._summing, now, before):
            own["surveys"] = surveys
        points = await self._points(now)
        if points:
            earlier_points = [await self._points(one) if one else [] for one in (before, ago)]
            own["types"] = _types(points, *earlier_points)
            own["topics"] = _topics(points, *earlier_points)
        return own

    async def _phone(self, between: Between) -> Figures | None:
        """The ledger of a time; None if nobody called in it, which is a time without records."""
        figures = await self._figures.of_period(*between)
        return figures if figures[0].offered else None

    async def _with_machine(self, phone: Phone, kept: Mapping[str, Between]) -> Phone:
        """With the calls that the machine alone served (智能应答), which are in no queue.

        ``kept``: when each of the phone's counts was.
        """
        summed = await self._summing.sums((_MACHINE,), list(kept.values()))
        counts = {
            name: getattr(phone, name).model_copy(update={"self_service": found.total[0].get(_MACHINE.id, 0)})
            for name, found in zip(kept, summed, strict=True)
        }
        return phone.model_copy(update=counts)

    async def _points(self, between: Between) -> list[PointCount]:
        return await count_points(self._sessions, calendar_of(self._site), *between)

    def _phone_section(self, now: Figures, earlier: Figures | None, ago: Figures | None) -> Phone:
        total, lines = now
        outcomes = tuple(
            Counted(name=name, count=count) for outcome, name in OUTCOMES.items()
            if (count := total.outcomes.get(outcome, 0))
        )  # fmt: skip
        return Phone(
            total=self._counts(total),
            previous=self._counts(earlier[0]) if earlier else None,
            year_ago=self._counts(ago[0]) if ago else None,
            within_seconds=self._site.figures.answer_within_seconds,
            within_over=self._site.figures.within_over,
            outcomes=outcomes,
            counted_out=self._counted_out(total),
            lines=self._tree(lines, None, _answered(earlier), _answered(ago)),
        )

    def _counts(self, figures: LineFigures) -> PhoneCounts:
        return PhoneCounts(
            answered=figures.answered,
            offered=self._offered(figures),
            within=figures.answered_within,
            wait_seconds=figures.wait_seconds_total,
            talk_seconds=figures.talk_seconds_total,
        )

    def _counted_out(self, figures: LineFigures) -> int:
        excluded = self._site.figures.exclude_short_abandons
        return figures.outcomes.get(Outcome.SHORT_ABANDON, 0) if excluded else 0

    def _offered(self, figures: LineFigures) -> int:
        """The denominator of the answer rate: closed waits, short abandons as the site says."""
        return figures.offered - figures.still_open - self._counted_out(figures)

    def _tree(
        self,
        lines: tuple[LineFigures, ...],
        parent: str | None,
        earlier: Mapping[str, int],
        ago: Mapping[str, int],
    ) -> tuple[LineCount, ...]:
        known = {line.id: line.label for line in self._site.lines}
        found = []
        for line in lines:
            if line.parent != parent:
                continue
            below = self._tree(lines, line.line, earlier, ago)
            label = known.get(line.line, line.line)
            own = line.answered - sum(one.answered for one in below)
            if below and own:
                below = (LineCount(label=label, name=OWN_CALLS, answered=own), *below)
            found.append(
                LineCount(
                    label=label,
                    name=line.name,
                    answered=line.answered,
                    offered=self._offered(line),
                    within=line.answered_within,
                    previous=earlier.get(line.line),
                    year_ago=ago.get(line.line),
                    lines=below,
                )
            )
        return tuple(found)


def _source_of(section: str) -> Source:
    own = {"types": Source.POINTS, "topics": Source.POINTS, "test_calls": Source.TRIALS}
    return own.get(section, Source.LEDGER)


def _answered(figures: Figures | None) -> dict[str, int]:
    return {line.line: line.answered for line in figures[1]} if figures else {}


def _trend(periods: list[Period], found: Sequence[Figures | None]) -> tuple[TrendPoint, ...]:
    points: list[TrendPoint] = []
    for period, figures in zip(periods, found, strict=True):
        if figures is not None or points:  # nothing is shown of the time before the first call
            answered = figures[0].answered if figures else None
            points.append(TrendPoint(name=_trend_name(period), answered=answered))
    return tuple(points)


def _trend_name(period: Period) -> str:
    match period.span:
        case Span.MONTH:
            return period.name
        case Span.WEEK:
            return f"第{period.start.isocalendar().week}周"
        case Span.DAY:
            return day_name(period.start)
        case Span.RANGE:
            return period.name


def _types(now: list[PointCount], earlier: list[PointCount], ago: list[PointCount]) -> Breakdown:
    def names(points: list[PointCount]) -> Counter[str]:
        counted: Counter[str] = Counter()
        for one in points:
            counted[TYPES[one.request_type] if one.request_type else UNKNOWN_TYPE] += one.calls
        return counted

    return _breakdown(names(now), names(earlier), names(ago), order=[*TYPES.values(), UNKNOWN_TYPE])


def _topics(now: list[PointCount], earlier: list[PointCount], ago: list[PointCount]) -> Breakdown:
    def names(points: list[PointCount]) -> Counter[str]:
        counted: Counter[str] = Counter()
        for one in points:
            if one.topic is not None:
                counted[one.topic] += one.calls
        return counted

    found = names(now)
    parts = _breakdown(
        found, names(earlier), names(ago), order=sorted(found, key=lambda name: (-found[name], name))
    )
    return parts.model_copy(update={"total": sum(one.calls for one in now)})  # shares of all understood calls


def _breakdown(now: Counter[str], earlier: Counter[str], ago: Counter[str], order: list[str]) -> Breakdown:
    return Breakdown(
        rows=tuple(
            Counted(
                name=name,
                count=now[name],
                previous=earlier[name] if earlier else None,
                year_ago=ago[name] if ago else None,
            )
            for name in order
            if now[name] or earlier[name]
        )
    )
