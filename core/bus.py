"""The bus in memory: every event to every subscriber, none waiting for the slowest.

Policy: publishing never blocks and never fails. Each subscriber has a bounded queue; when it is full the
subscriber is cut off (its iteration raises ``SlowConsumer``) and the others go on. A bounded history lets a
subscriber that comes back replay what it missed; older events must be read from the store.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import AsyncIterator

from hotline.core.errors import SlowConsumer
from hotline.core.events import Envelope, Event
from hotline.core.ports import Bus, Feed

log = logging.getLogger(__name__)


class Subscription:
    """One reader of the bus. Iterate it; close it (or use ``async with``) when done."""

    def __init__(self, bus: MemoryBus, name: str, limit: int) -> None:
        self.name = name
        self.last_seq = bus.last_seq
        self._bus = bus
        self._limit = limit
        self._waiting: deque[Envelope] = deque()
        self._wake = asyncio.Event()
        self._overflowed = False
        self._closed = False

    def _offer(self, envelope: Envelope) -> bool:
        """Take one event; False when the queue is full and this subscriber is to be cut off."""
        if len(self._waiting) >= self._limit:
            self._overflowed = True
            self._waiting.clear()
            self._wake.set()
            return False
        self._waiting.append(envelope)
        self._wake.set()
        return True

    def close(self) -> None:
        """Stop receiving; iteration ends once the reader asks again."""
        self._closed = True
        self._bus.drop(self)
        self._wake.set()

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __aiter__(self) -> AsyncIterator[Envelope]:
        return self

    async def __anext__(self) -> Envelope:
        while True:
            if self._overflowed:
                raise SlowConsumer(self.name, self.last_seq)
            if self._waiting:
                envelope = self._waiting.popleft()
                self.last_seq = envelope.seq
                return envelope
            if self._closed:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()


class MemoryBus:
    """The in-process twin of the bus port.

    Args:
        history: events kept for replay. At the busiest published load (3,000 calls an hour, about 100 events
            a call with live text) 20,000 events are some four minutes.
    """

    def __init__(self, history: int = 20_000) -> None:
        self.boot_id = secrets.token_hex(8)  # sequence numbers mean nothing across server starts
        self.last_seq = 0
        self.cut_off = 0
        self._history: deque[Envelope] = deque(maxlen=history)
        self._subscribers: list[Subscription] = []

    def publish(self, event: Event) -> int:
        """Hand ``event`` to every subscriber; return its sequence number. Call on the event loop."""
        self.last_seq += 1
        envelope = Envelope(self.last_seq, event)
        self._history.append(envelope)
        slow = [reader for reader in self._subscribers if not reader._offer(envelope)]
        for reader in slow:
            self.cut_off += 1
            self._subscribers.remove(reader)
        return self.last_seq

    def subscribe(self, name: str, *, limit: int = 2_000) -> Subscription:
        """Start receiving events published from now on, at most ``limit`` unread."""
        subscription = Subscription(self, name, limit)
        self._subscribers.append(subscription)
        return subscription

    def drop(self, subscription: Subscription) -> None:
        """Forget a subscriber; no error if it is already gone."""
        if subscription in self._subscribers:
            self._subscribers.remove(subscription)

    def since(self, seq: int) -> list[Envelope] | None:
        """Events after number ``seq``, or None when some of them are no longer kept."""
        if seq > self.last_seq:
            return None
        oldest = self._history[0].seq if self._history else self.last_seq + 1
        if seq + 1 < oldest:
            return None
        return [envelope for envelope in self._history if envelope.seq > seq]


async def follow(bus: Bus, feed: Feed, name: str, *, limit: int) -> AsyncIterator[Envelope]:
    """Every event of ``feed``; a reader that was cut off comes back and replays what it missed.

    For the rooms, which must not end because a busy moment filled their queue.

    Args:
        bus: what ``feed`` belongs to.
        feed: a subscription made by the caller, so that nothing falls between; it is closed at the end.
        name: of the reader, for the log.
        limit: unread events of the subscriptions made later.
    """
    while True:
        try:
            with feed:
                async for envelope in feed:
                    yield envelope
            return
        except SlowConsumer as slow:
            feed = bus.subscribe(name, limit=limit)
            missed = bus.since(slow.last_seq)
            if missed is None:
                log.error("%s fell so far behind the bus that events are lost to it", name)
            else:
                log.warning("%s fell behind the bus by %d events and catches up", name, len(missed))
            for envelope in missed or ():
                yield envelope
