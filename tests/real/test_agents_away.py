"""A real Asterisk while nobody listens: the rows of calls and agents are as if nothing had happened."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import os
import signal
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hotline.config.schema import Site
from hotline.store.database import sessions_of
from hotline.store.ledger import IntervalRecord, Ledger
from hotline.telephony.asterisk_config.places import run_dir_of
from hotline.telephony.asterisk_config.sip import TRANSFER_CONTEXT
from hotline.telephony.phone.phone import Phone
from tests.real.exchange import site_on_free_ports
from tests.real.following import AGENTS, EMPTY_QUEUE, SAME_SECONDS, Following, Visit, direct_lines

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Lines without menus, one agent each."""
    return site_on_free_ports(tmp_path).model_copy(update=direct_lines(AGENTS))


class Deeds:
    """What agents did and when, by the test's own clock."""

    def __init__(self, followed: Following) -> None:
        self._followed = followed
        self._done: dict[str, list[tuple[str, float]]] = {agent: [] for agent in AGENTS.values()}

    def does(self, agent: str, state: str) -> None:
        self._done[agent].append((state, time.time()))

    async def pauses(self, line: str, reason: str | None) -> None:
        """A break, or its end, by the exchange's own console."""
        agent = AGENTS[line]
        word = f"pause member PJSIP/{agent} queue {line} reason {reason}" if reason else ""
        await self._followed.asterisk.rx(f"queue {word or f'unpause member PJSIP/{agent} queue {line}'}")
        self.does(agent, "paused" if reason else "ready")

    async def check(self, since: float) -> list[IntervalRecord]:
        """Assert that the agents' rows from ``since`` on say the same, gapless and without overlap."""
        ledger = Ledger(sessions_of(self._followed.engine))
        start = datetime.fromtimestamp(since - SAME_SECONDS, UTC)
        rows = await ledger.intervals(start, datetime.now(UTC))
        for agent, done in self._done.items():
            own = [row for row in rows if row.agent == agent]
            begun = [next(same) for _, same in itertools.groupby(own, key=_without_rings)]
            begun = begun[len(begun) - len(done) :]
            told = [(row.state, str(row.since), row.source) for row in own]
            assert [row.state for row in begun] == [state for state, _ in done], (agent, told, done)
            for row, (state, at) in zip(begun, done, strict=True):
                assert abs(row.since.timestamp() - at) < SAME_SECONDS, (agent, state, row)
            _gapless(own)
        return rows


def _without_rings(row: IntervalRecord) -> str:
    """Phones say when they are answered, not when app_queue chose them."""
    return "ready" if row.state in ("reserved", "ringing") else row.state


def _gapless(rows: list[IntervalRecord]) -> None:
    for earlier, later in itertools.pairwise(rows):
        assert earlier.until == later.since, (earlier, later)
    assert rows[-1].until is None


async def test_a_link_cut_for_long(
    followed: Following, seats: dict[str, Phone], pytestconfig: pytest.Config
) -> None:
    """Calls come, are answered, given up and end, agents rest and work, all while the link is cut."""
    deeds = Deeds(followed)
    talks, waits, comes, unheard, stays = (Visit(followed.site, f"1380000010{n}") for n in range(5))
    await talks.arrive("12301")
    talking = await talks.rung(seats["12301"])
    await talks.answered(talking, "8001")
    await waits.arrive(EMPTY_QUEUE)
    await followed.seen(lambda: len(followed.room.live().waiting) == 1 and followed.room.live().calls)
    began = time.time()
    await followed.relay.cut()
    await followed.seen(lambda: not followed.room.link_up)
    cut_at = time.monotonic()
    await deeds.pauses("12302", "小休")
    await waits.over()
    await unheard.arrive("12303")
    ringing = await unheard.rung(seats["12303"])
    await comes.arrive(EMPTY_QUEUE)
    await asyncio.sleep(1.5)  # how long the break is: the log has whole seconds
    await deeds.pauses("12302", None)
    await asyncio.sleep(1.5)  # how long it rings until the caller gives up
    await unheard.over()
    await ringing.wait_ended()
    await talks.over(by=talking)
    deeds.does("8001", "ready")
    await comes.over()
    await stays.arrive("12302")
    offered = await stays.rung(seats["12302"])
    await stays.answered(offered, "8002")
    deeds.does("8002", "talking")
    for _ in range(2):  # the log is also rotated, and what was rotated is compressed
        await followed.asterisk.rx("logger rotate")
    for rotated in followed.queue_log.parent.glob("queue_log.[0-9]"):
        rotated.with_name(f"{rotated.name}.gz").write_bytes(gzip.compress(rotated.read_bytes()))
        rotated.unlink()
    await asyncio.sleep(pytestconfig.getoption("--cut-seconds") - (time.monotonic() - cut_at))
    await followed.relay.join()
    await followed.linked()
    assert {call.agent for call in followed.room.live().calls} == {"8002"}
    await stays.over()
    deeds.does("8002", "ready")
    await followed.seen(lambda: not followed.room.live().calls)
    await followed.check(talks, waits, comes, unheard, stays)
    rows = await deeds.check(began)
    assert [row.state for row in rows if row.agent == "8003"][-2:] == ["ringing", "ready"]
    assert {row.source for row in rows if row.state == "paused"} == {"queue_log"}


