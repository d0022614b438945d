"""The background task behind the search: what was said can be found a second or two later.

It does one small batch at a time, new texts first. Of older texts it does the newest first and rests four
times as long as each batch took. Nothing waits for it; what it has not done when the server ends is done
after the next start, because the database knows what is not indexed.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from hotline.core.backoff import backoff
from hotline.core.clock import Clock
from hotline.core.errors import SetupError
from hotline.store.search_words import SearchWordsOnDemand
from hotline.store.text_index import TextIndex

log = logging.getLogger(__name__)

BATCH: Final = 200  # texts in one transaction: some 20 ms in which SQLite's other writers wait
LOOK_SECONDS: Final = 1.0  # between looks for new texts
SHARE: Final = 4.0  # rest, in times of the work, while old texts are gone through


class TextIndexing:
    """Keeps the index of texts right.

    Args:
        index: the store's side.
        words: what it is made with.
        clock: times the rests.
    """

    def __init__(self, index: TextIndex, words: SearchWordsOnDemand, clock: Clock) -> None:
        self._index, self._words, self._clock = index, words, clock

    async def run(self) -> None:
        """Work until cancelled; a database that is locked or away is tried again."""
        delays = backoff(initial_seconds=0.5, max_seconds=30)
        while True:
            try:
                await self._index.begin(self._words.edition)
                while True:
                    await asyncio.sleep(await self.step())
                    delays = backoff(initial_seconds=0.5, max_seconds=30)
            except (SQLAlchemyError, OSError) as error:
                log.warning("texts wait to be indexed for the search: %s", type(error).__name__)
                await asyncio.sleep(next(delays))
            except SetupError as error:
                log.error("what was said cannot be searched: %s", error)
                await asyncio.Event().wait()

    async def step(self) -> float:
        """Index a batch; for how many seconds to rest then."""
        began = self._clock.monotonic()
        if await self._index.index_new(self._words, BATCH) == BATCH:
            return 0.0
        if await self._index.index_old(self._words, BATCH):
            return (self._clock.monotonic() - began) * SHARE
        return LOOK_SECONDS
