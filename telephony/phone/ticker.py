"""One timer for all the sound of an event loop."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from typing import ClassVar

from hotline.telephony.phone.rtp import FRAME_SECONDS

#: A loop that was held up sends the frames it owes at once, up to 200 ms of them; more is left out for good.
MAX_FRAMES_BEHIND = 10


class Ticker:
    """Calls every member each 20 ms by the monotonic clock, without drift; runs only while it has members."""

    _shared: ClassVar[weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Ticker]] = (
        weakref.WeakKeyDictionary()
    )

    def __init__(self) -> None:
        self.skipped_frames = 0
        self._loop = asyncio.get_running_loop()
        self._members: dict[Callable[[], None], None] = {}
        self._handle: asyncio.TimerHandle | None = None
        self._next = 0.0

    @classmethod
    def shared(cls) -> Ticker:
        """The running loop's own ticker."""
        loop = asyncio.get_running_loop()
        ticker = cls._shared.get(loop)
        if ticker is None:
            ticker = cls._shared[loop] = cls()
        return ticker

    def join(self, member: Callable[[], None]) -> None:
        """Call ``member`` with every tick from the next one on."""
        self._members[member] = None
        if self._handle is None:
            self._next = self._loop.time() + FRAME_SECONDS
            self._handle = self._loop.call_at(self._next, self._tick)

    def leave(self, member: Callable[[], None]) -> None:
        """Call ``member`` no more; no error if it has left already."""
        self._members.pop(member, None)
        if not self._members and self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _tick(self) -> None:
        due = 1 + int((self._loop.time() - self._next) / FRAME_SECONDS)
        frames = min(due, MAX_FRAMES_BEHIND)
        self.skipped_frames += due - frames
        for _ in range(frames):
            for member in list(self._members):
                if member in self._members:
                    member()
        self._next += due * FRAME_SECONDS
        if self._members:
            self._handle = self._loop.call_at(self._next, self._tick)
        else:
            self._handle = None
