"""Points of ended calls on their way to the database.

Policy: the newest of each call waits; a database that is away delays nothing and loses nothing until
`UNSAVED_LIMIT` calls wait, then the oldest is dropped and counted.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from typing import Final, Protocol

from sqlalchemy.exc import SQLAlchemyError

from hotline.core.backoff import backoff
from hotline.core.understanding import CallPoints

log = logging.getLogger(__name__)

UNSAVED_LIMIT: Final = 2_000
BATCH: Final = 50
CLOSE_SECONDS: Final = 3.0


class PointBook(Protocol):
    """Where the points of past calls are kept."""

    async def save(self, calls: Sequence[CallPoints]) -> None: ...
    async def of_call(self, call_id: str) -> CallPoints | None: ...


class PointSaver:
    """``put`` never waits; ``run`` saves until cancelled."""

    def __init__(self, store: PointBook) -> None:
        self.dropped = 0
        self._store = store
        self._unsaved: OrderedDict[str, CallPoints] = OrderedDict()
        self._wake = asyncio.Event()

    @property
    def waiting(self) -> int:
        """Calls that are not in the database yet."""
        return len(self._unsaved)

    def put(self, points: CallPoints) -> None:
        """Have a call saved, in place of what was known of it."""
        self._unsaved[points.call_id] = points
        if len(self._unsaved) > UNSAVED_LIMIT:
            self._unsaved.popitem(last=False)
            self.dropped += 1
        self._wake.set()

    async def of_call(self, call_id: str) -> CallPoints | None:
        """What waits or is kept of a call.

        Raises:
            SQLAlchemyError, OSError: the database cannot be asked.
        """
        return self._unsaved.get(call_id) or await self._store.of_call(call_id)

    async def run(self) -> None:
        """Save what is put, trying again when the database is back."""
        delays = backoff(initial_seconds=0.2, max_seconds=10)
        while True:
            self._wake.clear()
            if not self._unsaved:
                await self._wake.wait()
            if await self._save_some():
                delays = backoff(initial_seconds=0.2, max_seconds=10)
            else:
                await asyncio.sleep(next(delays))

    async def flush(self) -> None:
        """Save what waits, for at most `CLOSE_SECONDS`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                while self._unsaved and await self._save_some():
                    pass

    async def _save_some(self) -> bool:
        """Save the oldest; False when the database is to be tried again later."""
        batch = list(islice(self._unsaved.values(), BATCH))
        try:
            await self._store.save(batch)
        except (SQLAlchemyError, OSError) as error:
            log.warning("what calls were about waits for the database: %s", type(error).__name__)
            return False
        for points in batch:
            if self._unsaved.get(points.call_id) is points:
                del self._unsaved[points.call_id]
        return True
