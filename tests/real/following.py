"""The queue room in this process beside a real Asterisk, with faults to switch on; and what phones know."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.config.schema import Agent, Line, Queue, Site
from hotline.core.bus import MemoryBus
from hotline.core.clock import SystemClock
from hotline.queue.exchange import Exchange as QueueRoom
from hotline.store.database import open_engine, sessions_of
from hotline.store.ledger import Ledger
from hotline.store.models import Call as CallRow
from hotline.store.models import QueueEntry
from hotline.telephony.ami.client import AmiClient, AmiSettings
from hotline.telephony.ami.events import AmiNews
from hotline.telephony.asterisk_config.places import queue_log_of
from hotline.telephony.phone.call import Call
from hotline.telephony.phone.phone import Phone
from tests.fixtures.migrated import upgrade
from tests.fixtures.ports import free_port
from tests.real.exchange import Exchange

SAME_SECONDS = 1.6  # queue_log's whole seconds at both ends of a span, and what a busy machine adds
AGENTS = {"12301": "8001", "12302": "8002", "12303": "8003"}
"""An agent for each line."""
EMPTY_QUEUE = "12309"
"""The line and queue nobody serves."""


def direct_lines(agents: dict[str, str]) -> dict[str, Any]:
    """Sections of a site without menus: a line and a queue for each agent (line -> agent), one for nobody."""
    names = [*agents, EMPTY_QUEUE]
    return {
        "lines": tuple(Line(id=name, name=name, number=name, dids=(name,)) for name in names),
        "queues": tuple(Queue(name=name, title=name, ring_seconds=30, wrap_up_seconds=0) for name in names),
        "agents": tuple(
            Agent(id=agent, name=agent, extension=agent, skills={line: 1}) for line, agent in agents.items()
        ),
        "menus": (),
        "prompts": (),
    }


class Visit:
    """A caller, and what the caller's and the agent's phones know of the call."""

    def __init__(self, site: Site, number: str) -> None:
        self.number = number
        self.phone = Phone(number, server=(site.asterisk.host, site.asterisk.sip_port))
        self.agent: str | None = None
        self.queue = ""
        self.ended_by = "caller"
        self._joined = self._answered = self._ended = 0.0
        self._call: Call | None = None

    async def arrive(self, line: str) -> None:
        """Be in the queue of this line."""
        await self.phone.open()
        self._call = await self.phone.call(line)
        await self._call.wait_answered()
        self.queue, self._joined = line, time.monotonic()

    async def rung(self, agent: Phone) -> Call:
        """The agent's phone rings for this caller."""
        offered = await asyncio.wait_for(agent.next_call(), 20)
        offered.ring()
        return offered

    async def answered(self, offered: Call, agent: str) -> None:
        """The agent takes the call."""
        await offered.answer()
        self.agent, self._answered = agent, time.monotonic()

    async def over(self, by: Call | None = None) -> None:
        """The caller hangs up, or the agent whose side of the call is given."""
        assert self._call is not None
        self.ended_by = "caller" if by is None else "agent"
        self._ended = time.monotonic()
        await (by or self._call).hangup()
        await self._call.wait_ended()
        await self.phone.aclose()

    def check(self, row: QueueEntry) -> None:
        """Assert that the row says what the phones know."""
        told = f"{self.number}: {row.outcome} {row.wait_ms=} {row.talk_ms=} {row.source} {row.ended_by}"
        assert row.closed_at is not None and row.queue == self.queue and row.line == self.queue, told
        assert row.agent == self.agent, told
        if self.agent is not None:
            assert (row.outcome, row.ended_by) == ("answered", self.ended_by), told
            assert abs(row.wait_ms / 1000 - (self._answered - self._joined)) < SAME_SECONDS, told
            assert abs(row.talk_ms / 1000 - (self._ended - self._answered)) < SAME_SECONDS, told
            return
        waited = self._ended - self._joined
        assert abs(row.wait_ms / 1000 - waited) < SAME_SECONDS, told
        assert row.outcome in ("abandoned", "short_abandon") and row.ended_by == "caller", told


@dataclass(slots=True)
class Disk:
    """The database's disk, as it may be: ``full`` takes effect at the next save."""

    full: bool = False


class Relay:
    """A TCP port in front of the manager's, that can be cut like a cable."""

    def __init__(self, port: int) -> None:
        self.port = free_port()
        self._target = port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def join(self) -> None:
        """Let connections through."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def cut(self) -> None:
        """End every connection and take no new one."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:  # there is no Asterisk now
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            return
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pass_on(reader, far_writer))
                both.create_task(_pass_on(far_reader, writer))
        except asyncio.CancelledError:
            pass  # cut: asyncio's own streams would log it
        finally:
            for end in (writer, far_writer):
                end.close()
                with suppress(OSError):
                    await end.wait_closed()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()


