"""A topic special (专题报告): what was said with some words, gathered through the search of texts."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Final

from hotline.config.own_words import own_words
from hotline.config.schema import Site
from hotline.core.clock import Clock
from hotline.core.drafts import RequestType
from hotline.core.sensitive import mask_alone
from hotline.core.understanding import PointKind
from hotline.core.views import CallFilter, FoundCall
from hotline.metrics.report.data import Counted, Period, ReportData, SampleCall, Source, Topic
from hotline.metrics.report.periods import bounds, day_name
from hotline.metrics.report.words import TYPES, UNKNOWN_TYPE
from hotline.store.database import Sessions
from hotline.store.point_counts import Finding, findings
from hotline.store.search_words import SearchWordsOnDemand
from hotline.store.text_search import StoredTextSearch

MOST_CALLS: Final = 5_000  # more are not looked at, and the report says so
AT_ONCE: Final = 200
SHOWN: Final = 10  # of places, phrases and samples
_KINDS: Final = (PointKind.PLACE, PointKind.TOPIC, PointKind.REQUEST_TYPE, PointKind.NAME)
_DIGIT: Final = "0-9零〇一二三四五六七八九十百"
_DOOR: Final = re.compile(f"[{_DIGIT}](?=[{_DIGIT}]*(?:号|栋|幢|室|单元|弄|座|楼))")
_NUMBER_ON: Final = re.compile(f"[{_DIGIT}]+(?:号|栋|幢|室|单元|弄|座|楼|街坊).*$|[0-9].*$")


async def gather_topic(
    site: Site, sessions: Sessions, clock: Clock, words: str, period: Period
) -> ReportData:
    """The report of these words in a period.

    Raises:
        UsageError: there is nothing to search for.
    """
    search = StoredTextSearch(sessions, SearchWordsOnDemand(own_words(site)), clock)
    since, until = bounds(period, site.zone)
    wanted = CallFilter(since=since, until=until)
    calls: list[FoundCall] = []
    before: int | None = None
    catching_up = False
    while len(calls) < MOST_CALLS:
        page = await search.find(words, wanted, limit=AT_ONCE, before=before)
        calls += page.calls
        before, catching_up = page.before, page.catching_up
        if before is None:
            break
    found = await findings(sessions, [one.call.call_id for one in calls], _KINDS)
    topic = topic_of(
        words, period, calls, found, site, complete=before is None, catching_up=catching_up
    )  # fmt: skip
    return ReportData(
        site=site.site.name,
        timezone=site.site.timezone,
        period=period,
        topic=topic,
        sources={"topic": Source.POINTS},
    )


def topic_of(
    words: str,
    period: Period,
    calls: Sequence[FoundCall],
    found: Sequence[Finding],
    site: Site,
    *,
    complete: bool,
    catching_up: bool,
) -> Topic:
    """What the calls and what was understood of them come to. Pure."""
    names = {line.id: line.name for line in site.lines}
    local = [one.call.started_at.astimezone(site.zone).date() for one in calls]
    length = (period.last - period.start).days + 1
    every = [period.start + timedelta(days=number) for number in range(length)]
    per_day = Counter(local)
    types = Counter(
        {
            one.call_id: TYPES[RequestType(one.value)] for one in found if one.kind is PointKind.REQUEST_TYPE
        }.values()
    )
    unknown = len(calls) - sum(types.values())
    persons: dict[str, list[str]] = {}
    for one in found:
        if one.kind is PointKind.NAME:
            persons.setdefault(one.call_id, []).append(one.value)
    return Topic(
        words=words,
        calls=len(calls),
        complete=complete,
        catching_up=catching_up,
        days=tuple(Counted(name=day_name(day), count=per_day[day]) for day in every),
        types=_ranked(types + Counter({UNKNOWN_TYPE: unknown})),
        lines=_ranked(Counter(names.get(one.call.line, one.call.line) for one in calls)),
        places=_ranked(_per_call(found, PointKind.PLACE, _street))[:SHOWN],
        heard=_ranked(_phrases(found))[:SHOWN],
        samples=tuple(_sample(one, persons.get(one.call.call_id, []), names, site) for one in calls[:SHOWN]),
    )


def _street(finding: Finding) -> list[str]:
    """A place without the number of a house: a report is no address book."""
    street = _NUMBER_ON.sub("", finding.value).strip()
    return [street] if len(street) > 1 else []


def _phrases(found: Sequence[Finding]) -> Counter[str]:
    def phrases(finding: Finding) -> list[str]:
        rules: list[str] = json.loads(finding.rules)
        return [
            rule.partition(":")[2] for rule in rules if not rule.startswith(("line:", "not:")) and ":" in rule
        ]

    return _per_call(found, PointKind.TOPIC, phrases)


def _per_call(
    found: Sequence[Finding], kind: PointKind, values: Callable[[Finding], list[str]]
) -> Counter[str]:
    """In how many calls each value occurs."""
    seen = {(one.call_id, value) for one in found if one.kind is kind for value in values(one)}
    return Counter(value for _, value in seen)


def _ranked(counted: Counter[str]) -> tuple[Counted, ...]:
    rows = sorted(
        ((name, count) for name, count in counted.items() if count), key=lambda row: (-row[1], row[0])
    )
    return tuple(Counted(name=name[:80], count=count) for name, count in rows)


def _sample(found: FoundCall, persons: Iterable[str], names: dict[str, str], site: Site) -> SampleCall:
    line = names.get(found.call.line, found.call.line)
    said = tuple(masked(one.text, persons) for one in found.utterances)
    return SampleCall(at=found.call.started_at.astimezone(site.zone), line=line, said=said)


def masked(text: str, persons: Iterable[str]) -> str:
    """A text without numbers of persons and houses, and without the names understood in the call."""
    shown = _DOOR.sub("*", mask_alone(text))
    for name in sorted(set(persons), key=len, reverse=True):
        shown = shown.replace(name, name[:1] + "*" * (len(name) - 1)) if len(name) > 1 else shown
    return shown
