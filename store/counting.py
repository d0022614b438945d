"""What is behind every figure: counts of the ledger, all asked at one moment of the database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.core.figures import FigureRow
from hotline.store.count_rows import Behind, rows_behind
from hotline.store.counts import Origin
from hotline.store.database import Sessions
from hotline.store.imported import imported_behind, tally_imported
from hotline.store.rolled import Calendar, tally
from hotline.store.tally import tally_rows
from hotline.store.wanted import Tally, Wanted

_SNAPSHOT: Final[dict[str, Any]] = {"isolation_level": "REPEATABLE READ"}


@asynccontextmanager
async def one_moment(sessions: Sessions) -> AsyncIterator[AsyncConnection]:
    """A connection whose statements all see the database as it was at the first of them."""
    async with sessions() as session:
        if session.get_bind().dialect.name == "sqlite":
            connection = await session.connection()
            await connection.exec_driver_sql("BEGIN")  # the driver begins nothing for reading alone
        else:
            connection = await session.connection(execution_options=_SNAPSHOT)
        yield connection


class Counting:
    """Adds up counts.

    Args:
        sessions: the database.
        calendar: the site's, by which rollups are known; None: only rows are counted.
    """

    def __init__(self, sessions: Sessions, calendar: Calendar | None) -> None:
        self._sessions, self._calendar = sessions, calendar

    async def tallies(self, wanted: Sequence[Wanted]) -> list[Tally]:
        """Each tally that is wanted, all of the same moment."""
        async with one_moment(self._sessions) as connection:
            return [await self._tally(connection, one) for one in wanted]

    async def _tally(self, connection: AsyncConnection, wanted: Wanted) -> Tally:
        imported = [count for count in wanted.counts if count.origin is Origin.IMPORTED]
        own = replace(wanted, counts=tuple(one for one in wanted.counts if one not in imported))
        found: Tally = {}
        if own.counts and self._calendar is None:
            found = await tally_rows(connection, own, own.edges[0], own.edges[-1])
        elif own.counts and self._calendar is not None:
            found = await tally(connection, own, self._calendar)
        if imported:
            await tally_imported(connection, wanted, imported, found)
        return found

    async def rows(
        self, wanted: Behind, *, limit: int, after: str | None
    ) -> tuple[list[FigureRow], str | None]:
        """A page of the rows behind counts; see ``store.count_rows``."""
        async with one_moment(self._sessions) as connection:
            if wanted.counts[0].origin is Origin.IMPORTED:
                return await imported_behind(connection, wanted), None
            return await rows_behind(connection, wanted, limit=limit, after=after)
