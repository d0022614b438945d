"""Whatever fails on our side of a real Asterisk, the ledger says what the phones know, call for call."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hotline.config.schema import Site
from hotline.config.secrets import Secrets
from hotline.queue.drift import Kind
from hotline.server.paths import database_url
from hotline.store.database import open_engine
from hotline.store.ledger import IntervalRecord
from hotline.telephony.ami import events as ami
from hotline.telephony.phone.phone import Phone
from tests.real.exchange import site_on_free_ports
from tests.real.following import AGENTS, EMPTY_QUEUE, Following, Visit, check, direct_lines
from tests.real.serving import Seat, serving, write_site

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

HOLD = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Lines without menus, one agent each."""
    return site_on_free_ports(tmp_path).model_copy(update=direct_lines(AGENTS))


def _interval(number: int) -> IntervalRecord:
    return IntervalRecord("nobody", "ready", "", datetime.fromtimestamp(1_690_000_000 + number, UTC))


def visits(site: Site, count: int) -> list[Visit]:
    return [Visit(site, f"1380000000{number}") for number in range(count)]


async def whole_call(visit: Visit, line: str, seats: dict[str, Phone], *, talk_seconds: float = 1.0) -> None:
    """A call from arrival to hang-up by the agent."""
    await visit.arrive(line)
    offered = await visit.rung(seats[line])
    await visit.answered(offered, AGENTS[line])
    await asyncio.sleep(talk_seconds)  # how long they have to say something
    await visit.over(by=offered)


async def test_a_cut_link_costs_no_row_and_no_second(followed: Following, seats: dict[str, Phone]) -> None:
    """Calls end, are answered, are given up, come and go while the manager is gone, and live through it."""
    talks, rings, waits, comes, stays, new = visits(followed.site, 6)
    await talks.arrive("12301")
    talking = await talks.rung(seats["12301"])
    await talks.answered(talking, "8001")
    await rings.arrive("12302")
    ringing = await rings.rung(seats["12302"])
    await waits.arrive(EMPTY_QUEUE)
    await stays.arrive(EMPTY_QUEUE)
    await followed.seen(
        lambda: len(followed.room.live().waiting) == 3 and followed.room.live().calls[0].agent
    )
    await followed.relay.cut()
    await followed.seen(lambda: not followed.room.link_up)
    await rings.answered(ringing, "8002")
    await asyncio.sleep(1)
    await talks.over(by=talking)
    await waits.over()
    await whole_call(comes, "12301", seats)
    await new.arrive("12303")
    answered = await new.rung(seats["12303"])
    await new.answered(answered, "8003")
    await followed.relay.join()
    await followed.linked()
    assert {call.agent for call in followed.room.live().calls} == {"8002", "8003", None}
    assert len(followed.room.live().waiting) == 1
    await rings.over()
    await new.over(by=answered)
    await stays.over()
    await followed.seen(lambda: not followed.room.live().calls)
    rows = await followed.check(talks, rings, waits, comes, stays, new)
    assert rows[stays.number].source == "live" and rows[comes.number].source == "queue_log"


async def test_a_full_disk_delays_rows_and_loses_none(followed: Following, seats: dict[str, Phone]) -> None:
    """Calls are served and followed in milliseconds; the rows are saved when there is room again."""
    before, during, through = visits(followed.site, 3)
    await whole_call(before, "12301", seats)
    await followed.room.writer.settled()
    followed.disk.full = True
    await whole_call(during, "12302", seats)
    await through.arrive(EMPTY_QUEUE)
    for number in range(2000):  # fill what room the last page has
        followed.room.writer.put(intervals=[_interval(number)])
    await followed.seen(lambda: followed.room.writer.failures >= 2)
    assert followed.room.writer.waiting
    followed.disk.full = False
    await asyncio.wait_for(followed.room.writer.settled(), 20)
    await through.over()
    await followed.seen(lambda: not followed.room.live().calls)
    rows = await followed.check(before, during, through)
    assert {row.source for row in rows.values()} == {"live"}


async def test_a_database_held_by_another_program_delays_rows_and_loses_none(
    followed: Following, seats: dict[str, Phone]
) -> None:
    """A backup program locks the file through two calls; milliseconds and all are there when it lets go."""
    during, through = visits(followed.site, 2)
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD, followed.site.data_dir / "hotline.db",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert holder.stdout is not None
        await holder.stdout.readline()
        await whole_call(during, "12301", seats)
        await through.arrive("12302")
        offered = await through.rung(seats["12302"])
        await through.answered(offered, "8002")
        await followed.seen(lambda: followed.room.writer.failures >= 3)
    finally:
        await holder.communicate(b"")
    await asyncio.wait_for(followed.room.writer.settled(), 20)
    await through.over()
    await followed.seen(lambda: not followed.room.live().calls)
    rows = await followed.check(during, through)
    assert {row.source for row in rows.values()} == {"live"}


