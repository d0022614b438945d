"""What is behind every figure: counts of the ledger, all asked at one moment of the database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.core.figures import FigureRow
from hotline.store.count_rows import Behind, rows_behind
from hotline.store.database import Sessions
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
        if self._calendar is None:
            return await tally_rows(connection, wanted, wanted.edges[0], wanted.edges[-1])
        return await tally(connection, wanted, self._calendar)

    async def rows(
        self, wanted: Behind, *, limit: int, after: str | None
    ) -> tuple[list[FigureRow], str | None]:
        """A page of the rows behind counts; see ``store.count_rows``."""
        async with one_moment(self._sessions) as connection:
            return await rows_behind(connection, wanted, limit=limit, after=after)
