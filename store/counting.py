"""What is behind every figure: counts of the ledger, all asked at one moment of the database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.core.errors import TookTooLong
from hotline.core.figures import FigureRow
from hotline.store.count_rows import Behind, rows_behind
from hotline.store.counts import Origin
from hotline.store.database import Sessions
from hotline.store.imported import imported_behind, tally_imported
from hotline.store.rolled import Calendar, never_summed_up, tally
from hotline.store.tally import tally_rows
from hotline.store.time_limits import OutOfTime, limited
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
        longest_seconds: how long an answer may take; None: as long as it takes.
    """

    def __init__(
        self, sessions: Sessions, calendar: Calendar | None, longest_seconds: float | None = None
    ) -> None:
        self._sessions, self._calendar, self._longest_seconds = sessions, calendar, longest_seconds

    async def tallies(self, wanted: Sequence[Wanted]) -> list[Tally]:
        """Each tally that is wanted, all of the same moment.

        Raises:
            TookTooLong: it would take longer than it may.
        """
        found: list[Tally] = []
        try:
            async with (
                one_moment(self._sessions) as connection,
                limited(connection, self._longest_seconds) as limit,
            ):
                for one in wanted:
                    await limit.go_on()
                    found.append(await self._tally(connection, one))
        except OutOfTime as error:
            raise self._too_long(wanted[len(found)]) from error
        return found

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
        """A page of the rows behind counts; see ``store.count_rows``.

        Raises:
            TookTooLong: likewise.
        """
        try:
            async with one_moment(self._sessions) as connection, limited(connection, self._longest_seconds):
                if wanted.counts[0].origin is Origin.IMPORTED:
                    return await imported_behind(connection, wanted), None
                return await rows_behind(connection, wanted, limit=limit, after=after)
        except OutOfTime as error:
            raise TookTooLong(
                f"finding these rows took longer than {self._longest_seconds:g} s",
                hint="ask for a shorter period, or for one line",
                code="rows_take_long",
            ) from error

    def _too_long(self, wanted: Wanted) -> TookTooLong:
        """Why it took so long, and what to ask instead."""
        given_up = f"counting this took longer than {self._longest_seconds:g} s"
        if self._calendar is not None and not never_summed_up(wanted, self._calendar):
            return TookTooLong(
                f"{given_up}: days of this period are not summed up yet, and their rows are counted",
                hint="ask for a shorter period, or later: days are summed up one by one, the newest first",
                code="days_not_summed_up",
            )
        return TookTooLong(
            f"{given_up}: by agent and skill, parts of days are counted from their rows",
            hint="ask for whole days, or for a shorter period",
            code="counted_from_rows",
        )
