"""The queue room at work: Asterisk's events in, the live picture, the ledger and the agents' desk out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from hotline.config.schema import Site
from hotline.core.bus import follow
from hotline.core.clock import Clock
from hotline.core.events import AgentNoAnswer, CallEnded, LinkChanged, MenuFinished, WrapUpEnded
from hotline.core.ports import Bus
from hotline.core.views import LiveView
from hotline.queue.agents.seats import Seats
from hotline.queue.calls.outbox import Outbox
from hotline.queue.calls.table import CallTable
from hotline.queue.drift import DriftWatch
from hotline.queue.facts import Bridged, Fact, Joined, QueueFact, Routed
from hotline.queue.from_ami import Withdrawals
from hotline.queue.queue_log.following import LogFollowing, Seen
from hotline.queue.routing import Routing
from hotline.queue.writer import LedgerWriter
from hotline.store.ledger import Ledger
from hotline.telephony.ami import events as ami
from hotline.telephony.ami.answers import AmiResponse
from hotline.telephony.ami.errors import AmiError
from hotline.telephony.ami.feed import AmiFeed

log = logging.getLogger(__name__)

FEED_LIMIT = 20_000  # events unread; beyond that they are replayed from the bus's history


class Manager(Protocol):
    """The part of the AMI client that this room uses."""

    def feed(self, limit: int = ...) -> AmiFeed: ...
    def reconnect(self, reason: str) -> None: ...
    async def queue_status(self) -> tuple[ami.QueueSnapshot, ...]: ...
    async def core_show_channels(self) -> tuple[ami.CoreShowChannel, ...]: ...
    async def action(self, name: str, fields: Mapping[str, str | Sequence[str]]) -> AmiResponse: ...


class Exchange:
    """Keeps the call table and the agent table in step with one Asterisk.

    Args:
        site: lines, queues, agents.
        manager: the AMI client; ``run`` reads its news until it ends.
        bus: where events are published.
        ledger: where rows are kept.
        clock: the present.
        queue_log: Asterisk's queue_log file; None where it cannot be read (then an outage leaves gaps).
    """

    def __init__(
        self, site: Site, manager: Manager, bus: Bus, ledger: Ledger, clock: Clock, queue_log: Path | None
    ) -> None:
        self.table = CallTable(site.site.node, Routing.of_site(site), site.figures.short_abandon_seconds)
        self.writer = LedgerWriter(ledger)
        self.seats = Seats(site, manager, bus, self.writer, clock, self.table)
        self.agents = self.seats.table
        self.link_up = False
        self.faults = 0
        self._queues = {queue.name for queue in site.queues}
        self._node = site.site.node
        self._withdrawals = Withdrawals()
        self._manager, self._bus, self._ledger, self._clock = manager, bus, ledger, clock
        self.queue_log = LogFollowing(
            queue_log,
            self._node,
            self._queues,
            self.table,
            ledger,
            self.writer,
            clock,
            self._tell_logged,
            self.seats.logged,
        )
        self._turn = asyncio.Lock()  # the picture is changed by one at a time: an event, or a comparison
        self.drift = DriftWatch(manager, self._queues, self.live, self.table.call_of_channel, self._mend)

    async def restore(self) -> None:
        """Take over what an earlier run left open. Call once, before ``run``."""
        known = await self._ledger.recent(self._node, within=CallTable.KEEP)
        tail = await self.queue_log.restore()
        self.table.restore(known.calls, known.entries, known.talks, tail.read_to, known.surveys)
        self.seats.restore(await self._ledger.open_intervals())
        if tail.heard_at is not None:
            self.table.link_lost(tail.heard_at)
            self.seats.link_lost(tail.heard_at)

    async def run(self) -> None:
        """Work until cancelled, then save what waits (the caller sets the deadline)."""
        writer = asyncio.create_task(self.writer.run(), name="ledger-writer")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen(), name="queue-listen")
                tasks.create_task(self._keep_time(), name="queue-time")
                tasks.create_task(self._hear_others(), name="queue-others")
                tasks.create_task(self.queue_log.run(), name="queue-log")
                tasks.create_task(self.seats.run(), name="queue-agents")
                tasks.create_task(self.drift.run(), name="queue-drift")
                tasks.create_task(_fail_with(writer), name="queue-writer-watch")
        finally:
            self.writer.close()
            await asyncio.wait({writer}, timeout=5)
            if not writer.done():
                log.error(
                    "%d ledger rows could not be saved; queue_log brings them back", self.writer.waiting
                )
                writer.cancel()

    def live(self) -> LiveView:
        """The present of the exchange."""
        return LiveView(
            at=self._clock.now(),
            link_up=self.link_up,
            calls=self.table.live_calls(),
            waiting=self.table.waiting(),
            agents=self.agents.views(),
        )

    async def _listen(self) -> None:
        with self._manager.feed() as feed:
            async for news in feed:
                async with self._turn:
                    await self._hear(news)

    async def _hear(self, news: ami.AmiNews) -> None:
        match news:
            case ami.AmiConnected():
                if await self._resync(everything=True):
                    self._link(True, f"connection {news.epoch}")
            case ami.AmiLost():
                self._withdrawals.forget()
                self.table.link_lost(news.at)
                self.seats.link_lost(news.at)
                self._link(False, news.reason)
            case _:
                self._event_safely(news)

    def _link(self, up: bool, detail: str) -> None:
        self.link_up = up
        self._bus.publish(LinkChanged(self._clock.now(), up, detail))

    def _event_safely(self, event: ami.AmiEvent) -> None:
        """A fault in our reading of one event must not cost the next one; it is told and counted."""
        try:
            self._event(event)
        except Exception:
            self.faults += 1
            log.exception("a %s event could not be taken in", type(event).__name__)

    def _event(self, event: ami.AmiEvent) -> None:
        """One live event: first the calls, then the agents."""
        came = Outbox()
        for fact in self._withdrawals.facts(event):
            if not self._is_ours(fact):
                continue
            out = self.table.apply(fact)
            self._tell(out)
            came.events += out.events
        self.seats.follow(event, came)

    def _is_ours(self, fact: Fact) -> bool:
        """Whether it is about a queue of the site, or about none: an exchange may have others beside ours."""
        return not isinstance(fact, QueueFact | Routed) or fact.queue in self._queues

    def _tell(self, out: Outbox) -> None:
        """Rows first: whoever hears an event may look at the row soon after."""
        if out.calls or out.entries or out.talks or out.surveys:
            self.writer.put(
                calls=out.calls,
                entries=out.entries,
                talks=out.talks,
                surveys=out.surveys,
                moments=out.moments,
            )
        for event in out.events:
            if event.call_id not in self.queue_log.untold:
                self._bus.publish(event)
            elif isinstance(event, CallEnded):
                self.queue_log.untold.discard(event.call_id)

    def _tell_logged(self, out: Outbox) -> None:
        """What only queue_log told: calls left ringing meanwhile count towards an agent's pause too."""
        for row in out.entries.values():
            if row.agent is not None and row.closed_at is None:
                self.agents.answers(row.agent)
        for event in out.events:
            if isinstance(event, AgentNoAnswer):
                queue = out.entries[event.entry_id].queue
                self.seats.tell(self.agents.missed(event.agent, event.at, queue))
        self._tell(out)

    async def _mend(self) -> None:
        """Believe the exchange in the midst of its events; those that come meanwhile wait their turn."""
        async with self._turn:
            await self._resync(everything=False)

    async def _resync(self, *, everything: bool) -> bool:
        """Ask the exchange for everything, then believe it; False if it did not answer.

        Args:
            everything: read queue_log to its end; else its youngest lines are left to the live events.
        """
        try:
            self.seats.expect(await self._manager.queue_status())
            seen = _seen(self._clock.now(), await self._manager.core_show_channels())
            await self.queue_log.catch_up(everything=everything, seen=seen)
            known = self.table.heard_of()  # who is first heard of after the lists may not be in them yet
            queues = [
                queue for queue in await self._manager.queue_status() if queue.params.queue in self._queues
            ]
            asked_at = self._clock.now()  # reading queue_log may take its time: waits count up to here
            channels = await self._manager.core_show_channels()  # after: who waits is alive in it, or gone
        except AmiError as error:
            log.warning("the exchange could not be asked for its state: %s", error)
            self._manager.reconnect("its state could not be read")  # the next connection asks again
            return False
        await self.queue_log.catch_up(everything=everything, seen=seen)  # how those ended who are gone
        now = self._clock.now()
        for queue in queues:
            for entry in queue.entries:
                since = asked_at - timedelta(seconds=entry.wait_seconds)
                if not self.table.knows_wait(entry.uniqueid, entry.queue, since):
                    joined = Joined(entry.uniqueid, since, entry.queue, entry.position, entry.caller_number)
                    self._tell(self.table.apply(joined))
        alive = {channel.uniqueid: channel.linkedid for channel in channels}
        self._tell(self.table.reconcile(now, alive, known))
        for channel in channels:
            if channel.bridge_id:
                self._tell(self.table.apply(_bridged(channel, asked_at)))
        self.seats.resync(queues, channels, now)
        return True

    async def _keep_time(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            now = self._clock.now()
            self._tell(self.table.tick(now))
            self.seats.tick(now)
            if self.link_up:
                self.queue_log.heard(now)

    async def _hear_others(self) -> None:
        """What menus and agents did belongs on the call's rows too."""
        feed = self._bus.subscribe("queue-others", limit=FEED_LIMIT)
        async for envelope in follow(self._bus, feed, "queue-others", limit=FEED_LIMIT):
            match envelope.event:
                case MenuFinished():
                    self._tell(self.table.menu_finished(envelope.event))
                case WrapUpEnded(agent=agent, entry_id=str(entry_id), seconds=seconds):
                    self._tell(self.table.wrapped_up(agent, entry_id, seconds))


def _seen(at: datetime, channels: Iterable[ami.CoreShowChannel]) -> Seen:
    """``at``: when they were asked for."""
    return Seen(at, {uid for channel in channels for uid in (channel.uniqueid, channel.linkedid)})


def _bridged(channel: ami.CoreShowChannel, at: datetime) -> Bridged:
    """A channel that was in a bridge when a resync asked: told as if it had entered it then."""
    return Bridged(
        channel.uniqueid, at, channel.linkedid, channel.channel, channel.caller_number, channel.bridge_id
    )


async def _fail_with(task: asyncio.Task[None]) -> None:
    """Raise what ends ``task`` before its time, without ending it when we are cancelled."""
    await asyncio.shield(task)
