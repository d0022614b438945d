"""What Asterisk itself says of a load test, from beginning to end: a listener that is never killed.

It keeps a call table of its own, fed as the server's is, by Asterisk's own times. So a row that differs from
the witness's is wrong, however late phones and programs were on a machine that was busy with all of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from hotline.config.schema import Site
from hotline.core.clock import SystemClock
from hotline.core.events import Source
from hotline.queue.calls.table import CallTable
from hotline.queue.facts import AGENTS_ONLY
from hotline.queue.from_ami import Withdrawals
from hotline.queue.queue_log.reader import NewsOfTheExchange, parse_line
from hotline.queue.routing import Routing
from hotline.store.ledger import CallRecord, EntryRecord, TalkRecord
from hotline.telephony.ami.client import AmiClient, AmiSettings
from hotline.telephony.ami.events import AmiEvent, AmiLost, BridgeEnter, BridgeLeave, Hangup
from hotline.telephony.asterisk_config.places import queue_log_of
from hotline.telephony.asterisk_config.secrets import secrets_of

CONNECT_SECONDS = 15.0
LATE_SECONDS = 0.05  # how late a loop must be to be noted
STEP_SECONDS = 0.02
TICK_SECONDS = 0.5


@dataclass(slots=True)
class Stay:
    """When a channel came into a bridge first, and left one last."""

    entered_at: datetime
    left_at: datetime | None = None


class Witness:
    """The rows as they are when nothing ever happens to the server.

    Attributes:
        manager: a connection to Asterisk.
        cut_off: the connection was lost, so that it is no witness any more.
        lateness: (when, seconds): this process, the phones' own, was late then; others had the machine.
        stays: of each channel that was in a bridge, by its unique id; kept apart from the call table.
    """

    def __init__(self, site: Site, manager: AmiClient) -> None:
        self.manager = manager
        self.cut_off = False
        self.lateness: list[tuple[float, float]] = []
        self.calls: dict[str, CallRecord] = {}
        self.entries: dict[str, EntryRecord] = {}
        self.talks: dict[str, TalkRecord] = {}
        self.stays: dict[str, Stay] = {}
        self._site = site
        self._table = self._new_table()
        self._withdrawals = Withdrawals()
        self._channels: dict[str, str] = {}  # endpoint -> its channel that is in a bridge

    def channel_of(self, extension: str) -> str:
        """The channel of a phone that talks.

        Raises:
            KeyError: it does not talk any more.
        """
        return self._channels[extension]

    async def listen(self) -> None:
        """Until cancelled."""
        with self.manager.feed() as feed:
            async for news in feed:
                if isinstance(news, AmiLost):
                    self.cut_off = True
                elif isinstance(news, AmiEvent):
                    self._hear(news)

    def _hear(self, event: AmiEvent) -> None:
        if isinstance(event, BridgeEnter):
            self._channels[_endpoint(event.channel)] = event.channel
            self.stays.setdefault(event.uniqueid, Stay(event.at))
        elif isinstance(event, BridgeLeave) and event.uniqueid in self.stays:
            self.stays[event.uniqueid].left_at = event.at
        elif isinstance(event, Hangup):
            self._channels.pop(_endpoint(event.channel), None)
        for fact in self._withdrawals.facts(event):
            out = self._table.apply(fact)
            self.calls |= out.calls
            self.entries |= out.entries
            self.talks |= out.talks

    async def keep_time(self) -> None:
        """Note how late this process is, until cancelled."""
        due = 0.0
        while True:
            before = time.monotonic()
            await asyncio.sleep(STEP_SECONDS)
            late = time.monotonic() - before - STEP_SECONDS
            if late > LATE_SECONDS:
                self.lateness.append((time.time(), late))
            if before >= due:
                due = before + TICK_SECONDS
                out = self._table.tick(SystemClock().now())
                self.entries |= out.entries
                self.talks |= out.talks

    def queue_log(self) -> tuple[dict[str, CallRecord], dict[str, EntryRecord], dict[str, TalkRecord]]:
        """The rows as queue_log alone tells them."""
        table = self._new_table()
        calls: dict[str, CallRecord] = {}
        entries: dict[str, EntryRecord] = {}
        talks: dict[str, TalkRecord] = {}
        text = queue_log_of(self._site).read_text(encoding="utf-8")
        for line in text.splitlines():
            fact = parse_line(line)
            if fact is None or isinstance(fact, AGENTS_ONLY):
                continue
            if isinstance(fact, NewsOfTheExchange) or fact.queue != "NONE":
                out = table.apply(fact, Source.QUEUE_LOG)
                calls |= out.calls
                entries |= out.entries
                talks |= out.talks
        return calls, entries, talks

    def _new_table(self) -> CallTable:
        site = self._site
        return CallTable(site.site.node, Routing.of_site(site), site.figures.short_abandon_seconds)

    def latest_between(self, begin: float, end: float) -> float:
        """By how many seconds the process was late at most between two moments."""
        return max((late for when, late in self.lateness if begin <= when <= end), default=0.0)


def _endpoint(channel: str) -> str:
    return channel.partition("/")[2].rpartition("-")[0]


@asynccontextmanager
async def witnessing(site: Site) -> AsyncIterator[Witness]:
    """A witness who listens."""
    ami = site.asterisk.ami
    settings = AmiSettings(username=ami.user, secret=secrets_of(site)("ami"), host=ami.host, port=ami.port)
    manager = AmiClient(settings, SystemClock())
    witness = Witness(site, manager)
    tasks = {asyncio.create_task(work) for work in (witness.listen(), witness.keep_time())}
    running = asyncio.create_task(manager.run())
    try:
        await manager.wait_connected(CONNECT_SECONDS)
        yield witness
    finally:
        await manager.aclose()
        await asyncio.wait({running})
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
