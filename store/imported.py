"""Counts of other systems: kept by period, and added up where a period lies wholly in what is asked for.

A system may give the days of a month and the month as well. So that nothing counts twice, of rows that
overlap the longest is taken: the month, not its days; asked by the day, the days.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from hotline.core.figures import FigureRow
from hotline.store.count_rows import Behind
from hotline.store.counts import DIMS, Count, Dim, Origin
from hotline.store.database import Sessions
from hotline.store.models import ImportedFigure, ImportedSection
from hotline.store.wanted import Tally, Wanted, add

Period = tuple[datetime, datetime]
"""From a moment, aware, up to another."""


@dataclass(frozen=True, slots=True)
class ImportedCount:
    """A count of a period; ``channel`` and ``unit`` empty for the whole. ``section``: where it was taken."""

    figure: str
    value: int
    section: str
    channel: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class StoredSection:
    """A section of a period as JSON; ``source`` is the file that it came in, without its folder."""

    start: datetime
    until: datetime
    section: str
    content: str
    source: str
    imported_at: datetime


Counted = Callable[[Mapping[str, str]], Sequence[ImportedCount]]
"""From all sections of a period, as JSON, to its counts."""


class ImportedFigures:
    """Every method raises ``sqlalchemy.exc.SQLAlchemyError`` when the database cannot be had."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def save(
        self, given: Mapping[Period, Mapping[str, str]], source: str, at: datetime, count: Counted
    ) -> dict[Period, list[ImportedCount]]:
        """Keep what a file gives, all of it or nothing; the counts of its periods as they are then.

        A section takes the place of the one that was there for this very period, and a file the place of what
        one of its name gave for it.

        Args:
            given: of each period its sections, as JSON.
            source: the file's name.
            at: when it is imported.
            count: the counts of all sections that a period then has.
        """
        found = {}
        async with self._sessions.begin() as session:
            for period, sections in given.items():
                found[period] = await _save(session, period, sections, source[:200], at, count)
        return found

    async def sections(self, start: datetime, until: datetime) -> list[StoredSection]:
        """What was imported of periods that lie wholly in [start, until), the oldest first."""
        row = ImportedSection
        query = select(row.start, row.until, row.section, row.content, row.source, row.imported_at)
        query = query.where(row.start >= start, row.until <= until).order_by(
            row.start, row.until, row.section
        )
        async with self._sessions() as session:
            return [StoredSection(*one) for one in await session.execute(query)]


async def _save(
    session: AsyncSession,
    period: Period,
    sections: Mapping[str, str],
    source: str,
    at: datetime,
    count: Counted,
) -> list[ImportedCount]:
    start, until = period
    row, figure = ImportedSection, ImportedFigure
    replaced = or_(row.section.in_(sorted(sections)), row.source == source)
    await session.execute(delete(row).where(row.start == start, row.until == until, replaced))
    session.add_all(
        row(start=start, until=until, section=name, content=content, source=source, imported_at=at)
        for name, content in sections.items()
    )
    await session.flush()
    there = await session.execute(
        select(row.section, row.content, row.source, row.imported_at).where(
            row.start == start, row.until == until
        )
    )
    kept = {one.section: one for one in there}
    counts = count({name: one.content for name, one in kept.items()})
    await session.execute(delete(figure).where(figure.start == start, figure.until == until))
    for one in counts:
        whence = kept[one.section]
        session.add(
            figure(
                figure=one.figure, start=start, until=until, channel=one.channel, unit=one.unit,
                value=one.value, source=whence.source, imported_at=whence.imported_at,
            )
        )  # fmt: skip
    return list(counts)


async def tally_imported(
    connection: AsyncConnection, wanted: Wanted, counts: Sequence[Count], found: Tally
) -> None:
    """Add the imported ``counts`` to a tally."""
    for bucket, row in await _taken(connection, wanted.edges, counts, wanted.only, wanted.by):
        add(found, bucket, tuple(getattr(row, dim) for dim in wanted.by), [(row.figure, row.value)])


async def imported_behind(connection: AsyncConnection, wanted: Behind) -> list[FigureRow]:
    """The rows that are counted, newest first: there are few."""
    edges = (wanted.start, wanted.end)
    taken = await _taken(connection, edges, wanted.counts, wanted.only, ())
    return [
        FigureRow(
            f"{row.figure} {row.channel}{row.unit}".strip(), row.start, row.value, until=row.until,
            imported_from=row.source, imported_at=row.imported_at,
        )
        for _, row in sorted(taken, key=lambda one: one[1].start, reverse=True)
    ]  # fmt: skip


async def _taken(
    connection: AsyncConnection,
    edges: Sequence[datetime],
    counts: Sequence[Count],
    only: Mapping[Dim, frozenset[str]],
    by: Sequence[Dim],
) -> list[tuple[int, Any]]:
    """The rows that count, each with its bucket. ``by``: what they are told apart by, else of the whole."""
    row = ImportedFigure
    query = select(
        row.figure, row.channel, row.unit, row.start, row.until, row.value, row.source, row.imported_at
    )
    query = query.where(
        row.figure.in_([count.id for count in counts]),
        row.start >= edges[0],
        row.until <= edges[-1],
        *(_of(column, dim, only, by) for dim, column in DIMS[Origin.IMPORTED].items()),
    )
    return list(_longest(edges, list(await connection.execute(query))))


def _of(column: Any, dim: Dim, only: Mapping[Dim, frozenset[str]], by: Sequence[Dim]) -> ColumnElement[bool]:
    """Rows of these channels (units) alone, of every one, or of none of them in particular."""
    if dim in only:
        return cast("ColumnElement[bool]", column.in_(sorted(only[dim])))
    return cast("ColumnElement[bool]", column != "" if dim in by else column == "")


def _longest(edges: Sequence[datetime], rows: list[Any]) -> Iterator[tuple[int, Any]]:
    """Those of the rows that lie in a bucket and overlap with no longer one."""
    taken: dict[tuple[str, str, str], list[Any]] = {}
    for row in sorted(rows, key=lambda one: (one.start - one.until, one.start)):
        bucket = bisect_right(edges, row.start) - 1
        before = taken.setdefault((row.figure, row.channel, row.unit), [])
        if row.until <= edges[bucket + 1] and all(
            row.until <= other.start or row.start >= other.until for other in before
        ):
            before.append(row)
            yield bucket, row