class DeafClient(AmiClient):
    """A client that loses events on purpose. ``deaf_to``: their kinds."""

    deaf_to: tuple[type[AmiNews], ...] = ()

    def _publish(self, news: AmiNews) -> None:
        if not isinstance(news, self.deaf_to):
            super()._publish(news)


class Following:
    """A queue room that follows an Asterisk; stopped and started as the test wants."""

    def __init__(self, asterisk: Exchange, engine: AsyncEngine) -> None:
        self.asterisk, self.site = asterisk, asterisk.site
        self.engine = engine
        self.disk = Disk()
        self.relay = Relay(self.site.asterisk.ami.port)
        self.queue_log = queue_log_of(self.site)
        self.room: QueueRoom
        self.ami: DeafClient
        self.bus: MemoryBus
        self._tasks: list[asyncio.Task[None]] = []
        _may_be_full(engine, self.disk)

    async def start(self) -> None:
        """As a server that has just been started; the picture is compared when this returns."""
        ami = self.site.asterisk.ami
        settings = AmiSettings(username=ami.user, secret=self.asterisk.secret("ami"), port=self.relay.port)
        self.bus = MemoryBus()
        self.ami = DeafClient(settings, backoff=lambda: iter(lambda: 0.1, None))
        self.room = QueueRoom(
            self.site, self.ami, self.bus, Ledger(sessions_of(self.engine)), SystemClock(), self.queue_log
        )
        await self.room.restore()
        self._tasks = [asyncio.create_task(self.room.run()), asyncio.create_task(self.ami.run())]
        await self.linked()

    async def linked(self) -> None:
        """Return once there is a link and the picture has been compared."""
        await self.seen(lambda: self.room.link_up)

    async def seen(self, reached: Any, within_seconds: float = 20) -> None:
        """Return once ``reached()`` holds, looking after every event on the bus."""
        async with asyncio.timeout(within_seconds):
            with self.bus.subscribe("test") as feed:
                while not reached():
                    with suppress(TimeoutError):
                        async with asyncio.timeout(0.2):  # some of what is looked at tells nobody
                            await anext(feed)

    async def stop(self) -> None:
        """As an orderly stop of the server."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._tasks = []

    async def sign_in(self, stack: AsyncExitStack, agent: str) -> Phone:
        """An agent's phone, registered and in the queues of the site file."""
        server = (self.site.asterisk.host, self.site.asterisk.sip_port)
        phone = await stack.enter_async_context(
            Phone(agent, self.asterisk.secret(f"agent-{agent}"), server=server)
        )
        await phone.register()
        skills = next(one.skills for one in self.site.agents if one.id == agent)
        for queue in skills:
            await self.asterisk.rx(f"queue add member PJSIP/{agent} to {queue} penalty 1 as {agent}")
        return phone

    async def check(self, *visits: Visit) -> dict[str, QueueEntry]:
        """Stop, and assert that the ledger has these visits and no others, as the phones know them."""
        await self.stop()
        return await check(self.engine, *visits)


async def check(engine: AsyncEngine, *visits: Visit) -> dict[str, QueueEntry]:
    """Assert that the database has a row for each visit and no other, as the phones know it; by number."""
    both = select(CallRow.caller_number, QueueEntry).join(CallRow, CallRow.call_id == QueueEntry.call_id)
    async with sessions_of(engine)() as session:
        found = [(number, row) for number, row in await session.execute(both)]
    assert sorted(number for number, _ in found) == sorted(visit.number for visit in visits)
    rows = dict(found)
    for visit in visits:
        visit.check(rows[visit.number])
    return rows


@asynccontextmanager
async def following(asterisk: Exchange) -> AsyncIterator[Following]:
    """A started queue room beside ``asterisk``, on a SQLite file of its own."""
    asterisk.site.data_dir.mkdir(parents=True, exist_ok=True)
    engine = open_engine(f"sqlite+aiosqlite:///{asterisk.site.data_dir}/hotline.db")
    followed = Following(asterisk, engine)
    try:
        await upgrade(engine)
        await followed.relay.join()
        await followed.start()
        yield followed
    finally:
        await followed.stop()
        await followed.relay.cut()
        await engine.dispose()


def _may_be_full(engine: AsyncEngine, disk: Disk) -> None:
    """SQLite's own answer to a full disk (SQLITE_FULL), and little patience with a locked database."""

    @event.listens_for(engine.sync_engine, "checkout")
    def _limit(connection: Any, _record: Any, _proxy: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout=200")
        cursor.execute("PRAGMA page_count")
        pages = cursor.fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count={pages if disk.full else 1 << 30}")
        cursor.close()
