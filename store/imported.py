"""Counts of other systems: kept by period, and added up where a period lies wholly in what is asked for.

A system may give the days of a month and the month as well. So that nothing counts twice, of rows that
overlap the longest is taken: the month, not its days; asked by the day, the days.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.core.figures import FigureRow
from hotline.store.count_rows import Behind
from hotline.store.counts import Count, Dim
from hotline.store.database import Sessions
from hotline.store.models import ImportedFigure
from hotline.store.wanted import Tally, Wanted, add


@dataclass(frozen=True, slots=True)
class ImportedCount:
    """A count for a period [start, until), aware; ``channel`` empty for the whole."""

    figure: str
    channel: str
    value: int


class ImportedFigures:
    """Every method raises ``sqlalchemy.exc.SQLAlchemyError`` when the database cannot be had."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def save(
        self, period: tuple[datetime, datetime], counts: Sequence[ImportedCount], source: str, at: datetime
    ) -> None:
        """Keep the counts of a period, in place of all that was imported for this very period before."""
        start, until = period
        rows = [
            ImportedFigure(
                figure=one.figure, start=start, until=until, channel=one.channel, value=one.value,
                source=source[:200], imported_at=at,
            )
            for one in counts
        ]  # fmt: skip
        same = (ImportedFigure.start == start, ImportedFigure.until == until)
        async with self._sessions.begin() as session:
            await session.execute(delete(ImportedFigure).where(*same))
            session.add_all(rows)


async def tally_imported(
    connection: AsyncConnection, wanted: Wanted, counts: Sequence[Count], found: Tally
) -> None:
    """Add the imported ``counts`` to a tally."""
    apart = Dim.CHANNEL in wanted.by
    for bucket, row in await _taken(connection, wanted.edges, counts, wanted.only, apart=apart):
        add(found, bucket, (row.channel,) if apart else (), [(row.figure, row.value)])


async def imported_behind(connection: AsyncConnection, wanted: Behind) -> list[FigureRow]:
    """The rows that are counted, newest first: there are few."""
    edges = (wanted.start, wanted.end)
    taken = await _taken(connection, edges, wanted.counts, wanted.only, apart=False)
    return [
        FigureRow(
            f"{row.figure} {row.channel}".strip(), row.start, row.value, until=row.until,
            imported_from=row.source, imported_at=row.imported_at,
        )
        for _, row in sorted(taken, key=lambda one: one[1].start, reverse=True)
    ]  # fmt: skip


async def _taken(
    connection: AsyncConnection,
    edges: Sequence[datetime],
    counts: Sequence[Count],
    only: Mapping[Dim, frozenset[str]],
    *,
    apart: bool,
) -> list[tuple[int, Any]]:
    """The rows that count, each with its bucket. ``apart``: by channel, else of the whole."""
    row = ImportedFigure
    query = select(row.figure, row.channel, row.start, row.until, row.value, row.source, row.imported_at)
    query = query.where(
        row.figure.in_([count.id for count in counts]),
        row.start >= edges[0],
        row.until <= edges[-1],
        _channels(only, apart=apart),
    )
    return list(_longest(edges, list(await connection.execute(query))))


def _channels(only: Mapping[Dim, frozenset[str]], *, apart: bool) -> ColumnElement[bool]:
    if Dim.CHANNEL in only:
        return ImportedFigure.channel.in_(sorted(only[Dim.CHANNEL]))
    return ImportedFigure.channel != "" if apart else ImportedFigure.channel == ""


def _longest(edges: Sequence[datetime], rows: list[Any]) -> Iterator[tuple[int, Any]]:
    """Those of the rows that lie in a bucket and overlap with no longer one."""
    taken: dict[tuple[str, str], list[Any]] = {}
    for row in sorted(rows, key=lambda one: (one.start - one.until, one.start)):
        bucket = bisect_right(edges, row.start) - 1
        before = taken.setdefault((row.figure, row.channel), [])
        if row.until <= edges[bucket + 1] and all(
            row.until <= other.start or row.start >= other.until for other in before
        ):
            before.append(row)
            yield bucket, row
