"""The manager interface for the rest of the product: always trying to be connected, and honest when not.

client = AmiClient(settings, clock)
task = asyncio.create_task(client.run())
with client.feed() as feed:
    async for news in feed:
        match news:
            case AmiConnected(): compare with queue_status() and core_show_channels()
            case AmiLost(): what is known is getting old
            case AgentConnect(): ...
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hotline.core.backoff import backoff
from hotline.core.clock import Clock, SystemClock
from hotline.telephony.ami.answers import AmiResponse, Listing, OneResponse, Originated, Waiter
from hotline.telephony.ami.errors import (
    AmiDisconnected,
    AmiError,
    AmiLoginRefused,
    AmiProtocolError,
    AmiRefused,
    AmiTimeout,
)
from hotline.telephony.ami.events import (
    AmiConnected,
    AmiEvent,
    AmiLost,
    AmiNews,
    CoreShowChannel,
    FullyBooted,
    OriginateResponse,
    QueueEntry,
    QueueMember,
    QueueParams,
    QueueSnapshot,
)
from hotline.telephony.ami.feed import AmiFeed
from hotline.telephony.ami.fence import FencedAmi
from hotline.telephony.ami.link import AmiCounters, Link
from hotline.telephony.ami.wire import FieldValue, escape_variable

logger = logging.getLogger(__name__)

#: A peer that talks but leaves this many pings in a row unanswered is given up.
MAX_MISSED_PINGS: Final = 3

#: A connection that lasted this long was a success: the next back-off starts afresh.
STABLE_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AmiSettings:
    """Where the manager interface is, and how long to wait for it.

    Attributes:
        connect_timeout_seconds: for the connection and the greeting.
        action_timeout_seconds: for a full answer to an action.
        ping_interval_seconds: between signs of life; a peer that is gone without a word is noticed
            after this and `action_timeout_seconds` together.
        boot_timeout_seconds: after login, for Asterisk to be fully booted. It says so only to users with
            `read=system`; without that right the connection is used when this time is over.
        refused_retry_seconds: at least this long between attempts once the login was refused.
        handoff_limit: items that may wait between the reader's thread and the loop.
        pending_limit: actions that may await an answer; further ones wait for a place.
        list_limit: entries that an answer may have.
    """

    username: str
    secret: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 5038
    connect_timeout_seconds: float = 5.0
    action_timeout_seconds: float = 5.0
    ping_interval_seconds: float = 10.0
    boot_timeout_seconds: float = 10.0
    refused_retry_seconds: float = 15.0
    handoff_limit: int = 50_000
    pending_limit: int = 256
    list_limit: int = 50_000


class AmiClient:
    """A client of one Asterisk's manager interface. Everything is called on the event loop.

    Args:
        settings: where and how.
        clock: the product's clock.
        backoff: makes the waiting times between attempts.

    Attributes:
        counters: what happened so far, for the metrics.
        last_error: why there is no connection, or why the newest one ended; None at first.
    """

    def __init__(
        self,
        settings: AmiSettings,
        clock: Clock | None = None,
        *,
        backoff: Callable[[], Iterator[float]] = backoff,
    ) -> None:
        self.settings = settings
        self.counters = AmiCounters()
        self.last_error: AmiError | None = None
        self._clock = clock or SystemClock()
        self._backoff = backoff
        self._link: Link | None = None
        self._booted: asyncio.Event | None = None
        self._connected: AmiConnected | None = None
        self._epoch = 0
        self._subscribers: list[Callable[[AmiNews], None]] = []
        self._changed = asyncio.Condition()
        self._closing = asyncio.Event()
        self._stopped = asyncio.Event()
        self._stopped.set()

    @property
    def connected(self) -> bool:
        """Logged in to a fully booted Asterisk."""
        return self._connected is not None

    @property
    def epoch(self) -> int:
        """The number of the present connection, or of the newest one."""
        return self._epoch

    def subscribe(self, callback: Callable[[AmiNews], None]) -> Callable[[], None]:
        """Call `callback` with all news, on the loop; return what ends it.

        The callback must be quick: every other reader waits for it. An exception of its own is logged and
        counted, and the rest goes on. If there is a connection already, it is told of it at once.
        """
        self._subscribers.append(callback)
        if self._connected is not None:
            self._tell(callback, self._connected)

        def unsubscribe() -> None:
            if callback in self._subscribers:
                self._subscribers.remove(callback)

        return unsubscribe

    def feed(self, limit: int = 20_000) -> AmiFeed:
        """The same as a stream to iterate; see `AmiFeed` for what happens to a slow reader."""

        def overflow() -> None:
            self.counters.overflows += 1
            self.reconnect(f"a reader of the manager's events fell {limit} events behind")

        feed = AmiFeed(limit, overflow, lambda _: unsubscribe())
        unsubscribe = self.subscribe(feed.put)
        return feed

    def reconnect(self, reason: str) -> None:
        """Give up the present connection, if any, and make a new one."""
        if self._link is not None:
            self._link.disconnect(AmiDisconnected(reason))

    async def wait_connected(self, timeout_seconds: float) -> None:
        """Wait until there is a connection.

        Raises:
            AmiLoginRefused: Asterisk does not let the user in, so that waiting is of no use.
            AmiTimeout: there was none in time; `last_error` says why the newest attempt failed.
        """

        def settled() -> bool:
            return self.connected or isinstance(self.last_error, AmiLoginRefused)

        try:
            async with asyncio.timeout(timeout_seconds), self._changed:
                await self._changed.wait_for(settled)
        except TimeoutError:
            raise AmiTimeout("the connection", timeout_seconds) from self.last_error
        if not self.connected and self.last_error is not None:
            raise self.last_error

    async def run(self) -> None:
        """Connect, stay connected, reconnect; until `aclose` or cancellation."""
        if not self._stopped.is_set():
            raise RuntimeError("this client is running already")
        self._stopped.clear()
        delays = self._backoff()
        try:
            while not self._closing.is_set():
                began = self._clock.monotonic()
                try:
                    await self._live_once()
                except AmiError as error:
                    await self._note(error)
                if self._clock.monotonic() - began >= STABLE_SECONDS:
                    delays = self._backoff()
                await self._pause(next(delays))
        finally:
            self._stopped.set()

    async def aclose(self) -> None:
        """End `run` and its connection; idempotent."""
        self._closing.set()
        self.reconnect("the client was closed")
        await self._stopped.wait()

    async def action(self, name: str, fields: Mapping[str, FieldValue] | None = None) -> AmiResponse:
        """Send an action and wait for its response.

        Args:
            name: such as `QueuePause`.
            fields: its headers; a sequence of strings is sent as several headers of that name.

        Raises:
            AmiUnsafeValue: a name or value would be read as something else; nothing was sent.
            AmiRefused: Asterisk answered with an error.
            AmiTimeout: no answer in time.
            AmiDisconnected: there is no connection, or it went.
        """
        response = await self._ask(name, fields or {}, OneResponse)
        assert isinstance(response, AmiResponse)  # noqa: S101 - for the type checker
        return response

    async def listing(self, name: str, fields: Mapping[str, FieldValue] | None = None) -> list[AmiEvent]:
        """Send an action that is answered by a list of events; return them when the list is complete.

        Entries that the product has no type for are left out. Raises what `action` raises.
        """
        limit = self.settings.list_limit
        events: list[AmiEvent] = await self._ask(name, fields or {}, lambda action: Listing(action, limit))
        return events

    async def originate(
        self,
        channel: str,
        *,
        application: str = "",
        data: str = "",
        context: str = "",
        exten: str = "",
        priority: int = 1,
        caller_id: str = "",
        ring_timeout_seconds: float = 30.0,
        variables: Mapping[str, str] | None = None,
        channel_id: str = "",
    ) -> OriginateResponse:
        """Call a channel, and join it to an application or to a place in the dialplan; wait until it answers.

        Args:
            channel: whom to call, such as `PJSIP/1001`.
            application: what to run on the called channel.
            data: the application's arguments.
            context: instead of an application: where the called channel enters the dialplan.
            exten: likewise.
            priority: likewise.
            caller_id: what the called side sees.
            ring_timeout_seconds: how long to let it ring.
            variables: of the called channel; any text is safe.
            channel_id: the unique id that the called channel is to have.

        Raises:
            AmiOriginateFailed: the call did not come about.
            ValueError: neither or both of application and context are given.
            AmiError: as `action`.
        """
        if bool(application) == bool(context):
            raise ValueError("originate wants an application, or a context and exten")
        fields: dict[str, FieldValue] = {
            "Channel": channel,
            "Async": "true",
            "Timeout": str(round(ring_timeout_seconds * 1000)),
        }
        if application:
            fields |= {"Application": application, "Data": data}
        else:
            fields |= {"Context": context, "Exten": exten, "Priority": str(priority)}
        if caller_id:
            fields["CallerID"] = caller_id
        if channel_id:
            fields["ChannelId"] = channel_id
        if variables:
            fields["Variable"] = [f"{name}={escape_variable(value)}" for name, value in variables.items()]
        response = await self._ask("Originate", fields, Originated, extra_seconds=ring_timeout_seconds)
        assert isinstance(response, OriginateResponse)  # noqa: S101 - for the type checker
        return response

    async def queue_status(self, queue: str = "") -> tuple[QueueSnapshot, ...]:
        """Every queue (or one) with its agents and waiting callers, by queue name. Raises as `action`."""
        entries = await self.listing("QueueStatus", {"Queue": queue} if queue else {})
        params = sorted((e for e in entries if isinstance(e, QueueParams)), key=lambda e: e.queue)
        members = [e for e in entries if isinstance(e, QueueMember)]
        callers = sorted((e for e in entries if isinstance(e, QueueEntry)), key=lambda e: e.position)
        return tuple(
            QueueSnapshot(
                params=one,
                members=tuple(m for m in members if m.queue == one.queue),
                entries=tuple(c for c in callers if c.queue == one.queue),
            )
            for one in params
        )

    async def core_show_channels(self) -> tuple[CoreShowChannel, ...]:
        """Every channel of the exchange. Raises as `action`."""
        entries = await self.listing("CoreShowChannels")
        return tuple(entry for entry in entries if isinstance(entry, CoreShowChannel))

    async def _ask(
        self,
        name: str,
        fields: Mapping[str, FieldValue],
        make_waiter: Callable[[str], Waiter],
        extra_seconds: float = 0.0,
    ) -> Any:
        if self._link is None or self._connected is None:
            raise AmiDisconnected("there is no connection to Asterisk")
        return await self._link.ask(
            name, fields, self.settings.action_timeout_seconds + extra_seconds, make_waiter
        )

    async def _live_once(self) -> None:
        """One connection from first to last; always ends by raising an AmiError."""
        settings = self.settings
        fence = FencedAmi(
            settings.host,
            settings.port,
            clock=self._clock,
            connect_timeout_seconds=settings.connect_timeout_seconds,
        )
        link = Link(
            fence,
            self.counters,
            self._heard,
            handoff_limit=settings.handoff_limit,
            pending_limit=settings.pending_limit,
        )
        self._booted = asyncio.Event()
        self._link = link
        reason = "the client was closed"
        try:
            link.open()
            version = await link.until(link.greeted)
            await self._log_in(link)
            await self._wait_booted(link, self._booted)
            await self._announce(version)
            raise await self._stay(link)
        except AmiError as error:
            reason = str(error)
            raise
        finally:
            self._link = None
            self._retract(reason)
            await link.close()

    async def _log_in(self, link: Link) -> None:
        fields = {"Username": self.settings.username, "Secret": self.settings.secret}
        try:
            await link.ask("Login", fields, self.settings.action_timeout_seconds)
        except AmiRefused as refused:
            raise AmiLoginRefused(
                "Login", refused.reason, hint="check the manager user's name, secret and permit lines"
            ) from None

    async def _wait_booted(self, link: Link, booted: asyncio.Event) -> None:
        waiting = asyncio.ensure_future(booted.wait())
        try:
            async with asyncio.timeout(self.settings.boot_timeout_seconds):
                await link.until(waiting)
        except TimeoutError:
            logger.warning("manager interface: no word of Asterisk being fully booted; using it all the same")
        finally:
            waiting.cancel()

    async def _stay(self, link: Link) -> AmiError:
        """Ping until the connection is over; return why it is."""
        missed = 0
        while True:
            await asyncio.wait({link.lost}, timeout=self.settings.ping_interval_seconds)
            if link.lost.done():
                return link.lost.result()
            heard = link.bytes_received
            try:
                await link.ask("Ping", {}, self.settings.action_timeout_seconds)
                missed = 0
            except AmiTimeout:
                missed += 1
                self.counters.missed_pings += 1
                if heard == link.bytes_received or missed >= MAX_MISSED_PINGS:
                    return AmiDisconnected("Asterisk does not answer pings")
            except AmiDisconnected:
                continue  # `lost` says why

    async def _announce(self, version: str) -> None:
        self._epoch += 1
        self.counters.connections += 1
        self._connected = AmiConnected(at=self._clock.now(), epoch=self._epoch, version=version)
        self.last_error = None
        logger.info("manager interface: connected (epoch %d)", self._epoch)
        self._publish(self._connected)
        async with self._changed:
            self._changed.notify_all()

    def _retract(self, reason: str) -> None:
        if self._connected is not None:
            self._connected = None
            self._publish(AmiLost(at=self._clock.now(), epoch=self._epoch, reason=reason))

    async def _note(self, error: AmiError) -> None:
        """Remember and log why there is no connection; once for each reason, not for each attempt."""
        if self._closing.is_set():
            return
        self.counters.failed_attempts += 1
        if self.last_error is None or str(error) != str(self.last_error):
            level = (
                logging.ERROR if isinstance(error, AmiLoginRefused | AmiProtocolError) else logging.WARNING
            )
            logger.log(level, "manager interface: no connection: %s", error)
        self.last_error = error
        async with self._changed:
            self._changed.notify_all()

    async def _pause(self, seconds: float) -> None:
        if isinstance(self.last_error, AmiLoginRefused):
            seconds = max(seconds, self.settings.refused_retry_seconds)
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return

    def _heard(self, event: AmiEvent) -> None:
        """An event came. Before `AmiConnected` it is not told: the comparison that follows covers it."""
        if self._connected is not None:
            self._publish(event)
        elif isinstance(event, FullyBooted) and self._booted is not None:
            self._booted.set()

    def _publish(self, news: AmiNews) -> None:
        for callback in tuple(self._subscribers):
            self._tell(callback, news)

    def _tell(self, callback: Callable[[AmiNews], None], news: AmiNews) -> None:
        try:
            callback(news)
        except Exception:
            self.counters.reader_faults += 1
            logger.exception("manager interface: a reader failed on %s", type(news).__name__)
