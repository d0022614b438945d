"""The background task behind the rollups: days that are over are summed up, one at a time.

Nothing waits for it: what is not summed up is counted from its rows. After each day it rests several
times as long as that took, so that a database with years of rows (after an upgrade, an import, a change of
the norm) is gone through beside the calls. What it has not done when the server ends is done after the next
start.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from hotline.core.backoff import backoff
from hotline.core.clock import Clock
from hotline.store.rollups import Rollups

log = logging.getLogger(__name__)

START_SECONDS: Final = 20.0  # a starting server has more to do
LOOK_SECONDS: Final = 60.0  # between looks for a day that is over or has changed
SHARE: Final = 3.0  # rest, in times of the work
SHORTEST_REST_SECONDS: Final = 0.05


class Rolling:
    """Keeps the rollups up to date.

    Args:
        rollups: the store's side.
        clock: which days are over; times the rests.
        start_seconds: how long to leave a starting server alone.
    """

    def __init__(self, rollups: Rollups, clock: Clock, *, start_seconds: float = START_SECONDS) -> None:
        self._rollups, self._clock, self._start_seconds = rollups, clock, start_seconds

    async def run(self) -> None:
        """Work until cancelled; a database that is locked or away is tried again."""
        await asyncio.sleep(self._start_seconds)
        delays = backoff(initial_seconds=1, max_seconds=60)
        while True:
            try:
                while True:
                    await asyncio.sleep(await self.step())
                    delays = backoff(initial_seconds=1, max_seconds=60)
            except (SQLAlchemyError, OSError) as error:
                log.info("days wait to be summed up: %s", type(error).__name__)
                await asyncio.sleep(next(delays))
            except Exception:  # figures are right without the sums: a fault of theirs must not end the server
                log.exception("days could not be summed up")
                await asyncio.sleep(next(delays))

    async def step(self) -> float:
        """Sum up the newest day that needs it, else a month; for how many seconds to rest then."""
        began, now = self._clock.monotonic(), self._clock.now()
        if (day := await self._rollups.next_day(now)) is not None:
            done = await self._rollups.roll(day, now)
        elif (month := await self._rollups.next_month(now)) is not None:
            done = await self._rollups.roll_month(month)
        else:
            return LOOK_SECONDS
        if not done:
            return LOOK_SECONDS / 10  # rows of that day are coming in: leave them to it
        return max(SHORTEST_REST_SECONDS, (self._clock.monotonic() - began) * SHARE)
