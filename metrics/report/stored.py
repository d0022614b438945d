"""What was imported and stored, as sections of a report: those of its very period, or its parts added up.

A file of the report's own month is taken as it was given. Without one its days and weeks are added up (of
those that overlap the longest), and what is missing among them is said. The counts of the period before and
of the year before come from what was stored of those; where a file gives them too they must agree. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from hotline.metrics.report.adding import ADDED
from hotline.metrics.report.compared import Between
from hotline.metrics.report.data import Accepted, Breakdown, Counted, Sections, Source
from hotline.metrics.report.words import SECTIONS
from hotline.store.imported import StoredSection

_ANY: Final[TypeAdapter[Any]] = TypeAdapter(Any)
_DAY: Final = timedelta(days=1)


@dataclass(slots=True)
class Imported:
    """Sections of a time, each with where it comes from, and what is to be said of them."""

    sections: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    remarks: list[tuple[str, str]] = field(default_factory=list)  # of which section
    whole: set[str] = field(default_factory=set)  # sections of which no day is missing

    def give(self, sections: Mapping[str, Any]) -> None:
        """Take these in the place of what was stored."""
        self.sections |= sections
        self.sources |= dict.fromkeys(sections, Source.IMPORTED)
        self.origins = {name: told for name, told in self.origins.items() if name not in sections}
        self.remarks = [(name, text) for name, text in self.remarks if name not in sections]
        self.whole.update(sections)


def as_json(found: Sections) -> dict[str, str]:
    """The sections that are given, each as JSON."""
    names = (name for name in Sections.model_fields if getattr(found, name))
    return {name: _ANY.dump_json(getattr(found, name), exclude_unset=True).decode() for name in names}


def from_json(sections: Mapping[str, str]) -> Sections:
    """The same, read again."""
    return Sections.model_validate({name: _ANY.validate_json(content) for name, content in sections.items()})


def imported_of(stored: Sequence[StoredSection], own: Between, now: Between, zone: ZoneInfo) -> Imported:
    """What there is of a period.

    Args:
        stored: of this period and its parts.
        own: from its beginning to its end.
        now: as much of it as is over: days to come are not missing.
        zone: the site's.
    """
    found = Imported()
    for name in Sections.model_fields:
        rows = [one for one in stored if one.section == name]
        exact = [one for one in rows if (one.start, one.until) == own]
        inside = [one for one in rows if now[0] <= one.start and one.until <= now[1]]
        parts = exact or (_longest(inside) if name in ADDED else [])
        if not parts:
            continue
        values = [getattr(from_json({name: one.content}), name) for one in parts]
        found.sections[name] = values[0] if exact else ADDED[name](values)
        found.sources[name] = Source.IMPORTED if exact else Source.ADDED
        found.origins[name] = _origin(parts, zone)
        missing = [] if exact or name == "cases" else _missing(parts, now, zone)
        if missing:
            found.remarks.append((name, f"{SECTIONS[name]}缺{'、'.join(missing)}"))
        else:
            found.whole.add(name)
    return found


def with_earlier(found: Imported, before: Imported, ago: Imported, *, so_far: bool) -> None:
    """Give the sections their counts of the period before and of a year ago, if these are stored whole.

    ``so_far``: the period goes on. A file of all of it then stands as it was given.
    """
    for name, value in found.sections.items():
        if name not in found.whole or (so_far and found.sources[name] is Source.IMPORTED):
            continue  # of fewer days any change would be one of days
        then = [one.sections[name] if name in one.whole else None for one in (before, ago)]
        found.remarks += [(name, text) for text in _against(SECTIONS[name], value, *then)]
        found.sections[name] = _filled(value, *then)


def _filled(value: Any, before: Any, ago: Any) -> Any:
    match value:
        case Accepted():
            known = {
                "previous": before.total if before else None,
                "year_ago": ago.total if ago else None,
                "dispatched_previous": before.dispatched if before else None,
            }
            return value.model_copy(
                update={name: count for name, count in known.items() if getattr(value, name) is None}
            )
        case Breakdown():
            rows = _rows(value.rows, before and before.rows, ago and ago.rows)
            return value.model_copy(update={"rows": rows})
        case (Counted(), *_):
            return _rows(value, before, ago)
        case _:
            return value


def _rows(
    rows: Iterable[Counted], before: Sequence[Counted] | None, ago: Sequence[Counted] | None
) -> tuple[Counted, ...]:
    """Each with its earlier counts; what was not there then counted 0."""
    earlier = [None if then is None else {row.name: row.count for row in then} for then in (before, ago)]

    def known(row: Counted) -> dict[str, int | None]:
        counts = [None if then is None else then.get(row.name, 0) for then in earlier]
        found = zip(("previous", "year_ago"), counts, strict=True)
        return {name: count for name, count in found if getattr(row, name) is None}

    return tuple(row.model_copy(update=known(row)) for row in rows)


def _against(where: str, value: Any, before: Any, ago: Any) -> Iterable[str]:
    """Earlier counts that a file gives otherwise than what was stored of that time."""
    for told, then in (("previous", before), ("year_ago", ago)):
        if then is None:
            continue
        pairs: list[tuple[str, int | None, int]] = []
        if isinstance(value, Accepted):
            pairs = [("", getattr(value, told), then.total)]
        elif isinstance(value, Breakdown):
            counts = {row.name: row.count for row in then.rows}
            pairs = [
                (row.name, getattr(row, told), counts[row.name]) for row in value.rows if row.name in counts
            ]
        earlier = "上期" if told == "previous" else "上年同期"
        for name, given, kept in pairs:
            if given is not None and given != kept:
                yield (
                    f"{where} {name}".rstrip()
                    + f"：填报的{earlier}为{given:,}，{earlier}导入的数据为{kept:,}"
                )


def _longest(rows: Iterable[StoredSection]) -> list[StoredSection]:
    """Those that overlap with no longer one, the oldest first."""
    taken: list[StoredSection] = []
    for row in sorted(rows, key=lambda one: (one.start - one.until, one.start)):
        if all(row.until <= other.start or row.start >= other.until for other in taken):
            taken.append(row)
    return sorted(taken, key=lambda one: one.start)


def _missing(parts: Sequence[StoredSection], now: Between, zone: ZoneInfo) -> list[str]:
    """The days that no part covers, in words; the day that goes on is not one of them."""
    day, last = (moment.astimezone(zone).date() for moment in now)
    missing = []
    while day < last:
        start = datetime.combine(day, time(), zone)
        if not any(one.start <= start < one.until for one in parts):
            missing.append(day)
        day += _DAY
    runs: list[list[Any]] = []
    for one in missing:
        if runs and runs[-1][-1] == one - _DAY:
            runs[-1].append(one)
        else:
            runs.append([one])
    return [_days(run[0], run[-1]) for run in runs]


def _days(first: Any, last: Any) -> str:
    words = f"{first.month}月{first.day}日"
    return words if first == last else f"{words}至{last.month}月{last.day}日"


def _origin(parts: Sequence[StoredSection], zone: ZoneInfo) -> str:
    """orders.csv，2026-11-02导入; of several the files by name."""
    names = list(dict.fromkeys(one.source for one in parts))
    told = names[0] if len(names) == 1 else f"{names[0]}等{len(names)}个文件"
    newest = max(one.imported_at for one in parts).astimezone(zone)
    return f"{told}，{newest:%Y-%m-%d}导入"