async def test_rotations_and_a_truncation_while_we_are_away(
    followed: Following, seats: dict[str, Phone]
) -> None:
    """queue_log is rotated twice with calls in between; the next time we are away it is emptied in place."""
    talks, between, after, last = visits(followed.site, 4)
    await talks.arrive("12301")
    talking = await talks.rung(seats["12301"])
    await talks.answered(talking, "8001")
    await followed.stop()
    await followed.asterisk.rx("logger rotate")
    await talks.over(by=talking)
    await whole_call(between, "12302", seats)
    await followed.asterisk.rx("logger rotate")
    await whole_call(after, "12303", seats)
    await followed.start()
    await followed.stop()
    os.truncate(followed.queue_log, 0)
    await whole_call(last, "12301", seats)
    await followed.start()
    await followed.check(talks, between, after, last)


async def test_restarts_in_a_row_in_the_midst_of_a_call(followed: Following, seats: dict[str, Phone]) -> None:
    """Stopped and started while it rings, while they talk, and after: one row, told once."""
    (visit,) = visits(followed.site, 1)
    await visit.arrive("12301")
    offered = await visit.rung(seats["12301"])
    for _ in range(2):
        await followed.stop()
        await followed.start()
    assert len(followed.room.live().waiting) == 1
    await visit.answered(offered, "8001")
    await asyncio.sleep(1)
    for _ in range(2):
        await followed.stop()
        await followed.start()
    assert [call.agent for call in followed.room.live().calls] == ["8001"]
    await visit.over()
    for _ in range(2):
        await followed.stop()
        await followed.start()
    await followed.check(visit)


async def test_killed_at_any_moment_of_a_call_and_started_twice(tmp_path: Path) -> None:
    """SIGKILL while one talks, one rings, one waits, one has just hung up: rows as if nothing had been."""
    sections = direct_lines(AGENTS)
    plain = {
        name: [one.model_dump(mode="json", exclude_defaults=True) for one in section]
        for name, section in sections.items()
    }
    file = write_site(tmp_path, **plain, asr={"enabled": False})
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(file))
        seats = {}
        for line, agent in AGENTS.items():
            await server.add_user(agent, agent=agent)
            seats[line] = (await stack.enter_async_context(Seat(server, agent))).phone
        talks, rings, waits, ended, comes, stays, later = visits(server.site, 7)
        await talks.arrive("12301")
        talking = await talks.rung(seats["12301"])
        await talks.answered(talking, "8001")
        await rings.arrive("12302")
        ringing = await rings.rung(seats["12302"])
        await waits.arrive(EMPTY_QUEUE)
        await stays.arrive(EMPTY_QUEUE)
        await whole_call(ended, "12303", seats)
        await server.kill()
        await rings.answered(ringing, "8002")
        await talks.over(by=talking)
        await waits.over()
        await whole_call(comes, "12303", seats)
        await rings.over()
        await server.start()
        await server.kill()
        await server.start()
        await whole_call(later, "12301", seats)
        await stays.over()
        await server.stop()
        engine = open_engine(database_url(server.site, Secrets(server.site.data_dir)))
        try:
            await check(engine, talks, rings, waits, ended, comes, stays, later)
        finally:
            await engine.dispose()


async def test_what_lost_events_hid_is_found_by_the_check(
    followed: Following, seats: dict[str, Phone]
) -> None:
    """An arrival, an answer, a break and two ends that no event told of: mended, and each counted."""
    unseen, answered = visits(followed.site, 2)
    drift = followed.room.drift
    followed.ami.deaf_to = (ami.QueueCallerJoin, ami.UserEvent, ami.AgentConnect, ami.QueueMemberPause)
    await unseen.arrive(EMPTY_QUEUE)
    await answered.arrive("12301")
    offered = await answered.rung(seats["12301"])
    await answered.answered(offered, "8001")
    await followed.asterisk.rx("queue pause member PJSIP/8002 queue 12302 reason 小休")
    assert followed.room.live().waiting == ()
    await drift.check()
    live = followed.room.live()
    assert [caller.queue for caller in live.waiting] == [EMPTY_QUEUE]
    assert {agent.agent: agent.state.value for agent in live.agents}["8002"] == "paused"
    assert drift.mended[Kind.WAITING] == 1 and drift.mended[Kind.BREAK] == 1
    followed.ami.deaf_to = (ami.AgentComplete, ami.Hangup, ami.QueueCallerAbandon)
    await answered.over(by=offered)
    await unseen.over()
    await followed.asterisk.quiet()
    await drift.check()
    assert followed.room.live().calls == () and followed.room.live().waiting == ()
    assert {agent.state.value for agent in followed.room.live().agents} == {"ready", "paused"}
    assert drift.mended[Kind.CALL] == 2
    await followed.check(unseen, answered)
