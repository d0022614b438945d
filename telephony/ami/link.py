"""One connection seen from the event loop: the bounded hand-over from the reader's thread, and the waiters.

Policy of the hand-over: the reader never waits. When the loop has fallen `handoff_limit` items
behind, the connection is given up, so that nothing is lost unnoticed: readers are told, and compare their
picture with Asterisk again on the next connection. What was taken over before is still delivered, in order.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from asterisk.ami import Event, Response

from hotline.telephony.ami.answers import AmiResponse, OneResponse, Waiter
from hotline.telephony.ami.errors import AmiDisconnected, AmiError, AmiMalformedEvent, AmiTimeout
from hotline.telephony.ami.events import AmiEvent, UnknownEvent
from hotline.telephony.ami.fence import FencedAmi
from hotline.telephony.ami.parse import parse_event
from hotline.telephony.ami.wire import FieldValue, SafeAction

logger = logging.getLogger(__name__)

#: Items handled in one turn of the loop before others get theirs; about 2 ms.
SLICE: Final = 200

T = TypeVar("T")


@dataclass(slots=True)
class AmiCounters:
    """What happened since the client was made; only ever grows."""

    connections: int = 0
    failed_attempts: int = 0
    events: int = 0
    unknown_events: int = 0
    malformed_events: int = 0
    unmatched_answers: int = 0
    overflows: int = 0
    reader_faults: int = 0
    missed_pings: int = 0


@dataclass(frozen=True, slots=True)
class _Greeted:
    version: str


@dataclass(frozen=True, slots=True)
class _Lost:
    error: AmiError


@dataclass(frozen=True, slots=True)
class _Answer:
    action_id: str
    response: AmiResponse


@dataclass(frozen=True, slots=True)
class _Reported:
    action_id: str
    event: AmiEvent
    list_mark: str


_Item = _Greeted | _Lost | _Answer | _Reported


class Link:
    """One connection: actions out, answers to their waiters, everything else to `on_event`.

    Made, used and closed on the event loop; only the methods for the fence's listener run on its thread.

    Attributes:
        version: the protocol's version, once `greeted` is done.
        lost: done with the reason when the connection is over and all before it was delivered.
    """

    def __init__(
        self,
        fence: FencedAmi,
        counters: AmiCounters,
        on_event: Callable[[AmiEvent], None],
        *,
        handoff_limit: int,
        pending_limit: int,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.greeted: asyncio.Future[str] = self._loop.create_future()
        self.lost: asyncio.Future[AmiError] = self._loop.create_future()
        self._fence = fence
        self._counters = counters
        self._on_event = on_event
        self._handoff_limit = handoff_limit
        self._waiters: dict[str, Waiter] = {}
        self._slots = asyncio.Semaphore(pending_limit)
        self._lock = threading.Lock()
        self._items: deque[_Item] = deque()
        self._draining = False
        self._overflowed = False
        fence.add_listener(self)

    @property
    def bytes_received(self) -> int:
        """Grows as long as the peer talks."""
        return self._fence.bytes_received

    @property
    def waiting(self) -> int:
        """Actions whose answer is awaited."""
        return len(self._waiters)

    def open(self) -> None:
        """Begin to connect."""
        self._fence.connect()

    def disconnect(self, reason: AmiError) -> None:
        """End the connection; `lost` follows."""
        self._fence.disconnect(reason)

    async def close(self) -> None:
        """End the connection and its thread; idempotent."""
        self._fence.disconnect()
        if not await asyncio.to_thread(self._fence.join, 5.0):
            logger.error("manager interface: the reader's thread did not end")
        with self._lock:
            self._items.clear()
        self._lose(AmiDisconnected("the connection was closed here"))

    async def until(self, future: asyncio.Future[T]) -> T:
        """Wait for a future of this connection.

        Raises:
            AmiError: the connection was lost first.
        """
        either: set[asyncio.Future[Any]] = {future, self.lost}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not future.done():
            raise self.lost.result()
        return future.result()

    async def ask(
        self,
        name: str,
        fields: Mapping[str, FieldValue],
        timeout_seconds: float,
        make_waiter: Callable[[str], Waiter] = OneResponse,
    ) -> Any:
        """Send an action and wait until its waiter is satisfied; waits for a free place first.

        Raises:
            AmiUnsafeValue: a field is unsafe; nothing was sent.
            AmiRefused: Asterisk did not do it.
            AmiTimeout: no full answer in time.
            AmiDisconnected: the connection went.
        """
        action = SafeAction(name, fields)
        action_id = ""
        try:
            async with asyncio.timeout(timeout_seconds), self._slots:
                if self.lost.done():
                    raise AmiDisconnected("there is no connection to Asterisk")
                waiter = make_waiter(name)
                action_id = self._fence.next_action_id()
                action.keys["ActionID"] = action_id
                self._waiters[action_id] = waiter
                self._fence.send_action(action)
                return await waiter.future
        except TimeoutError:
            raise AmiTimeout(name, timeout_seconds) from None
        finally:
            self._waiters.pop(action_id, None)

    # On the reader's thread.

    def on_connect(self, source: FencedAmi) -> None:
        """The peer has greeted."""
        self._hand_over(_Greeted(str(source._ami_version)))

    def on_response(self, source: FencedAmi, response: Response) -> None:
        """An answer came."""
        headers = response.keys
        answer = AmiResponse(
            response.status, headers.get("Message", ""), headers, tuple(response.follows or ())
        )
        self._hand_over(_Answer(headers.get("ActionID", ""), answer))

    def on_event(self, source: FencedAmi, event: Event) -> None:
        """An event came: read it here, hand it over if anybody may want it."""
        action_id = event.keys.get("ActionID", "")
        try:
            typed = parse_event(event.keys, received_at=source.received_at)
        except AmiMalformedEvent as error:
            self._counters.malformed_events += 1
            logger.warning("manager interface: an event was dropped: %s", error)
            return
        if isinstance(typed, UnknownEvent) and not action_id:
            self._counters.unknown_events += 1
            return
        self._hand_over(_Reported(action_id, typed, event.keys.get("EventList", "")))

    def on_unknown(self, source: FencedAmi, pack: object) -> None:
        """A packet came that is neither."""
        self._counters.malformed_events += 1

    def on_action(self, source: FencedAmi, action: object) -> None:
        """Of no interest: part of what the package expects of a listener."""

    def on_disconnect(self, source: FencedAmi, error: AmiError) -> None:
        """The connection is over; nothing follows."""
        self._counters.reader_faults += source.listener_faults
        self._hand_over(_Lost(error))

    def _hand_over(self, item: _Item) -> None:
        with self._lock:
            if len(self._items) >= self._handoff_limit and not isinstance(item, _Lost):
                if not self._overflowed:
                    self._overflowed = True
                    self._counters.overflows += 1
                    self._fence_full()
                return
            self._items.append(item)
            if self._draining:
                return
            self._draining = True
        try:
            self._loop.call_soon_threadsafe(self._drain)
        except RuntimeError:  # the loop has ended without closing us: nobody is left to tell
            self._fence.disconnect()

    def _fence_full(self) -> None:
        self._fence.disconnect(AmiDisconnected(f"events came faster than {self._handoff_limit} could wait"))

    # On the loop.

    def _drain(self) -> None:
        for _ in range(SLICE):
            with self._lock:
                if not self._items:
                    self._draining = False
                    return
                item = self._items.popleft()
            self._handle(item)
        self._loop.call_soon(self._drain)

    def _handle(self, item: _Item) -> None:
        match item:
            case _Reported(action_id, event, list_mark):
                waiter = self._waiters.get(action_id)
                if waiter is not None and waiter.event(event, list_mark):
                    return
                if isinstance(event, UnknownEvent):
                    self._counters.unknown_events += 1
                    return
                self._counters.events += 1
                self._on_event(event)
            case _Answer(action_id, response):
                waiter = self._waiters.get(action_id)
                if waiter is None:
                    self._counters.unmatched_answers += 1  # its asker has given up
                else:
                    waiter.response(response)
            case _Greeted(version):
                if not self.greeted.done():
                    self.greeted.set_result(version)
            case _Lost(error):
                self._lose(error)

    def _lose(self, error: AmiError) -> None:
        if self.lost.done():
            return
        self.lost.set_result(error)
        for waiter in self._waiters.values():
            if not waiter.future.done():
                waiter.future.set_exception(AmiDisconnected(str(error)))