async def test_an_agent_who_is_rung_by_a_transfer_is_not_free(
    followed: Following, seats: dict[str, Phone]
) -> None:
    """Reserved before the phone rings, ringing over a lost link; no queue sends another call meanwhile."""

    def state() -> str:
        return followed.room.agents.view("8002").state.value

    handed, waits = (Visit(followed.site, f"1380000020{n}") for n in range(2))
    await handed.arrive("12301")
    await handed.answered(await handed.rung(seats["12301"]), "8001")
    await followed.seen(lambda: followed.room.agents.view("8001").state.value == "talking")
    channels = await followed.ami.core_show_channels()
    leg = next(one.channel for one in channels if one.channel.startswith("PJSIP/8001"))
    where = {"Channel": leg, "Exten": "8002", "Context": TRANSFER_CONTEXT}
    await followed.ami.action("BlindTransfer", where)
    offered = await asyncio.wait_for(seats["12302"].next_call(), 20)
    await followed.seen(lambda: state() == "reserved")
    offered.ring()
    await followed.seen(lambda: state() == "ringing")
    await followed.relay.cut()
    await followed.seen(lambda: not followed.room.link_up)
    await followed.relay.join()
    await followed.linked()
    assert state() == "ringing"
    await waits.arrive("12302")
    with pytest.raises(TimeoutError):  # app_queue asks every second
        await asyncio.wait_for(seats["12302"].next_call(), 2.5)
    await offered.answer()
    await followed.seen(lambda: state() == "talking")
    await offered.hangup()
    await waits.rung(seats["12302"])
    await followed.seen(lambda: state() == "ringing")
    await waits.over()
    await handed.phone.aclose()
    await followed.seen(lambda: state() == "ready")


async def test_phones_are_reached_again_as_soon_as_the_exchange_is_back(
    followed: Following, seats: dict[str, Phone]
) -> None:
    """A killed Asterisk takes registered phones for gone until it asks them, which is due within 30 s."""

    def states() -> set[str]:
        return {agent.state.value for agent in followed.room.live().agents}

    pid = followed.asterisk.local.pid
    assert pid is not None and len(seats) == 3
    await followed.seen(lambda: states() == {"ready"})
    await followed.seen(lambda: _kept(followed.site))
    os.kill(pid, signal.SIGKILL)
    await followed.asterisk.local.wait_ended()
    await followed.seen(lambda: not followed.room.link_up)
    await followed.asterisk.local.start()
    back_at = time.monotonic()
    await followed.linked()
    await followed.seen(lambda: states() == {"ready"}, within_seconds=40)
    assert time.monotonic() - back_at < 10


def _kept(site: Site) -> bool:
    """Asterisk writes down once a second who is in a queue and where the phones are."""
    places = "SELECT count(*) FROM astdb WHERE key LIKE '/Queue/Persistent%' OR key LIKE '/registrar/%'"
    with closing(sqlite3.connect(run_dir_of(site) / "db" / "astdb.sqlite3")) as database:
        return bool(database.execute(places).fetchone() == (2 * len(AGENTS),))
