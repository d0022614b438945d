"""Waiting for something to come to hold that events bring about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress


class Waiters:
    """Everybody who waits; ``wake`` them whenever what they look at may have changed."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    async def until(self, reached: Callable[[], bool], within_seconds: float) -> bool:
        """Whether ``reached`` came to hold in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                while not reached():
                    waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._waiting.add(waiter)
                    try:
                        await waiter
                    finally:
                        self._waiting.discard(waiter)
        return reached()

    def wake(self) -> None:
        """Have everybody look again."""
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
