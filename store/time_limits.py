"""How long counting may take: whoever asks for too much is told so, and others do not wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

STEPS: Final = 1_000_000  # of SQLite's machine between looks at the clock: some 20 ms
_CANCELED: Final = "57014"  # PostgreSQL's query_canceled


class OutOfTime(Exception):
    """A statement was stopped, because all of them together took too long."""


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """When statements of a connection have to be done, by the loop's clock; None: there is no limit."""

    connection: AsyncConnection
    ends_at: float | None

    async def go_on(self) -> None:
        """Tell PostgreSQL what is left: it limits each statement by itself."""
        if self.ends_at is None or self.connection.dialect.name == "sqlite":
            return
        left_ms = round((self.ends_at - asyncio.get_running_loop().time()) * 1000)
        if left_ms <= 0:
            raise OutOfTime
        await self.connection.exec_driver_sql(f"SET LOCAL statement_timeout = {left_ms}")


@asynccontextmanager
async def limited(connection: AsyncConnection, seconds: float | None) -> AsyncIterator[TimeLimit]:
    """Let what is asked of a connection take so long at the most.

    Raises:
        OutOfTime: it took longer, and was stopped.
    """
    if seconds is None:
        yield TimeLimit(connection, None)
        return
    clock = asyncio.get_running_loop().time
    limit = TimeLimit(connection, ends_at := clock() + seconds)
    driver: Any = (await connection.get_raw_connection()).driver_connection
    on_sqlite = connection.dialect.name == "sqlite"
    if on_sqlite:
        await driver.set_progress_handler(lambda: clock() > ends_at, STEPS)
    try:
        await limit.go_on()
        yield limit
    except DBAPIError as error:
        stopped = clock() > ends_at if on_sqlite else getattr(error.orig, "sqlstate", None) == _CANCELED
        if stopped:
            raise OutOfTime from error
        raise
    finally:
        if on_sqlite:
            await driver.set_progress_handler(None, STEPS)
