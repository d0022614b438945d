"""A reader's own bounded stream of the manager's news."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Self

from hotline.telephony.ami.events import AmiConnected, AmiLost, AmiNews


class AmiFeed:
    """News in order: `AmiConnected`, that connection's events, `AmiLost`, and so on. Iterate it.

    Policy: at most `limit` items wait. When a reader falls further behind, its items are dropped
    and the connection is given up, so that it next reads `AmiLost` and then `AmiConnected`: it never
    misses an event without being told to compare its picture with Asterisk again.

    Args:
        limit: items that may wait.
        on_overflow: called when they are too many; ends the connection.
        on_close: called once, when the reader is done.
    """

    def __init__(
        self, limit: int, on_overflow: Callable[[], None], on_close: Callable[[AmiFeed], None]
    ) -> None:
        self._limit = limit
        self._on_overflow = on_overflow
        self._on_close = on_close
        self._items: deque[AmiNews] = deque()
        self._skipping = False
        self._closed = False
        self._wake = asyncio.Event()

    def put(self, news: AmiNews) -> None:
        """Take one item; for the client."""
        framing = isinstance(news, AmiConnected | AmiLost)
        if framing:
            self._skipping = False
        elif self._skipping:
            return
        elif len(self._items) >= self._limit:
            self._items.clear()
            self._skipping = True
            self._on_overflow()
            return
        self._items.append(news)
        self._wake.set()

    def close(self) -> None:
        """Stop receiving; iteration ends."""
        if not self._closed:
            self._closed = True
            self._wake.set()
            self._on_close(self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AmiNews:
        while not self._items:
            if self._closed:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        return self._items.popleft()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
